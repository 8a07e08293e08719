// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/body.h"
#include "gateway/net/deadlines.h"
#include "gateway/net/resolver.h"
#include "gateway/net/socket.h"
#include "gateway/net/workercontext.h"

#include <QtGlobal>

#include <memory>
#include <string>
#include <vector>

namespace gatehouse::net {

class ProviderConnection;
struct PoolSlot;

/// Who a provider connection works for while it is busy.
class ProviderUser
{
public:
    ProviderUser() = default;
    Q_DISABLE_COPY_MOVE(ProviderUser)

    /// Connected: the request may be written.
    virtual void providerOpened() = 0;
    /// A 1xx other than 100 and 101.
    virtual void providerInterim(const http::ResponseHead &head) = 0;
    virtual void providerHead(const http::ResponseHead &head) = 0;
    /// Bytes of the body, or of the tunnel after a 101; a view that ends with the next call of flush.
    virtual void providerBody(std::string_view bytes) = 0;
    /// The message is complete; \a trailers as parsed. Told before the flush of the last bytes.
    virtual void providerEnd(const std::vector<http::Field> &trailers) = 0;
    /// All that one read brought was told.
    virtual void providerFlush() = 0;
    /// No (more) answer will come. The connection is closed, or will be when given back.
    virtual void providerFailed(const Error &error) = 0;
    /// What was written is with the kernel; more may be written.
    virtual void providerDrained() = 0;
    /// False while the client side cannot take more.
    [[nodiscard]] virtual bool mayTakeResponse() const = 0;

protected:
    ~ProviderUser() = default;
};

/// A connection to one provider: parses what comes, knows nothing of clients. Owned by its pool
/// slot, used by one exchange at a time, of one worker's thread.
class ProviderConnection final : public Buriable, private Socket::Owner
{
public:
    ProviderConnection(WorkerContext &context, PoolSlot &slot);
    ~ProviderConnection() override;
    Q_DISABLE_COPY_MOVE(ProviderConnection)

    /// Resolves and connects; the outcome is told to \a user, perhaps before this returns.
    void open(ProviderUser &user, const ProviderEntry &provider, const TlsContext *tls);
    /// Takes an idle connection into use; false where the peer closed it or sent something.
    [[nodiscard]] bool reuse(ProviderUser &user);
    struct Expected
    {
        bool toHead = false;             ///< no body, whatever the head says
        bool maySwitchProtocols = false; ///< a 101 was asked for
        std::size_t headLimit = 0;       ///< bytes
    };
    /// What the next response answers; call before the request is written.
    void expectResponse(const Expected &expected);

    bool write(std::span<iovec> parts) { return m_socket.write(parts); }
    bool write(std::string_view bytes) { return m_socket.write(bytes); }
    [[nodiscard]] std::size_t pendingOutput() const { return m_socket.pending(); }
    [[nodiscard]] bool isOpen() const { return m_socket.isOpen(); }
    [[nodiscard]] bool isReused() const { return m_isReused; }
    /// True once any byte of the response has come.
    [[nodiscard]] bool hasAnswered() const { return m_hasAnswered; }
    /// True where not a byte of the request has left.
    [[nodiscard]] bool hasSentNothing() const { return m_socket.sentBytes() == m_sentBefore; }
    /// True where the response ended and another request may follow.
    [[nodiscard]] bool isReusable() const { return m_phase == Phase::Done && m_keepAlive; }
    /// Goes on reading after mayTakeResponse() was false.
    void resume();

    /// Ends its use: back into the pool where isReusable() and \a requestComplete, else closed.
    /// The connection must not be touched any more.
    void giveBack(bool requestComplete);

private:
    enum class Phase : std::uint8_t { Opening, Idle, Head, Body, Tunnel, Done, Closed };

    struct WaitDeadline final : Deadline
    {
        explicit WaitDeadline(ProviderConnection &connection)
            : owner(connection)
        {}
        void expired() override { owner.waitedInVain(); }
        ProviderConnection &owner;
    };

    void socketOpened() override;
    void socketFailed(const std::string &reason, bool inTls) override;
    void socketHangUp() override {} // the end is read behind the last bytes
    void socketReadable() override;
    void socketDrained() override;

    void resolved(const Result<std::vector<SocketAddress>> &addresses);
    void connectToNext(const std::string &lastReason);
    void readWhilePossible();
    void take(std::string_view bytes);
    void takeHead(std::string_view &bytes);
    void tellHead(std::string_view head);
    void takeBody(std::string_view &bytes);
    void atEnd(bool cleanly);
    void fail(ErrorCode code, std::string what);
    void waitedInVain();
    void discard();

    WorkerContext &m_context;
    PoolSlot &m_slot;
    ProviderUser *m_user = nullptr;
    const ProviderEntry *m_provider = nullptr; ///< while opening
    const TlsContext *m_tls = nullptr;         ///< while opening
    Socket m_socket;
    std::string m_partialHead;
    http::HeadScanner m_scanner;
    http::BodyReader m_body;
    WaitDeadline m_deadline{*this};         ///< of one attempt to connect, or of being idle
    std::vector<SocketAddress> m_addresses; ///< not yet tried, last first
    Resolver::Ticket m_resolving = Resolver::noTicket;
    std::uint64_t m_sentBefore = 0; ///< bytes sent before this request
    Phase m_phase = Phase::Opening;
    std::uint8_t m_interims = 0;
    bool m_isReused = false;
    bool m_hasAnswered = false;
    bool m_keepAlive = false;
    Expected m_expected;
};

} // namespace gatehouse::net
