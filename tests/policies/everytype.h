// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/encode.h"
#include "tests/policies/policytest.h"

#include <QString>
#include <QTest>

#include <random>
#include <string>
#include <string_view>

// For tests of what holds for every type of policy.

namespace gatehouse::test {

inline QString toQString(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

inline void addTypes()
{
    QTest::addColumn<QString>("id");
    for (const PolicyType &type : policyTypes())
        QTest::newRow(std::string(type.info.id).c_str()) << toQString(type.info.id);
}

inline const PolicyType &typeOf(const QString &id)
{
    return *findPolicyType(id.toStdString());
}

/// Makes policies of a type and keeps what their config was read as.
class Maker final : public PolicyContext
{
public:
    explicit Maker(const PolicyType &type)
        : m_type(type)
    {}

    std::unique_ptr<const Policy> make(const std::string &yaml)
    {
        m_inner.diagnostics.clear();
        m_read = {};
        const auto documents = parseYaml(yaml, "config", m_inner.diagnostics);
        auto policy = m_type.make(documents.empty() ? nullptr : &documents.front(), *this);
        return hasErrors(m_inner.diagnostics) ? nullptr : std::move(policy);
    }
    [[nodiscard]] const Node &read() const { return m_read; }
    [[nodiscard]] QString said() const { return m_inner.printed(); }

    [[nodiscard]] std::string_view name() const override { return m_inner.name(); }
    void problem(std::initializer_list<PathStep> field, std::string message) override
    {
        m_inner.problem(field, std::move(message));
    }
    void warning(std::initializer_list<PathStep> field, std::string message) override
    {
        m_inner.warning(field, std::move(message));
    }
    [[nodiscard]] bool decode(const Node *config, RecordRef record) override
    {
        const bool isValid = m_inner.decode(config, record);
        m_read = encodeRecord(record.record, *record.type);
        return isValid;
    }
    [[nodiscard]] Result<std::shared_ptr<const LockedSecret>>
    secret(const SecretText &reference) override
    {
        return m_inner.secret(reference);
    }
    [[nodiscard]] Result<std::string> text(std::string_view inlineOrFile) override
    {
        return m_inner.text(inlineOrFile);
    }
    [[nodiscard]] Result<std::shared_ptr<const Endpoint>> endpoint(std::string_view url) override
    {
        return m_inner.endpoint(url);
    }

protected:
    [[nodiscard]] StateStore &states() override { return m_inner.store; }

private:
    const PolicyType &m_type;
    FakeContext m_inner;
    Node m_read;
};

/// Bytes that now and then are what a parser waits for.
inline std::string randomText(std::mt19937 &random, std::size_t longest)
{
    static constexpr std::string_view likely
        = "{}[]\"':,-#&=%;./*\n\r\t 09azAZ_$\\\x7f\xc3\xa9\xff";
    std::string text(random() % (longest + 1), '\0');
    for (char &c : text)
        c = random() % 4 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
    return text;
}

} // namespace gatehouse::test
