// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>

struct sockaddr_storage;

namespace gatehouse::net {

/// One end of a TCP connection. IPv4-mapped IPv6 is IPv4, as on the wire.
struct TcpEnd
{
    std::array<std::uint8_t, 16> address{}; ///< network order; IPv4 in the first four
    std::uint16_t port = 0;
    bool isIpv6 = false;

    bool operator==(const TcpEnd &) const = default;

    /// Null for what is no IP address.
    [[nodiscard]] static std::optional<TcpEnd> of(const sockaddr_storage &address);
    /// 127.0.0.0/8 or ::1.
    [[nodiscard]] bool isLoopback() const;
};

/// A connection that was accepted, by what tells it from all others.
struct AcceptedSocket
{
    TcpEnd gateway;
    TcpEnd client;
    /// The kernel's number of the gateway's socket, never given twice while the machine is up; 0 where
    /// the system has none. Unlike the two ends it cannot mean a later connection.
    std::uint64_t cookie = 0;

    bool operator==(const AcceptedSocket &) const = default;

    /// Three system calls. Null where \a descriptor is no connected TCP socket any more.
    [[nodiscard]] static std::optional<AcceptedSocket> of(int descriptor);
    [[nodiscard]] bool isLoopback() const { return gateway.isLoopback() && client.isLoopback(); }
};

} // namespace gatehouse::net
