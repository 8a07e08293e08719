// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/prove/routeproofs.h"

#include "gateway/prove/trial.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace gatehouse {

namespace {

constexpr std::string_view keyType = "client-key";
constexpr std::string_view foreignModel = "gatehouse-prove-model";

using Names = std::vector<std::string>;

/// What holds for everybody on \a route, but for client-key.
Names enforcedOn(const RouteEntry &route)
{
    Names names;
    for (const auto &entry : route.pipeline.policies()) {
        const PolicyEntry::Settings &settings = entry->settings();
        const bool isForAll = settings.client.empty() && route.hasLabels(settings.labels);
        if (isForAll && !settings.observes && entry->type() != keyType)
            names.emplace_back(entry->name());
    }
    std::ranges::sort(names);
    return names;
}

std::string joined(const Names &names)
{
    std::string text;
    for (const std::string &name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

Names missingOn(const RouteEntry &other, const RouteEntry &route)
{
    const Names here = enforcedOn(route);
    const Names there = enforcedOn(other);
    Names missing;
    std::ranges::set_difference(here, there, std::back_inserter(missing));
    return missing;
}

bool leadTogether(const RouteEntry &route, const RouteEntry &other)
{
    return std::ranges::any_of(route.providers, [&other](const auto &provider) {
        return std::ranges::any_of(other.providers, [&provider](const auto &another) {
            return provider->origin == another->origin;
        });
    });
}

/// A request below the base path of \a route that another one takes, to the same provider and past its policies.
void findShadow(Sink &sink, const RouteEntry &route, const std::string &key, RouteProof &proof)
{
    std::vector<Probe> probes = endpointProbes(route, std::string(foreignModel));
    for (const RouteEntry &other : sink.snapshot().routes) {
        const bool isBelow
            = other.basePath.size() > route.basePath.size()
              && other.basePath.starts_with(route.basePath)
              && (route.basePath.ends_with('/') || other.basePath[route.basePath.size()] == '/');
        if (!isBelow || other.listener != route.listener)
            continue;
        Probe probe = probes.back();
        probe.path = other.basePath.substr(route.basePath.size()) + "/gatehouse-prove";
        probes.push_back(std::move(probe));
    }
    for (Probe &probe : probes) {
        probe.key = key;
        const auto request = sink.send(route, probe);
        const RouteEntry *taker = request->route();
        if (taker == nullptr || taker == &route || !leadTogether(route, *taker))
            continue;
        const Names missing = missingOn(*taker, route);
        if (missing.empty())
            continue;
        proof.standing = Proof::Standing::Bypassable;
        proof.reasons.push_back("route " + taker->name + " takes " + probe.method + " "
                                + route.basePath + probe.path + ", and there " + joined(missing)
                                + " does not hold: give it the same target");
        proof.probe = curlOf(probe, route.basePath);
        return;
    }
}

/// Another base path that leads to the same provider, with less in its way.
void findWayRound(const Snapshot &snapshot, const RouteEntry &route, RouteProof &proof)
{
    for (const RouteEntry &other : snapshot.routes) {
        const Names missing = missingOn(other, route);
        if (&other == &route || !leadTogether(route, other) || missing.empty())
            continue;
        proof.standing = Proof::Standing::NotProven;
        proof.reasons.push_back("route " + other.name + " (" + other.basePath
                                + ") leads to the same provider, and there " + joined(missing)
                                + " does not hold");
        return;
    }
}

bool asksWho(const RouteEntry &route)
{
    constexpr auto types = std::to_array<std::string_view>({"basic-auth",
                                                            "jwt",
                                                            "oauth2-introspection",
                                                            "external-authorization",
                                                            "client-certificate",
                                                            "process-identity"});
    const auto policies = route.pipeline.policies();
    return std::ranges::any_of(policies, [&](const auto &entry) {
        return !entry->settings().observes
               && std::ranges::find(types, entry->type()) != types.end();
    });
}

bool isOpen(Sink &sink, const RouteEntry &route)
{
    if (route.isPublic && !asksWho(route))
        return true;
    return std::ranges::any_of(
        endpointProbes(route, std::string(foreignModel)),
        [&](const Probe &probe) { return sink.send(route, probe)->isReached(); });
}

bool hasScope(const ClientEntry &client)
{
    return !client.routes.empty() || !client.models.empty();
}

/// Requests of \a client that its scope has to stop.
void tryScope(Sink &sink, const ClientEntry &client, const std::string &key, ClientProof &proof)
{
    const auto mustStop = [&](const RouteEntry &route, Probe probe) {
        probe.key = key;
        ++proof.probes;
        if (!sink.send(route, probe)->isReached() || !proof.probe.empty())
            return;
        proof.standing = Proof::Standing::Bypassable;
        proof.reasons.push_back(probe.method + " " + route.basePath + probe.path + " got through");
        proof.probe = curlOf(probe, route.basePath);
    };
    for (const RouteEntry &route : sink.snapshot().routes) {
        if (client.mayUseRoute(route.name) && client.models.empty())
            continue;
        for (const Probe &probe : endpointProbes(route, std::string(foreignModel)))
            mustStop(route, probe);
    }
}

} // namespace

std::vector<RouteProof> proveRoutes(const std::shared_ptr<const Snapshot> &snapshot,
                                    const std::string &key)
{
    const bool hasPolicies = std::ranges::any_of(
        snapshot->routes, [](const RouteEntry &route) { return !enforcedOn(route).empty(); });
    std::vector<RouteProof> proofs;
    Sink sink(snapshot);
    for (const RouteEntry &route : snapshot->routes) {
        RouteProof proof{.route = route.name, .basePath = route.basePath};
        proof.policies = enforcedOn(route);
        proof.isOpen = isOpen(sink, route);
        if (proof.isOpen) {
            proof.standing = Proof::Standing::NotProven;
            proof.reasons.emplace_back("it can be reached without a key (public: true)");
        }
        if (hasPolicies && proof.policies.empty()) {
            proof.standing = Proof::Standing::NotProven;
            proof.reasons.emplace_back(
                "no policy holds here but client-key, and on others some do");
        }
        findWayRound(*snapshot, route, proof);
        findShadow(sink, route, key, proof);
        proofs.push_back(std::move(proof));
    }
    return proofs;
}

std::vector<ClientProof> proveClients(const std::shared_ptr<const Snapshot> &snapshot,
                                      const std::vector<TrialKey> &keys)
{
    const bool someHaveScope
        = std::ranges::any_of(keys, [](const TrialKey &entry) { return hasScope(*entry.first); });
    std::vector<ClientProof> proofs;
    Sink sink(snapshot);
    for (const auto &[client, key] : keys) {
        ClientProof proof{.client = client->name, .standing = Proof::Standing::Proven};
        if (!hasScope(*client)) {
            proof.reasons.emplace_back("its keys reach every route and model");
            if (someHaveScope) {
                proof.standing = Proof::Standing::NotProven;
                proof.reasons.emplace_back(
                    "other clients are limited: give it `routes` or `models` too");
            }
        } else if (std::ranges::any_of(client->models, [](const Glob &glob) {
                       return glob.matches(foreignModel);
                   })) {
            proof.standing = Proof::Standing::NotProven;
            proof.reasons.emplace_back("its `models` let every model pass: name those it needs");
        } else {
            tryScope(sink, *client, key, proof);
        }
        proofs.push_back(std::move(proof));
    }
    return proofs;
}

} // namespace gatehouse
