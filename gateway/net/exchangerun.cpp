// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/exchangerun.h"

#include "gateway/base/text.h"
#include "gateway/http/reply.h"
#include "gateway/net/exchangelog.h"
#include "gateway/net/guard.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gatehouse::net {

namespace {

/// The wall clock may be set, and a steady one stands while the machine sleeps: looked at again.
constexpr std::chrono::seconds longestKeyWait{30};

} // namespace

bool ExchangeRun::isRequestComplete() const
{
    return !m_hasBody || (m_isBegun && m_relay.isRequestComplete());
}

void ExchangeRun::begin(std::string_view head,
                        std::string_view &rest,
                        std::string_view listener,
                        const Peer &peer)
{
    m_runtime = m_context.runtime;
    m_exchange = m_context.takeExchange();
    m_route = nullptr;
    m_verdict.reset();
    m_stage = Stage::Head;
    m_isBegun = false;
    m_keepAlive = false;
    m_toHead = false;
    m_hasBody = true; // until the head says otherwise
    http::RequestHead &request = m_context.request;
    if (auto parsed = http::parseRequestHead(head, limits().target, request); !parsed) {
        refuse(Reply::of(parsed.error()));
        return;
    }
    // An HTTP/1.0 client would have to be told that our own answers leave the connection open.
    m_toHttp10 = request.version == http::Version::Http10;
    m_keepAlive = request.keepAlive && !m_toHttp10;
    m_toHead = request.method == "HEAD";
    m_hasBody = request.framing != http::Framing::None;
    if (auto admitted = admitRequest(listener, peer); !admitted) {
        refuse(Reply::of(admitted.error()));
        return;
    }
    Reply reply;
    const Pipeline::Outcome outcome = m_route->pipeline.runRequestHead(*m_exchange, reply);
    afterHead(outcome, reply, rest);
    if (isActive() && (m_stage != Stage::Relaying || m_route->providers.size() > 1))
        m_exchange->own(head);
}

Result<void> ExchangeRun::admitRequest(std::string_view listener, const Peer &peer)
{
    http::RequestHead &request = m_context.request;
    const Snapshot &snapshot = *m_runtime->snapshot;
    if (auto admitted = admit(request, snapshot, listener, m_route); !admitted)
        return admitted;
    if (request.framing == http::Framing::Length && request.contentLength > snapshot.limits.body)
        return Unexpected(Error{ErrorCode::BodyTooLarge, {}});
    m_providerPath.clear();
    if (!m_route->rules.isEmpty())
        m_providerPath = m_route->providerPath(request).value_or(std::string()); // they matched
    // A key in the query would go to all of them alike.
    const bool bringsCredential
        = m_route->firstProvider().credentialLine != nullptr || m_route->providers.size() > 1;
    m_exchange->setResumed([this](Verdict verdict) { resumed(std::move(verdict)); });
    return m_exchange->begin(
        std::move(request),
        {.route = m_route,
         .peer = &peer,
         .services = m_context.services,
         .clients = &snapshot.clients,
         .requestId = m_client.requestId(),
         .path = request.path.substr(m_route->basePath.size()),
         .dropKeys = m_route->firstProvider().dialect->takesKeyFromQuery() && bringsCredential});
}

void ExchangeRun::paused()
{
    m_context.setDeadline(m_pauseDeadline,
                          m_exchange->longestPause().value_or(limits().policyTimeout));
}

void ExchangeRun::PauseDeadline::expired()
{
    owner.m_exchange->resumeFor(Undecided{"it held the request for longer than policyTimeout"});
}

void ExchangeRun::resumed(Verdict verdict)
{
    m_pauseDeadline.clear();
    m_verdict = std::move(verdict);
    m_client.relayWantsMore();
}

void ExchangeRun::proceed(std::string_view &rest)
{
    Verdict verdict = *std::exchange(m_verdict, std::nullopt);
    checkKey(*m_context.runtime->snapshot); // its time may have come meanwhile
    if (!isActive())
        return;
    Reply reply;
    const Pipeline::Outcome outcome
        = m_route->pipeline.resume(*m_exchange, std::move(verdict), reply);
    if (m_stage == Stage::Head)
        afterHead(outcome, reply, rest);
    else
        afterBody(outcome, reply, rest);
}

/// The policies have seen the head: now its body, if some want it.
void ExchangeRun::afterHead(Pipeline::Outcome outcome, const Reply &reply, std::string_view &rest)
{
    if (outcome == Pipeline::Outcome::Paused) {
        paused();
        return;
    }
    if (outcome == Pipeline::Outcome::Refused) {
        refuse(reply);
        return;
    }
    if (m_exchange->key() != nullptr)
        watchKey(*m_exchange->key());
    // A policy before client-key may have held the request for longer than the key was good.
    if (m_runtime != m_context.runtime)
        checkKey(*m_context.runtime->snapshot);
    if (!isActive())
        return;
    const http::RequestHead &request = m_exchange->request();
    bool gathers = m_hasBody && m_route->pipeline.needsBody(*m_exchange);
    m_mayAskForUsage = m_hasBody && mayAskForUsage();
    // What only observing policies would read goes on unread where it cannot be gathered: they change
    // nothing, not even by a refusal.
    const bool isShort = request.framing == http::Framing::Length
                         && request.contentLength <= RequestBody::inspectionLimit;
    if (gathers && !isShort && !m_route->pipeline.needsBodyToDecide(*m_exchange)) {
        gathers = false;
        m_exchange->body().setUnreadable({ErrorCode::BodyNotInspectable, {}});
    }
    // Nor for its usage where that would take the room of what policies have to read.
    const bool hasRoom
        = m_context.gatheredBytes + request.contentLength <= WorkerContext::maxGathered / 2;
    m_mayAskForUsage = m_mayAskForUsage && (gathers || (isShort && hasRoom));
    gathers = gathers || m_mayAskForUsage || mayChooseByModel();
    if (request.framing == http::Framing::Length) {
        if (const Reply *tooLong = m_exchange->checkBodySize(request.contentLength)) {
            refuse(*tooLong);
            return;
        }
        if (gathers && request.contentLength > RequestBody::inspectionLimit) {
            refuse(Reply::of({ErrorCode::BodyNotInspectable, {}}));
            return;
        }
    }
    m_stage = Stage::Body;
    m_isBegun = true;
    m_relay.begin(*m_exchange, *m_route, *m_runtime, m_providerPath);
    if (gathers) {
        m_relay.gather();
        takeBytes(rest);
    } else {
        runBodyPolicies(rest);
    }
}

/// The body may have to be changed so that a stream tells what it used.
bool ExchangeRun::mayAskForUsage() const
{
    const http::RequestHead &request = m_exchange->request();
    return m_route->asksForUsage
           && gatehouse::mayAskForUsage(request.method,
                                        std::string(m_exchange->decodedPath())
                                            + std::string(m_exchange->query()))
           && !m_exchange->header("content-encoding");
}

/// The body may say whom to ask.
bool ExchangeRun::mayChooseByModel() const
{
    return m_hasBody && m_route->choice.needsModels()
           && m_route->modelFinder->readsBody(*m_exchange);
}

void ExchangeRun::takeBytes(std::string_view &bytes)
{
    m_relay.takeRequestBytes(bytes);
    if (isActive() && m_relay.isGathering() && m_relay.isRequestComplete())
        runBodyPolicies(bytes);
}

void ExchangeRun::runBodyPolicies(std::string_view &rest)
{
    Reply reply;
    const Pipeline::Outcome outcome = m_route->pipeline.runRequestBody(*m_exchange, reply);
    afterBody(outcome, reply, rest);
}

void ExchangeRun::afterBody(Pipeline::Outcome outcome, const Reply &reply, std::string_view &rest)
{
    if (outcome == Pipeline::Outcome::Paused) {
        paused();
        return;
    }
    if (outcome == Pipeline::Outcome::Refused) {
        refuse(reply);
        return;
    }
    m_stage = Stage::Relaying;
    if (m_mayAskForUsage) {
        if (const auto splice = gatehouse::askForUsage(m_exchange->body().bytes()))
            m_exchange->askForUsage(*splice);
    }
    m_relay.prepare();
    if (!isActive())
        return; // nobody to ask
    if (m_route->providers.size() == 1)
        m_exchange->forgetRequest();
    m_relay.takeRequestBytes(rest);
    if (isActive())
        m_relay.start();
}

void ExchangeRun::refuse(const Reply &reply)
{
    m_relay.cancel();
    m_client.relayRefused(reply);
}

void ExchangeRun::fail(const Error &error)
{
    if (m_relay.isActive())
        m_relay.fail(error);
    else
        refuse(Reply::of(error));
}

void ExchangeRun::watchKey(const KeyEntry &key)
{
    if (!key.expires) {
        m_keyDeadline.clear();
        return;
    }
    const auto left = *key.expires - m_context.services->wallNow();
    m_context.deadlines.set(m_keyDeadline,
                            WorkerContext::now()
                                + std::chrono::duration_cast<std::chrono::milliseconds>(
                                    std::clamp<std::chrono::system_clock::duration>(
                                        left, std::chrono::seconds(0), longestKeyWait)));
}

void ExchangeRun::checkKey(const Snapshot &snapshot)
{
    if (!isActive() || m_exchange->client() == nullptr)
        return;
    const std::string &name = m_exchange->client()->name;
    const ClientEntry *client = snapshot.clients.findClient(name);
    const KeyEntry *key = snapshot.clients.findKey(m_exchange->keyHash());
    if (client == nullptr || (m_exchange->key() != nullptr && key == nullptr)) {
        fail({ErrorCode::KeyRevoked, {}});
    } else if (!client->mayUseRoute(m_route->name)) {
        fail({ErrorCode::KeyScope, "route " + m_route->name});
    } else if (client->modelNames != m_exchange->client()->modelNames) {
        fail({ErrorCode::KeyScope, "the models of client " + name + " were changed"});
    } else if (m_exchange->key() == nullptr) {
        return; // a token named the client; it was good when it was looked at
    } else if (key->expires && *key->expires <= m_context.services->wallNow()) {
        fail({ErrorCode::KeyExpired, {}});
    } else {
        watchKey(*key);
    }
}

std::string ExchangeRun::compose(const Reply &reply, std::string_view requestId, bool keepAlive)
{
    // Where no route was found there is no dialect either: the plainest form is shown by all SDKs.
    const Dialect &dialect = m_route != nullptr ? *m_route->dialect : *findDialect("ollama");
    const std::string body = reply.hasOwnBody
                                 ? reply.body
                                 : dialect.errorBody(reply.status, reply.reason, reply.message);
    http::ResponseHead head;
    head.status = reply.status;
    const std::string_view contentType
        = reply.contentType.empty() ? "application/json" : std::string_view(reply.contentType);
    if (!body.empty())
        head.fields.push_back({http::FieldId::ContentType, "Content-Type", contentType});
    for (const Header &header : reply.headers)
        head.fields.push_back({http::fieldId(header.name), header.name, header.value});
    const bool cannotBeMended = reply.status >= 400 && !reply.retryable;
    if (!reply.hasOwnBody) // else its fields are its policy's, as written
        http::addFieldsOfStatus(reply.status, cannotBeMended, head.fields);
    std::optional<std::uint64_t> cutAfter;
    if (m_exchange && m_route != nullptr) {
        if (m_route->pipeline.hasResponsePhase(*m_exchange))
            m_route->pipeline.runResponseHead(*m_exchange, head);
        if (reply.hasOwnBody)
            cutAfter = m_exchange->cutAfter();
    }
    m_isCutShort = cutAfter && *cutAfter < body.size();
    return http::ownReply({.status = reply.status,
                           .reason = reply.reason,
                           .contentType = {},
                           .body = body,
                           .requestId = requestId,
                           .toHead = m_toHead,
                           .keepAlive = keepAlive && !m_isCutShort,
                           .fields = head.fields,
                           .hasFieldsOfStatus = true,
                           .streams = reply.streams && !m_toHttp10,
                           .cutAfter = cutAfter});
}

void ExchangeRun::end()
{
    m_relay.cancel();
    m_keyDeadline.clear();
    m_pauseDeadline.clear();
    if (m_exchange) {
        if (m_route != nullptr)
            m_route->pipeline.runEnd(*m_exchange);
        logExchange(*m_exchange, *m_runtime->snapshot->prices);
        m_exchange->end();
        m_context.giveBack(std::move(m_exchange));
    }
    m_runtime.reset();
    m_route = nullptr;
    m_toHead = false;
    m_toHttp10 = false;
    m_hasBody = false;
}

} // namespace gatehouse::net
