// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/relay.h"

#include "gateway/base/text.h"
#include "gateway/net/providerpool.h"
#include "gateway/secrets/wiping.h"

#include <algorithm>
#include <utility>

namespace gatehouse::net {

namespace {

/// May be sent twice without doing twice: RFC 9110 §9.2.2, or the client says so itself.
bool isIdempotent(const http::RequestHead &request)
{
    if (request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS")
        return true;
    return std::any_of(request.fields.begin(), request.fields.end(), [](const http::Field &field) {
        return field.id == http::FieldId::Other
               && (equalsIgnoreCase(field.name, "idempotency-key")
                   || equalsIgnoreCase(field.name, "x-idempotency-key"));
    });
}

} // namespace

Relay::~Relay()
{
    cancel();
}

void Relay::begin(Exchange &exchange,
                  const RouteEntry &route,
                  const Runtime &runtime,
                  std::string_view rewrittenPath)
{
    const http::RequestHead &request = exchange.request();
    m_exchange = &exchange;
    m_route = &route;
    m_rewrittenPath = rewrittenPath;
    m_runtime = &runtime;
    m_provider = &route.firstProvider(); // until prepare(), for the record
    exchange.setProvider(m_provider->name);
    m_phase = Phase::Held;
    m_requestBody = http::BodyReader(request);
    m_requestBytes = 0;
    m_responseBytes = 0;
    m_requestComplete = request.framing == http::Framing::None;
    m_requestChunked = request.framing == http::Framing::Chunked;
    m_isKept = true;
    m_isIdempotent = isIdempotent(request);
    m_toHead = request.method == "HEAD";
    m_toHttp10 = request.version == http::Version::Http10;
    m_expectsContinue = request.expectContinue;
    m_maySwitch = request.upgradeWebsocket;
    m_keepAlive = request.keepAlive;
    m_attempts = 1;
    m_context.retryBudget.earn();
    m_prepared.clear();
    m_gatheredEnd.clear();
    m_wait = Wait::Total;
    if (exchange.observesTimes())
        m_begun = m_waitBegan = WorkerContext::now();
    if (const auto total = exchange.timeLimit(Wait::Total))
        m_context.setDeadline(m_totalDeadline, *total);
}

void Relay::start()
{
    if (m_phase != Phase::Prepared)
        return; // refused while its first bytes were taken
    if (m_provider->credentialError) {
        if (!retriesUnsent(*m_provider->credentialError))
            fail(*m_provider->credentialError);
        return;
    }
    m_exchange->beginAttempt(WorkerContext::now());
    m_connection = m_context.pool->takeIdle(m_runtime->providers.at(m_provider), *this);
    if (m_connection != nullptr)
        providerOpened();
    else
        openConnection();
}

void Relay::openConnection()
{
    m_phase = Phase::Opening;
    await(Wait::Connect, limits().connectTimeout);
    const ProviderTarget &target = m_runtime->providers.at(m_provider);
    m_connection = &m_context.pool->add(target);
    m_connection->open(*this, *m_provider, target.tls.get());
}

void Relay::providerOpened()
{
    m_connection->expectResponse({m_toHead, m_maySwitch, limits().head});
    m_phase = Phase::AwaitingHead;
    await(Wait::FirstByte, limits().firstByteTimeout);
    sayContinue();
    m_connection->write(m_prepared);
    m_exchange->answerSoFar().isSent = true;
    // What mayRetry() would refuse in any case need not be kept.
    const bool mayResend
        = m_connection->isReused() && (m_isIdempotent || m_connection->hasSentNothing());
    if (!mayResend && retrySetting() == nullptr)
        dropPrepared();
    if (!m_requestComplete && m_connection->pendingOutput() == 0)
        m_client.relayWantsMore();
}

bool Relay::mayRetry(const Error &error) const
{
    // As Go's transport: a kept-alive connection may have been closed while the request was on its
    // way. Sent again only where that cannot do anything twice.
    return error.code == ErrorCode::ProviderClosed && m_isKept && m_connection->isReused()
           && !m_connection->hasAnswered() && m_phase == Phase::AwaitingHead
           && (m_isIdempotent || m_connection->hasSentNothing());
}

void Relay::providerFailed(const Error &error)
{
    if (m_cutOff)
        return;
    if (m_phase == Phase::Backoff) {
        m_attemptEnded = false;
        return;
    }
    if (m_phase == Phase::Tunnel) {
        end();
        m_client.relayCompleted(false);
        return;
    }
    if (mayRetry(error)) {
        std::exchange(m_connection, nullptr)->giveBack(false);
        openConnection();
        return;
    }
    noteFailure(error.code);
    if (m_phase == Phase::Opening && retriesUnsent(error))
        return;
    fail(error);
}

void Relay::providerDrained()
{
    m_client.relayWantsMore();
}

void Relay::clientDrained()
{
    if (m_phase == Phase::Response)
        awaitMore();
    if (m_connection != nullptr)
        m_connection->resume();
}

/// From now on for so long, or as a policy says.
void Relay::await(Wait wait, std::chrono::milliseconds longest)
{
    noteWait();
    m_wait = wait;
    m_context.setDeadline(m_deadline, m_exchange->timeLimit(wait).value_or(longest));
}

/// More of the answer.
void Relay::awaitMore()
{
    if (m_phase == Phase::Tunnel)
        m_context.setDeadline(m_deadline, tunnelIdleTime);
    else
        await(Wait::Idle, limits().streamTimeout);
}

/// The wait that was is over: for policies that only observe.
void Relay::noteWait()
{
    if (!m_exchange->observesTimes())
        return;
    const auto now = WorkerContext::now();
    m_exchange->checkObservedTime(m_wait, now - std::exchange(m_waitBegan, now));
    m_exchange->checkObservedTime(Wait::Total, now - m_begun);
}

/// For the record, where it is the provider that keeps us waiting, and not the client.
void Relay::noteStall(ErrorCode error)
{
    const bool isTheirs = m_phase == Phase::Opening
                          || (m_phase == Phase::AwaitingHead && m_requestComplete)
                          || (m_phase == Phase::Response && m_client.pendingToClient() == 0);
    if (isTheirs)
        noteFailure(error);
}

void Relay::failWait(Wait wait, const Error &error)
{
    noteStall(error.code);
    if (const Reply *refusal = m_exchange->timedOut(wait))
        refuse(*refusal);
    else
        fail(error);
}

void Relay::stalled()
{
    switch (m_phase) {
    case Phase::None:
    case Phase::Held:
    case Phase::Gathering:
    case Phase::Prepared:
        return; // a deadline of an exchange that is over
    case Phase::Backoff:
        tryAgain();
        return;
    case Phase::Opening:
        noteStall(ErrorCode::ProviderConnectTimeout);
        if (retriesUnsent({ErrorCode::ProviderConnectTimeout, {}}))
            return;
        failWait(Wait::Connect, {ErrorCode::ProviderConnectTimeout, m_provider->origin.authority});
        return;
    case Phase::AwaitingHead:
        failWait(Wait::FirstByte,
                 {m_requestComplete ? ErrorCode::ProviderFirstByteTimeout
                                    : ErrorCode::ProviderIdleTimeout,
                  {}});
        return;
    case Phase::Response:
    case Phase::Tunnel:
        if (m_isToldWhy) {
            end();
            m_client.relayCompleted(false);
            return;
        }
        failWait(Wait::Idle, {ErrorCode::ProviderIdleTimeout, {}});
        return;
    }
}

void Relay::fail(const Error &error)
{
    Reply reply = Reply::of(error);
    // What was tried often enough here need not be tried by the client as often again.
    if (m_exchange != nullptr && m_attempts > 1)
        reply.retryable = false;
    refuse(reply);
}

void Relay::refuse(const Reply &reply)
{
    const bool begun = m_phase == Phase::Response || m_phase == Phase::Tunnel;
    const bool byReset = m_framing == http::Framing::UntilClose;
    end();
    if (begun)
        m_client.relayBroken(byReset);
    else
        m_client.relayRefused(reply);
}

void Relay::cancel()
{
    if (m_phase != Phase::None)
        end();
}

/// Gives back the copy of the request, its credential wiped.
void Relay::dropPrepared()
{
    wipe(m_prepared);
    std::string().swap(m_prepared); // assignment would keep the buffer
    m_isKept = false;
    m_context.gatheredBytes -= std::exchange(m_gathered, 0);
}

void Relay::end()
{
    if (m_exchange != nullptr)
        noteWait();
    m_watch.end(false); // unless it ended before
    const Phase phase = m_phase;
    m_phase = Phase::None;
    m_totalDeadline.clear();
    dropPrepared();
    if (m_connection != nullptr)
        std::exchange(m_connection, nullptr)
            ->giveBack(m_requestComplete && !m_cutOff
                       && (phase != Phase::Backoff || m_attemptEnded));
    m_cutOff = false;
    m_isToldWhy = false;
    m_exchange = nullptr;
}

} // namespace gatehouse::net
