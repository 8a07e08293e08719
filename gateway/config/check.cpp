// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/check.h"

#include "gateway/base/text.h"
#include "gateway/config/address.h"
#include "gateway/config/listeners.h"
#include "gateway/config/provider.h"
#include "gateway/config/sessions.h"
#include "gateway/schema/decode.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace gatehouse {

namespace {

template<Record Spec>
std::vector<std::string_view> namesOf(const std::vector<Resource<Spec>> &resources)
{
    std::vector<std::string_view> names;
    names.reserve(resources.size());
    for (const Resource<Spec> &resource : resources)
        names.push_back(resource.name);
    return names;
}

/// "there is no route "x"…" where \a name is none of the names.
std::string missingName(std::string_view kind,
                        std::string_view name,
                        const std::vector<std::string_view> &names)
{
    if (std::ranges::find(names, name) != names.end())
        return {};
    return std::string("there is no ").append(kind) + " " + inQuotes(name)
           + didYouMean(name, names);
}

/// Where something was seen first, to point at when it comes again.
class FirstSeen
{
public:
    /// "" the first time, else " is already used at FILE:LINE".
    std::string add(const std::string &what, const std::string &file, Place place)
    {
        std::string used = find(what);
        m_places.try_emplace(what, file + ":" + std::to_string(place.line));
        return used;
    }

    /// What add() would say; nothing is noted.
    [[nodiscard]] std::string find(const std::string &what) const
    {
        const auto entry = m_places.find(what);
        return entry == m_places.end() ? std::string() : " is already used at " + entry->second;
    }

private:
    std::map<std::string, std::string> m_places;
};

std::string boundAddress(const ListenAddress &address)
{
    return address.ip + " " + std::to_string(address.port);
}

void checkListener(const DeclaredListener &declared,
                   FirstSeen &names,
                   FirstSeen &addresses,
                   Diagnostics &diagnostics)
{
    const ListenerSpec &listener = declared.spec;
    Reporter reporter(declared.file, diagnostics);
    const Place namePlace = declared.place({"name"});
    const Place addressPlace = declared.place({"address"});
    if (const auto used = names.add(listener.name, declared.file, namePlace); !used.empty())
        reporter.error(namePlace, "the listener name " + inQuotes(listener.name) + used);
    const auto address = parseListenAddress(listener.address);
    if (!address)
        return;
    const auto used = addresses.add(boundAddress(*address), declared.file, addressPlace);
    if (address->port != 0 && !used.empty())
        reporter.error(addressPlace, "the address " + listener.address + used);
    if (isLoopbackHost(address->ip) || !listener.tls.certificate.empty())
        return;
    if (listener.insecure)
        reporter.warning(addressPlace,
                         "other machines reach " + listener.address
                             + " without TLS: keys, prompts and answers can be read on the way");
    else
        reporter.error(addressPlace,
                       "other machines would reach " + listener.address
                           + " without TLS; add tls, use a loopback address or set insecure: true");
}

void checkGateways(const Draft &draft, Diagnostics &diagnostics)
{
    FirstSeen names;
    FirstSeen addresses;
    for (const DeclaredListener &listener : declaredListeners(draft))
        checkListener(listener, names, addresses, diagnostics);
    for (const Resource<GatewaySpec> &gateway : draft.gateways) {
        Reporter reporter(gateway.file, diagnostics);
        const Resource<GatewaySpec> &first = draft.gateways.front();
        if (&gateway != &first) {
            reporter.error(gateway.namePlace(),
                           "there may be only one Gateway; the first is at " + first.file + ":"
                               + std::to_string(first.namePlace().line));
            continue;
        }
        const auto admin = parseListenAddress(gateway.spec.admin);
        const Place place = gateway.place({"admin"});
        if (!admin || admin->port == 0)
            continue;
        const auto used = addresses.add(boundAddress(*admin), gateway.file, place);
        if (!used.empty())
            reporter.error(place, "the address " + gateway.spec.admin + used);
    }
}

std::string dialectOf(const Draft &draft, const std::string &providerName)
{
    const auto provider
        = std::ranges::find(draft.providers, providerName, &Resource<ProviderSpec>::name);
    return provider == draft.providers.end() ? std::string() : effectiveSpec(*provider).dialect;
}

bool takesAll(const RouteSpec &spec)
{
    return spec.rules.empty() || std::ranges::find(spec.rules, RuleSpec{}) != spec.rules.end();
}

/// Routes of one base path are tried in the files' order: those behind one that takes all are never used.
void checkBasePath(const Resource<RouteSpec> &route, FirstSeen &catchAlls, Reporter &reporter)
{
    const RouteSpec &spec = route.spec;
    const Place place = route.place({"basePath"});
    const std::string basePath = spec.listener + spec.basePath;
    const std::string used
        = takesAll(spec) ? catchAlls.add(basePath, route.file, place) : catchAlls.find(basePath);
    if (!used.empty())
        reporter.error(place,
                       "the base path " + spec.basePath + " of listener " + inQuotes(spec.listener)
                           + used
                           + " by a route that takes every request, so this one would never be "
                             "used; a route without rules comes last");
}

/// Providers of a route as they are named in it: each is there, is another one than those before and
/// speaks the same dialect.
class ProvidersCheck
{
public:
    ProvidersCheck(const Draft &draft, const Resource<RouteSpec> &route, Reporter &reporter)
        : m_draft(draft)
        , m_route(route)
        , m_reporter(reporter)
        , m_providers(namesOf(draft.providers))
    {}

    void check()
    {
        const RouteSpec &spec = m_route.spec;
        if (!spec.provider.empty() && !spec.providers.empty()) {
            m_reporter.error(m_route.place({"providers"}),
                             "a route has either provider or providers, not both");
            return;
        }
        if (spec.options().empty())
            m_reporter.error(m_route.place({}),
                             "provider is missing, or providers where there are several");
        if (!spec.provider.empty())
            checkOne(spec.provider, m_route.place({"provider"}));
        for (std::size_t i = 0; i < spec.providers.size(); ++i)
            checkOne(spec.providers[i].name, m_route.place({"providers", i, "name"}));
        for (std::size_t i = 0; i < spec.fallbacks.size(); ++i)
            checkOne(spec.fallbacks[i], m_route.place({"fallbacks", i}));
    }

private:
    void checkOne(const std::string &name, Place place)
    {
        if (name.empty())
            return; // reported as it was read
        if (const auto missing = missingName("provider", name, m_providers); !missing.empty()) {
            m_reporter.error(place, missing);
            return;
        }
        if (std::ranges::find(m_before, name) != m_before.end()) {
            m_reporter.error(
                place,
                "the provider " + inQuotes(name)
                    + " is asked before already; a retry policy asks a provider again");
            return;
        }
        const std::string dialect = dialectOf(m_draft, name);
        const std::string first = m_before.empty() ? "" : dialectOf(m_draft, m_before.front());
        if (!dialect.empty() && !first.empty() && dialect != first)
            m_reporter.error(place,
                             "the provider " + inQuotes(name) + " speaks " + dialect + " and "
                                 + inQuotes(m_before.front()) + " speaks " + first
                                 + ": nothing translates between them");
        m_before.push_back(name);
    }

    const Draft &m_draft;
    const Resource<RouteSpec> &m_route;
    Reporter &m_reporter;
    std::vector<std::string_view> m_providers;
    std::vector<std::string> m_before;
};

void checkRoutes(const Draft &draft, Diagnostics &diagnostics)
{
    const auto declared = declaredListeners(draft);
    std::vector<std::string_view> listeners;
    for (const DeclaredListener &listener : declared)
        listeners.push_back(listener.spec.name);
    FirstSeen catchAlls;
    for (const Resource<RouteSpec> &route : draft.routes) {
        Reporter reporter(route.file, diagnostics);
        const RouteSpec &spec = route.spec;
        if (const auto missing = missingName("listener", spec.listener, listeners);
            !missing.empty())
            reporter.error(route.place({"listener"}), missing);
        ProvidersCheck(draft, route, reporter).check();
        const auto options = spec.options();
        if (options.empty() || spec.basePath.empty())
            continue; // reported
        checkBasePath(route, catchAlls, reporter);
        const std::string providerDialect = dialectOf(draft, options.front().name);
        if (!spec.dialect.empty() && !providerDialect.empty() && spec.dialect != providerDialect)
            reporter.warning(route.place({"dialect"}),
                             "the clients speak " + spec.dialect + " and the provider speaks "
                                 + providerDialect + ": nothing translates between them");
    }
}

void checkClients(const Draft &draft, Diagnostics &diagnostics)
{
    const auto routes = namesOf(draft.routes);
    FirstSeen hashes;
    for (const Resource<ClientSpec> &client : draft.clients) {
        Reporter reporter(client.file, diagnostics);
        for (std::size_t i = 0; i < client.spec.routes.size(); ++i) {
            const auto missing = missingName("route", client.spec.routes[i], routes);
            if (!missing.empty())
                reporter.error(client.place({"routes", i}), missing);
        }
        FirstSeen ids;
        for (std::size_t i = 0; i < client.spec.keys.size(); ++i) {
            const KeySpec &key = client.spec.keys[i];
            if (key.id.empty() || key.hash.empty())
                continue; // reported as it was read
            const Place idPlace = client.place({"keys", i, "id"});
            if (const auto used = ids.add(key.id, client.file, idPlace); !used.empty())
                reporter.error(idPlace, "the key id " + inQuotes(key.id) + used);
            const Place hashPlace = client.place({"keys", i, "hash"});
            if (const auto used = hashes.add(key.hash, client.file, hashPlace); !used.empty())
                reporter.error(hashPlace, "this key hash" + used + "; each key has one client");
        }
    }
}

void checkPolicies(const Draft &draft, Diagnostics &diagnostics)
{
    const auto routes = namesOf(draft.routes);
    auto clients = namesOf(draft.clients);
    clients.push_back(execClient); // which is there as soon as a command has its key
    for (const Resource<PolicySpec> &policy : draft.policies) {
        Reporter reporter(policy.file, diagnostics);
        const TargetSpec &target = policy.spec.target;
        if (const auto missing = missingName("route", target.route, routes);
            !target.route.empty() && !missing.empty())
            reporter.error(policy.place({"target", "route"}), missing);
        if (const auto missing = missingName("client", target.client, clients);
            !target.client.empty() && !missing.empty())
            reporter.error(policy.place({"target", "client"}), missing);
    }
}

} // namespace

void checkReferences(const Draft &draft, Diagnostics &diagnostics)
{
    checkGateways(draft, diagnostics);
    checkRoutes(draft, diagnostics);
    checkClients(draft, diagnostics);
    checkPolicies(draft, diagnostics);
}

} // namespace gatehouse
