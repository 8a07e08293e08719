// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/resolver.h"

#include <QHostAddress>
#include <QHostInfo>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace gatehouse::net {

namespace {

constexpr std::chrono::seconds keptFor{30};

SocketAddress fromIpv4(const in_addr &ip)
{
    SocketAddress address;
    auto *in = reinterpret_cast<sockaddr_in *>(&address.storage);
    in->sin_family = AF_INET;
    in->sin_addr = ip;
    address.length = sizeof *in;
    return address;
}

SocketAddress fromIpv6(const in6_addr &ip)
{
    SocketAddress address;
    auto *in = reinterpret_cast<sockaddr_in6 *>(&address.storage);
    in->sin6_family = AF_INET6;
    in->sin6_addr = ip;
    address.length = sizeof *in;
    return address;
}

SocketAddress fromQt(const QHostAddress &host)
{
    if (host.protocol() == QAbstractSocket::IPv4Protocol) {
        in_addr ip{};
        ip.s_addr = htonl(host.toIPv4Address());
        return fromIpv4(ip);
    }
    const Q_IPV6ADDR bytes = host.toIPv6Address();
    in6_addr ip{};
    std::memcpy(&ip, &bytes, sizeof ip);
    return fromIpv6(ip);
}

std::vector<SocketAddress> withPort(std::vector<SocketAddress> addresses, std::uint16_t port)
{
    for (SocketAddress &address : addresses) {
        if (address.storage.ss_family == AF_INET)
            reinterpret_cast<sockaddr_in *>(&address.storage)->sin_port = htons(port);
        else
            reinterpret_cast<sockaddr_in6 *>(&address.storage)->sin6_port = htons(port);
    }
    return addresses;
}

std::vector<SocketAddress> literal(const std::string &host)
{
    in_addr ip4{};
    if (inet_pton(AF_INET, host.c_str(), &ip4) == 1)
        return {fromIpv4(ip4)};
    in6_addr ip6{};
    if (inet_pton(AF_INET6, host.c_str(), &ip6) == 1)
        return {fromIpv6(ip6)};
    return {};
}

} // namespace

Resolver::Ticket
Resolver::resolve(const std::string &host, std::uint16_t port, TimePoint now, Answer answer)
{
    if (auto addresses = literal(host); !addresses.empty()) {
        answer(withPort(std::move(addresses), port));
        return noTicket;
    }
    if (const auto known = m_known.find(host);
        known != m_known.end() && known->second.until > now) {
        answer(withPort(known->second.addresses, port));
        return noTicket;
    }
    const Ticket ticket = ++m_lastTicket;
    m_waiting.emplace(ticket, std::move(answer));
    QHostInfo::lookupHost(
        QString::fromStdString(host),
        &m_context,
        [this, ticket, host, port, now](const QHostInfo &info) {
            std::vector<SocketAddress> addresses;
            for (const QHostAddress &address : info.addresses())
                addresses.push_back(fromQt(address));
            if (!addresses.empty())
                m_known[host] = {addresses, now + keptFor};
            const auto waiting = m_waiting.extract(ticket);
            if (waiting.empty())
                return;
            if (addresses.empty())
                waiting.mapped()(Unexpected(Error{ErrorCode::ProviderUnresolved,
                                                  host + ": " + info.errorString().toStdString()}));
            else
                waiting.mapped()(withPort(std::move(addresses), port));
        });
    return ticket;
}

} // namespace gatehouse::net
