// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/secretref.h"

#include "gateway/base/file.h"
#include "gateway/base/text.h"

#include <algorithm>
#include <cstdlib>

namespace gatehouse {

namespace {

constexpr std::size_t longestSecret = std::size_t{16} * 1024;

Unexpected<Error> malformed(std::string_view problem)
{
    return Unexpected(Error{ErrorCode::ConfigInvalid, std::string(problem)});
}

Unexpected<Error> unavailable(std::string why)
{
    return Unexpected(Error{ErrorCode::CredentialUnavailable, std::move(why)});
}

bool isVariableName(std::string_view name)
{
    return !name.empty() && !isDigit(name.front())
           && std::ranges::all_of(name, [](char c) { return isAlphanumeric(c) || c == '_'; });
}

bool isKeychainName(std::string_view name)
{
    constexpr std::string_view alsoAllowed = "._-";
    return !name.empty() && std::ranges::all_of(name, [&](char c) {
        return isAlphanumeric(c) || alsoAllowed.find(c) != std::string_view::npos;
    });
}

/// Only what can stand in a header line: anything else would end it or change what it says.
Result<ResolvedSecret> checkedSecret(Secret value, const std::string &where)
{
    const std::string_view bytes = value.reveal();
    if (bytes.empty())
        return unavailable(where + " is empty");
    if (bytes.size() > longestSecret)
        return unavailable(where + " is longer than 16 KiB");
    if (std::ranges::any_of(bytes, [](char c) { return c < 0x20 || c > 0x7e; }))
        return unavailable(where
                           + " holds a line break, a control character or a byte that is not ASCII"
                             "; write the key alone there");
    if (bytes.front() == ' ' || bytes.back() == ' ')
        return unavailable(where + " begins or ends with a space");
    return ResolvedSecret{std::move(value), {}};
}

Result<ResolvedSecret> fromEnvironment(const std::string &name)
{
    const char *value = std::getenv(name.c_str());
    if (value == nullptr)
        return unavailable("the environment variable " + name
                           + " is not set; set it and start the gateway again");
    return checkedSecret(Secret(value), "the environment variable " + name);
}

Result<ResolvedSecret> fromFile(const std::filesystem::path &path)
{
    auto bytes = readFile(path, longestSecret + 2);
    if (!bytes)
        return unavailable("the credential file " + bytes.error().context);
    if (bytes->ends_with('\n'))
        bytes->pop_back();
    if (bytes->ends_with('\r'))
        bytes->pop_back();
    auto secret = checkedSecret(Secret(std::move(*bytes)), "the credential file " + path.string());
    if (secret && isReadableByOthers(path))
        secret->warning = "the credential file " + path.string()
                          + " can be read by other users; run: chmod 600 " + path.string();
    return secret;
}

} // namespace

Result<SecretReference> parseSecretReference(std::string_view text)
{
    if (text == "none")
        return SecretReference{};
    const std::size_t colon = text.find(':');
    const std::string_view scheme = text.substr(0, colon);
    const std::string name(colon == std::string_view::npos ? std::string_view()
                                                           : text.substr(colon + 1));
    if (colon != std::string_view::npos && scheme == "env") {
        if (!isVariableName(name))
            return malformed(
                "must name an environment variable after env: (letters, digits and _)");
        return SecretReference{SecretReference::Kind::Environment, name};
    }
    if (colon != std::string_view::npos && scheme == "file") {
        if (name.empty() || name.starts_with("//"))
            return malformed("must have a path after file: (no URL), absolute or from the "
                             "configuration directory");
        return SecretReference{SecretReference::Kind::File, name};
    }
    if (colon != std::string_view::npos && scheme == "keychain") {
        if (!isKeychainName(name))
            return malformed("must name an entry after keychain: (letters, digits and . _ -)");
        return SecretReference{SecretReference::Kind::Keychain, name};
    }
    return malformed("must be keychain:NAME, env:NAME, file:PATH or none; the secret itself never "
                     "stands in the configuration");
}

Result<ResolvedSecret> resolveSecret(const SecretReference &reference,
                                     const std::filesystem::path &directory)
{
    switch (reference.kind) {
    case SecretReference::Kind::None:
        return ResolvedSecret{};
    case SecretReference::Kind::Environment:
        return fromEnvironment(reference.name);
    case SecretReference::Kind::File:
        return fromFile(directory / reference.name);
    case SecretReference::Kind::Keychain:
        return unavailable("keychain:" + reference.name
                           + ": this version cannot read the keychain yet; use env: or file:");
    }
    return ResolvedSecret{};
}

} // namespace gatehouse
