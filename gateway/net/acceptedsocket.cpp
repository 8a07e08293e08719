// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/acceptedsocket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace gatehouse::net {

namespace {

constexpr std::size_t mappedPrefix = 12; // of ::ffff:0:0/96
constexpr std::uint8_t loopbackNet = 127;

/// \a ask is getsockname or getpeername.
template<typename Ask>
std::optional<TcpEnd> endOf(int descriptor, Ask ask)
{
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (ask(descriptor, reinterpret_cast<sockaddr *>(&storage), &length) != 0)
        return std::nullopt;
    return TcpEnd::of(storage);
}

std::uint64_t cookieOf([[maybe_unused]] int descriptor)
{
    std::uint64_t cookie = 0;
#ifdef SO_COOKIE
    socklen_t length = sizeof cookie;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0)
        return 0;
#endif
    return cookie;
}

} // namespace

std::optional<TcpEnd> TcpEnd::of(const sockaddr_storage &address)
{
    TcpEnd end;
    if (address.ss_family == AF_INET) {
        const auto &ip4 = reinterpret_cast<const sockaddr_in &>(address);
        std::memcpy(end.address.data(), &ip4.sin_addr, sizeof ip4.sin_addr);
        end.port = ntohs(ip4.sin_port);
        return end;
    }
    if (address.ss_family != AF_INET6)
        return std::nullopt;
    const auto &ip6 = reinterpret_cast<const sockaddr_in6 &>(address);
    end.port = ntohs(ip6.sin6_port);
    const std::uint8_t *bytes = ip6.sin6_addr.s6_addr;
    end.isIpv6 = IN6_IS_ADDR_V4MAPPED(&ip6.sin6_addr) == 0;
    if (end.isIpv6)
        std::memcpy(end.address.data(), bytes, end.address.size());
    else
        std::memcpy(end.address.data(), bytes + mappedPrefix, end.address.size() - mappedPrefix);
    return end;
}

bool TcpEnd::isLoopback() const
{
    if (!isIpv6)
        return address.front() == loopbackNet;
    const auto last = address.end() - 1;
    return *last == 1 && std::all_of(address.begin(), last, [](auto byte) { return byte == 0; });
}

std::optional<AcceptedSocket> AcceptedSocket::of(int descriptor)
{
    const auto gateway = endOf(descriptor, &::getsockname);
    const auto client = endOf(descriptor, &::getpeername);
    if (!gateway || !client)
        return std::nullopt;
    return AcceptedSocket{*gateway, *client, cookieOf(descriptor)};
}

} // namespace gatehouse::net
