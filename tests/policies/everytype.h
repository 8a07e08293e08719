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
class Maker final : public FakeContext
{
public:
    explicit Maker(const PolicyType &type)
        : m_type(type)
    {}

    std::unique_ptr<const Policy> make(const std::string &yaml)
    {
        diagnostics.clear();
        m_read = {};
        const auto documents = parseYaml(yaml, "config", diagnostics);
        auto policy = m_type.make(documents.empty() ? nullptr : &documents.front(), *this);
        return hasErrors(diagnostics) ? nullptr : std::move(policy);
    }
    [[nodiscard]] const Node &read() const { return m_read; }

    [[nodiscard]] bool decode(const Node *config, RecordRef record) override
    {
        const bool isValid = FakeContext::decode(config, record);
        if (m_read == Node()) // what follows is of those that the policy is made up of
            m_read = encodeRecord(record.record, *record.type);
        return isValid;
    }

private:
    const PolicyType &m_type;
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
