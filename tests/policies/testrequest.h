// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/pipeline.h"

#include <QByteArray>
#include <QString>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse::test {

/// A request that goes through a pipeline as the connection sends it, and its answer; then, in the
/// same exchange, another one.
class TestRequest
{
public:
    using Outcome = Pipeline::Outcome;

    TestRequest() = default;
    Q_DISABLE_COPY_MOVE(TestRequest)
    ~TestRequest() { exchange.end(); }

    Exchange exchange;
    Reply reply; ///< of the last refusal
    /// So far: what was paused goes on by itself when its verdict is there.
    Outcome outcome = Outcome::Passed;

    /// \a head: its line and fields, each ended by CRLF, without the empty line. A Host, and with a
    /// body a Content-Length, are added where they are missing. The path begins with the route's base
    /// path. \a client: who asks, where that is known before.
    Outcome send(std::shared_ptr<const Pipeline> pipeline,
                 Exchange::Setting setting,
                 const std::string &head,
                 const std::string &body,
                 const ClientEntry *client)
    {
        exchange.end();
        reply = {};
        m_pipeline = std::move(pipeline);
        m_body = body;
        m_isInBody = false;
        http::RequestHead request = parsed(head);
        setting.requestId = "req-1";
        setting.path = request.path.substr(setting.route->basePath.size());
        // Held as the connection holds its snapshot: it may be replaced while the policy waits.
        exchange.setResumed([this](Verdict verdict) {
            settle(m_pipeline->resume(exchange, std::move(verdict), reply));
        });
        if (const auto begun = exchange.begin(std::move(request), setting); !begun) {
            reply = Reply::of(begun.error());
            outcome = Outcome::Refused;
            return outcome;
        }
        exchange.own(m_head);
        if (client != nullptr)
            exchange.setClient(*client);
        settle(m_pipeline->runRequestHead(exchange, reply));
        return outcome;
    }

    [[nodiscard]] bool isPassed() const { return outcome == Outcome::Passed; }
    [[nodiscard]] bool isPaused() const { return outcome == Outcome::Paused; }
    [[nodiscard]] bool isRefused() const { return outcome == Outcome::Refused; }
    /// "pass", "paused" or "403 ip-block".
    [[nodiscard]] QByteArray result() const
    {
        if (isRefused())
            return QByteArray::number(reply.status) + ' ' + QByteArray::fromStdString(reply.reason);
        return isPaused() ? "paused" : "pass";
    }
    /// "" where it passed, else as result().
    [[nodiscard]] std::string refusal() const
    {
        return isRefused() ? result().toStdString() : std::string();
    }
    /// Its fields as they are now, one a line, without Host and Content-Length.
    [[nodiscard]] QByteArray fields() const
    {
        QByteArray lines;
        for (const http::Field &field : exchange.request().fields) {
            if (field.id != http::FieldId::Host && field.id != http::FieldId::ContentLength)
                lines += line(field.name, field.value);
        }
        return lines;
    }
    /// Name of the client that asks, or "".
    [[nodiscard]] QByteArray client() const
    {
        const ClientEntry *client = exchange.client();
        return client == nullptr ? QByteArray() : QByteArray::fromStdString(client->name);
    }
    [[nodiscard]] QByteArray replyFields() const
    {
        QByteArray lines;
        for (const Header &header : reply.headers)
            lines += line(header.name, header.value);
        return lines;
    }
    /// The last decision, as records name it.
    [[nodiscard]] QByteArray decision() const
    {
        switch (exchange.decisions().back().kind) {
        case Decision::Kind::Pass:
            return "pass";
        case Decision::Kind::Refuse:
            return "refuse";
        case Decision::Kind::Change:
            return "change";
        case Decision::Kind::WouldRefuse:
            return "would-refuse";
        case Decision::Kind::WouldChange:
            return "would-change";
        case Decision::Kind::Error:
            return "error";
        }
        return {};
    }

    /// An answer's fields, given as in send(), as the policies leave them.
    QByteArray respond(const std::string &fields, int status = 200)
    {
        m_responseHead = "HTTP/1.1 " + std::to_string(status) + " OK\r\n" + fields + "\r\n";
        http::ResponseHead response;
        if (const auto parsed = http::parseResponseHead(m_responseHead, "", response); !parsed)
            qFatal("the test's response head: %s", parsed.error().message().c_str());
        m_pipeline->runResponseHead(exchange, response);
        QByteArray lines;
        for (const http::Field &field : response.fields)
            lines += line(field.name, field.value);
        return lines;
    }

    /// A piece of the provider's answer; what breaks it off, if anything does.
    std::optional<Reply> pass(std::string_view bytes)
    {
        exchange.answerSoFar().isSent = true;
        exchange.answerSoFar().status = 200;
        return m_pipeline->runResponseBody(exchange, bytes);
    }
    /// A provider answered so, or did not; 0 and no error: neither, by now.
    void attempt(std::string_view provider, int status, std::optional<ErrorCode> error = {})
    {
        const auto now = exchange.services().now();
        exchange.setProvider(provider);
        exchange.beginAttempt(now);
        if (status != 0) {
            exchange.noteAnswer(status, now);
            m_pipeline->runAttempt(exchange);
        }
        if (error) {
            exchange.noteFailure(*error, now);
            m_pipeline->runAttempt(exchange);
        }
    }
    /// The exchange is over, and this came of it.
    void finish(const Answer &answer)
    {
        exchange.answerSoFar() = answer;
        m_pipeline->runEnd(exchange);
    }

private:
    [[nodiscard]] static QByteArray line(std::string_view name, std::string_view value)
    {
        return QByteArray::fromStdString(std::string(name).append(": ").append(value).append("\n"));
    }

    [[nodiscard]] http::RequestHead parsed(const std::string &head)
    {
        m_head = head;
        const auto lacks = [&head](const char *name) {
            return !QString::fromStdString(head).contains(QLatin1String(name), Qt::CaseInsensitive);
        };
        if (lacks("\r\nhost:"))
            m_head += "Host: localhost\r\n";
        if (!m_body.empty() && lacks("\r\ncontent-length:"))
            m_head += "Content-Length: " + std::to_string(m_body.size()) + "\r\n";
        m_head += "\r\n";
        http::RequestHead request;
        if (const auto done = http::parseRequestHead(m_head, 65536, request); !done)
            qFatal("the test's request head: %s", done.error().message().c_str());
        return request;
    }

    /// Goes on with the body where the head passed.
    void settle(Outcome reached)
    {
        outcome = reached;
        if (outcome != Outcome::Passed || m_isInBody)
            return;
        m_isInBody = true;
        if (const Reply *tooLong = exchange.checkBodySize(m_body.size())) {
            reply = *tooLong;
            outcome = Outcome::Refused;
            return;
        }
        // As the connection does: gathered only where somebody reads it.
        if (m_pipeline->needsBody(exchange))
            exchange.body().append(m_body);
        settle(m_pipeline->runRequestBody(exchange, reply));
    }

    std::shared_ptr<const Pipeline> m_pipeline;
    std::string m_head;
    std::string m_body;
    std::string m_responseHead;
    bool m_isInBody = false;
};

} // namespace gatehouse::test
