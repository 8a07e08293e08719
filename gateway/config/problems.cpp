// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/problems.h"

#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/config/address.h"
#include "gateway/config/url.h"
#include "gateway/dialects/dialect.h"
#include "gateway/secrets/virtualkey.h"

#include <QTimeZone>

#include <algorithm>
#include <vector>

namespace gatehouse {

namespace {

constexpr std::size_t longestName = 63;

template<typename T>
std::string problemOf(const Result<T> &result)
{
    return result ? std::string() : result.error().context;
}

bool isLowerAlphanumeric(char c)
{
    return isDigit(c) || (c >= 'a' && c <= 'z');
}

/// `[::1]` or `example.org`, with or without a port.
bool isAuthority(std::string_view text)
{
    const std::size_t bracket = text.rfind(']');
    const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (normalisedHost(text.substr(0, colon)).empty())
        return false;
    return colon == std::string_view::npos || parsePort(text.substr(colon + 1)).value_or(0) != 0;
}

} // namespace

std::string nameProblem(std::string_view text)
{
    constexpr std::string_view others = "._-";
    const bool isName
        = !text.empty() && text.size() <= longestName && isLowerAlphanumeric(text.front())
          && std::ranges::all_of(text, [&](char c) {
                 return isLowerAlphanumeric(c) || others.find(c) != std::string_view::npos;
             });
    return isName ? std::string()
                  : "must be 1 to 63 of a-z, 0-9 and . _ -, beginning with a letter or digit";
}

std::string modelNameProblem(std::string_view text)
{
    constexpr std::size_t longestModelName = 256;
    const bool isName
        = !text.empty() && text.size() <= longestModelName
          && std::ranges::none_of(text, [](char c) { return isControl(c) || c == ' '; })
          && text.find('*') >= text.size() - 1;
    return isName ? std::string() : "must be 1 to 256 bytes without spaces, a * at its end only";
}

std::string listenAddressProblem(std::string_view text)
{
    return problemOf(parseListenAddress(text));
}

std::string adminAddressProblem(std::string_view text)
{
    if (text == "none")
        return {};
    const auto address = parseListenAddress(text);
    if (!address)
        return address.error().context + ", or none";
    if (!isLoopbackHost(address->ip))
        return "must be a loopback address: health and metrics have neither TLS nor keys";
    return {};
}

std::string hostProblem(std::string_view text)
{
    return normalisedHost(text).empty()
               ? "must be a host name or IP address without port (IPv6 in brackets)"
               : std::string();
}

std::string originProblem(std::string_view text)
{
    const std::size_t end = text.find("://");
    const std::string_view scheme = text.substr(0, end);
    const bool isScheme = end != std::string_view::npos && !scheme.empty()
                          && std::ranges::all_of(scheme, [](char c) {
                                 return isAlphanumeric(c) || c == '+' || c == '-' || c == '.';
                             });
    return isScheme && isAuthority(text.substr(end + 3))
               ? std::string()
               : "must be an origin as browsers send it, such as https://app.example.org";
}

std::string timezoneProblem(std::string_view text)
{
    const QByteArray id(text.data(), static_cast<qsizetype>(text.size()));
    return text == "local" || QTimeZone(id).isValid()
               ? std::string()
               : "must be local, UTC or a name such as Europe/Paris that this system knows";
}

std::string baseUrlProblem(std::string_view text)
{
    return problemOf(parseBaseUrl(text));
}

std::string basePathProblem(std::string_view text)
{
    return text == "/" ? std::string() : pathProblem(text);
}

std::string targetProblem(std::string_view text)
{
    const std::size_t query = std::min(text.find('?'), text.size());
    const bool isUrl = std::ranges::all_of(text.substr(query),
                                           [](char c) { return c > ' ' && c <= '~' && c != '#'; });
    return isUrl ? basePathProblem(text.substr(0, query))
                 : "must have only characters that a URL's query may have";
}

std::string keyHashProblem(std::string_view text)
{
    return problemOf(keyHashFromText(text));
}

std::string instantProblem(std::string_view text)
{
    return parseInstant(text) ? std::string()
                              : "must be a time such as 2026-11-23T09:00:00Z or a date";
}

std::span<const std::string_view> dialectNames()
{
    static const auto names = [] {
        std::vector<std::string_view> list;
        for (const Dialect *dialect : dialects())
            list.push_back(dialect->name());
        return list;
    }();
    return names;
}

std::span<const std::string_view> presetNames()
{
    static const auto names = [] {
        std::vector<std::string_view> list;
        for (const ProviderPreset &preset : providerPresets())
            list.push_back(preset.name);
        return list;
    }();
    return names;
}

} // namespace gatehouse
