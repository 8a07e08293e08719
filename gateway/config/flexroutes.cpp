// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/config/address.h"
#include "gateway/config/flexwork.h"
#include "gateway/config/url.h"
#include "gateway/dialects/dialect.h"
#include "gateway/schema/encode.h"

#include <algorithm>
#include <tuple>

namespace gatehouse {

namespace {

constexpr std::string_view publicLabel = "gatehouse/public";
constexpr std::string_view dialectLabel = "gatehouse/dialect";
constexpr std::string_view credentialLabel = "gatehouse/credential";
constexpr std::string_view fallbackDialect = "openai";

/// Where requests of an ApiInstance go whose rules match.
struct Destination
{
    const FlexService *service = nullptr;
    std::string path = {};
    const Node *rules = nullptr;
    std::string file = {};
    Place place = {};
    std::string unloaded = {}; ///< why nothing may go there
    std::string policyRef = {};
};

Node mapAt(Place place)
{
    Node node = Node::map();
    node.place = place;
    return node;
}

/// What is known of the provider at an address, or null.
const ProviderPreset *presetOf(const BaseUrl &url)
{
    const auto isMeant = [&url](const ProviderPreset &preset) {
        const auto known = parseBaseUrl(preset.baseUrl);
        return known && known->host == url.host
               && (!isLoopbackHost(url.host) || known->port == url.port);
    };
    const auto presets = providerPresets();
    const auto found = std::ranges::find_if(presets, isMeant);
    return found == presets.end() ? nullptr : &*found;
}

/// Makes the providers and routes, one ApiInstance after the other.
class RouteTranslator
{
public:
    explicit RouteTranslator(FlexWork &work)
        : m_work(work)
    {}

    void translate(const FlexInstance &instance)
    {
        const auto listener = m_work.listeners.find(&instance);
        const auto address = parseBaseUrl(instance.address);
        if (listener == m_work.listeners.end() || !address)
            return; // reported
        const bool isPublic = isPublicInstance(instance);
        const std::vector<Destination> destinations = destinationsOf(instance);
        if (destinations.empty())
            m_work.warning(
                instance.file,
                instance.namePlace,
                "ApiInstance " + inQuotes(instance.name.text())
                    + " has neither services nor a policy route: every request gets 404");
        for (const Destination &destination : destinations) {
            Node spec = Node::map();
            spec.append("listener", textAt(listener->second, instance.addressPlace));
            spec.append("basePath",
                        textAt(address->path.empty() ? "/" : address->path, instance.addressPlace));
            if (isPublic)
                spec.append("public", plainAt("true", instance.namePlace));
            addRoute(instance, destination, std::move(spec));
        }
    }

private:
    bool isPublicInstance(const FlexInstance &instance)
    {
        const std::string label = labelOf(instance.labels, publicLabel);
        if (label == "true")
            return true;
        m_work.warning(
            instance.file,
            instance.namePlace,
            "ApiInstance " + inQuotes(instance.name.text())
                + " asks for a virtual key, which MuleSoft does not; its label "
                  "gatehouse/public: \"true\" opens it to everybody who reaches its port");
        return false;
    }

    std::vector<Destination> destinationsOf(const FlexInstance &instance)
    {
        std::vector<Destination> destinations;
        for (const FlexInlineService &inlined : instance.services) {
            for (const FlexRoute &route : inlined.routes)
                destinations.push_back({.service = &inlined.service,
                                        .path = route.destinationPath,
                                        .rules = route.rules,
                                        .file = instance.file,
                                        .place = route.place});
        }
        for (const FlexUse &use : usesOf(instance, m_work.resources())) {
            const std::string &reference = use.policy->policyRef;
            if (reference == "route" || reference == "route-weighted")
                readRoutePolicy(instance, *use.policy, destinations);
        }
        return destinations;
    }

    void readRoutePolicy(const FlexInstance &instance,
                         const FlexPolicyUse &use,
                         std::vector<Destination> &destinations)
    {
        Reporter reporter = m_work.reporter(use.file);
        FlexWork::Config expanded = m_work.expanded(use);
        FlexConfig config(expanded.node ? &*expanded.node : nullptr,
                          use.place,
                          reporter,
                          std::move(expanded.origin));
        Destination destination{.rules = use.rules,
                                .file = use.file,
                                .place = use.place,
                                .unloaded = expanded.problem,
                                .policyRef = use.policyRef};
        if (use.policyRef == "route") {
            readDestination(config, instance, destination);
        } else {
            const auto routes = config.records("routes");
            for (FlexConfig *route : routes) {
                (void)route->integer("weight", 1);
                readDestination(*route, instance, destination);
            }
            if (routes.empty())
                config.refuse("routes", "must have at least one route");
            else if (routes.size() > 1)
                config.refuse("routes",
                              "this version cannot divide requests among several services");
        }
        config.warnOfUnknown();
        if (config.isRefused())
            destination.unloaded = config.refusal();
        if (destination.service == nullptr)
            m_work.error(use.file, use.place, "this " + use.policyRef + " leads nowhere");
        else
            destinations.push_back(std::move(destination));
    }

    /// The first of several is kept.
    void readDestination(FlexConfig &config, const FlexInstance &instance, Destination &destination)
    {
        const std::string path = config.text("destinationPath");
        FlexConfig *reference = config.record("destinationRef");
        if (reference == nullptr)
            return config.refuse("destinationRef", "is missing");
        if (reference->text("kind", "Service") != "Service")
            return reference->refuse("kind", "must be Service");
        FlexName name{instance.name.space, reference->requiredText("name")};
        if (const std::string space = reference->text("namespace"); !space.empty())
            name.space = space;
        const FlexService *service = m_work.resources().findService(name);
        if (service == nullptr)
            return reference->refuse("name", "there is no Service " + inQuotes(name.text()));
        if (destination.service != nullptr)
            return;
        destination.service = service;
        destination.path = path;
    }

    void addRoute(const FlexInstance &instance, const Destination &destination, Node spec)
    {
        const std::string provider = providerOf(instance, destination);
        if (provider.empty())
            return; // reported
        spec.append("provider", textAt(provider, destination.place));
        auto rules = m_work.translateRules(
            destination.rules, destination.file, FlexWork::UnknownFields::Refused);
        if (!rules)
            return m_work.error(destination.file,
                                destination.place,
                                "a route without its rules would answer what it must not");
        if (!rules->items.empty())
            spec.append("rules", std::move(*rules));
        const std::string name = m_work.uniqueName("Route", instance.name.text());
        FlexLabels labels;
        for (const auto &[key, value] : instance.labels) {
            if (!key.starts_with("gatehouse/"))
                labels[key] = value;
        }
        labels[std::string(flexApiLabel)] = instance.name.text();
        labels[std::string(flexServiceLabel)] = destination.service->name.text();
        m_work.add({.kind = "Route",
                    .name = name,
                    .namePlace = instance.namePlace,
                    .file = instance.file,
                    .place = destination.place,
                    .spec = std::move(spec),
                    .labels = std::move(labels)});
        if (destination.unloaded.empty())
            return;
        Node target = mapAt(destination.place);
        target.append("route", textAt(name, destination.place));
        addUnloaded(m_work,
                    {.name = name + "." + destination.policyRef,
                     .type = destination.policyRef,
                     .reason = destination.unloaded,
                     .file = destination.file,
                     .place = destination.place,
                     .target = std::move(target)});
    }

    /// The provider's name, made where it is not there yet; empty, and reported, where it cannot be.
    std::string providerOf(const FlexInstance &instance, const Destination &destination)
    {
        const FlexService &service = *destination.service;
        const auto label = [&](std::string_view name) {
            const std::string own = labelOf(service.labels, name);
            return own.empty() ? labelOf(instance.labels, name) : own;
        };
        const std::string dialect = label(dialectLabel);
        const std::string credential = label(credentialLabel);
        const ProviderKey key{&service, destination.path, dialect, credential};
        if (const auto known = m_providers.find(key); known != m_providers.end())
            return known->second;
        const auto url = parseBaseUrl(service.address);
        if (!url) {
            if (!service.address.empty())
                m_work.error(service.file, service.place, "address " + url.error().context);
            return {};
        }
        const auto path = pathOf(service, *url, destination);
        if (!path)
            return {};
        Node spec = Node::map();
        appendDialect(spec, service, *url, dialect);
        spec.append(
            "baseUrl",
            textAt((url->tls ? "https://" : "http://") + authorityOf(*url) + *path, service.place));
        if (!credential.empty())
            spec.append("credential", textAt(credential, service.place));
        appendTls(spec, service);
        const std::string name = m_work.uniqueName("Provider", service.name.text());
        m_work.add({.kind = "Provider",
                    .name = name,
                    .namePlace = service.place,
                    .file = service.file,
                    .place = service.place,
                    .spec = std::move(spec)});
        return m_providers[key] = name;
    }

    /// What goes before the path of each request: the service's own path and the destinationPath.
    std::optional<std::string>
    pathOf(const FlexService &service, const BaseUrl &url, const Destination &destination)
    {
        std::string_view path = destination.path;
        while (path.ends_with('/'))
            path.remove_suffix(1);
        std::string written(path);
        if (!written.empty() && !written.starts_with('/'))
            written.insert(0, "/");
        if (const std::string problem = written.empty() ? std::string() : pathProblem(written);
            !problem.empty()) {
            m_work.error(destination.file, destination.place, "destinationPath " + problem);
            return std::nullopt;
        }
        if (!url.path.empty())
            m_work.warning(service.file,
                           service.place,
                           "a service's address has no path in MuleSoft; here " + url.path
                               + " goes before the path of each request");
        return url.path + written;
    }

    void appendDialect(Node &spec,
                       const FlexService &service,
                       const BaseUrl &url,
                       const std::string &label)
    {
        const ProviderPreset *preset = presetOf(url);
        if (preset != nullptr)
            spec.append("preset", textAt(preset->name, service.place));
        if (!label.empty()) {
            spec.append("dialect", textAt(label, service.place));
        } else if (preset == nullptr) {
            spec.append("dialect", textAt(fallbackDialect, service.place));
            m_work.warning(service.file,
                           service.place,
                           "the dialect of " + url.host
                               + " is not known and openai is taken; the label gatehouse/dialect "
                                 "names another");
        }
    }

    void appendTls(Node &spec, const FlexService &service)
    {
        const FlexPolicyUse *policy = nullptr;
        for (const FlexBinding &binding : m_work.resources().bindings) {
            if (binding.target != FlexBinding::Target::Service || binding.targetName != service.name
                || binding.policy.policyRef != "tls-outbound")
                continue;
            if (policy != nullptr && !policy->hasConfigOf(binding.policy))
                m_work.error(binding.policy.file,
                             binding.policy.place,
                             "Service " + inQuotes(service.name.text())
                                 + " has another TLS policy at " + policy->file + ":"
                                 + std::to_string(policy->place.line));
            policy = &binding.policy;
        }
        if (policy == nullptr)
            return;
        Reporter reporter = m_work.reporter(policy->file);
        FlexWork::Config expanded = m_work.expanded(*policy);
        FlexConfig config(expanded.node ? &*expanded.node : nullptr,
                          policy->place,
                          reporter,
                          std::move(expanded.origin));
        readOutboundTls(config, spec);
        config.warnOfUnknown();
        const std::string problem = expanded.problem.empty() ? config.refusal() : expanded.problem;
        if (problem.empty() || !m_unloadedServices.insert(&service).second)
            return;
        Node labels = mapAt(policy->place);
        labels.append(flexServiceLabel, textAt(service.name.text(), policy->place));
        Node target = mapAt(policy->place);
        target.append("labels", std::move(labels));
        addUnloaded(m_work,
                    {.name = service.name.text() + ".tls-outbound",
                     .type = policy->policyRef,
                     .reason = problem,
                     .file = policy->file,
                     .place = policy->place,
                     .target = std::move(target)});
    }

    static void readOutboundTls(FlexConfig &config, Node &spec)
    {
        if (config.take("certificate") != nullptr)
            config.refuse("certificate", "this version shows no certificate to providers");
        if (config.boolean("skipValidation", false))
            spec.append("insecure", plainAt("true", config.placeOf("skipValidation")));
        if (const std::string authority = config.text("trustedCA"); !authority.empty()) {
            spec.append("ca", textAt(authority, config.placeOf("trustedCA")));
            config.warn("trustedCA", "it is trusted beside the system's certificates");
        }
        if (config.text("minversion", "1.2") == "1.3")
            config.refuse("minversion", "providers with TLS 1.2 cannot be turned away here");
        for (const std::string_view key : {"maxversion", "ciphers", "alpn"}) {
            if (config.take(key) != nullptr)
                config.warn(key, "the gateway's own choice is used instead");
        }
    }

    FlexWork &m_work;
    /// A service, and all that differs among the providers made of it.
    using ProviderKey = std::tuple<const FlexService *, std::string, std::string, std::string>;
    std::map<ProviderKey, std::string> m_providers;
    std::set<const FlexService *> m_unloadedServices;
};

} // namespace

void translateRoutes(FlexWork &work)
{
    RouteTranslator translator(work);
    for (const FlexInstance &instance : work.resources().instances)
        translator.translate(instance);
}

} // namespace gatehouse
