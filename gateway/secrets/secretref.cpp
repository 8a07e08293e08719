// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/secretref.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse {

namespace {

Unexpected<Error> malformed(std::string_view problem)
{
    return Unexpected(Error{ErrorCode::ConfigInvalid, std::string(problem)});
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

std::string referenceProblem(std::string_view text)
{
    const auto parsed = parseSecretReference(text);
    return parsed ? std::string() : parsed.error().context;
}

bool isVariableName(std::string_view name)
{
    return !name.empty() && !isDigit(name.front())
           && std::ranges::all_of(name, [](char c) { return isAlphanumeric(c) || c == '_'; });
}

std::string toText(const SecretReference &reference)
{
    switch (reference.kind) {
    case SecretReference::Kind::None:
        return "none";
    case SecretReference::Kind::Environment:
        return "env:" + reference.name;
    case SecretReference::Kind::File:
        return "file:" + reference.name;
    case SecretReference::Kind::Keychain:
        return "keychain:" + reference.name;
    }
    return {};
}

std::string secretProblem(std::string_view bytes)
{
    if (bytes.empty())
        return "is empty";
    if (bytes.size() > longestSecret)
        return "is longer than 16 KiB";
    if (std::ranges::any_of(bytes, [](char c) { return c < 0x20 || c > 0x7e; }))
        return "holds a line break, a control character or a byte that is not ASCII; write the key "
               "alone there";
    if (bytes.front() == ' ' || bytes.back() == ' ')
        return "begins or ends with a space";
    return {};
}

bool isKeychainName(std::string_view name)
{
    constexpr std::string_view alsoAllowed = "._-";
    return !name.empty() && std::ranges::all_of(name, [&](char c) {
        return isAlphanumeric(c) || alsoAllowed.find(c) != std::string_view::npos;
    });
}

} // namespace gatehouse
