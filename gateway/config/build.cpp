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
             StateStore &states,
             Snapshot &snapshot,
             Diagnostics &diagnostics)
        : m_draft(draft)
        , m_secrets(secrets)
        , m_states(states)
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
                = buildProvider(provider, m_draft.directory, m_secrets, m_states, reporter);
        }
        for (const Resource<RouteSpec> &route : m_draft.routes) {
            std::vector<std::shared_ptr<const ProviderEntry>> answerers;
            for (const std::string &name : providersOf(route.spec)) {
                const auto provider = providers.find(name);
                if (provider != providers.end() && provider->second != nullptr)
                    answerers.push_back(provider->second);
            }
            if (!answerers.empty())
                addRoute(route, std::move(answerers));
        }
        std::ranges::stable_sort(m_snapshot.routes,
                                 std::ranges::greater(),
                                 [](const RouteEntry &route) { return route.basePath.size(); });
    }

    static std::vector<std::string> providersOf(const RouteSpec &spec)
    {
        std::vector<std::string> names;
        for (const RouteProviderSpec &option : spec.options())
            names.push_back(option.name);
        names.insert(names.end(), spec.fallbacks.begin(), spec.fallbacks.end());
        return names;
    }

    /// Null, and reported, where a glob is none.
    std::optional<ProviderChoice> compileChoice(const Resource<RouteSpec> &route)
    {
        const RouteSpec &spec = route.spec;
        Reporter reporter(route.file, m_diagnostics);
        bool isRight = true;
        std::vector<ProviderOption> options;
        const auto specs = spec.options();
        for (std::size_t i = 0; i < specs.size(); ++i) {
            ProviderOption option{.name = specs[i].name, .weight = specs[i].weight};
            for (std::size_t j = 0; j < specs[i].models.size(); ++j) {
                auto glob = Glob::parse(specs[i].models[j], Glob::Kind::Name);
                if (glob)
                    option.models.push_back(std::move(*glob));
                else
                    reporter.error(route.place({"providers", i, "models", j}),
                                   glob.error().context);
                isRight = isRight && glob.has_value();
            }
            options.push_back(std::move(option));
        }
        auto balance = ProviderChoice::Balance::Weights;
        if (spec.balance == "least-latency")
            balance = ProviderChoice::Balance::LeastLatency;
        else if (spec.balance == "sticky")
            balance = ProviderChoice::Balance::Sticky;
        if (!isRight)
            return std::nullopt;
        return ProviderChoice(std::move(options), spec.fallbacks.size(), balance);
    }

    /// \a providers: those that are chosen among, then the fallbacks.
    void addRoute(const Resource<RouteSpec> &route,
                  std::vector<std::shared_ptr<const ProviderEntry>> providers)
    {
        const RouteSpec &spec = route.spec;
        auto rules = Rules::compile(spec.rules);
        if (!rules) {
            Reporter(route.file, m_diagnostics)
                .error(route.place({"rules"}), rules.error().context);
            return;
        }
        auto choice = compileChoice(route);
        if (!choice)
            return;
        RouteEntry entry;
        entry.name = route.name;
        entry.basePath = spec.basePath == "/" ? "" : spec.basePath;
        entry.labels = route.labels;
        entry.isPublic = spec.isPublic;
        entry.listener = spec.listener;
        entry.dialect
            = spec.dialect.empty() ? providers.front()->dialect : findDialect(spec.dialect);
        fillFromDialect(entry);
        entry.optionCount = spec.options().size();
        bool tellsUsage = true;
        for (const auto &provider : providers) {
            entry.providerNames.push_back(provider->name);
            tellsUsage = tellsUsage && provider->tellsUsageUnasked;
        }
        entry.asksForUsage = spec.usage == "inject" && !tellsUsage;
        // Another provider need not be given time to recover: no pause.
        entry.fallbackSetting = {.attempts = static_cast<std::int64_t>(providers.size()),
                                 .statuses = {429, 502, 503, 504, 529},
                                 .backoff = std::chrono::milliseconds(0)};
        entry.providers = std::move(providers);
        entry.choice = std::move(*choice);
        entry.rules = std::move(*rules);
        m_snapshot.routes.push_back(std::move(entry));
    }

    /// What policies ask of its dialect.
    static void fillFromDialect(RouteEntry &entry)
    {
        const Dialect *dialect = entry.dialect;
        entry.dialectName = dialect->name();
        entry.modelFinder = std::make_shared<const ModelFinder>(dialect->modelPlaces());
        entry.outputCap = [dialect](std::string_view path, const json::Value &body) {
            return dialect->outputCap(path, body);
        };
        entry.lastTurn = [dialect](std::string_view path, const json::Value &body, TurnForm form) {
            return dialect->lastTurn(path, body, form);
        };
        entry.isStateless = [dialect](std::string_view path, const json::Value *body) {
            return dialect->isStateless(path, body);
        };
    }

    const Draft &m_draft;
    SecretSource &m_secrets;
    StateStore &m_states;
    Snapshot &m_snapshot;
    Diagnostics &m_diagnostics;
};

Diagnostics
compile(const Draft &draft, SecretSource &secrets, StateStore &states, Snapshot &snapshot)
{
    Diagnostics diagnostics = draft.diagnostics;
    DocumentSecrets allSecrets(draft, secrets);
    checkReferences(draft, diagnostics);
    Compiler(draft, allSecrets, states, snapshot, diagnostics).compile();
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
