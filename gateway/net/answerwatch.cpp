// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/answerwatch.h"

#include <algorithm>

namespace gatehouse::net {

namespace {

std::string_view valueOf(const http::ResponseHead &head, http::FieldId id)
{
    const auto found = std::ranges::find_if(
        head.fields, [id](const http::Field &field) { return field.id == id; });
    return found == head.fields.end() ? std::string_view() : found->value;
}

} // namespace

void AnswerWatch::begin(Exchange &exchange, const RouteEntry &route, const http::ResponseHead &head)
{
    m_exchange = &exchange;
    m_route = &route;
    m_usage.reset();
    exchange.answerSoFar().status = head.status;
    m_contentType = valueOf(head, http::FieldId::ContentType);
    const std::string_view coding = valueOf(head, http::FieldId::ContentEncoding);
    m_isCoded = !coding.empty() && coding != "identity";
    m_isShown = head.status != 101 && route.pipeline.hasResponseBodyPhase(exchange);
    // What GET shows was used by another request.
    if (exchange.method() == "POST" && head.status / 100 == 2 && !m_isCoded)
        m_usage = route.dialect->usageReader(m_contentType);
}

std::optional<Reply> AnswerWatch::take(std::string_view bytes)
{
    if (m_usage) {
        m_usage->take(bytes);
        if (m_isShown) {
            m_exchange->answerSoFar().usage = m_usage->usage();
            m_exchange->answerSoFar().isUsageFinal = m_usage->isComplete();
        }
    }
    if (m_isShown)
        return m_route->pipeline.runResponseBody(*m_exchange, bytes);
    return std::nullopt;
}

void AnswerWatch::end(bool isWhole)
{
    if (m_exchange == nullptr)
        return;
    Answer &answer = m_exchange->answerSoFar();
    answer.isWhole = isWhole;
    if (m_usage) {
        m_usage->end();
        answer.usage = m_usage->usage();
        answer.isUsageFinal = m_usage->isComplete();
        m_usage.reset();
    }
    m_exchange = nullptr;
}

std::string AnswerWatch::errorEvent(const Reply &reply) const
{
    const std::string body = m_route->dialect->errorBody(reply.status, reply.reason, reply.message);
    if (m_isCoded)
        return {};
    if (m_contentType.starts_with("text/event-stream"))
        return "data: " + body + "\n\n";
    return m_contentType.starts_with("application/x-ndjson") ? body + '\n' : std::string();
}

} // namespace gatehouse::net
