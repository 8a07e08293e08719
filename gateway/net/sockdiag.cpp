// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/sockdiag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

namespace gatehouse::net {

namespace {

/// The kernel answers within the call that asks; this only ends what cannot happen.
constexpr timeval answerTimeout{1, 0};
/// In every network namespace. With it sockets that are bound to that interface are found as well.
constexpr std::uint32_t loopbackInterface = 1;
constexpr std::size_t answerSize = 4096;
constexpr unsigned halfCookie = 32;

struct Request
{
    nlmsghdr header{};
    inet_diag_req_v2 body{};
};

Error failure(const std::string &what, int number)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's strerror is per thread
    return {ErrorCode::SystemFailure,
            "the kernel's table of sockets: " + what + ": " + std::strerror(number)};
}

void putEnd(const TcpEnd &end, __be32 (&address)[4], __be16 &port)
{
    std::memcpy(&address[0], end.address.data(), end.address.size());
    port = htons(end.port);
}

/// \a family as the kernel gave it: a mapped address comes as IPv6.
std::optional<TcpEnd> getEnd(std::uint8_t family, const __be32 (&address)[4], __be16 port)
{
    sockaddr_storage storage{};
    storage.ss_family = family;
    if (family == AF_INET) {
        auto &ip4 = reinterpret_cast<sockaddr_in &>(storage);
        std::memcpy(&ip4.sin_addr, &address[0], sizeof ip4.sin_addr);
        ip4.sin_port = port;
    } else {
        auto &ip6 = reinterpret_cast<sockaddr_in6 &>(storage);
        std::memcpy(&ip6.sin6_addr, &address[0], sizeof ip6.sin6_addr);
        ip6.sin6_port = port;
    }
    return TcpEnd::of(storage);
}

/// A listener is what the kernel falls back to; the others have not shaken hands, or no owner.
bool isConnected(std::uint8_t state)
{
    switch (state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_CLOSE_WAIT:
    case TCP_LAST_ACK:
    case TCP_CLOSING:
        return true;
    default:
        return false;
    }
}

std::optional<SocketEntry>
entryOf(const inet_diag_msg &message, const TcpEnd &local, const TcpEnd &remote)
{
    const inet_diag_sockid &id = message.id;
    if (!isConnected(message.idiag_state) || message.idiag_inode == 0
        || getEnd(message.idiag_family, id.idiag_src, id.idiag_sport) != local
        || getEnd(message.idiag_family, id.idiag_dst, id.idiag_dport) != remote)
        return std::nullopt;
    return SocketEntry{static_cast<std::uint64_t>(id.idiag_cookie[1]) << halfCookie
                           | id.idiag_cookie[0],
                       message.idiag_inode,
                       message.idiag_uid};
}

} // namespace

Result<SocketTable> SocketTable::open()
{
    Descriptor descriptor(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    // Connected: nobody but the kernel can send to it.
    if (!descriptor.isOpen()
        || ::connect(descriptor.get(), reinterpret_cast<const sockaddr *>(&kernel), sizeof kernel)
               != 0
        || ::setsockopt(
               descriptor.get(), SOL_SOCKET, SO_RCVTIMEO, &answerTimeout, sizeof answerTimeout)
               != 0)
        return Unexpected(failure("cannot be opened", errno));
    return SocketTable(std::move(descriptor));
}

Result<std::optional<SocketEntry>> SocketTable::find(const TcpEnd &local, const TcpEnd &remote)
{
    Request request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.header.nlmsg_seq = ++m_sequence;
    request.body.sdiag_family = local.isIpv6 ? AF_INET6 : AF_INET;
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_states = ~0U;
    inet_diag_sockid &id = request.body.id;
    putEnd(local, id.idiag_src, id.idiag_sport);
    putEnd(remote, id.idiag_dst, id.idiag_dport);
    id.idiag_if = loopbackInterface;
    id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (::send(m_descriptor.get(), &request, sizeof request, 0) != sizeof request)
        return Unexpected(failure("cannot be asked", errno));

    alignas(nlmsghdr) std::array<char, answerSize> answer{};
    nlmsghdr header{};
    std::size_t size = 0;
    do { // an answer that came after its time belongs to an earlier request
        const ssize_t received = ::recv(m_descriptor.get(), answer.data(), answer.size(), 0);
        if (received < 0 && errno == EINTR)
            continue;
        if (received < static_cast<ssize_t>(sizeof header))
            return Unexpected(failure("does not answer", received < 0 ? errno : EBADMSG));
        size = static_cast<std::size_t>(received);
        std::memcpy(&header, answer.data(), sizeof header);
    } while (header.nlmsg_seq != m_sequence);

    const char *body = answer.data() + NLMSG_HDRLEN;
    if (header.nlmsg_type == NLMSG_ERROR && size >= NLMSG_HDRLEN + sizeof(nlmsgerr)) {
        nlmsgerr error{};
        std::memcpy(&error, body, sizeof error);
        if (error.error == -ENOENT)
            return std::optional<SocketEntry>();
        return Unexpected(failure("refuses", -error.error));
    }
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || size < NLMSG_HDRLEN + sizeof(inet_diag_msg))
        return Unexpected(failure("answers", EBADMSG));
    inet_diag_msg message{};
    std::memcpy(&message, body, sizeof message);
    return entryOf(message, local, remote);
}

} // namespace gatehouse::net
