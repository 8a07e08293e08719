// SPDX-License-Identifier: GPL-3.0-or-later
// The request's direction of a relay: from the client, perhaps through the policies, to the provider.
#include "gateway/http/forward.h"
#include "gateway/net/relay.h"
#include "gateway/secrets/wiping.h"

#include <algorithm>
#include <utility>

namespace gatehouse::net {

namespace {

/// A request is held while its connection opens, and kept without further ado, up to this many bytes.
constexpr std::size_t maxPrepared = std::size_t{256} * 1024;
constexpr std::string_view continueHead = "HTTP/1.1 100 Continue\r\n\r\n";

} // namespace

void Relay::gather()
{
    m_phase = Phase::Gathering;
    sayContinue();
}

/// The client may send the body that it announced, if it asked. RFC 9110 §10.1.1.
void Relay::sayContinue()
{
    if (!std::exchange(m_expectsContinue, false) || m_requestBytes != 0)
        return;
    iovec part{const_cast<char *>(continueHead.data()), continueHead.size()};
    m_client.writeToClient(std::span(&part, 1));
}

void Relay::prepare()
{
    const bool wasGathered = m_phase == Phase::Gathering;
    m_phase = Phase::Prepared;
    if (const auto chosen = choose(); !chosen) {
        fail(chosen.error());
        return;
    }
    if (!wasGathered) {
        writeHead({});
        return;
    }
    BodyBatch &batch = m_context.requestBatch;
    batch.clear();
    const std::string_view body = m_exchange->body().bytes();
    writeHead(body);
    if (!body.empty())
        batch.add(body);
    for (const iovec &part : batch.finish(m_requestChunked, m_gatheredEnd))
        m_prepared.append(static_cast<const char *>(part.iov_base), part.iov_len);
    batch.clear();
    m_exchange->body().clear();
}

/// The head for the provider, with room for what follows: \a body, or what was announced.
void Relay::writeHead(std::string_view body)
{
    const ProviderEntry &provider = *m_provider;
    const http::RequestHead &request = m_exchange->request();
    const std::string_view path
        = m_route->rules.isEmpty() ? m_exchange->path() : std::string_view(m_rewrittenPath);
    // At once, so that the head is not copied as it grows.
    std::size_t size = 1024 + provider.basePath.size() + path.size() + m_exchange->query().size();
    for (const http::Field &field : request.fields)
        size += field.name.size() + field.value.size() + 4;
    if (provider.credentialLine)
        size += provider.credentialLine->reveal().size();
    size += body.empty() ? std::min<std::uint64_t>(request.contentLength, maxPrepared)
                         : body.size() + m_gatheredEnd.size() + 32;
    m_prepared.reserve(size);
    http::writeRequestHead(m_prepared,
                           request,
                           {.basePath = provider.basePath,
                            .path = path,
                            .query = m_exchange->query(),
                            .authority = provider.origin.authority,
                            .credentialLine = provider.credentialLine
                                                  ? provider.credentialLine->reveal()
                                                  : std::string_view(),
                            .dropsCredentials = !mayHaveClientsCredential()});
    m_preparedHead = m_prepared.size();
}

bool Relay::wantsRequestBytes() const
{
    switch (m_phase) {
    case Phase::None:
    case Phase::Held:
        return false;
    case Phase::Gathering:
        return !m_requestComplete;
    case Phase::Prepared:
    case Phase::Opening:
    case Phase::Backoff:
        return !m_requestComplete && m_prepared.size() < maxPrepared;
    case Phase::AwaitingHead:
    case Phase::Response:
        return !m_requestComplete && m_connection->pendingOutput() == 0;
    case Phase::Tunnel:
        return m_connection->pendingOutput() == 0;
    }
    return false;
}

/// With \a parts behind what is kept. Long requests are kept where another attempt may follow, as long
/// as they leave room for the bodies that policies have to read.
bool Relay::isTooLongToKeep(std::span<const iovec> parts)
{
    std::size_t size = 0;
    for (const iovec &part : parts)
        size += part.iov_len;
    if (m_prepared.size() + size <= maxPrepared)
        return false;
    if (retrySetting() == nullptr || m_prepared.size() + size > RequestBody::inspectionLimit
        || m_context.gatheredBytes + size > WorkerContext::maxGathered / 2)
        return true;
    m_gathered += size;
    m_context.gatheredBytes += size;
    return false;
}

void Relay::sendRequest(std::span<iovec> parts)
{
    const bool isOpen
        = m_phase != Phase::Prepared && m_phase != Phase::Opening && m_phase != Phase::Backoff;
    if (m_isKept && !(isOpen && isTooLongToKeep(parts))) {
        for (const iovec &part : parts)
            appendWiping(m_prepared, {static_cast<const char *>(part.iov_base), part.iov_len});
    } else if (m_isKept) {
        dropPrepared();
    }
    if (isOpen) {
        m_connection->write(parts);
        if (m_phase == Phase::AwaitingHead)
            await(Wait::FirstByte, limits().firstByteTimeout);
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
    if (m_route->pipeline.changesHeads())
        trailers.clear(); // RFC 9110 §6.5.1: they may be dropped
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
    if (m_requestComplete || m_phase == Phase::Held)
        return;
    BodyBatch &batch = m_context.requestBatch;
    batch.clear(); // a request refused midway left its pieces there
    std::string ending;
    for (bool more = true; more;) {
        const http::BodyReader::Step step = m_requestBody.next(bytes);
        switch (step.event) {
        case http::BodyReader::Event::Data:
            if (!takeRequestData(step.data))
                return;
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
    if (m_phase == Phase::Gathering)
        m_gatheredEnd = std::move(ending);
    else if (!batch.isEmpty() || !ending.empty())
        sendRequest(batch.finish(m_requestChunked, ending));
}

/// Counts a piece of the body and puts it where it belongs; false where it is one too many.
bool Relay::takeRequestData(std::string_view data)
{
    m_requestBytes += data.size();
    if (m_requestBytes > limits().body) {
        fail({ErrorCode::BodyTooLarge, {}});
        return false;
    }
    if (const Reply *refusal = m_exchange->checkBodySize(m_requestBytes)) {
        refuse(*refusal);
        return false;
    }
    if (m_phase != Phase::Gathering) {
        m_context.requestBatch.add(data);
        return true;
    }
    if (m_requestBytes > RequestBody::inspectionLimit) {
        fail({ErrorCode::BodyNotInspectable, {}});
        return false;
    }
    if (m_context.gatheredBytes + data.size() > WorkerContext::maxGathered) {
        fail({ErrorCode::Overloaded, "too many bodies are being read at once"});
        return false;
    }
    m_gathered += data.size();
    m_context.gatheredBytes += data.size();
    m_exchange->body().append(data);
    return true;
}

} // namespace gatehouse::net
