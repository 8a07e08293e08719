// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/relay.h"

#include "gateway/base/text.h"
#include "gateway/http/forward.h"
#include "gateway/http/text.h"
#include "gateway/net/providerpool.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace gatehouse::net {

namespace {

/// A request is kept for a retry, or held while its connection opens, up to this many bytes.
constexpr std::size_t maxPrepared = std::size_t{256} * 1024;
constexpr std::chrono::hours tunnelIdleTime{1};
constexpr std::string_view continueHead = "HTTP/1.1 100 Continue\r\n\r\n";

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

void Relay::begin(const http::RequestHead &request, const Admission &admission)
{
    m_runtime = m_context.runtime;
    m_route = admission.route;
    m_phase = Phase::Prepared;
    m_requestBody = http::BodyReader(request);
    m_requestBytes = 0;
    m_requestComplete = request.framing == http::Framing::None;
    m_requestChunked = request.framing == http::Framing::Chunked;
    m_isKept = true;
    m_isIdempotent = isIdempotent(request);
    m_toHead = request.method == "HEAD";
    m_toHttp10 = request.version == http::Version::Http10;
    m_expectsContinue = request.expectContinue;
    m_maySwitch = request.upgradeWebsocket;
    m_keepAlive = request.keepAlive;
    const ProviderEntry &provider = *m_route->provider;
    m_prepared.clear();
    http::writeRequestHead(m_prepared,
                           request,
                           {.basePath = provider.basePath,
                            .path = admission.path,
                            .query = admission.query,
                            .authority = provider.origin.authority,
                            .credentialLine = provider.credentialLine.reveal()});
    m_preparedHead = m_prepared.size();
}

void Relay::start()
{
    if (m_phase != Phase::Prepared)
        return; // refused while its first bytes were taken
    const ProviderEntry &provider = *m_route->provider;
    if (provider.credentialError) {
        fail(*provider.credentialError);
        return;
    }
    m_connection = m_context.pool->takeIdle(m_runtime->providers.at(&provider), *this);
    if (m_connection != nullptr)
        providerOpened();
    else
        openConnection();
}

void Relay::openConnection()
{
    m_phase = Phase::Opening;
    m_context.setDeadline(m_deadline, limits().connectTimeout);
    const ProviderEntry &provider = *m_route->provider;
    const ProviderTarget &target = m_runtime->providers.at(&provider);
    m_connection = &m_context.pool->add(target);
    m_connection->open(*this, provider, target.tls.get());
}

void Relay::providerOpened()
{
    m_connection->expectResponse({m_toHead, m_maySwitch, limits().head});
    m_phase = Phase::AwaitingHead;
    m_context.setDeadline(m_deadline, limits().firstByteTimeout);
    if (std::exchange(m_expectsContinue, false) && m_requestBytes == 0) {
        iovec part{const_cast<char *>(continueHead.data()), continueHead.size()};
        m_client.writeToClient(std::span(&part, 1));
    }
    m_connection->write(m_prepared);
    // What mayRetry() would refuse in any case need not be kept.
    if (!m_connection->isReused() || !(m_isIdempotent || m_connection->hasSentNothing()))
        dropPrepared();
    if (!m_requestComplete && m_connection->pendingOutput() == 0)
        m_client.relayWantsMore();
}

bool Relay::wantsRequestBytes() const
{
    switch (m_phase) {
    case Phase::None:
        return false;
    case Phase::Prepared:
    case Phase::Opening:
        return !m_requestComplete && m_prepared.size() < maxPrepared;
    case Phase::AwaitingHead:
    case Phase::Response:
        return !m_requestComplete && m_connection->pendingOutput() == 0;
    case Phase::Tunnel:
        return m_connection->pendingOutput() == 0;
    }
    return false;
}

void Relay::sendRequest(std::span<iovec> parts)
{
    const bool isOpen = m_phase != Phase::Prepared && m_phase != Phase::Opening;
    if (isOpen && m_isKept && m_prepared.size() > maxPrepared)
        dropPrepared(); // too long for a second try
    if (!isOpen || m_isKept) {
        for (const iovec &part : parts)
            m_prepared.append(static_cast<const char *>(part.iov_base), part.iov_len);
    }
    if (isOpen) {
        m_connection->write(parts);
        if (m_phase == Phase::AwaitingHead)
            m_context.setDeadline(m_deadline, limits().firstByteTimeout);
    }
}

/// Writes what ends a chunked body; false where its trailers are refused.
bool Relay::takeRequestEnd(std::string &ending)
{
    m_requestComplete = true;
    if (!m_requestChunked)
        return true;
    ending = "0\r\n";
    std::vector<http::Field> trailers;
    if (!m_requestBody.trailerSection().empty()) {
        auto parsed = http::parseTrailers(m_requestBody.trailerSection(), ErrorCode::BadRequest);
        if (!parsed) {
            m_requestComplete = false;
            fail(parsed.error());
            return false;
        }
        trailers = std::move(parsed).value();
        for (const http::Field &field : trailers) {
            if (virtualkey::isWithin(field.value)) {
                m_requestComplete = false;
                fail({ErrorCode::BadRequest, "a virtual key in a trailer field"});
                return false;
            }
        }
    }
    http::writeTrailers(ending, trailers);
    return true;
}

void Relay::takeRequestBytes(std::string_view &bytes)
{
    if (m_phase == Phase::Tunnel) {
        m_connection->write(std::exchange(bytes, {}));
        m_context.setDeadline(m_deadline, tunnelIdleTime);
        return;
    }
    if (m_requestComplete)
        return;
    BodyBatch &batch = m_context.requestBatch;
    batch.clear(); // a request refused midway left its pieces there
    std::string ending;
    for (bool more = true; more;) {
        const http::BodyReader::Step step = m_requestBody.next(bytes);
        switch (step.event) {
        case http::BodyReader::Event::Data:
            m_requestBytes += step.data.size();
            if (m_requestBytes > limits().body) {
                fail({ErrorCode::BodyTooLarge, {}});
                return;
            }
            batch.add(step.data);
            if (batch.isFull()) {
                sendRequest(batch.finish(m_requestChunked, {}));
                batch.clear();
            }
            break;
        case http::BodyReader::Event::End:
            if (!takeRequestEnd(ending))
                return;
            more = false;
            break;
        case http::BodyReader::Event::NeedMore:
            more = false;
            break;
        case http::BodyReader::Event::Malformed:
            fail({ErrorCode::BadRequest, "the chunked framing of the body"});
            return;
        }
    }
    if (!batch.isEmpty() || !ending.empty())
        sendRequest(batch.finish(m_requestChunked, ending));
}

void Relay::providerInterim(const http::ResponseHead &head)
{
    if (m_toHttp10)
        return; // RFC 9110 §15.2
    std::string bytes;
    http::writeResponseHead(bytes, head, {});
    iovec part{bytes.data(), bytes.size()};
    m_client.writeToClient(std::span(&part, 1));
}

void Relay::providerHead(const http::ResponseHead &head)
{
    dropPrepared();
    m_framing = head.framing;
    if (head.framing == http::Framing::UntilClose || head.framing == http::Framing::Chunked)
        m_framing = m_toHttp10 ? http::Framing::UntilClose : http::Framing::Chunked;
    m_phase = head.status == 101 ? Phase::Tunnel : Phase::Response;
    // An answer before the request is complete leaves bytes behind that nobody will read.
    m_keepAlive = m_keepAlive && m_requestComplete && m_framing != http::Framing::UntilClose
                  && !m_context.isDraining && m_phase != Phase::Tunnel;
    m_context.head.clear();
    http::writeResponseHead(m_context.head,
                            head,
                            {.framing = m_framing,
                             .toHttp10 = m_toHttp10,
                             .close = !m_keepAlive,
                             .requestId = m_client.requestId()});
    m_context.responseBatch.setHead(m_context.head);
    m_context.setDeadline(m_deadline,
                          m_phase == Phase::Tunnel ? tunnelIdleTime : limits().streamTimeout);
    if (m_phase == Phase::Tunnel)
        m_client.relayWantsMoreLater(); // bytes may lie there that came behind the request
}

void Relay::providerBody(std::string_view bytes)
{
    BodyBatch &batch = m_context.responseBatch;
    batch.add(bytes);
    if (batch.isFull())
        writeResponse({});
}

void Relay::providerFlush()
{
    if (m_phase != Phase::Response && m_phase != Phase::Tunnel)
        return;
    writeResponse({});
    m_context.setDeadline(m_deadline,
                          m_phase == Phase::Tunnel ? tunnelIdleTime : limits().streamTimeout);
}

void Relay::writeResponse(std::string_view ending)
{
    BodyBatch &batch = m_context.responseBatch;
    if (!batch.isEmpty() || !ending.empty())
        m_client.writeToClient(batch.finish(m_framing == http::Framing::Chunked, ending));
    batch.clear();
}

void Relay::providerEnd(const std::vector<http::Field> &trailers)
{
    if (m_framing != http::Framing::Chunked) {
        writeResponse({});
    } else if (trailers.empty()) {
        writeResponse("0\r\n\r\n");
    } else {
        std::string ending = "0\r\n";
        http::writeTrailers(ending, trailers);
        writeResponse(ending);
    }
    const bool keepAlive = m_keepAlive;
    end();
    m_client.relayCompleted(keepAlive);
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
    fail(error);
}

void Relay::providerDrained()
{
    m_client.relayWantsMore();
}

void Relay::clientDrained()
{
    if (m_phase == Phase::Response)
        m_context.setDeadline(m_deadline, limits().streamTimeout);
    if (m_connection != nullptr)
        m_connection->resume();
}

void Relay::stalled()
{
    switch (m_phase) {
    case Phase::None:
    case Phase::Prepared:
        return; // a deadline of an exchange that is over
    case Phase::Opening:
        fail({ErrorCode::ProviderConnectTimeout, m_route->provider->origin.authority});
        return;
    case Phase::AwaitingHead:
        fail({m_requestComplete ? ErrorCode::ProviderFirstByteTimeout
                                : ErrorCode::ProviderIdleTimeout,
              {}});
        return;
    case Phase::Response:
    case Phase::Tunnel:
        fail({ErrorCode::ProviderIdleTimeout, {}});
        return;
    }
}

void Relay::fail(const Error &error)
{
    const bool begun = m_phase == Phase::Response || m_phase == Phase::Tunnel;
    const bool byReset = m_framing == http::Framing::UntilClose;
    end();
    if (begun)
        m_client.relayBroken(byReset);
    else
        m_client.relayRefused(error);
}

void Relay::cancel()
{
    if (m_phase != Phase::None)
        end();
}

/// Gives back the copy of the request, its credential wiped.
void Relay::dropPrepared()
{
    OPENSSL_cleanse(m_prepared.data(), std::min(m_preparedHead, m_prepared.size()));
    m_prepared = std::string();
    m_isKept = false;
}

void Relay::end()
{
    m_phase = Phase::None;
    dropPrepared();
    if (m_connection != nullptr)
        std::exchange(m_connection, nullptr)->giveBack(m_requestComplete);
    m_runtime.reset();
}

} // namespace gatehouse::net
