// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/peer.h"

#include "gateway/net/acceptedsocket.h"
#include "gateway/net/socket.h"

#include <arpa/inet.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace gatehouse::net {

namespace {

std::string numericAddress(const TcpEnd &end)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(end.isIpv6 ? AF_INET6 : AF_INET, end.address.data(), text.data(), text.size());
    return text.data();
}

/// Asks for a connection's caller once, and again only where more is to be known of it.
class CallerOnce final : public std::enable_shared_from_this<CallerOnce>
{
public:
    using Answer = std::function<void(std::shared_ptr<const Caller>)>;

    CallerOnce(const AcceptedSocket &socket, WorkerContext &context)
        : m_socket(socket)
        , m_context(context)
    {}
    Q_DISABLE_COPY_MOVE(CallerOnce)

    void find(CallerDepth depth, Answer done)
    {
        if (m_known && depth <= *m_known) {
            done(m_caller);
            return;
        }
        m_context.findCaller(m_socket,
                             depth,
                             [self = shared_from_this(), depth, done = std::move(done)](
                                 const std::shared_ptr<const Caller> &caller) {
                                 self->keep(depth, caller);
                                 done(caller);
                             });
    }

private:
    /// Answers may overtake each other; the deepest stays.
    void keep(CallerDepth depth, const std::shared_ptr<const Caller> &caller)
    {
        if (m_known && depth < *m_known)
            return;
        m_known = depth;
        m_caller = caller;
    }

    AcceptedSocket m_socket;
    WorkerContext &m_context;
    std::optional<CallerDepth> m_known;
    std::shared_ptr<const Caller> m_caller;
};

} // namespace

Peer peerOf(const Socket &socket, WorkerContext &context)
{
    Peer peer;
    peer.certificate = socket.peerCertificate();
    const auto accepted = AcceptedSocket::of(socket.descriptor());
    if (!accepted)
        return peer;
    peer.address = numericAddress(accepted->client);
    peer.port = accepted->client.port;
    peer.isLoopback = accepted->isLoopback();
    if (peer.isLoopback)
        peer.findCaller = [once = std::make_shared<CallerOnce>(*accepted, context)](
                              CallerDepth depth, CallerOnce::Answer done) {
            once->find(depth, std::move(done));
        };
    return peer;
}

} // namespace gatehouse::net
