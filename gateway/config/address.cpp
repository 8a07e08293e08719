// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/address.h"

#include "gateway/base/text.h"

#include <QHostAddress>

#include <algorithm>
#include <charconv>

namespace gatehouse {

namespace {

constexpr std::size_t longestIp = 45;
constexpr std::size_t longestName = 253;
constexpr std::size_t longestLabel = 63;

bool isLabel(std::string_view label)
{
    return !label.empty() && label.size() <= longestLabel && label.front() != '-'
           && label.back() != '-' && std::ranges::all_of(label, [](char c) {
                  return isAlphanumeric(c) || c == '-' || c == '_';
              });
}

bool isNumber(std::string_view label)
{
    // "0x7f.1" is an address too to those who read it generously.
    return std::ranges::all_of(label, isDigit) || label.starts_with("0x")
           || label.starts_with("0X");
}

} // namespace

std::string normalisedIp(std::string_view text)
{
    const bool isAddressText = std::ranges::all_of(text, [](char c) {
        const char lower = toLowerAscii(c);
        return isDigit(c) || c == '.' || c == ':' || (lower >= 'a' && lower <= 'f');
    });
    if (text.empty() || text.size() > longestIp || !isAddressText)
        return {};
    const QHostAddress address(
        QString::fromLatin1(text.data(), static_cast<qsizetype>(text.size())));
    std::string normal = address.toString().toStdString();
    if (address.protocol() == QAbstractSocket::IPv6Protocol)
        return normal;
    return address.protocol() == QAbstractSocket::IPv4Protocol && normal == text ? normal
                                                                                 : std::string();
}

std::string normalisedHost(std::string_view text)
{
    if (text.starts_with('[')) {
        if (!text.ends_with(']') || text.find(':') == std::string_view::npos)
            return {};
        return normalisedIp(text.substr(1, text.size() - 2));
    }
    if (text.find(':') != std::string_view::npos)
        return {};
    if (std::string ip = normalisedIp(text); !ip.empty())
        return ip;
    const auto labels = split(text, '.');
    if (text.size() > longestName || !std::ranges::all_of(labels, isLabel)
        || isNumber(labels.back()))
        return {};
    return toLowerAscii(text);
}

bool isLoopbackHost(std::string_view host)
{
    if (host == "localhost" || host.ends_with(".localhost"))
        return true;
    const std::string ip = normalisedIp(host);
    return !ip.empty() && QHostAddress(QString::fromStdString(ip)).isLoopback();
}

std::optional<std::uint16_t> parsePort(std::string_view text)
{
    std::uint16_t port = 0;
    const char *end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, port);
    if (problem != std::errc() || rest != end || (text.size() > 1 && text.front() == '0'))
        return {};
    return port;
}

Result<ListenAddress> parseListenAddress(std::string_view text)
{
    const auto malformed = [](std::string_view problem) {
        return Unexpected(Error{ErrorCode::ConfigInvalid, std::string(problem)});
    };
    const std::size_t colon = text.rfind(':');
    const std::string_view host = text.substr(0, colon);
    const bool isBracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    const bool hasBareIpv6 = host.find(':') != std::string_view::npos && !isBracketed;
    if (colon == std::string_view::npos || hasBareIpv6)
        return malformed("must be an address and a port, such as 127.0.0.1:4283 or [::1]:4283");
    const auto port = parsePort(text.substr(colon + 1));
    if (!port)
        return malformed("must end with a port from 0 to 65535");
    const std::string ip = host == "localhost" ? "127.0.0.1" : normalisedHost(host);
    if (normalisedIp(ip).empty())
        return malformed("must begin with an IP address or localhost, not with another name");
    return ListenAddress{ip, *port};
}

} // namespace gatehouse
