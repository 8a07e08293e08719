// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/net/deadlines.h"

#include <QObject>

#include <sys/socket.h>

class QHostInfo;

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

/// Host names to addresses, by the system's resolver in a thread of Qt's pool: one look-up for a name
/// at a time, however many wait for it. Answers are kept for 30 s, failures for 1 s. Of one worker's
/// thread.
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
    void cancel(Ticket ticket);

private:
    struct Known
    {
        std::vector<SocketAddress> addresses = {}; ///< port not set; none: it failed
        std::string failure = {};
        TimePoint until = {};
    };
    struct Waiting
    {
        Ticket ticket = noTicket;
        std::uint16_t port = 0;
        Answer answer;
    };

    void answered(const std::string &host, const QHostInfo &info);
    [[nodiscard]] static Result<std::vector<SocketAddress>>
    outcome(const std::string &host, const Known &known, std::uint16_t port);

    QObject m_context; ///< look-ups under way are forgotten with it
    std::unordered_map<std::string, Known> m_known;
    /// Names that are being looked up, and who waits for them: perhaps nobody any more.
    std::unordered_map<std::string, std::vector<Waiting>> m_waiting;
    Ticket m_lastTicket = noTicket;
};

} // namespace gatehouse::net
