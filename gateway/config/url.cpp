// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/url.h"

#include "gateway/base/text.h"
#include "gateway/config/address.h"

#include <algorithm>
#include <optional>

namespace gatehouse {

namespace {

constexpr std::size_t longestPath = 1024;

std::uint16_t defaultPort(bool tls)
{
    return tls ? 443 : 80;
}

/// RFC 3986 pchar without percent-encoding, and the slash.
bool isPathCharacter(char c)
{
    constexpr std::string_view others = "-._~!$&'()*+,;=:@/";
    return isAlphanumeric(c) || others.find(c) != std::string_view::npos;
}

} // namespace

std::string pathProblem(std::string_view path)
{
    if (!path.starts_with('/'))
        return "must begin with a slash";
    if (path.size() > longestPath)
        return "must be at most 1024 bytes long";
    if (path.ends_with('/'))
        return "must not end with a slash";
    if (path.find('%') != std::string_view::npos)
        return "must not have percent-encoding";
    if (path.find('?') != std::string_view::npos || path.find('#') != std::string_view::npos)
        return "must not have a query or a fragment";
    if (!std::ranges::all_of(path, isPathCharacter))
        return "must have only characters that a URL's path may have";
    for (const std::string_view segment : split(path.substr(1), '/')) {
        if (segment.empty())
            return "must not have an empty segment (//)";
        if (segment == "." || segment == "..")
            return "must not have . or .. as a segment";
    }
    return {};
}

Result<BaseUrl> parseBaseUrl(std::string_view text)
{
    const auto malformed = [](std::string problem) {
        return Unexpected(Error{ErrorCode::ConfigInvalid, std::move(problem)});
    };
    BaseUrl url;
    url.tls = text.starts_with("https://");
    if (!url.tls && !text.starts_with("http://"))
        return malformed("must begin with https:// or http://");
    text.remove_prefix(url.tls ? 8 : 7);
    const std::size_t pathAt = text.find_first_of("/?#\\");
    const std::string_view authority = text.substr(0, pathAt);
    std::string_view path
        = pathAt == std::string_view::npos ? std::string_view() : text.substr(pathAt);
    if (authority.find('@') != std::string_view::npos)
        return malformed("must not have a user name or password; use credential");

    const std::size_t bracket = authority.rfind(']');
    const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    url.host = normalisedHost(authority.substr(0, colon));
    if (url.host.empty())
        return malformed(
            "must have a host: a DNS name (international ones as xn--), an IPv4 address "
            "of four numbers or an IPv6 address in brackets");
    const std::optional<std::uint16_t> port = colon == std::string_view::npos
                                                  ? defaultPort(url.tls)
                                                  : parsePort(authority.substr(colon + 1));
    if (!port || *port == 0)
        return malformed("must have a port from 1 to 65535 after the host's colon");
    url.port = *port;

    if (path.ends_with('/'))
        path.remove_suffix(1);
    if (!path.empty()) {
        if (const std::string problem = pathProblem(path); !problem.empty())
            return malformed("must have a path that is well-formed: it " + problem);
    }
    url.path = path;
    return url;
}

std::string authorityOf(const BaseUrl &url)
{
    std::string authority
        = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
    if (url.port != defaultPort(url.tls))
        authority += ":" + std::to_string(url.port);
    return authority;
}

} // namespace gatehouse
