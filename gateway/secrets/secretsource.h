// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/secrets/lockedsecret.h"
#include "gateway/secrets/secretref.h"

#include <filesystem>
#include <memory>
#include <string>

namespace gatehouse {

struct ResolvedSecret
{
    std::shared_ptr<const LockedSecret> value = {}; ///< null only for `none`
    std::string warning = {};                       ///< empty where there is nothing to say
};

/// Where the compiler of a configuration gets secrets from.
class SecretSource
{
public:
    SecretSource() = default;
    virtual ~SecretSource() = default;
    SecretSource(const SecretSource &) = delete;
    SecretSource(SecretSource &&) = delete;
    SecretSource &operator=(const SecretSource &) = delete;
    SecretSource &operator=(SecretSource &&) = delete;

    /// Answers at once; relative paths start at \a directory. CredentialUnavailable with what to do
    /// where the secret is not there (yet), is empty, longer than 16 KiB, or not printable ASCII.
    [[nodiscard]] virtual Result<ResolvedSecret> read(const SecretReference &reference,
                                                      const std::filesystem::path &directory)
        = 0;
};

} // namespace gatehouse
