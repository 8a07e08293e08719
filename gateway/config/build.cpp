// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/build.h"

#include "gateway/base/text.h"
#include "gateway/config/address.h"
#include "gateway/config/check.h"
#include "gateway/config/pem.h"
#include "gateway/config/provider.h"
#include "gateway/schema/decode.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <thread>
#include <tuple>

namespace gatehouse {

namespace {

/// Compiles a draft into a snapshot without its hash key. What cannot be compiled is left out and
/// reported; a snapshot is of use only where there is no error.
class Compiler
{
public:
    Compiler(const Draft &draft, Snapshot &snapshot, Diagnostics &diagnostics)
        : m_draft(draft)
        , m_snapshot(snapshot)
        , m_diagnostics(diagnostics)
    {}

    void compile()
    {
        m_snapshot.revision = m_draft.revision;
        compileGateway();
        compileRoutes();
        compileClients();
    }

private:
    void compileGateway()
    {
        const GatewaySpec defaults;
        const bool isDefault = m_draft.gateways.empty();
        const GatewaySpec &spec = isDefault ? defaults : m_draft.gateways.front().spec;
        for (std::size_t i = 0; i < spec.listeners.size(); ++i)
            compileListener(spec.listeners[i], i);
        if (const auto admin = parseListenAddress(spec.admin))
            m_snapshot.admin = ListenerEntry{"admin", admin->ip, admin->port, nullptr};
        const unsigned cores = std::max(2U, std::thread::hardware_concurrency());
        m_snapshot.workers = spec.workers == 0 ? cores - 1 : static_cast<unsigned>(spec.workers);
        for (const std::string &host : spec.hosts) {
            const std::string normal = normalisedHost(host);
            m_snapshot.hosts.push_back(host.starts_with('[') ? "[" + normal + "]" : normal);
        }
        for (const std::string &origin : spec.origins)
            m_snapshot.origins.push_back(toLowerAscii(origin));
        compileLimits(spec.limits);
    }

    void compileLimits(const LimitsSpec &spec)
    {
        m_snapshot.limits = {.head = spec.head.bytes,
                             .target = spec.target.bytes,
                             .body = spec.body.bytes,
                             .connections = static_cast<std::uint32_t>(spec.connections),
                             .headTimeout = spec.headTimeout,
                             .bodyTimeout = spec.bodyTimeout,
                             .idleTimeout = spec.idleTimeout,
                             .connectTimeout = spec.connectTimeout,
                             .firstByteTimeout = spec.firstByteTimeout,
                             .streamTimeout = spec.streamTimeout,
                             .drainTimeout = spec.drainTimeout};
    }

    void compileListener(const ListenerSpec &spec, std::size_t index)
    {
        const auto address = parseListenAddress(spec.address);
        if (!address)
            return;
        ListenerEntry entry{spec.name, address->ip, address->port, nullptr};
        if (!spec.tls.certificate.empty())
            entry.tls = compileTls(spec.tls, index);
        m_snapshot.listeners.push_back(std::move(entry));
    }

    std::shared_ptr<const ListenerTls> compileTls(const TlsSpec &spec, std::size_t index)
    {
        const Resource<GatewaySpec> &gateway = m_draft.gateways.front();
        Reporter reporter(gateway.file, m_diagnostics);
        const auto report = [&](std::string_view key, const Error &error) {
            reporter.error(gateway.place({"listeners", index, "tls", key}), error.context);
        };
        const std::filesystem::path directory(m_draft.directory);
        auto tls = std::make_shared<ListenerTls>();
        auto certificate = readCertificates(directory / spec.certificate);
        if (!certificate) {
            report("certificate", certificate.error());
            return nullptr;
        }
        tls->certificatePem = std::move(*certificate);
        auto key = readPrivateKey(directory / spec.key, tls->certificatePem);
        if (!key)
            report("key", key.error());
        else
            tls->keyPem = Secret(std::move(*key));
        if (spec.clientCa.empty())
            return tls;
        auto clientCa = readCertificates(directory / spec.clientCa);
        if (!clientCa)
            report("clientCa", clientCa.error());
        else
            tls->clientCaPem = std::move(*clientCa);
        return tls;
    }

    void compileRoutes()
    {
        std::map<std::string_view, std::shared_ptr<const ProviderEntry>> providers;
        for (const Resource<ProviderSpec> &provider : m_draft.providers) {
            Reporter reporter(provider.file, m_diagnostics);
            providers[provider.name] = buildProvider(provider, m_draft.directory, reporter);
        }
        for (const Resource<RouteSpec> &route : m_draft.routes) {
            const auto provider = providers.find(route.spec.provider);
            if (provider == providers.end() || provider->second == nullptr)
                continue;
            m_snapshot.routes.push_back(
                {.name = route.name,
                 .listener = route.spec.listener,
                 .basePath = route.spec.basePath == "/" ? "" : route.spec.basePath,
                 .dialect = route.spec.dialect.empty() ? provider->second->dialect
                                                       : findDialect(route.spec.dialect),
                 .provider = provider->second,
                 .isPublic = route.spec.isPublic});
        }
        std::ranges::stable_sort(m_snapshot.routes,
                                 std::ranges::greater(),
                                 [](const RouteEntry &route) { return route.basePath.size(); });
    }

    void compileClients()
    {
        for (const Resource<ClientSpec> &client : m_draft.clients) {
            const auto entry
                = std::make_shared<const ClientEntry>(ClientEntry{client.name, client.spec.routes});
            for (const KeySpec &key : client.spec.keys) {
                const auto hash = keyHashFromText(key.hash);
                if (!hash || key.revoked)
                    continue;
                m_snapshot.keys.try_emplace(*hash,
                                            KeyEntry{entry, key.id, parseInstant(key.expires)});
            }
        }
    }

    const Draft &m_draft;
    Snapshot &m_snapshot;
    Diagnostics &m_diagnostics;
};

Diagnostics compile(const Draft &draft, Snapshot &snapshot)
{
    Diagnostics diagnostics = draft.diagnostics;
    checkReferences(draft, diagnostics);
    Compiler(draft, snapshot, diagnostics).compile();
    std::ranges::stable_sort(diagnostics, {}, [](const Diagnostic &diagnostic) {
        return std::tie(diagnostic.file, diagnostic.place.line, diagnostic.place.column);
    });
    return diagnostics;
}

} // namespace

Diagnostics checkDraft(const Draft &draft)
{
    Snapshot snapshot;
    return compile(draft, snapshot);
}

BuildOutcome buildSnapshot(const Draft &draft, const std::string &dataDir)
{
    const auto snapshot = std::make_shared<Snapshot>();
    BuildOutcome outcome{nullptr, compile(draft, *snapshot)};
    if (hasErrors(outcome.diagnostics))
        return outcome;
    auto hashKey = loadOrCreateHashKey(dataDir);
    if (!hashKey) {
        outcome.diagnostics.push_back(
            {dataDir, {}, Diagnostic::Severity::Error, hashKey.error().context});
        return outcome;
    }
    snapshot->hashKey = std::move(*hashKey);
    for (const Diagnostic &warning : outcome.diagnostics)
        snapshot->warnings.push_back(warning.text());
    outcome.snapshot = snapshot;
    return outcome;
}

} // namespace gatehouse
