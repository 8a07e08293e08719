// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/pipeline/services.h"
#include "gateway/pipeline/statestore.h"
#include "gateway/quota/counterfile.h"
#include "gateway/schema/decode.h"
#include "gateway/secrets/lockedsecret.h"

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace gatehouse {

class PriceTable;

/// What a policy may ask for while it is made, in the host's thread. Not to be kept.
class PolicyContext
{
public:
    PolicyContext() = default;
    virtual ~PolicyContext() = default;
    PolicyContext(const PolicyContext &) = delete;
    PolicyContext(PolicyContext &&) = delete;
    PolicyContext &operator=(const PolicyContext &) = delete;
    PolicyContext &operator=(PolicyContext &&) = delete;

    /// metadata.name of the policy.
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Reports an error (the configuration is not put in force) at the field that the path leads to
    /// within `config`: problem({"keys", 2, "url"}, "must …").
    virtual void problem(std::initializer_list<PathStep> field, std::string message) = 0;
    virtual void warning(std::initializer_list<PathStep> field, std::string message) = 0;
    /// Fills \a record from \a config (null: nothing is set) and reports what is wrong; false then.
    [[nodiscard]] virtual bool decode(const Node *config, RecordRef record) = 0;

    /// The secret, or why it cannot be read now (CredentialUnavailable): no error of the configuration;
    /// the policy is made and says Undecided, until a later snapshot has it. Was warned of already.
    [[nodiscard]] virtual Result<std::shared_ptr<const LockedSecret>>
    secret(const SecretText &reference) = 0;
    /// Inline PEM as it is, or the contents of `file:PATH` (relative to the configuration), up to 64 KiB.
    [[nodiscard]] virtual Result<std::string> text(std::string_view inlineOrFile) = 0;
    /// `https://…`, or `http://` to this machine. ConfigInvalid with "must …".
    [[nodiscard]] virtual Result<std::shared_ptr<const Endpoint>> endpoint(std::string_view url)
        = 0;

    /// The prices in force; never null.
    [[nodiscard]] virtual std::shared_ptr<const PriceTable> prices() = 0;
    /// Gateway.spec.timezone: an IANA name, or `local` for the system's.
    [[nodiscard]] virtual std::string_view timezone() = 0;

    /// A file for counters of this policy, of \a shape (a text that says what a cell counts), so that they
    /// outlive the process; null where there is no data directory, or, warned of, where it cannot be used.
    [[nodiscard]] virtual std::shared_ptr<quota::CounterFile> counterFile(std::string_view shape,
                                                                          std::size_t cellBytes)
        = 0;

    /// What this policy keeps beyond a reload: the same object as long as a policy of the same name
    /// asks for it under the same \a key. T is default constructible and has its own lock.
    template<typename T>
    [[nodiscard]] std::shared_ptr<T> state(std::string_view key)
    {
        return states().obtain<T>(std::string(name()) + '\n' + std::string(key));
    }

protected:
    [[nodiscard]] virtual StateStore &states() = 0;
};

} // namespace gatehouse
