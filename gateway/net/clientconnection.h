// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"
#include "gateway/net/deadlines.h"
#include "gateway/net/exchangerun.h"
#include "gateway/net/socket.h"
#include "gateway/net/workercontext.h"

#include <QtGlobal>

#include <memory>
#include <string>
#include <string_view>

namespace gatehouse::net {

/// Hears of a client connection's end, so that its owner can let it go.
class ClientConnectionOwner
{
public:
    ClientConnectionOwner() = default;
    Q_DISABLE_COPY_MOVE(ClientConnectionOwner)
    virtual void clientClosed(class ClientConnection &connection) = 0;

protected:
    ~ClientConnectionOwner() = default;
};

/// One connection of a client: its heads, deadlines and refusals, one exchange after the other.
/// Bytes of a next request are read only when the exchange before it is over. Of one worker's thread.
class ClientConnection final : public Buriable, private Socket::Owner, private RelayClient
{
public:
    /// \a listener: the name under which it was accepted.
    ClientConnection(WorkerContext &context,
                     ClientConnectionOwner &owner,
                     std::shared_ptr<const std::string> listener);

    /// Takes over an accepted descriptor. False where that failed; it is closed then.
    [[nodiscard]] bool adopt(int descriptor, SslHandle ssl);
    /// The gateway stops: closes now if idle, else after the exchange under way.
    void drain();
    /// Ends everything at once.
    void close();
    /// Another configuration is in force: an exchange whose key is not good any more ends.
    void checkKey(const Snapshot &snapshot) { m_run.checkKey(snapshot); }

private:
    enum class Phase : std::uint8_t {
        Opening,
        Head,      ///< between requests, or within a request's head
        Exchange,  ///< the relay is at work
        Flushing,  ///< the answer is complete; the next request is read when all of it is out
        Closing,   ///< what is pending goes out, then the connection closes
        Lingering, ///< what still comes is read and dropped, so that no reset overtakes our answer
        Closed
    };
    /// What becomes of the connection after an exchange.
    enum class After : std::uint8_t {
        KeepAlive,
        Close,
        Cut,  ///< closed short of what the answer's head announced
        Reset ///< only a reset shows that the answer is not complete
    };

    struct StallDeadline final : Deadline
    {
        explicit StallDeadline(ClientConnection &connection)
            : owner(connection)
        {}
        void expired() override { owner.stalled(); }
        ClientConnection &owner;
    };

    // Socket::Owner
    void socketOpened() override;
    void socketFailed(const std::string &reason, bool inTls) override;
    void socketHangUp() override;
    void socketReadable() override { process(); }
    void socketDrained() override;

    // RelayClient
    void writeToClient(std::span<iovec> parts) override { m_socket.write(parts); }
    [[nodiscard]] std::size_t pendingToClient() const override { return m_socket.pending(); }
    [[nodiscard]] std::string_view requestId() const override
    {
        return {m_requestId.data(), m_requestId.size()};
    }
    void relayWantsMore() override { process(); }
    void relayWantsMoreLater() override { m_socket.readLater(); }
    void relayCompleted(bool keepAlive) override
    {
        finish(keepAlive ? After::KeepAlive : After::Close);
    }
    void relayRefused(const Reply &reply) override { answer(reply, m_run.mayKeepAlive()); }
    void relayBroken(bool byReset) override { finish(byReset ? After::Reset : After::Cut); }

    void process();
    [[nodiscard]] bool step();
    [[nodiscard]] bool read(std::string_view &bytes);
    void takeHead(std::string_view bytes);
    void headComplete(std::string_view head, std::string_view rest);
    void takeBody(std::string_view bytes);
    void keep(std::string_view rest);
    void beginExchange();
    void proceed();
    void awaitBody();
    void finish(After after);
    void refuseHead(const Error &error);
    void answer(const Reply &reply, bool keepAlive);
    void closeWhenWritten();
    void linger();
    void stalled();
    void awaitRequest();

    WorkerContext &m_context;
    ClientConnectionOwner &m_owner;
    std::shared_ptr<const std::string> m_listener;
    Socket m_socket;
    ExchangeRun m_run;
    std::unique_ptr<const Peer> m_peer; ///< found out with the first request
    std::string m_in;                   ///< a head not yet complete, or bytes of the next request
    http::HeadScanner m_scanner;
    StallDeadline m_deadline{*this};
    RequestId m_requestId{};
    TimePoint m_bodySince{};
    std::uint64_t m_lingered = 0; ///< bytes dropped
    Phase m_phase = Phase::Opening;
    bool m_isProcessing = false;
    bool m_hasUnread = false; ///< m_in holds bytes that were not looked at
    bool m_headBegun = false;
};

} // namespace gatehouse::net
