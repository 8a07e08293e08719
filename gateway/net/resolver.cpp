// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/resolver.h"

#include <QHostAddress>
#include <QHostInfo>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <utility>

namespace gatehouse::net {

namespace {

constexpr std::chrono::seconds keptFor{30};
constexpr std::chrono::seconds failureKeptFor{1};

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
        answer(outcome(host, known->second, port));
        return noTicket;
    }
    const bool isAsked = m_waiting.contains(host);
    m_waiting[host].push_back({++m_lastTicket, port, std::move(answer)});
    if (!isAsked)
        QHostInfo::lookupHost(QString::fromStdString(host),
                              &m_context,
                              [this, host](const QHostInfo &info) { answered(host, info); });
    return m_lastTicket;
}

Result<std::vector<SocketAddress>>
Resolver::outcome(const std::string &host, const Known &known, std::uint16_t port)
{
    if (known.addresses.empty())
        return Unexpected(Error{ErrorCode::ProviderUnresolved, host + ": " + known.failure});
    return withPort(known.addresses, port);
}

void Resolver::answered(const std::string &host, const QHostInfo &info)
{
    Known known;
    for (const QHostAddress &address : info.addresses())
        known.addresses.push_back(fromQt(address));
    known.failure = info.errorString().toStdString();
    known.until
        = std::chrono::steady_clock::now() + (known.addresses.empty() ? failureKeptFor : keptFor);
    m_known[host] = known;
    // One at a time: an answer may cancel another, or ask again and be answered from m_known.
    std::vector<Waiting> &waiting = m_waiting[host];
    while (!waiting.empty()) {
        const Waiting next = std::move(waiting.front());
        waiting.erase(waiting.begin());
        next.answer(outcome(host, known, next.port));
    }
    m_waiting.erase(host);
}

void Resolver::cancel(Ticket ticket)
{
    if (ticket == noTicket)
        return;
    for (auto &[host, waiting] : m_waiting)
        std::erase_if(waiting, [ticket](const Waiting &one) { return one.ticket == ticket; });
}

} // namespace gatehouse::net
