// SPDX-License-Identifier: GPL-3.0-or-later
// The answer's direction of a relay: from the provider, past the policies, to the client.
#include "gateway/http/forward.h"
#include "gateway/net/relay.h"

#include <algorithm>
#include <utility>

namespace gatehouse::net {

void Relay::providerInterim(const http::ResponseHead &head)
{
    if (m_phase == Phase::Backoff || m_toHttp10 || m_route->pipeline.changesHeads())
        return; // RFC 9110 §15.2
    std::string bytes;
    http::writeResponseHead(bytes, head, {});
    iovec part{bytes.data(), bytes.size()};
    m_client.writeToClient(std::span(&part, 1));
}

void Relay::providerHead(const http::ResponseHead &fromProvider)
{
    noteAnswer(fromProvider.status);
    if (retriesAnswer(fromProvider))
        return;
    dropPrepared();
    m_watch.begin(*m_exchange, *m_route, fromProvider);
    const http::ResponseHead *head = &fromProvider;
    http::ResponseHead changed;
    if (m_watch.changesBody()) {
        changed = *head;
        std::erase_if(changed.fields, [](const http::Field &field) {
            return field.id == http::FieldId::ContentEncoding
                   || field.id == http::FieldId::ContentLength;
        });
        changed.framing = http::Framing::Chunked;
        head = &changed;
    }
    if (m_route->pipeline.hasResponsePhase(*m_exchange)) {
        if (head != &changed)
            changed = fromProvider;
        http::dropConnectionNamed(changed);
        m_route->pipeline.runResponseHead(*m_exchange, changed);
        head = &changed;
    }
    if (isLastOfMany(head->status)) {
        if (head != &changed)
            changed = *head;
        changed.fields.push_back({http::FieldId::Other, "x-should-retry", "false"});
        head = &changed;
    }
    m_framing = head->framing;
    if (head->framing == http::Framing::UntilClose || head->framing == http::Framing::Chunked)
        m_framing = m_toHttp10 ? http::Framing::UntilClose : http::Framing::Chunked;
    m_phase = head->status == 101 ? Phase::Tunnel : Phase::Response;
    // An answer before the request is complete leaves bytes behind that nobody will read.
    m_keepAlive = m_keepAlive && m_requestComplete && m_framing != http::Framing::UntilClose
                  && !m_context.isDraining && m_phase != Phase::Tunnel;
    m_context.head.clear();
    http::writeResponseHead(m_context.head,
                            *head,
                            {.framing = m_framing,
                             .toHttp10 = m_toHttp10,
                             .close = !m_keepAlive,
                             .requestId = m_client.requestId()});
    m_context.responseBatch.setHead(m_context.head);
    awaitMore();
    if (m_phase == Phase::Tunnel)
        m_client.relayWantsMoreLater(); // bytes may lie there that came behind the request
}

void Relay::providerBody(std::string_view bytes)
{
    if (m_cutOff || m_phase == Phase::Backoff)
        return;
    if (const std::optional<Reply> reply = m_watch.take(bytes)) {
        breakOff(*reply);
        return;
    }
    if (m_watch.changesBody()) {
        passChanged(m_watch.changed());
        return;
    }
    if (m_exchange->cutAfter()) {
        writeCutResponse(bytes);
        return;
    }
    BodyBatch &batch = m_context.responseBatch;
    batch.add(bytes);
    if (batch.isFull())
        writeResponse({});
}

/// What the batch points at is gone at the next turn, so it is written at once.
void Relay::passChanged(std::string_view bytes)
{
    if (bytes.empty())
        return;
    m_context.responseBatch.add(bytes);
    writeResponse({});
}

void Relay::providerFlush()
{
    if ((m_phase != Phase::Response && m_phase != Phase::Tunnel) || m_cutOff)
        return;
    writeResponse({});
    awaitMore();
}

void Relay::writeResponse(std::string_view ending)
{
    BodyBatch &batch = m_context.responseBatch;
    if (!batch.isEmpty() || !ending.empty())
        m_client.writeToClient(batch.finish(m_framing == http::Framing::Chunked, ending));
    batch.clear();
}

/// Lets through what a policy (fault-injection) leaves of the answer, then breaks it off.
void Relay::writeCutResponse(std::string_view bytes)
{
    const std::uint64_t left = *m_exchange->cutAfter() - m_responseBytes;
    const std::string_view passed = bytes.substr(0, left);
    m_responseBytes += passed.size();
    if (!passed.empty())
        m_context.responseBatch.add(passed);
    writeResponse({});
    if (passed.size() == bytes.size())
        return;
    cutOff();
}

/// Ends the answer by a policy's \a reply, said in the stream where the dialect can.
void Relay::breakOff(const Reply &reply)
{
    const std::string event = m_watch.errorEvent(reply);
    m_isToldWhy = !event.empty() && m_framing == http::Framing::Chunked;
    if (m_isToldWhy) {
        m_context.responseBatch.add(event);
        writeResponse("0\r\n\r\n");
    } else {
        writeResponse({});
    }
    cutOff();
}

/// Ended by its own deadline's turn, since the provider's connection is in the middle of telling.
void Relay::cutOff()
{
    m_cutOff = true;
    m_context.deadlines.set(m_deadline, WorkerContext::now());
}

void Relay::providerEnd(const std::vector<http::Field> &trailers)
{
    if (m_cutOff)
        return; // ends as cut off, by the deadline that is set
    if (m_phase == Phase::Backoff) {
        m_attemptEnded = true;
        return;
    }
    if (m_watch.changesBody()) {
        if (const std::optional<Reply> reply = m_watch.takeRest()) {
            breakOff(*reply);
            return;
        }
        passChanged(m_watch.changed());
    }
    if (m_framing != http::Framing::Chunked) {
        writeResponse({});
    } else if (trailers.empty() || m_route->pipeline.changesHeads()) {
        writeResponse("0\r\n\r\n");
    } else {
        std::string ending = "0\r\n";
        http::writeTrailers(ending, trailers);
        writeResponse(ending);
    }
    m_watch.end(true);
    const bool keepAlive = m_keepAlive;
    end();
    m_client.relayCompleted(keepAlive);
}

} // namespace gatehouse::net
