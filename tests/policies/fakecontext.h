// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/policycontext.h"
#include "gateway/schema/decode.h"
#include "gateway/secrets/secretarena.h"
#include "gateway/usage/pricetable.h"

#include <QByteArray>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

namespace gatehouse::test {

/// What a policy asks for while it is made, without files, keychain and network.
class FakeContext : public PolicyContext
{
public:
    std::map<std::string, std::string> secrets; ///< by reference; others are not available
    std::map<std::string, std::string> files;   ///< by `file:PATH`; others cannot be read
    StateStore store;
    Diagnostics diagnostics;
    std::string policyName = "p";
    std::shared_ptr<const PriceTable> priceTable = std::make_shared<PriceTable>();
    std::string zone = "UTC";
    std::string counterPath; ///< of the file of counters; empty: none

    /// What is wrong with the config, a line each.
    [[nodiscard]] QByteArray said() const
    {
        QByteArray text;
        for (const Diagnostic &diagnostic : diagnostics)
            text += QByteArray::fromStdString(diagnostic.text() + '\n');
        return text;
    }

    [[nodiscard]] std::string_view name() const override { return policyName; }
    void problem(std::initializer_list<PathStep> field, std::string message) override
    {
        m_reporter.error(place(field), std::move(message));
    }
    void warning(std::initializer_list<PathStep> field, std::string message) override
    {
        m_reporter.warning(place(field), std::move(message));
    }
    [[nodiscard]] bool decode(const Node *config, RecordRef record) override
    {
        m_config = config != nullptr ? *config : Node::map();
        decodeRecord(m_config, record, m_reporter);
        return !hasErrors(diagnostics);
    }
    [[nodiscard]] Result<std::shared_ptr<const LockedSecret>>
    secret(const SecretText &reference) override
    {
        const auto found = secrets.find(reference.text);
        if (found == secrets.end())
            return Unexpected(Error{ErrorCode::CredentialUnavailable, "no " + reference.text});
        return m_arena->store({found->second});
    }
    [[nodiscard]] Result<std::string> text(std::string_view inlineOrFile) override
    {
        if (!inlineOrFile.starts_with("file:"))
            return std::string(inlineOrFile);
        const auto found = files.find(std::string(inlineOrFile));
        if (found == files.end())
            return Unexpected(Error{ErrorCode::ConfigInvalid, "cannot be read"});
        return found->second;
    }
    /// Takes any https:// URL apart; the rules of the real one are tests/config's.
    [[nodiscard]] Result<std::shared_ptr<const Endpoint>> endpoint(std::string_view url) override
    {
        constexpr std::string_view scheme = "https://";
        if (!url.starts_with(scheme))
            return Unexpected(Error{ErrorCode::ConfigInvalid, "must begin with https://"});
        url.remove_prefix(scheme.size());
        const std::size_t slash = std::min(url.find('/'), url.size());
        const std::string host(url.substr(0, slash));
        const std::string_view target = url.substr(slash);
        return std::make_shared<const Endpoint>(
            Endpoint{{true, host, 443, host}, target.empty() ? "/" : std::string(target)});
    }
    [[nodiscard]] std::shared_ptr<const PriceTable> prices() override { return priceTable; }
    [[nodiscard]] std::string_view timezone() override { return zone; }
    [[nodiscard]] std::shared_ptr<quota::CounterFile> counterFile(std::string_view shape,
                                                                  std::size_t cellBytes) override
    {
        if (counterPath.empty())
            return nullptr;
        auto file = quota::CounterFile::open(counterPath,
                                             cellBytes,
                                             shape,
                                             std::chrono::steady_clock::now(),
                                             std::chrono::system_clock::now());
        return file ? std::move(*file) : nullptr;
    }

protected:
    [[nodiscard]] StateStore &states() override { return store; }

private:
    [[nodiscard]] Place place(std::initializer_list<PathStep> field) const
    {
        return placeOf(m_config, field);
    }

    Reporter m_reporter{"config", diagnostics};
    Node m_config = Node::map();
    std::shared_ptr<SecretArena> m_arena = SecretArena::make();
};

} // namespace gatehouse::test
