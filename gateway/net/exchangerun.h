// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/relay.h"
#include "gateway/net/workercontext.h"
#include "gateway/pipeline/exchange.h"

#include <QtGlobal>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::net {

/// Takes one request at a time through guard and policies to the relay, and makes answers of the gateway's
/// own on the way. Reused for the requests of a kept-alive client, of one worker's thread. What it
/// refuses it tells its client through relayRefused.
class ExchangeRun
{
public:
    ExchangeRun(WorkerContext &context, RelayClient &client)
        : m_context(context)
        , m_client(client)
        , m_relay(context, client)
    {}
    ~ExchangeRun() { end(); }
    Q_DISABLE_COPY_MOVE(ExchangeRun)

    /// A complete head, whose first bytes of a body or of a next request are \a rest; what the exchange
    /// does not use of it stays there. May end the exchange before it returns.
    void begin(std::string_view head,
               std::string_view &rest,
               std::string_view listener,
               const Peer &peer);
    /// More of the request; wanted when wantsBytes() says so.
    void takeBytes(std::string_view &bytes);
    /// A verdict that was waited for is there: call proceed().
    [[nodiscard]] bool mayProceed() const { return m_verdict.has_value(); }
    /// The bytes to go on with are \a rest.
    void proceed(std::string_view &rest);

    [[nodiscard]] bool isActive() const { return m_exchange != nullptr; }
    [[nodiscard]] bool wantsBytes() const { return m_relay.wantsRequestBytes(); }
    /// All of the request has been read from the client.
    [[nodiscard]] bool isRequestComplete() const;
    /// Another request may follow an answer of our own.
    [[nodiscard]] bool mayKeepAlive() const { return m_keepAlive && isRequestComplete(); }
    [[nodiscard]] Relay &relay() { return m_relay; }
    /// Of the configuration that the exchange began with; while it is active.
    [[nodiscard]] const Limits &limits() const { return m_runtime->snapshot->limits; }

    /// The configuration changed, or the key's time is over: ends the exchange where its key is not
    /// good for it any more.
    void checkKey(const Snapshot &snapshot);
    /// Ends the exchange with \a error where it has not begun to answer, else breaks the answer off.
    void fail(const Error &error);

    /// The answer's bytes; also before begin() and of a head that could not be parsed.
    [[nodiscard]] std::string
    compose(const Reply &reply, std::string_view requestId, bool keepAlive);
    /// The answer that compose() made last ends early, by a policy: the connection is to be cut.
    [[nodiscard]] bool isCutShort() const { return m_isCutShort; }

    /// The exchange is over, whatever became of it. Nothing is told to anybody.
    void end();

private:
    enum class Stage : std::uint8_t { Head, Body, Relaying };

    struct KeyDeadline final : Deadline
    {
        explicit KeyDeadline(ExchangeRun &run)
            : owner(run)
        {}
        void expired() override { owner.checkKey(*owner.m_context.runtime->snapshot); }
        ExchangeRun &owner;
    };

    struct PauseDeadline final : Deadline
    {
        explicit PauseDeadline(ExchangeRun &run)
            : owner(run)
        {}
        void expired() override;
        ExchangeRun &owner;
    };

    [[nodiscard]] Result<void> admitRequest(std::string_view listener, const Peer &peer);
    void afterHead(Pipeline::Outcome outcome, const Reply &reply, std::string_view &rest);
    void afterBody(Pipeline::Outcome outcome, const Reply &reply, std::string_view &rest);
    [[nodiscard]] bool mayAskForUsage() const;
    [[nodiscard]] bool mayChooseByModel() const;
    void runBodyPolicies(std::string_view &rest);
    void paused();
    void resumed(Verdict verdict);
    void refuse(const Reply &reply);
    void watchKey(const KeyEntry &key);

    WorkerContext &m_context;
    RelayClient &m_client;
    Relay m_relay;
    KeyDeadline m_keyDeadline{*this};
    PauseDeadline m_pauseDeadline{*this};
    std::unique_ptr<Exchange> m_exchange;
    std::shared_ptr<const Runtime> m_runtime; ///< pinned for the exchange
    const RouteEntry *m_route = nullptr;
    std::string m_providerPath;       ///< of a route with rules, from the request as it came
    std::optional<Verdict> m_verdict; ///< that proceed() goes on with
    Stage m_stage = Stage::Head;
    bool m_hasBody = false;
    bool m_mayAskForUsage = false;
    bool m_isBegun = false; ///< the relay has taken the request up
    bool m_keepAlive = false;
    bool m_toHead = false;
    bool m_toHttp10 = false;
    bool m_isCutShort = false;
};

} // namespace gatehouse::net
