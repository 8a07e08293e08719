// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/secrets/secret.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace gatehouse {

/// Where a secret lies: `keychain:NAME`, `env:NAME`, `file:PATH` or `none`.
struct SecretReference
{
    enum class Kind : std::uint8_t { None, Environment, File, Keychain };

    Kind kind = Kind::None;
    std::string name; ///< of the variable, the file or the keychain's entry
};

/// ConfigInvalid with "must be …" as its context. The text is not quoted in it: people put the secret
/// itself there.
[[nodiscard]] Result<SecretReference> parseSecretReference(std::string_view text);

struct ResolvedSecret
{
    Secret value;
    std::string warning; ///< empty where there is nothing to say
};

/// Reads the secret; a relative path starts at \a directory. CredentialUnavailable with what to do
/// where it is not there, is empty, longer than 16 KiB, or holds anything but printable ASCII.
[[nodiscard]] Result<ResolvedSecret> resolveSecret(const SecretReference &reference,
                                                   const std::filesystem::path &directory);

} // namespace gatehouse
