// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/flexdocument.h"

#include "gateway/base/text.h"
#include "gateway/config/flexreader.h"

#include <algorithm>
#include <array>

namespace gatehouse {

namespace {

constexpr auto versions = std::to_array<std::string_view>(
    {"gateway.mulesoft.com/v1alpha1", "gateway.mulesoft.com/v1beta1"});
constexpr auto kinds
    = std::to_array<std::string_view>({"ApiInstance", "Service", "PolicyBinding", "Configuration"});
constexpr std::string_view onErrorLabel = "gatehouse/onError";

bool allowsOnError(const FlexLabels &labels)
{
    const auto label = labels.find(std::string(onErrorLabel));
    return label != labels.end() && label->second == "allow";
}

/// What every document has.
struct Envelope
{
    FlexName name = {};
    Place namePlace = {};
    FlexLabels labels = {};
    const Node *spec = nullptr;
};

/// Reads the documents of one file after the other into resources.
class DocumentsReader
{
public:
    DocumentsReader(FlexResources &resources,
                    const FlexDocument &document,
                    Diagnostics &diagnostics)
        : m_resources(resources)
        , m_root(*document.node)
        , m_file(document.file)
        , m_reader(document.file, diagnostics)
    {}

    void read()
    {
        const std::string version = m_reader.requiredText(m_root, "apiVersion");
        if (std::ranges::find(versions, version) == versions.end())
            return m_reader.error(placeOf(m_root, {"apiVersion"}),
                                  "unknown apiVersion " + inQuotes(version)
                                      + didYouMean(version, versions));
        const std::string kind = m_reader.requiredText(m_root, "kind");
        if (kind.empty())
            return;
        if (kind == "Configuration")
            return readConfiguration();
        if (std::ranges::find(kinds, kind) == kinds.end())
            return m_reader.warning(m_root.place,
                                    "kind " + inQuotes(kind)
                                        + " of MuleSoft has no counterpart here"
                                        + didYouMean(kind, kinds) + "; the document has no effect");
        m_reader.warnUnknown(m_root, {"apiVersion", "kind", "metadata", "spec"});
        const Envelope envelope = readEnvelope();
        if (envelope.spec == nullptr || envelope.name.name.empty())
            return;
        if (kind == "ApiInstance")
            readInstance(envelope);
        else if (kind == "Service")
            readService(envelope);
        else if (kind == "PolicyBinding")
            readBinding(envelope);
    }

private:
    Envelope readEnvelope()
    {
        Envelope envelope;
        if (const Node *metadata = m_reader.requiredMap(m_root, "metadata")) {
            m_reader.warnUnknown(*metadata, {"name", "namespace", "labels", "annotations"});
            envelope.name = m_reader.name(*metadata, "default");
            envelope.namePlace = placeOf(*metadata, {"name"});
            envelope.labels = m_reader.texts(*metadata, "labels");
        }
        envelope.spec = m_reader.requiredMap(m_root, "spec");
        return envelope;
    }

    void readConfiguration()
    {
        const Node *spec = m_reader.field(m_root, "spec");
        if (spec == nullptr || spec->kind != Node::Kind::Map)
            return;
        for (const Node::Key &key : spec->keys) {
            std::string_view why = "it has no counterpart here";
            if (equalsIgnoreCase(key.text, "logging"))
                why = "Gatehouse logs to standard error, and requests to its audit trail";
            else if (equalsIgnoreCase(key.text, "sharedStorage"))
                why = "Gatehouse keeps counters and caches in its own process";
            m_reader.warning(key.place,
                             inQuotes(key.text) + " is kept and not used: " + std::string(why));
        }
    }

    void readInstance(const Envelope &envelope)
    {
        m_reader.warnUnknown(*envelope.spec, {"address", "services", "policies"});
        if (m_resources.findInstance(envelope.name) != nullptr)
            return reportTaken(envelope.name, envelope.namePlace, "ApiInstance");
        FlexInstance instance{.name = envelope.name,
                              .namePlace = envelope.namePlace,
                              .file = m_file,
                              .labels = envelope.labels,
                              .address = m_reader.requiredText(*envelope.spec, "address"),
                              .addressPlace = placeOf(*envelope.spec, {"address"})};
        if (const Node *services = m_reader.map(*envelope.spec, "services")) {
            for (std::size_t i = 0; i < services->items.size(); ++i)
                readInlineService(services->keys[i], services->items[i], instance);
        }
        for (const Node *policy : m_reader.maps(*envelope.spec, "policies")) {
            m_reader.warnUnknown(*policy, {"policyRef", "config", "rules", "order"});
            instance.policies.push_back(readPolicy(*policy, instance.labels));
        }
        m_resources.instances.push_back(std::move(instance));
    }

    void readInlineService(const Node::Key &key, const Node &node, FlexInstance &instance)
    {
        if (node.kind != Node::Kind::Map)
            return m_reader.error(key.place, "service " + inQuotes(key.text) + " must be a map");
        m_reader.warnUnknown(node, {"address", "routes"});
        const FlexName name{instance.name.space, instance.name.name + "-" + key.text};
        if (m_resources.findService(name) != nullptr)
            return reportTaken(name, key.place, "Service");
        FlexInlineService inlined{.service = {.name = name,
                                              .file = m_file,
                                              .address = m_reader.requiredText(node, "address"),
                                              .place = placeOf(node, {"address"}),
                                              .labels = instance.labels}};
        for (const Node *route : m_reader.maps(node, "routes")) {
            m_reader.warnUnknown(*route, {"rules", "config"});
            FlexRoute read{.place = route->place, .rules = m_reader.field(*route, "rules")};
            if (const Node *config = m_reader.map(*route, "config")) {
                m_reader.warnUnknown(*config, {"destinationPath"});
                read.destinationPath = m_reader.text(*config, "destinationPath");
            }
            inlined.routes.push_back(std::move(read));
        }
        if (inlined.routes.empty())
            inlined.routes.push_back({.place = node.place});
        instance.services.push_back(std::move(inlined));
    }

    void readService(const Envelope &envelope)
    {
        m_reader.warnUnknown(*envelope.spec, {"address"});
        if (m_resources.findService(envelope.name) != nullptr)
            return reportTaken(envelope.name, envelope.namePlace, "Service");
        m_resources.services.push_back({.name = envelope.name,
                                        .file = m_file,
                                        .address = m_reader.requiredText(*envelope.spec, "address"),
                                        .place = placeOf(*envelope.spec, {"address"}),
                                        .labels = envelope.labels});
    }

    void readBinding(const Envelope &envelope)
    {
        m_reader.warnUnknown(*envelope.spec,
                             {"targetRef", "policyRef", "config", "order", "rules"});
        const bool isTaken
            = std::ranges::find(m_resources.bindings, envelope.name, &FlexBinding::name)
              != m_resources.bindings.end();
        if (isTaken)
            return reportTaken(envelope.name, envelope.namePlace, "PolicyBinding");
        FlexBinding binding{.name = envelope.name,
                            .namePlace = envelope.namePlace,
                            .policy = readPolicy(*envelope.spec, envelope.labels)};
        const Node *target = m_reader.requiredMap(*envelope.spec, "targetRef");
        if (target == nullptr || !readTarget(*target, binding))
            return;
        m_resources.bindings.push_back(std::move(binding));
    }

    bool readTarget(const Node &target, FlexBinding &binding)
    {
        m_reader.warnUnknown(target, {"kind", "name", "namespace", "selector"});
        binding.targetPlace = placeOf(target, {"name"});
        const std::string kind = m_reader.text(target, "kind");
        if (kind == "Selector")
            return readSelector(target, binding);
        if (!kind.empty() && kind != "ApiInstance" && kind != "Service") {
            m_reader.error(placeOf(target, {"kind"}),
                           "kind must be ApiInstance, Service or Selector, not " + inQuotes(kind));
            return false;
        }
        binding.target
            = kind == "Service" ? FlexBinding::Target::Service : FlexBinding::Target::Instance;
        binding.targetName = m_reader.name(target, binding.name.space);
        return !binding.targetName.name.empty();
    }

    bool readSelector(const Node &target, FlexBinding &binding)
    {
        binding.target = FlexBinding::Target::Selector;
        binding.targetPlace = target.place;
        const Node *selector = m_reader.map(target, "selector");
        if (selector == nullptr)
            return true;
        m_reader.warnUnknown(*selector, {"kind", "labels"});
        const std::string kind = m_reader.text(*selector, "kind");
        if (!kind.empty() && kind != "ApiInstance") {
            m_reader.error(placeOf(*selector, {"kind"}),
                           "only ApiInstances are selected here, not " + inQuotes(kind));
            return false;
        }
        binding.selector = m_reader.texts(*selector, "labels");
        return true;
    }

    /// \a node: a map with policyRef, config and rules. Several published examples have config and
    /// rules within policyRef, one level too deep.
    FlexPolicyUse readPolicy(const Node &node, const FlexLabels &labels)
    {
        FlexPolicyUse use{
            .file = m_file, .place = node.place, .allowsOnError = allowsOnError(labels)};
        const Node *reference = m_reader.requiredMap(node, "policyRef");
        if (reference == nullptr)
            return use;
        use.policyRef = m_reader.requiredText(*reference, "name");
        use.place = placeOf(*reference, {"name"});
        m_reader.warnUnknown(*reference, {"name", "namespace", "kind", "config", "rules", "order"});
        use.config = outerOrInner(node, *reference, "config");
        use.rules = outerOrInner(node, *reference, "rules");
        if (const Node *order = outerOrInner(node, *reference, "order"))
            use.order = m_reader.integer(*order, "order", use.order);
        return use;
    }

    const Node *outerOrInner(const Node &node, const Node &reference, std::string_view key)
    {
        const Node *outer = m_reader.field(node, key);
        const Node *inner = m_reader.field(reference, key);
        if (inner == nullptr)
            return outer;
        const std::string what = std::string(key) + " stands within policyRef";
        if (outer != nullptr)
            m_reader.error(inner->place, what + " and beside it; leave the one beside it");
        else
            m_reader.warning(inner->place, what + "; it is read as if it stood beside it");
        return outer == nullptr ? inner : outer;
    }

    void reportTaken(const FlexName &name, Place place, std::string_view kind)
    {
        m_reader.error(place,
                       "another " + std::string(kind) + " has the name " + inQuotes(name.text()));
    }

    FlexResources &m_resources;
    const Node &m_root;
    const std::string &m_file;
    FlexReader m_reader;
};

} // namespace

std::string FlexName::text() const
{
    return space == "default" ? name : space + "/" + name;
}

bool FlexPolicyUse::hasConfigOf(const FlexPolicyUse &other) const
{
    return config == other.config
           || (config != nullptr && other.config != nullptr && *config == *other.config);
}

bool FlexBinding::selects(const FlexInstance &instance) const
{
    if (target == Target::Instance)
        return instance.name == targetName;
    return target == Target::Selector
           && std::ranges::all_of(selector, [&instance](const auto &label) {
                  const auto found = instance.labels.find(label.first);
                  return found != instance.labels.end() && found->second == label.second;
              });
}

const FlexInstance *FlexResources::findInstance(const FlexName &name) const
{
    const auto found = std::ranges::find(instances, name, &FlexInstance::name);
    return found == instances.end() ? nullptr : &*found;
}

const FlexService *FlexResources::findService(const FlexName &name) const
{
    if (const auto found = std::ranges::find(services, name, &FlexService::name);
        found != services.end())
        return &*found;
    for (const FlexInstance &instance : instances) {
        for (const FlexInlineService &inlined : instance.services) {
            if (inlined.service.name == name)
                return &inlined.service;
        }
    }
    return nullptr;
}

FlexResources readFlexDocuments(std::span<const FlexDocument> documents, Diagnostics &diagnostics)
{
    FlexResources resources;
    for (const FlexDocument &document : documents)
        DocumentsReader(resources, document, diagnostics).read();
    return resources;
}

} // namespace gatehouse
