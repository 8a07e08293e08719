// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace gatehouse {

/// Where a server is reached. Compared as a whole: equal origins share connections.
struct Origin
{
    bool tls = false;
    std::string host; ///< lower case, IPv6 without brackets
    std::uint16_t port = 0;
    std::string authority; ///< value of the Host header: default port left out, IPv6 in brackets

    bool operator==(const Origin &) const = default;
};

} // namespace gatehouse
