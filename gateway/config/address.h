// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// Lower case and in its shortest form, without brackets; empty where \a text is no IP literal. The
/// short and octal IPv4 forms that systems read differently are refused, and so are zones.
[[nodiscard]] std::string normalisedIp(std::string_view text);

/// A DNS name (RFC 1123) in lower case, or an IP literal (IPv6 within brackets; returned without);
/// empty where \a text is neither. A name whose last label is a number is neither.
[[nodiscard]] std::string normalisedHost(std::string_view text);

/// `localhost`, names under it, 127.0.0.0/8 and ::1. \a host as normalisedHost returns it.
[[nodiscard]] bool isLoopbackHost(std::string_view host);

/// 1 to 5 digits without a leading zero.
[[nodiscard]] std::optional<std::uint16_t> parsePort(std::string_view text);

struct ListenAddress
{
    std::string ip; ///< without brackets; 127.0.0.1 for localhost
    std::uint16_t port = 0;

    bool operator==(const ListenAddress &) const = default;
};

/// `127.0.0.1:4283`, `[::1]:4283`, `localhost:4283`; port 0 lets the system choose. ConfigInvalid with
/// "must be …" as its context.
[[nodiscard]] Result<ListenAddress> parseListenAddress(std::string_view text);

} // namespace gatehouse
