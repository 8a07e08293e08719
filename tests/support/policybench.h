// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/pipeline.h"
#include "gateway/schema/yaml.h"

#include <QByteArray>
#include <QString>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse::test {

/// Worker and host of a test: no network, and time that passes when the test says so.
class BenchServices final : public Services
{
public:
    void fetch(FetchRequest, std::function<void(Result<FetchResponse>)>) override
    {
        qFatal("the test's policy asks nobody");
    }
    void after(std::chrono::milliseconds delay, std::function<void()> call) override
    {
        m_calls.emplace_back(m_now + delay, std::move(call));
    }
    std::function<void(std::function<void()>)> poster() override
    {
        return [](const std::function<void()> &call) { call(); };
    }
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return m_now; }
    [[nodiscard]] std::chrono::system_clock::time_point wallNow() const override { return {}; }
    [[nodiscard]] KeyHash hashKey(std::string_view) const override { return {}; }

    void advance(std::chrono::milliseconds by)
    {
        m_now += by;
        for (auto &[time, call] : std::exchange(m_calls, {})) {
            if (time <= m_now)
                call();
            else
                m_calls.emplace_back(time, std::move(call));
        }
    }

private:
    std::chrono::steady_clock::time_point m_now;
    std::vector<std::pair<std::chrono::steady_clock::time_point, std::function<void()>>> m_calls;
};

/// One policy, made from YAML as the host makes it, and requests that come to it.
class PolicyBench : private PolicyContext
{
public:
    PolicyBench(const char *type, const QByteArray &yaml, bool observes = false)
        : m_type(findPolicyType(type))
    {
        if (m_type == nullptr)
            qFatal("no such type of policy");
        m_config = parseYaml(std::string_view(yaml.constData(), std::size_t(yaml.size())),
                             "policy.yaml",
                             m_diagnostics);
        const Node *config = m_config.empty() ? nullptr : &m_config.front();
        auto policy = m_type->make(config, *this);
        m_isMade = policy != nullptr;
        if (!m_isMade)
            return;
        PolicyEntry::Settings settings{.name = "bench", .type = m_type, .observes = observes};
        m_pipeline = Pipeline(
            {std::make_shared<const PolicyEntry>(std::move(settings), std::move(policy))});
    }

    [[nodiscard]] bool isMade() const { return m_isMade; }
    /// What is wrong with the config, a line each.
    [[nodiscard]] QByteArray said() const
    {
        QByteArray text;
        for (const Diagnostic &diagnostic : m_diagnostics)
            text += QByteArray::fromStdString(diagnostic.text()) + '\n';
        return text;
    }

    /// A request with these header lines (each with its CRLF) from `peer`: "pass", "paused" or
    /// "STATUS REASON"; the reply is in `reply`.
    QByteArray ask(const QByteArray &fields = {})
    {
        m_exchange = std::make_unique<Exchange>();
        m_head
            = "POST /api/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" + fields + "\r\n";
        http::RequestHead head;
        const std::string_view bytes(m_head.constData(), std::size_t(m_head.size()));
        if (!http::parseRequestHead(bytes, 4096, head))
            qFatal("the test's request is malformed");
        const std::string_view path = head.path.substr(4);
        const auto begun = m_exchange->begin(std::move(head),
                                             {.route = &m_route,
                                              .peer = &peer,
                                              .services = &services,
                                              .clients = &m_clients,
                                              .requestId = "r",
                                              .path = path});
        if (!begun)
            qFatal("the test's request is refused");
        m_exchange->setResumed([this](Verdict verdict) {
            resumed = outcome(m_pipeline.resume(*m_exchange, std::move(verdict), reply));
        });
        resumed.clear();
        return outcome(m_pipeline.runRequestHead(*m_exchange, reply));
    }
    /// The exchange is over, the client gone.
    void end() { m_exchange->end(); }
    [[nodiscard]] const std::vector<Decision> &decisions() const { return m_exchange->decisions(); }

    Peer peer{.address = "127.0.0.1", .port = 4711, .isLoopback = true, .certificate = {}};
    BenchServices services;
    Reply reply;
    QByteArray resumed; ///< as ask() gives it, of a request that was paused

private:
    QByteArray outcome(Pipeline::Outcome outcome) const
    {
        if (outcome == Pipeline::Outcome::Passed)
            return "pass";
        if (outcome == Pipeline::Outcome::Paused)
            return "paused";
        return QByteArray::number(reply.status) + ' ' + QByteArray::fromStdString(reply.reason);
    }

    [[nodiscard]] std::string_view name() const override { return "bench"; }
    void problem(std::initializer_list<PathStep> field, std::string message) override
    {
        m_reporter.error(placeOf(field), std::move(message));
    }
    void warning(std::initializer_list<PathStep> field, std::string message) override
    {
        m_reporter.warning(placeOf(field), std::move(message));
    }
    [[nodiscard]] bool decode(const Node *config, RecordRef record) override
    {
        decodeRecord(config != nullptr ? *config : Node::map(), record, m_reporter);
        return !hasErrors(m_diagnostics);
    }
    [[nodiscard]] Result<std::shared_ptr<const LockedSecret>> secret(const SecretText &) override
    {
        return Unexpected(Error{ErrorCode::CredentialUnavailable, "the test has none"});
    }
    [[nodiscard]] Result<std::string> text(std::string_view inlineText) override
    {
        return std::string(inlineText);
    }
    [[nodiscard]] Result<std::shared_ptr<const Endpoint>> endpoint(std::string_view) override
    {
        return Unexpected(Error{ErrorCode::ConfigInvalid, "must not be asked in this test"});
    }
    [[nodiscard]] StateStore &states() override { return m_states; }
    [[nodiscard]] Place placeOf(std::initializer_list<PathStep> field) const
    {
        return m_config.empty() ? Place{} : gatehouse::placeOf(m_config.front(), field);
    }

    const PolicyType *m_type;
    Diagnostics m_diagnostics;
    Reporter m_reporter{"policy.yaml", m_diagnostics};
    std::vector<Node> m_config;
    StateStore m_states;
    ClientDirectory m_clients;
    RouteInfo m_route{.name = "api", .basePath = "/api", .dialectName = "openai"};
    Pipeline m_pipeline;
    bool m_isMade = false;
    QByteArray m_head;
    std::unique_ptr<Exchange> m_exchange; ///< goes before what it points into
};

/// What MuleSoft's policy of that name becomes: the native config as YAML, or null; what was said in
/// \a said.
inline QByteArray translated(const char *type, const QByteArray &yaml, QByteArray &said)
{
    Diagnostics diagnostics;
    Reporter reporter("flex.yaml", diagnostics);
    const auto documents = parseYaml(
        std::string_view(yaml.constData(), std::size_t(yaml.size())), "flex.yaml", diagnostics);
    FlexConfig config(documents.empty() ? nullptr : &documents.front(), {1, 1}, reporter);
    const auto node = findPolicyType(type)->info.flex.front().translate(config);
    config.warnOfUnknown();
    said.clear();
    for (const Diagnostic &diagnostic : diagnostics)
        said += QByteArray::fromStdString(diagnostic.text()) + '\n';
    return node ? QByteArray::fromStdString(toYaml(*node)) : QByteArray("null");
}

} // namespace gatehouse::test
