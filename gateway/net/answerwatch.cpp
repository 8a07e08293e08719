// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/answerwatch.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse::net {

namespace {

std::string_view valueOf(const http::ResponseHead &head, http::FieldId id)
{
    const auto found = std::ranges::find_if(
        head.fields, [id](const http::Field &field) { return field.id == id; });
    return found == head.fields.end() ? std::string_view() : found->value;
}

/// The values of the fields for which \a isMeant says yes, with commas between them.
template<typename IsMeant>
std::string joined(const http::ResponseHead &head, IsMeant isMeant)
{
    std::string values;
    for (const http::Field &field : head.fields) {
        if (!isMeant(field))
            continue;
        if (!values.empty())
            values += ',';
        values += field.value;
    }
    return values;
}

/// In the order in which they were applied.
std::string codingsOf(const http::ResponseHead &head)
{
    return joined(
        head, [](const http::Field &field) { return field.id == http::FieldId::ContentEncoding; });
}

std::string extensionsOf(const http::ResponseHead &head)
{
    return joined(head, [](const http::Field &field) {
        return equalsIgnoreCase(field.name, "sec-websocket-extensions");
    });
}

} // namespace

void AnswerWatch::begin(Exchange &exchange, const RouteEntry &route, const http::ResponseHead &head)
{
    m_exchange = &exchange;
    m_route = &route;
    m_usage.reset();
    m_decoder.reset();
    m_filter.reset();
    m_changed.clear();
    m_lastBytes.clear();
    exchange.answerSoFar().status = head.status;
    m_contentType = valueOf(head, http::FieldId::ContentType);
    const std::string codings = codingsOf(head);
    m_isCoded = !codings.empty() && !equalsIgnoreCase(codings, "identity");
    m_isShown = head.status != 101 && route.pipeline.hasResponseBodyPhase(exchange);
    if (head.status == 101) {
        m_usage = route.dialect->webSocketUsageReader(extensionsOf(head));
        return;
    }
    // What GET shows was used by another request.
    if (exchange.method() != "POST" || head.status / 100 != 2)
        return;
    m_usage = route.dialect->usageReader(m_contentType);
    if (m_usage && m_isCoded) {
        if (auto decoder = http::ContentDecoder::of(codings))
            m_decoder = std::move(*decoder);
        else
            m_usage.reset();
    }
    constexpr std::string_view events = "text/event-stream";
    const bool isStream
        = equalsIgnoreCase(std::string_view(m_contentType).substr(0, events.size()), events);
    if (exchange.isAskedForUsage() && isStream && m_usage) {
        m_filter = usageChunkFilter();
        m_isCoded = false; // by now
    }
}

void AnswerWatch::read(std::string_view decoded)
{
    m_usage->take(decoded);
    if (m_filter)
        m_filter->take(decoded, m_changed);
}

std::optional<Reply> AnswerWatch::take(std::string_view bytes)
{
    m_changed.clear();
    if (m_usage && m_decoder) {
        const auto taken = m_decoder->take(bytes, [this](std::string_view decoded) {
            read(decoded);
            return true;
        });
        if (!taken && m_filter) // nothing of it can be passed on
            return Reply::of({ErrorCode::ProviderBadResponse, "the coding of the answer"});
    } else if (m_usage) {
        read(bytes);
    }
    if (m_usage && m_isShown) {
        m_exchange->answerSoFar().usage = m_usage->usage();
        m_exchange->answerSoFar().isUsageFinal = m_usage->isComplete();
    }
    // Also where the filter holds all of it back: the usage that it told counts now.
    return show(m_filter ? std::string_view(m_changed) : bytes);
}

/// To policies, what is about to be \a passed on.
std::optional<Reply> AnswerWatch::show(std::string_view passed)
{
    if (!m_isShown)
        return std::nullopt;
    std::optional<Reply> reply = m_route->pipeline.runResponseBody(*m_exchange, passed);
    if (!reply && !passed.empty()) {
        m_lastBytes.append(passed.substr(passed.size() - std::min<std::size_t>(passed.size(), 2)));
        m_lastBytes.erase(0, m_lastBytes.size() - std::min<std::size_t>(m_lastBytes.size(), 2));
    }
    return reply;
}

std::optional<Reply> AnswerWatch::takeRest()
{
    m_changed.clear();
    m_filter->end(m_changed);
    return m_changed.empty() ? std::nullopt : show(m_changed);
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
    // In the middle of an event nothing can be said but that it is broken.
    const bool isBetweenEvents = m_lastBytes.empty() || m_lastBytes.ends_with("\n\n")
                                 || m_lastBytes.ends_with("\r\n") || m_lastBytes.ends_with("}\n");
    if (m_isCoded || !isBetweenEvents)
        return {};
    return m_route->dialect->streamErrorEvent(
        m_exchange->decodedPath(), m_contentType, reply.status, reply.reason, reply.message);
}

} // namespace gatehouse::net
