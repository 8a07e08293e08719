// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/policies/policytest.h"

#include <QByteArray>

#include <string>
#include <string_view>

namespace gatehouse {

/// A PolicyTest made at once, for policies that change heads: what it gives reads like the wire.
class PolicyRun : public test::PolicyTest
{
public:
    enum class Mode : std::uint8_t { Enforce, Observe };

    explicit PolicyRun(std::string_view type,
                       const std::string &config = {},
                       Mode mode = Mode::Enforce)
        : PolicyTest(type, config)
        , m_type(*findPolicyType(type))
        , m_config(config)
    {
        settings.observes = mode == Mode::Observe;
        isMade = make();
        problems = context.printed().toUtf8();
    }

    /// Another one of the same config, by itself.
    [[nodiscard]] std::unique_ptr<const Policy> policy()
    {
        const auto documents = parseYaml(m_config, "config", context.diagnostics);
        return m_type.make(documents.empty() ? nullptr : &documents.front(), context);
    }

    /// \a lines: fields, each with its CRLF.
    void
    ask(const std::string &requestLine, const std::string &lines = {}, const std::string &body = {})
    {
        outcome = send(requestLine + " HTTP/1.1\r\n" + lines, body);
    }
    [[nodiscard]] bool isPassed() const { return outcome == Outcome::Passed; }
    [[nodiscard]] bool isPaused() const { return outcome == Outcome::Paused; }
    [[nodiscard]] bool isRefused() const { return outcome == Outcome::Refused; }

    /// An answer's fields as the policy leaves them.
    QByteArray answered(const std::string &lines, int status = 200)
    {
        return QByteArray::fromStdString(respond(status, lines));
    }
    [[nodiscard]] QByteArray requestFields() const { return QByteArray::fromStdString(fields()); }
    [[nodiscard]] QByteArray replyFields() const
    {
        QByteArray lines;
        for (const Header &header : reply.headers)
            lines += QByteArray::fromStdString(header.name + ": " + header.value + '\n');
        return lines;
    }
    /// The last decision, as records name it.
    [[nodiscard]] QByteArray decision() const
    {
        switch (exchange.decisions().back().kind) {
        case Decision::Kind::Pass:
            return "pass";
        case Decision::Kind::Refuse:
            return "refuse";
        case Decision::Kind::Change:
            return "change";
        case Decision::Kind::WouldRefuse:
            return "would-refuse";
        case Decision::Kind::WouldChange:
            return "would-change";
        case Decision::Kind::Error:
            return "error";
        }
        return {};
    }

    bool isMade = false;
    QByteArray problems;
    Outcome outcome = Outcome::Passed;

private:
    const PolicyType &m_type;
    std::string m_config;
};

/// A config of a MuleSoft document in the native words, as YAML; what is said of it in \a problems.
/// Empty where it is refused.
inline std::string translated(std::string_view type, const std::string &flex, QByteArray &problems)
{
    Diagnostics diagnostics;
    const auto documents = parseYaml(flex, "f", diagnostics);
    Reporter reporter("f", diagnostics);
    FlexConfig config(documents.empty() ? nullptr : &documents.front(), {}, reporter);
    const auto node = findPolicyType(type)->info.flex.front().translate(config);
    config.warnOfUnknown();
    problems.clear();
    for (const Diagnostic &diagnostic : diagnostics)
        problems += QByteArray::fromStdString(diagnostic.text() + '\n');
    return node ? toYaml(*node) : std::string();
}

} // namespace gatehouse
