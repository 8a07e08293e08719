// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/net/acceptedsocket.h"
#include "gateway/net/descriptor.h"

#include <cstdint>
#include <optional>

namespace gatehouse::net {

/// What the kernel says of a connected TCP socket.
struct SocketEntry
{
    std::uint64_t cookie = 0; ///< never given to another socket while the machine is up
    std::uint32_t inode = 0;  ///< what /proc/PID/fd shows it as; never 0
    std::uint32_t uid = 0;    ///< of who opened it

    bool operator==(const SocketEntry &) const = default;
};

/// Linux's table of sockets, asked for one socket at a time (NETLINK_SOCK_DIAG: man 7 sock_diag). Sees
/// the network namespace that it was opened in. Of one thread.
class SocketTable
{
public:
    /// SystemFailure where the kernel has no such table, or a sandbox hides it.
    [[nodiscard]] static Result<SocketTable> open();

    /// The socket whose own end is \a local and whose other end is \a remote, exactly. Null where there is
    /// none that some process holds: closed, closing by itself, or not connected yet.
    [[nodiscard]] Result<std::optional<SocketEntry>> find(const TcpEnd &local,
                                                          const TcpEnd &remote);

private:
    explicit SocketTable(Descriptor descriptor)
        : m_descriptor(std::move(descriptor))
    {}

    Descriptor m_descriptor;
    std::uint32_t m_sequence = 0;
};

} // namespace gatehouse::net
