// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/body.h"
#include "gateway/net/answerwatch.h"
#include "gateway/net/providerconnection.h"
#include "gateway/net/workercontext.h"
#include "gateway/pipeline/exchange.h"

#include <QtGlobal>

#include <string>
#include <string_view>

namespace gatehouse::net {

/// The client side of a relay: where the answer goes.
class RelayClient
{
public:
    RelayClient() = default;
    Q_DISABLE_COPY_MOVE(RelayClient)

    virtual void writeToClient(std::span<iovec> parts) = 0;
    /// Bytes of the answer that the client has not taken yet.
    [[nodiscard]] virtual std::size_t pendingToClient() const = 0;
    /// Names the exchange under way, for the answer's head.
    [[nodiscard]] virtual std::string_view requestId() const = 0;
    /// The provider can take more of the request.
    virtual void relayWantsMore() = 0;
    /// The same, to be told when the handlers under way have returned.
    virtual void relayWantsMoreLater() = 0;
    /// The answer is complete and written. \a keepAlive: another request may follow.
    virtual void relayCompleted(bool keepAlive) = 0;
    /// No answer was begun: the client is to be told this instead.
    virtual void relayRefused(const Reply &reply) = 0;
    /// The answer was cut off: the client must not take what it has for complete. \a byReset: only a
    /// reset says so, since the answer ends with the connection.
    virtual void relayBroken(bool byReset) = 0;

protected:
    ~RelayClient() = default;
};

/// Moves one exchange at a time between a client and a provider connection, with back-pressure both
/// ways; a tunnel after a 101. Reused for the requests of a kept-alive client. When it has told its
/// client one of the three ends, it holds no provider connection any more.
class Relay final : private ProviderUser
{
public:
    Relay(WorkerContext &context, RelayClient &client)
        : m_context(context)
        , m_client(client)
    {}
    ~Relay();
    Q_DISABLE_COPY_MOVE(Relay)

    /// Takes up a request that may go to a provider of \a route. All outlive the exchange, and where the
    /// route has several so does the request.
    void begin(Exchange &exchange,
               const RouteEntry &route,
               const Runtime &runtime,
               std::string_view rewrittenPath);
    /// Collects the body for the policies before anything is sent. Call before takeRequestBytes.
    void gather();
    /// The policies are through with the request: it is known whom to ask, and it goes out as the exchange
    /// has it now. Call takeRequestBytes with what came behind the head, unless it was gathered, then
    /// start. Ends the exchange where no provider of the route is meant for it.
    void prepare();
    /// Gets a connection and sends what there is. May end the exchange before it returns.
    void start();
    /// Uses up the body's bytes at the front of \a bytes; what is left belongs to the next request.
    void takeRequestBytes(std::string_view &bytes);

    [[nodiscard]] bool isActive() const { return m_phase != Phase::None; }
    /// True where bytes from the client are for this exchange and can be taken now.
    [[nodiscard]] bool wantsRequestBytes() const;
    [[nodiscard]] bool isRequestComplete() const { return m_requestComplete; }
    /// The body is collected for policies and not yet complete, or not yet prepared.
    [[nodiscard]] bool isGathering() const { return m_phase == Phase::Gathering; }
    [[nodiscard]] bool isTunnel() const { return m_phase == Phase::Tunnel; }
    /// An answer is under way whose end the client sees only by the connection's.
    [[nodiscard]] bool answerEndsWithConnection() const
    {
        return m_phase == Phase::Response && m_framing == http::Framing::UntilClose;
    }
    /// Of the configuration that the exchange began with; while it is active.
    [[nodiscard]] const Limits &limits() const { return m_runtime->snapshot->limits; }
    /// Ends the exchange from outside: the rest of the request did not come in time, the key was
    /// revoked.
    void fail(const Error &error);
    /// The client took all that was pending.
    void clientDrained();
    /// The client is gone, or the gateway stops: ends without a word.
    void cancel();

private:
    static constexpr std::chrono::hours tunnelIdleTime{1};

    enum class Phase : std::uint8_t {
        None,
        Held,      ///< the policies are not through with the head
        Gathering, ///< the body is collected, or the policies are not through with it
        Prepared,
        Opening,
        AwaitingHead,
        Backoff, ///< an attempt failed; the deadline begins the next one
        Response,
        Tunnel
    };

    struct StallDeadline final : Deadline
    {
        explicit StallDeadline(Relay &relay)
            : owner(relay)
        {}
        void expired() override { owner.stalled(); }
        Relay &owner;
    };

    struct TotalDeadline final : Deadline
    {
        explicit TotalDeadline(Relay &relay)
            : owner(relay)
        {}
        void expired() override
        {
            owner.failWait(Wait::Total, {ErrorCode::ProviderIdleTimeout, {}});
        }
        Relay &owner;
    };

    void providerOpened() override;
    void providerInterim(const http::ResponseHead &head) override;
    void providerHead(const http::ResponseHead &head) override;
    void providerBody(std::string_view bytes) override;
    void providerEnd(const std::vector<http::Field> &trailers) override;
    void providerFlush() override;
    void providerFailed(const Error &error) override;
    void providerDrained() override;
    [[nodiscard]] bool mayTakeResponse() const override { return m_client.pendingToClient() == 0; }

    void openConnection();
    void sendPrepared();
    void sendRequest(std::span<iovec> parts);
    [[nodiscard]] bool isTooLongToKeep(std::span<const iovec> parts);
    [[nodiscard]] bool takeRequestData(std::string_view data);
    [[nodiscard]] bool takeRequestEnd(std::string &ending);
    [[nodiscard]] bool mayRetry(const Error &error) const;
    [[nodiscard]] const RetrySetting *retrySetting() const;
    [[nodiscard]] Result<void> choose();
    [[nodiscard]] const ProviderEntry &providerAt(std::size_t place) const;
    [[nodiscard]] bool mayHaveClientsCredential() const;
    [[nodiscard]] std::size_t nextPlace() const;
    [[nodiscard]] bool mayTryAgain() const;
    [[nodiscard]] bool retriesUnsent(const Error &error);
    [[nodiscard]] bool retriesAnswer(const http::ResponseHead &head);
    void backOff(std::chrono::milliseconds least, std::string why);
    void tryAgain();
    void turnTo(std::size_t place);
    void writeHead(std::string_view body);
    void noteStall(ErrorCode error);
    void noteAnswer(int status);
    void noteFailure(ErrorCode error);
    void reportFailure();
    [[nodiscard]] bool isLastOfMany(int status) const;
    void writeResponse(std::string_view ending);
    void sayContinue();
    void passChanged(std::string_view bytes);
    void writeCutResponse(std::string_view bytes);
    void breakOff(const Reply &reply);
    void cutOff();
    void refuse(const Reply &reply);
    void await(Wait wait, std::chrono::milliseconds longest);
    void awaitMore();
    void noteWait();
    void stalled();
    void failWait(Wait wait, const Error &error);
    void dropPrepared();
    void end();

    WorkerContext &m_context;
    RelayClient &m_client;
    ProviderConnection *m_connection = nullptr;
    const Runtime *m_runtime = nullptr;
    const RouteEntry *m_route = nullptr;
    const ProviderEntry *m_provider = nullptr; ///< that the attempt under way goes to
    std::string m_rewrittenPath;               ///< of a route with rules, instead of the exchange's
    Exchange *m_exchange = nullptr;
    StallDeadline m_deadline{*this};
    TotalDeadline m_totalDeadline{*this};
    Wait m_wait = Wait::Total;                         ///< what m_deadline is for
    std::chrono::steady_clock::time_point m_waitBegan; ///< where the exchange observesTimes()
    std::chrono::steady_clock::time_point m_begun;     ///< likewise
    AnswerWatch m_watch;
    http::BodyReader m_requestBody;
    std::uint64_t m_requestBytes = 0;
    std::string m_prepared; ///< head and body not yet sent, then kept while a retry is possible
    std::size_t m_preparedHead = 0; ///< bytes of it that are the head
    std::string m_gatheredEnd;      ///< what ends a gathered chunked body
    std::size_t m_gathered = 0;     ///< bytes that count as WorkerContext::gatheredBytes
    std::uint64_t m_responseBytes = 0;
    Phase m_phase = Phase::None;
    http::Framing m_framing = http::Framing::None; ///< of the answer as the client sees it
    bool m_requestChunked = false;
    bool m_requestComplete = false;
    bool m_isKept = false; ///< m_prepared holds all that was sent
    bool m_isIdempotent = false;
    bool m_toHead = false;
    bool m_toHttp10 = false;
    bool m_expectsContinue = false;
    bool m_maySwitch = false;
    bool m_keepAlive = false;
    std::int64_t m_attempts = 0;       ///< begun
    std::vector<std::uint8_t> m_order; ///< whom to ask: places among the route's providers
    std::vector<ProviderChoice::Standing> m_standings; ///< of all of them, as choose() found them
    std::size_t m_place = 0;     ///< in m_order, of the next attempt in Backoff
    bool m_attemptEnded = false; ///< in Backoff: the answer was read to its end
    bool m_cutOff = false; ///< a policy ended the answer early; the exchange ends at the next tick
    bool m_isToldWhy = false; ///< likewise, and the answer has its proper end
};

} // namespace gatehouse::net
