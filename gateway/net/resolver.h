// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/net/deadlines.h"

#include <QObject>

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gatehouse::net {

/// An IPv4 or IPv6 address with its port, ready to connect to.
struct SocketAddress
{
    sockaddr_storage storage{};
    socklen_t length = 0;

    [[nodiscard]] const sockaddr *get() const
    {
        return reinterpret_cast<const sockaddr *>(&storage);
    }
};

/// Host names to addresses, by the system's resolver in a thread of Qt's pool. Answers are kept for
/// 30 s. Of one worker's thread.
class Resolver
{
public:
    using Ticket = std::uint64_t;
    static constexpr Ticket noTicket = 0;
    using Answer = std::function<void(const Result<std::vector<SocketAddress>> &)>;

    Resolver() = default;
    Q_DISABLE_COPY_MOVE(Resolver)

    /// Answers at once for literals and names known, with noTicket as return; else later.
    Ticket resolve(const std::string &host, std::uint16_t port, TimePoint now, Answer answer);
    /// The answer is not wanted any more.
    void cancel(Ticket ticket) { m_waiting.erase(ticket); }

private:
    struct Known
    {
        std::vector<SocketAddress> addresses; ///< port not set
        TimePoint until;
    };

    QObject m_context; ///< look-ups under way are forgotten with it
    std::unordered_map<std::string, Known> m_known;
    std::unordered_map<Ticket, Answer> m_waiting;
    Ticket m_lastTicket = noTicket;
};

} // namespace gatehouse::net
