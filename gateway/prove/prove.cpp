// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/prove/prove.h"

#include "gateway/config/build.h"
#include "gateway/prove/provers.h"
#include "gateway/prove/routeproofs.h"
#include "gateway/secrets/secretarena.h"
#include "gateway/usage/pricetable.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::string_view trialClient = "gatehouse-prove";
const std::string trialHashKey(32, 'p');
constexpr std::size_t mostPricedModels = 4;
constexpr const char *forNobody = "no client that it is for may use this route";

/// A text of its own in the place of each secret.
class TrialSecrets final : public SecretSource
{
public:
    [[nodiscard]] Result<ResolvedSecret> read(const SecretReference &reference,
                                              const std::filesystem::path &) override
    {
        if (reference.kind == SecretReference::Kind::None)
            return ResolvedSecret{};
        return ResolvedSecret{m_arena->store({"gatehouse-prove-secret"})};
    }

private:
    std::shared_ptr<SecretArena> m_arena = SecretArena::make();
};

/// A snapshot of its own for each policy and route, with a new key for each client, and one more client
/// that may do everything.
class TrialSnapshot
{
public:
    explicit TrialSnapshot(const Draft &draft)
        : m_outcome(buildTrialSnapshot(draft, trialHashKey, m_secrets, m_states))
    {
        if (!m_outcome.snapshot)
            return;
        auto snapshot = std::make_shared<Snapshot>(*m_outcome.snapshot);
        const KeyHasher hasher(trialHashKey);
        const auto give = [&](const std::shared_ptr<const ClientEntry> &client) {
            const auto key = virtualkey::generate();
            if (!key)
                return;
            snapshot->clients.addKey(hasher.hash(*key),
                                     {.client = client, .id = "p", .expires = {}});
            m_keys.emplace_back(client, *key);
        };
        for (const Resource<ClientSpec> &resource : draft.clients) {
            if (const ClientEntry *client = snapshot->clients.findClient(resource.name))
                give(std::make_shared<const ClientEntry>(*client));
        }
        auto everything = std::make_shared<ClientEntry>();
        everything->name = trialClient;
        snapshot->clients.add(everything);
        give(everything);
        m_snapshot = std::move(snapshot);
    }

    [[nodiscard]] const Diagnostics &diagnostics() const { return m_outcome.diagnostics; }
    /// Null where the configuration has errors.
    [[nodiscard]] const std::shared_ptr<const Snapshot> &get() const { return m_snapshot; }
    /// Those of the configuration's clients.
    [[nodiscard]] std::vector<TrialKey> clients() const
    {
        return {m_keys.begin(), m_keys.empty() ? m_keys.end() : m_keys.end() - 1};
    }
    /// Of the client that may do everything.
    [[nodiscard]] std::string anyKey() const
    {
        return m_keys.empty() ? std::string() : m_keys.back().second;
    }
    /// A client that \a entry holds for on \a route, and its key.
    [[nodiscard]] std::pair<std::shared_ptr<const ClientEntry>, std::string>
    clientFor(const PolicyEntry &entry, const RouteEntry &route) const
    {
        const PolicyEntry::Settings &settings = entry.settings();
        TrialKey found;
        for (const auto &[client, key] : m_keys) {
            const bool isMeant
                = (settings.client.empty() || settings.client == client->name)
                  && (route.hasLabels(settings.labels)
                      || std::ranges::all_of(settings.labels, [&c = *client](const auto &label) {
                             const auto its = c.labels.find(label.first);
                             return its != c.labels.end() && its->second == label.second;
                         }));
            if (!isMeant || !client->mayUseRoute(route.name))
                continue;
            // One that may name any model is better.
            if (client->models.empty())
                return {client, key};
            if (!found.first)
                found = {client, key};
        }
        return found;
    }
    /// Of one who is not \a client and may use \a route; empty where there is none.
    [[nodiscard]] std::string otherKey(const ClientEntry &client, const RouteEntry &route) const
    {
        const auto found = std::ranges::find_if(m_keys, [&](const TrialKey &key) {
            return key.first->name != client.name && key.first->mayUseRoute(route.name);
        });
        return found == m_keys.end() ? std::string() : found->second;
    }

private:
    TrialSecrets m_secrets;
    StateStore m_states;
    BuildOutcome m_outcome;
    std::shared_ptr<const Snapshot> m_snapshot;
    std::vector<TrialKey> m_keys;
};

/// Models that a request may name to pass: those that are allowed, and some that have a price.
std::vector<std::string> modelsFor(const Draft &draft,
                                   const RouteEntry &route,
                                   const Snapshot &snapshot,
                                   const ClientEntry &client)
{
    std::vector<std::string> allowed;
    for (const std::string &glob : client.modelNames)
        allowed.push_back(exampleOf(glob));
    for (const auto &entry : route.pipeline.policies()) {
        const auto resource
            = std::ranges::find(draft.policies, entry->name(), &Resource<PolicySpec>::name);
        if (resource == draft.policies.end() || entry->type() != "model-access")
            continue;
        for (const std::string &glob : ConfigReader(resource->spec.config).texts("allow"))
            allowed.push_back(exampleOf(glob));
    }
    std::vector<std::string> models{std::string(trialClient)};
    models.insert(models.end(), allowed.begin(), allowed.end());
    std::size_t priced = 0;
    for (const PriceRow &row : snapshot.prices->rows()) {
        if (priced < mostPricedModels && !row.model.ends_with('*')
            && snapshot.prices->find(route.firstProvider().name, row.model) != nullptr) {
            models.push_back(row.model);
            ++priced;
        }
    }
    return models;
}

Proof::Standing standingOf(Trial::Standing standing)
{
    switch (standing) {
    case Trial::Standing::Proven:
        return Proof::Standing::Proven;
    case Trial::Standing::Bypassable:
        return Proof::Standing::Bypassable;
    case Trial::Standing::NotProven:
        break;
    }
    return Proof::Standing::NotProven;
}

/// It limits how much, and does so before it is known who asks.
bool countsStrangers(const PolicyEntry &entry,
                     const RouteEntry &route,
                     Sink &sink,
                     const Trial &trial)
{
    constexpr auto counting = std::to_array<std::string_view>(
        {"rate-limit", "spike-control", "concurrency", "token-limit", "budget"});
    if (route.isPublic || std::ranges::find(counting, entry.type()) == counting.end())
        return false;
    Probe stranger = trial.good();
    stranger.key.clear();
    return sink.send(route, stranger)->wasSeenBy(entry.name());
}

Proof proofOf(const Draft &draft, const std::string &policy, const std::string &routeName)
{
    const TrialSnapshot trialSnapshot(draft);
    const Snapshot &snapshot = *trialSnapshot.get();
    const auto route = std::ranges::find(snapshot.routes, routeName, &RouteEntry::name);
    const auto entries = route->pipeline.policies();
    const auto &entry = **std::ranges::find_if(
        entries, [&policy](const auto &candidate) { return candidate->name() == policy; });
    Proof proof{.policy = policy, .type = std::string(entry.type()), .route = routeName};
    if (entry.settings().observes) {
        proof.reasons.emplace_back("mode: observe, so it stops nothing");
        return proof;
    }
    const Prover prover = findProver(entry.type());
    if (prover == nullptr) {
        proof.reasons.emplace_back("there are no probes for this type");
        return proof;
    }
    const auto resource = std::ranges::find(draft.policies, policy, &Resource<PolicySpec>::name);
    const Node none = Node::map();
    const Node &config = resource == draft.policies.end() ? none : resource->spec.config;
    const auto [client, key] = trialSnapshot.clientFor(entry, *route);
    if (!client) {
        proof.reasons.emplace_back(forNobody);
        return proof;
    }
    Sink sink(trialSnapshot.get());
    Trial trial({.entry = &entry,
                 .config = &config,
                 .route = &*route,
                 .sink = &sink,
                 .key = key,
                 .client = client->name,
                 .models = modelsFor(draft, *route, snapshot, *client),
                 .otherKey = trialSnapshot.otherKey(*client, *route)});
    if (countsStrangers(entry, *route, sink, trial))
        trial.notProven("it comes before client-key: requests without a key count too, all as one "
                        "client; give it an order over that of client-key");
    prover(trial);
    trial.conclude();
    proof.standing = standingOf(trial.standing());
    proof.reasons = trial.reasons();
    proof.probe = trial.probe();
    proof.probes = trial.count();
    return proof;
}

/// Why a policy of the configuration is on no route.
std::string whyNowhere(const Resource<PolicySpec> &policy)
{
    if (!policy.spec.enabled)
        return "enabled: false";
    if (!policy.spec.unloaded.empty())
        return "not loaded: " + policy.spec.unloaded;
    return "its target is no route of this configuration";
}

/// A policy for some clients or labels has nothing to do where none of them comes by, if they do elsewhere.
void forgetForeignRoutes(std::vector<Proof> &proofs)
{
    const auto isForeign = [](const Proof &proof) {
        return !proof.reasons.empty() && proof.reasons.front() == forNobody;
    };
    const std::vector<Proof> all = proofs;
    std::erase_if(proofs, [&](const Proof &proof) {
        return isForeign(proof) && std::ranges::any_of(all, [&](const Proof &other) {
                   return other.policy == proof.policy && !isForeign(other);
               });
    });
}

} // namespace

ProofReport prove(const Draft &draft, const std::string &policy)
{
    ProofReport report;
    const TrialSnapshot snapshot(draft);
    report.diagnostics = snapshot.diagnostics();
    if (!snapshot.get())
        return report;
    std::vector<std::string> seen;
    for (const RouteEntry &route : snapshot.get()->routes) {
        for (const auto &entry : route.pipeline.policies()) {
            const std::string name(entry->name());
            seen.push_back(name);
            if (policy.empty() || policy == name)
                report.proofs.push_back(proofOf(draft, name, route.name));
        }
    }
    forgetForeignRoutes(report.proofs);
    for (const Resource<PolicySpec> &resource : draft.policies) {
        if (std::ranges::find(seen, resource.name) == seen.end()
            && (policy.empty() || policy == resource.name))
            report.proofs.push_back({.policy = resource.name,
                                     .type = resource.spec.type,
                                     .route = {},
                                     .reasons = {whyNowhere(resource)}});
    }
    if (policy.empty()) {
        report.routes = proveRoutes(snapshot.get(), snapshot.anyKey());
        report.clients = proveClients(snapshot.get(), snapshot.clients());
    }
    return report;
}

} // namespace gatehouse
