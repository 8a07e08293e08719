// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/requestedmodels.h"
#include "gateway/schema/yaml.h"
#include "tests/policies/fakecontext.h"
#include "tests/policies/testrequest.h"
#include "tests/support/fakeservices.h"

#include <QByteArray>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::test {

/// One policy of a type in a pipeline of its own, and requests to it: one after the other, or, by
/// start(), several at once. Change what is public before the first request.
class PolicyTest : public TestRequest
{
public:
    /// \a config: the YAML of `config`; empty: none.
    explicit PolicyTest(std::string_view type, QByteArrayView config = {})
        : m_type(findPolicyType(type))
        , m_config(config.toByteArray())
    {
        if (m_type == nullptr)
            qFatal("there is no policy type of that name");
    }

    FakeContext context;
    FakeServices services;
    ClientDirectory clients;
    const ClientEntry *knownClient = nullptr; ///< who asks, before the policy runs
    RouteInfo route{.name = "r", .basePath = "/p", .dialectName = "openai"};
    Peer peer{.address = "127.0.0.1", .port = 50000, .isLoopback = true};
    PolicyEntry::Settings settings;

    /// A policy of the config by itself; what is wrong with it is in the context.
    [[nodiscard]] std::unique_ptr<const Policy> policy()
    {
        const auto documents
            = parseYaml({m_config.constData(), static_cast<std::size_t>(m_config.size())},
                        "config",
                        context.diagnostics);
        return m_type->make(documents.empty() ? nullptr : &documents.front(), context);
    }
    /// False, and context.said() says why, where the config is refused.
    [[nodiscard]] bool make()
    {
        context.diagnostics.clear();
        // The one before lives until the new one is there, and with it what both keep in the store.
        const auto before = std::exchange(m_pipeline, nullptr);
        auto made = policy();
        if (!made || hasErrors(context.diagnostics))
            return false;
        settings.name = context.policyName;
        settings.type = m_type;
        m_pipeline
            = std::make_shared<const Pipeline>(std::vector<std::shared_ptr<const PolicyEntry>>{
                std::make_shared<const PolicyEntry>(settings, std::move(made))});
        return true;
    }
    /// The same of another config, in the place of the one before, as a reload does.
    [[nodiscard]] bool
    make(const QByteArray &config, bool observes = false, bool allowsOnError = false)
    {
        m_config = config;
        settings.observes = observes;
        settings.allowsOnError = allowsOnError;
        return make();
    }

    void addClient(const std::string &name, const std::vector<std::string> &routes = {})
    {
        clients.add(std::make_shared<ClientEntry>(ClientEntry{.name = name, .routes = routes}));
    }

    /// Sends a request, see TestRequest::send().
    Outcome send(const std::string &head, const std::string &body = {})
    {
        return TestRequest::send(pipeline(), setting(services), head, body, knownClient);
    }
    /// result() of a request with these fields, each with its CRLF.
    QByteArray outcomeOf(const QByteArray &fields = {})
    {
        send(headOf(fields));
        return result();
    }
    /// A request of its own, of another \a worker if need be.
    [[nodiscard]] std::unique_ptr<TestRequest>
    start(const QByteArray &fields, FakeServices *worker = nullptr, const std::string &body = {})
    {
        auto request = std::make_unique<TestRequest>();
        request->send(pipeline(),
                      setting(worker == nullptr ? services : *worker),
                      headOf(fields),
                      body,
                      knownClient);
        return request;
    }

private:
    [[nodiscard]] static std::string headOf(const QByteArray &fields)
    {
        return "POST /p/v1?x=1 HTTP/1.1\r\n" + fields.toStdString();
    }
    [[nodiscard]] const std::shared_ptr<const Pipeline> &pipeline()
    {
        if (!m_pipeline && !make())
            qFatal("the policy's config is refused: %s", context.said().constData());
        return m_pipeline;
    }
    [[nodiscard]] Exchange::Setting setting(FakeServices &worker) const
    {
        return {.route = &route, .peer = &peer, .services = &worker, .clients = &clients};
    }

    const PolicyType *m_type;
    QByteArray m_config;
    std::shared_ptr<const Pipeline> m_pipeline;
};

} // namespace gatehouse::test
