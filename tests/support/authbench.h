// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/pipeline.h"
#include "gateway/schema/yaml.h"
#include "gateway/secrets/secretarena.h"
#include "tests/support/scriptedworker.h"

#include <QByteArray>
#include <QString>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse::test {

/// A request and what became of it.
struct BenchRequest
{
    std::string head;
    Exchange exchange;
    Reply reply;
    QByteArray outcome; ///< "pass", "paused", "STATUS REASON"

    BenchRequest() = default;
    Q_DISABLE_COPY_MOVE(BenchRequest)
    ~BenchRequest() { exchange.end(); }

    /// The fields that would go on, but Host; a line each.
    [[nodiscard]] QByteArray fields() const
    {
        QByteArray text;
        for (const http::Field &field : exchange.request().fields) {
            if (field.id != http::FieldId::Host)
                text += QByteArray::fromStdString(std::string(field.name) + ": "
                                                  + std::string(field.value) + '\n');
        }
        return text;
    }
    [[nodiscard]] QByteArray client() const
    {
        const ClientEntry *client = exchange.client();
        return client == nullptr ? QByteArray() : QByteArray::fromStdString(client->name);
    }
    [[nodiscard]] QByteArray replyHeader(std::string_view name) const
    {
        for (const Header &header : reply.headers) {
            if (header.name == name)
                return QByteArray::fromStdString(header.value);
        }
        return {};
    }
};

/// One policy that authenticates, made from YAML, with clients, secrets and the services that it asks.
class AuthBench : private PolicyContext
{
public:
    explicit AuthBench(const char *type)
        : m_type(findPolicyType(type))
    {
        if (m_type == nullptr)
            qFatal("no such type of policy");
        for (const char *name : {"ci", "elsewhere"}) {
            auto client = std::make_shared<ClientEntry>(ClientEntry{.name = name});
            if (client->name == "elsewhere")
                client->routes = {"another"};
            clients.add(client);
        }
    }

    /// Makes the policy, in the place of the one before as a reload does; false where it has a mistake.
    bool make(const QByteArray &yaml, bool observes = false, bool allowsOnError = false)
    {
        m_diagnostics.clear();
        m_config = parseYaml(std::string_view(yaml.constData(), std::size_t(yaml.size())),
                             "policy.yaml",
                             m_diagnostics);
        auto policy = m_type->make(m_config.empty() ? nullptr : &m_config.front(), *this);
        if (!policy || hasErrors(m_diagnostics))
            return false;
        PolicyEntry::Settings settings{
            .name = "bench", .type = m_type, .observes = observes, .allowsOnError = allowsOnError};
        m_pipeline = std::make_shared<Pipeline>(std::vector<std::shared_ptr<const PolicyEntry>>{
            std::make_shared<const PolicyEntry>(std::move(settings), std::move(policy))});
        return true;
    }
    /// What is wrong with the config, a line each.
    [[nodiscard]] QByteArray said() const
    {
        QByteArray text;
        for (const Diagnostic &diagnostic : m_diagnostics)
            text += QByteArray::fromStdString(diagnostic.text()) + '\n';
        return text;
    }

    /// \a fields: header lines, each with its CRLF. Null where it is no request that gets this far.
    std::unique_ptr<BenchRequest> send(const QByteArray &fields, ScriptedWorker *worker = nullptr)
    {
        auto request = std::make_unique<BenchRequest>();
        request->head
            = QByteArray(line + "\r\nHost: localhost\r\n" + fields + "\r\n").toStdString();
        http::RequestHead head;
        if (!http::parseRequestHead(request->head, 4096, head))
            return nullptr;
        const std::string_view path = head.path.substr(4);
        if (!request->exchange.begin(std::move(head),
                                     {.route = &m_route,
                                      .peer = &m_peer,
                                      .services = worker == nullptr ? &services : worker,
                                      .clients = &clients,
                                      .requestId = "r",
                                      .path = path}))
            return nullptr;
        if (client != nullptr)
            request->exchange.setClient(*client);
        // The pipeline is held as the gateway's exchange holds its snapshot.
        request->exchange.setResumed([pipeline = m_pipeline, raw = request.get()](Verdict verdict) {
            settle(*raw, pipeline->resume(raw->exchange, std::move(verdict), raw->reply));
        });
        settle(*request, m_pipeline->runRequestHead(request->exchange, request->reply));
        return request;
    }
    QByteArray outcomeOf(const QByteArray &fields)
    {
        const auto request = send(fields);
        return request ? request->outcome : QByteArray("no request");
    }
    [[nodiscard]] QByteArray answerHeader(BenchRequest &request, std::string_view name)
    {
        http::ResponseHead response;
        m_answer = "HTTP/1.1 200 OK\r\nx-own: provider\r\ncontent-length: 0\r\n\r\n";
        if (!http::parseResponseHead(m_answer, "GET", response))
            return "malformed";
        m_pipeline->runResponseHead(request.exchange, response);
        QByteArray values;
        for (const http::Field &field : response.fields) {
            if (field.name == name)
                values += QByteArray::fromStdString(std::string(field.value)) + '|';
        }
        return values;
    }

    QByteArray line = "POST /api/v1?x=1 HTTP/1.1";
    ScriptedWorker services;
    ClientDirectory clients;
    const ClientEntry *client = nullptr; ///< who asks, before the policy runs
    std::map<std::string, std::string> secrets;

private:
    static void settle(BenchRequest &request, Pipeline::Outcome outcome)
    {
        if (outcome == Pipeline::Outcome::Refused)
            request.outcome = QByteArray::number(request.reply.status) + ' '
                              + QByteArray::fromStdString(request.reply.reason);
        else
            request.outcome = outcome == Pipeline::Outcome::Paused ? "paused" : "pass";
    }

    [[nodiscard]] std::string_view name() const override { return "bench"; }
    void problem(std::initializer_list<PathStep> field, std::string message) override
    {
        m_reporter.error(placeOf(m_config.front(), field), std::move(message));
    }
    void warning(std::initializer_list<PathStep> field, std::string message) override
    {
        m_reporter.warning(placeOf(m_config.front(), field), std::move(message));
    }
    [[nodiscard]] bool decode(const Node *config, RecordRef record) override
    {
        decodeRecord(config != nullptr ? *config : Node::map(), record, m_reporter);
        return !hasErrors(m_diagnostics);
    }
    [[nodiscard]] Result<std::shared_ptr<const LockedSecret>>
    secret(const SecretText &reference) override
    {
        const auto found = secrets.find(reference.text);
        if (found == secrets.end())
            return Unexpected(Error{ErrorCode::CredentialUnavailable, "the test has none"});
        return m_arena->store({found->second});
    }
    [[nodiscard]] Result<std::string> text(std::string_view inlineText) override
    {
        if (inlineText.starts_with("file:"))
            return Unexpected(Error{ErrorCode::ConfigInvalid, "cannot be read"});
        return std::string(inlineText);
    }
    [[nodiscard]] Result<std::shared_ptr<const Endpoint>> endpoint(std::string_view url) override
    {
        constexpr std::string_view scheme = "https://";
        if (!url.starts_with(scheme))
            return Unexpected(Error{ErrorCode::ConfigInvalid, "must begin with https://"});
        url.remove_prefix(scheme.size());
        const std::size_t slash = std::min(url.find('/'), url.size());
        Endpoint made;
        made.origin.tls = true;
        made.origin.host = url.substr(0, slash);
        made.target = slash == url.size() ? "/" : std::string(url.substr(slash));
        return std::make_shared<const Endpoint>(std::move(made));
    }
    [[nodiscard]] StateStore &states() override { return m_states; }

    const PolicyType *m_type;
    Diagnostics m_diagnostics;
    Reporter m_reporter{"policy.yaml", m_diagnostics};
    std::vector<Node> m_config;
    std::shared_ptr<SecretArena> m_arena = SecretArena::make();
    StateStore m_states;
    RouteInfo m_route{.name = "api", .basePath = "/api", .dialectName = "openai"};
    Peer m_peer{.address = "127.0.0.1", .certificate = {}};
    std::shared_ptr<const Pipeline> m_pipeline;
    std::string m_answer;
};

/// True where YAML has this line, whether its value stands in quotes or not.
inline bool says(QByteArray yaml, const char *line)
{
    return yaml.replace('"', "").contains(line);
}

} // namespace gatehouse::test
