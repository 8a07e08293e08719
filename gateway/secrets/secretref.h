// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <cstddef>
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
    std::string name = {}; ///< of the variable, the file or the keychain's entry

    bool operator==(const SecretReference &) const = default;
};

/// As written in the configuration: "env:NAME".
[[nodiscard]] std::string toText(const SecretReference &reference);

/// ConfigInvalid with "must be …" as its context. The text is not quoted in it: people put the secret
/// itself there.
[[nodiscard]] Result<SecretReference> parseSecretReference(std::string_view text);
/// "must …" where \a text is no reference, empty where it is one: for field tables.
[[nodiscard]] std::string referenceProblem(std::string_view text);

/// True for what may stand after `env:` or `$`.
[[nodiscard]] bool isVariableName(std::string_view name);

inline constexpr std::size_t longestSecret = std::size_t{16} * 1024;

/// Why \a bytes cannot be a secret ("is empty"); empty where they can. Only what can stand in a header
/// line is one: anything else would end the line or change what it says.
[[nodiscard]] std::string secretProblem(std::string_view bytes);

/// True for what may stand after `keychain:`.
[[nodiscard]] bool isKeychainName(std::string_view name);

} // namespace gatehouse
