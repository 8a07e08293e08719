// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/pipeline.h"
#include "gateway/pipeline/requestedmodels.h"
#include "gateway/schema/yaml.h"
#include "gateway/secrets/secretarena.h"
#include "tests/policies/fakeservices.h"

#include <QString>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse::test {

/// What a policy asks for while it is made, without files, keychain and network.
class FakeContext final : public PolicyContext
{
public:
    std::map<std::string, std::string> secrets; ///< by reference; others are not available
    std::map<std::string, std::string> files;   ///< by `file:PATH`; others cannot be read
    StateStore store;
    Diagnostics diagnostics;
    std::string policyName = "p";

    [[nodiscard]] std::string_view name() const override { return policyName; }
    void problem(std::initializer_list<PathStep>, std::string message) override
    {
        report(Diagnostic::Severity::Error, std::move(message));
    }
    void warning(std::initializer_list<PathStep>, std::string message) override
    {
        report(Diagnostic::Severity::Warning, std::move(message));
    }
    [[nodiscard]] bool decode(const Node *config, RecordRef record) override
    {
        Reporter reporter("config", diagnostics);
        const Node empty = Node::map();
        decodeRecord(config != nullptr ? *config : empty, record, reporter);
        return !hasErrors(diagnostics);
    }
    [[nodiscard]] Result<std::shared_ptr<const LockedSecret>>
    secret(const SecretText &reference) override
    {
        const auto found = secrets.find(reference.text);
        if (found == secrets.end())
            return Unexpected(Error{ErrorCode::CredentialUnavailable, "no " + reference.text});
        return m_arena->store({found->second});
    }
    [[nodiscard]] Result<std::string> text(std::string_view inlineOrFile) override
    {
        if (!inlineOrFile.starts_with("file:"))
            return std::string(inlineOrFile);
        const auto found = files.find(std::string(inlineOrFile));
        if (found == files.end())
            return Unexpected(Error{ErrorCode::ConfigInvalid, "cannot be read"});
        return found->second;
    }
    /// Takes any URL apart; the rules of the real one are tests/config's.
    [[nodiscard]] Result<std::shared_ptr<const Endpoint>> endpoint(std::string_view url) override
    {
        const bool tls = url.starts_with("https://");
        if (!tls && !url.starts_with("http://"))
            return Unexpected(Error{ErrorCode::ConfigInvalid, "must begin with https://"});
        url.remove_prefix(tls ? 8 : 7);
        const std::size_t slash = std::min(url.find('/'), url.size());
        const std::string host(url.substr(0, slash));
        const std::string_view target = url.substr(slash);
        return std::make_shared<const Endpoint>(
            Endpoint{{tls, host, static_cast<std::uint16_t>(tls ? 443 : 80), host},
                     target.empty() ? "/" : std::string(target)});
    }
    [[nodiscard]] QString printed() const
    {
        QString text;
        for (const Diagnostic &diagnostic : diagnostics)
            text += QString::fromStdString(diagnostic.message) + QLatin1Char('\n');
        return text;
    }

protected:
    [[nodiscard]] StateStore &states() override { return store; }

private:
    void report(Diagnostic::Severity severity, std::string message)
    {
        diagnostics.push_back({"config", {}, severity, std::move(message)});
    }

    std::shared_ptr<SecretArena> m_arena = SecretArena::make();
};

/// One policy of a type in a pipeline of its own, and requests that go through it as the connection
/// would send them. Change what is public before the first request.
class PolicyTest
{
public:
    /// \a config: the YAML of `config`; empty: none.
    explicit PolicyTest(std::string_view type, const std::string &config = {})
        : m_type(findPolicyType(type))
        , m_config(config)
    {
        if (m_type == nullptr)
            qFatal("there is no policy type of that name");
    }

    FakeContext context;
    FakeServices services;
    ClientDirectory clients;
    RouteInfo route{.name = "r", .basePath = "/p", .dialectName = "openai"};
    Peer peer{.address = "127.0.0.1", .port = 50000, .isLoopback = true};
    PolicyEntry::Settings settings;

    /// False, and context.printed() says why, where the config is refused.
    [[nodiscard]] bool make()
    {
        m_pipeline.reset();
        context.diagnostics.clear();
        std::vector<Node> documents;
        if (!m_config.empty())
            documents = parseYaml(m_config, "config", context.diagnostics);
        auto policy = m_type->make(documents.empty() ? nullptr : &documents.front(), context);
        if (!policy || hasErrors(context.diagnostics))
            return false;
        settings.name = context.policyName;
        settings.type = m_type;
        m_pipeline.emplace(std::vector<std::shared_ptr<const PolicyEntry>>{
            std::make_shared<const PolicyEntry>(settings, std::move(policy))});
        return true;
    }

    using Outcome = Pipeline::Outcome;

    /// Sends a request: \a head with its line and fields, each ended by CRLF, without the empty line. A
    /// Host, and with a body a Content-Length, are added where they are missing. The path begins with
    /// the route's base path.
    Outcome send(const std::string &head, const std::string &body = {})
    {
        if (!m_pipeline && !make())
            qFatal("the policy's config is refused: %s", qPrintable(context.printed()));
        exchange.end();
        reply = {};
        m_body = body;
        m_head = head;
        const auto lacks = [&head](const char *name) {
            return !QString::fromStdString(head).contains(QLatin1String(name), Qt::CaseInsensitive);
        };
        if (lacks("\r\nhost:"))
            m_head += "Host: localhost\r\n";
        if (!body.empty() && lacks("\r\ncontent-length:"))
            m_head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        m_head += "\r\n";
        http::RequestHead request;
        if (const auto parsed = http::parseRequestHead(m_head, 65536, request); !parsed)
            qFatal("the test's request head: %s", parsed.error().message().c_str());
        const std::string_view path = request.path.substr(route.basePath.size());
        exchange.setResumed([this](Verdict verdict) { m_resumed = std::move(verdict); });
        m_resumed.reset();
        if (const auto begun = exchange.begin(std::move(request),
                                              {.route = &route,
                                               .peer = &peer,
                                               .services = &services,
                                               .clients = &clients,
                                               .requestId = "req-1",
                                               .path = path});
            !begun) {
            reply = Reply::of(begun.error());
            return Outcome::Refused;
        }
        exchange.own(m_head);
        m_isInBody = false;
        return settle(m_pipeline->runRequestHead(exchange, reply));
    }

    /// After a pause: true once the verdict is there.
    [[nodiscard]] bool isResumed() const { return m_resumed.has_value(); }
    /// Goes on with the verdict that is there.
    Outcome resume()
    {
        Verdict verdict = std::move(*m_resumed);
        m_resumed.reset();
        return settle(m_pipeline->resume(exchange, std::move(verdict), reply));
    }

    /// The head of an answer goes back through the policy; \a fields as in send().
    std::string respond(int status, const std::string &fields = {})
    {
        m_responseHead = "HTTP/1.1 " + std::to_string(status) + " OK\r\n" + fields + "\r\n";
        http::ResponseHead response;
        if (const auto parsed = http::parseResponseHead(m_responseHead, "", response); !parsed)
            qFatal("the test's response head: %s", parsed.error().message().c_str());
        m_pipeline->runResponseHead(exchange, response);
        std::string text;
        for (const http::Field &field : response.fields)
            text.append(field.name).append(": ").append(field.value).append("\n");
        return text;
    }

    /// The request's fields as they are now, one a line, without Host and Content-Length.
    [[nodiscard]] std::string fields() const
    {
        std::string text;
        for (const http::Field &field : exchange.request().fields) {
            if (field.id != http::FieldId::Host && field.id != http::FieldId::ContentLength)
                text.append(field.name).append(": ").append(field.value).append("\n");
        }
        return text;
    }
    /// "" where it passed, else "403 ip-block".
    [[nodiscard]] std::string refusal() const
    {
        return reply.reason.empty() ? std::string()
                                    : std::to_string(reply.status) + ' ' + reply.reason;
    }

    Exchange exchange;
    Reply reply; ///< of the last refusal

private:
    Outcome settle(Outcome outcome)
    {
        if (outcome != Outcome::Passed || m_isInBody)
            return outcome;
        m_isInBody = true;
        if (const Reply *tooLong = exchange.checkBodySize(m_body.size())) {
            reply = *tooLong;
            return Outcome::Refused;
        }
        // As the connection does: gathered only where somebody reads it.
        if (m_pipeline->needsBody(exchange))
            exchange.body().append(m_body);
        return m_pipeline->runRequestBody(exchange, reply);
    }

    const PolicyType *m_type;
    std::string m_config;
    std::optional<Pipeline> m_pipeline;
    std::string m_head;
    std::string m_responseHead;
    std::string m_body;
    std::optional<Verdict> m_resumed;
    bool m_isInBody = false;
};

} // namespace gatehouse::test
