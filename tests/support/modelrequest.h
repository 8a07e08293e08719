// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/exchange.h"
#include "gateway/pipeline/requestedmodels.h"

#include <QtGlobal>

#include <string>

namespace gatehouse::test {

/// A request with its body, as policies see it in onRequestBody.
class ModelRequest
{
public:
    /// \a head: its line, as "POST /chat/completions", and fields, each after a line feed.
    explicit ModelRequest(const std::string &head, const std::string &body = {})
    {
        const std::size_t lineEnd = std::min(head.find('\n'), head.size());
        m_head = head.substr(0, lineEnd) + " HTTP/1.1\r\nHost: localhost\r\n";
        for (std::size_t at = lineEnd; at < head.size();) {
            const std::size_t end = std::min(head.find('\n', at + 1), head.size());
            m_head += head.substr(at + 1, end - at - 1) + "\r\n";
            at = end;
        }
        if (!body.empty())
            m_head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        m_head += "\r\n";
        http::RequestHead request;
        if (const auto parsed = http::parseRequestHead(m_head, 65536, request); !parsed)
            qFatal("the test's request head: %s", parsed.error().message().c_str());
        const std::string_view path = request.path;
        if (const auto begun
            = m_exchange.begin(std::move(request), {.route = &m_route, .path = path});
            !begun)
            qFatal("the test's request: %s", begun.error().message().c_str());
        m_exchange.body().append(body);
    }
    ~ModelRequest() { m_exchange.end(); }
    Q_DISABLE_COPY_MOVE(ModelRequest)

    [[nodiscard]] Exchange &exchange() { return m_exchange; }
    [[nodiscard]] RouteInfo &route() { return m_route; }

    /// The models' names in their order, then what else is known: "a b", "hidden", "a needless",
    /// "none"; or the reason of the error: "request:json".
    [[nodiscard]] std::string found(const ModelFinder &finder)
    {
        // As Policy::readsBody does: what it does not want is not gathered.
        if (!finder.readsBody(m_exchange))
            m_exchange.body().clear();
        const auto result = finder.find(m_exchange);
        if (!result)
            return std::string(result.error().info().reason);
        std::string text;
        for (const RequestedModel &model : result->models)
            text.append(text.empty() ? "" : " ").append(model.name);
        if (result->isHidden != !result->why.empty())
            qFatal("hidden models come with a reason, and only those");
        if (result->isHidden)
            text.append(text.empty() ? "hidden" : " hidden");
        if (result->isNeedless)
            text.append(text.empty() ? "needless" : " needless");
        return text.empty() ? "none" : text;
    }

private:
    RouteInfo m_route{.name = "r", .basePath = "", .dialectName = "openai"};
    std::string m_head;
    Exchange m_exchange;
};

} // namespace gatehouse::test
