// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/build.h"

#include "gateway/base/text.h"
#include "gateway/config/address.h"
#include "gateway/config/check.h"
#include "gateway/config/clients.h"
#include "gateway/config/documentsecrets.h"
#include "gateway/config/listeners.h"
#include "gateway/config/policies.h"
#include "gateway/config/prices.h"
#include "gateway/config/provider.h"
#include "gateway/pipeline/requestedmodels.h"
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
    Compiler(const Draft &draft,
             SecretSource &secrets,
             Snapshot &snapshot,
             Diagnostics &diagnostics)
        : m_draft(draft)
        , m_secrets(secrets)
        , m_snapshot(snapshot)
        , m_diagnostics(diagnostics)
    {}

    void compile()
    {
        m_snapshot.revision = m_draft.revision;
        compileGateway();
        compileRoutes();
        m_snapshot.clients = compileClients(m_draft.clients, m_diagnostics);
        m_snapshot.prices = compilePrices(m_draft, m_diagnostics);
    }

private:
    void compileGateway()
    {
        const GatewaySpec defaults;
        const bool isDefault = m_draft.gateways.empty();
        const GatewaySpec &spec = isDefault ? defaults : m_draft.gateways.front().spec;
        m_snapshot.listeners = compileListeners(m_draft, m_diagnostics);
        if (const auto admin = parseListenAddress(spec.admin))
            m_snapshot.admin = ListenerEntry{"admin", admin->ip, admin->port, nullptr};
        const unsigned cores = std::max(2U, std::thread::hardware_concurrency());
        m_snapshot.timezone = spec.timezone;
        m_snapshot.workers = spec.workers == 0 ? cores - 1 : static_cast<unsigned>(spec.workers);
        for (const auto *hosts : {&spec.hosts, &m_draft.hosts}) {
            for (const std::string &host : *hosts) {
                const std::string normal = normalisedHost(host);
                m_snapshot.hosts.push_back(host.starts_with('[') ? "[" + normal + "]" : normal);
            }
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
                             .policyTimeout = spec.policyTimeout,
                             .drainTimeout = spec.drainTimeout};
    }

    void compileRoutes()
    {
        std::map<std::string_view, std::shared_ptr<const ProviderEntry>> providers;
        for (const Resource<ProviderSpec> &provider : m_draft.providers) {
            Reporter reporter(provider.file, m_diagnostics);
            providers[provider.name]
                = buildProvider(provider, m_draft.directory, m_secrets, reporter);
        }
        for (const Resource<RouteSpec> &route : m_draft.routes) {
            const auto provider = providers.find(route.spec.provider);
            if (provider == providers.end() || provider->second == nullptr)
                continue;
            std::vector<std::shared_ptr<const ProviderEntry>> fallbacks;
            for (const std::string &name : route.spec.fallbacks) {
                const auto fallback = providers.find(name);
                if (fallback != providers.end() && fallback->second != nullptr)
                    fallbacks.push_back(fallback->second);
            }
            addRoute(route, provider->second, std::move(fallbacks));
        }
        std::ranges::stable_sort(m_snapshot.routes,
                                 std::ranges::greater(),
                                 [](const RouteEntry &route) { return route.basePath.size(); });
    }

    void addRoute(const Resource<RouteSpec> &route,
                  std::shared_ptr<const ProviderEntry> provider,
                  std::vector<std::shared_ptr<const ProviderEntry>> fallbacks)
    {
        const RouteSpec &spec = route.spec;
        auto rules = Rules::compile(spec.rules);
        if (!rules) {
            Reporter(route.file, m_diagnostics)
                .error(route.place({"rules"}), rules.error().context);
            return;
        }
        RouteEntry entry;
        entry.name = route.name;
        entry.basePath = spec.basePath == "/" ? "" : spec.basePath;
        entry.labels = route.labels;
        entry.isPublic = spec.isPublic;
        entry.listener = spec.listener;
        entry.dialect = spec.dialect.empty() ? provider->dialect : findDialect(spec.dialect);
        entry.dialectName = entry.dialect->name();
        entry.modelFinder = std::make_shared<const ModelFinder>(entry.dialect->modelPlaces());
        entry.providerNames = {provider->name};
        entry.outputCap
            = [dialect = entry.dialect](std::string_view path, const json::Value &body) {
                  return dialect->outputCap(path, body);
              };
        entry.lastTurn = [dialect = entry.dialect](
                             std::string_view path, const json::Value &body, TurnForm form) {
            return dialect->lastTurn(path, body, form);
        };
        entry.isStateless
            = [dialect = entry.dialect](std::string_view path, const json::Value *body) {
                  return dialect->isStateless(path, body);
              };
        bool tellsUsage = provider->tellsUsageUnasked;
        for (const auto &fallback : fallbacks) {
            entry.providerNames.push_back(fallback->name);
            tellsUsage = tellsUsage && fallback->tellsUsageUnasked;
        }
        entry.asksForUsage = spec.usage == "inject" && !tellsUsage;
        entry.provider = std::move(provider);
        // Another provider need not be given time to recover: no pause.
        entry.fallbackSetting = {.attempts = 1 + static_cast<std::int64_t>(fallbacks.size()),
                                 .statuses = {429, 502, 503, 504, 529},
                                 .backoff = std::chrono::milliseconds(0)};
        entry.fallbacks = std::move(fallbacks);
        entry.rules = std::move(*rules);
        m_snapshot.routes.push_back(std::move(entry));
    }

    const Draft &m_draft;
    SecretSource &m_secrets;
    Snapshot &m_snapshot;
    Diagnostics &m_diagnostics;
};

Diagnostics
compile(const Draft &draft, SecretSource &secrets, StateStore &states, Snapshot &snapshot)
{
    Diagnostics diagnostics = draft.diagnostics;
    DocumentSecrets allSecrets(draft, secrets);
    checkReferences(draft, diagnostics);
    Compiler(draft, allSecrets, snapshot, diagnostics).compile();
    compilePolicies(draft, allSecrets, states, snapshot, diagnostics);
    std::ranges::stable_sort(diagnostics, {}, [](const Diagnostic &diagnostic) {
        return std::tie(diagnostic.file, diagnostic.place.line, diagnostic.place.column);
    });
    return diagnostics;
}

} // namespace

Diagnostics checkDraft(const Draft &draft, SecretSource &secrets)
{
    Snapshot snapshot;
    StateStore states;
    return compile(draft, secrets, states, snapshot);
}

BuildOutcome buildSnapshot(const Draft &draft,
                           const std::string &dataDir,
                           SecretSource &secrets,
                           StateStore &states)
{
    const auto snapshot = std::make_shared<Snapshot>();
    BuildOutcome outcome{nullptr, compile(draft, secrets, states, *snapshot)};
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

BuildOutcome buildTrialSnapshot(const Draft &draft,
                                std::string hashKey,
                                SecretSource &secrets,
                                StateStore &states)
{
    const auto snapshot = std::make_shared<Snapshot>();
    BuildOutcome outcome{nullptr, compile(draft, secrets, states, *snapshot)};
    snapshot->hashKey = std::move(hashKey);
    if (!hasErrors(outcome.diagnostics))
        outcome.snapshot = snapshot;
    return outcome;
}

} // namespace gatehouse
