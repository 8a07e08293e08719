// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/config/flexwork.h"
#include "gateway/schema/encode.h"

#include <algorithm>

namespace gatehouse {

namespace {

/// Policies of services come last.
constexpr std::int64_t firstServiceOrder = 100'000;
/// "The CORS policy executes before automated and API-level policies": its type's own order does that.
constexpr std::string_view orderedByType = "cors-flex";

/// What became of a policy, once for all ApiInstances that it applies to.
struct Loaded
{
    std::string type = {};
    Node config = {};
    Node rules = {};
    std::string unloaded = {};
};

class PolicyTranslator
{
public:
    explicit PolicyTranslator(FlexWork &work)
        : m_work(work)
    {}

    void translate(const FlexInstance &instance)
    {
        std::int64_t order = firstFlexOrder;
        for (const FlexUse &use : usesOf(instance, m_work.resources())) {
            if (use.policy->policyRef.empty()
                || structureOf(use.policy->policyRef) == FlexStructure::OfInstance)
                continue;
            const bool isAutomated
                = use.binding != nullptr && use.binding->target == FlexBinding::Target::Selector;
            std::string name
                = use.binding != nullptr ? use.binding->name.text() : use.policy->policyRef;
            if (isAutomated || use.binding == nullptr)
                name.insert(0, instance.name.text() + ".");
            add(*use.policy, name, targetOf(flexApiLabel, instance.name, *use.policy), order++);
        }
    }

    void translateForServices()
    {
        std::int64_t order = firstServiceOrder;
        std::vector<const FlexBinding *> bindings;
        for (const FlexBinding &binding : m_work.resources().bindings) {
            if (binding.target == FlexBinding::Target::Service
                && structureOf(binding.policy.policyRef) != FlexStructure::OfService
                && !binding.policy.policyRef.empty())
                bindings.push_back(&binding);
        }
        std::ranges::stable_sort(
            bindings, {}, [](const FlexBinding *binding) { return binding->policy.order; });
        for (const FlexBinding *binding : bindings)
            add(binding->policy,
                binding->name.text(),
                targetOf(flexServiceLabel, binding->targetName, binding->policy),
                order++);
    }

private:
    static Node targetOf(std::string_view label, const FlexName &name, const FlexPolicyUse &use)
    {
        Node labels = Node::map();
        labels.append(label, textAt(name.text(), use.place));
        Node target = Node::map();
        target.append("labels", std::move(labels));
        return target;
    }

    void add(const FlexPolicyUse &use, const std::string &name, Node target, std::int64_t order)
    {
        const auto [found, isNew] = m_loaded.try_emplace(&use);
        if (isNew)
            found->second = load(use);
        const Loaded &loaded = found->second;
        if (!loaded.unloaded.empty())
            return addUnloaded(m_work,
                               {.name = name,
                                .type = loaded.type,
                                .reason = loaded.unloaded,
                                .file = use.file,
                                .place = use.place,
                                .target = std::move(target),
                                .rules = loaded.rules,
                                .allowsOnError = use.allowsOnError,
                                .order = order});
        Node spec = Node::map();
        spec.append("type", textAt(loaded.type, use.place));
        spec.append("target", std::move(target));
        if (use.allowsOnError)
            spec.append("onError", textAt("allow", use.place));
        if (use.policyRef != orderedByType)
            spec.append("order", plainAt(std::to_string(order), use.place));
        if (!loaded.rules.items.empty())
            spec.append("rules", loaded.rules);
        spec.append("config", loaded.config);
        m_work.add({.kind = "Policy",
                    .name = m_work.uniqueName("Policy", name),
                    .namePlace = use.place,
                    .file = use.file,
                    .place = use.place,
                    .spec = std::move(spec)});
    }

    Loaded load(const FlexPolicyUse &use)
    {
        const auto [type, counterpart] = m_work.findType(use.policyRef);
        Loaded loaded{.type = type == nullptr ? use.policyRef : std::string(type->info.id)};
        auto rules = m_work.translateRules(use.rules, use.file, FlexWork::UnknownFields::Left);
        if (rules)
            loaded.rules = std::move(*rules);
        else
            loaded.unloaded = rules.error().context;
        if (type == nullptr) {
            loaded.unloaded = whyUnknown(use.policyRef);
            m_work.warning(
                use.file, use.place, loaded.unloaded + "; what it is for is answered 503");
            return loaded;
        }
        FlexWork::Config expanded = m_work.expanded(use);
        if (!expanded.problem.empty()) {
            loaded.unloaded = expanded.problem;
            return loaded;
        }
        Reporter reporter = m_work.reporter(use.file);
        FlexConfig config(expanded.node ? &*expanded.node : nullptr,
                          expanded.node ? expanded.node->place : use.place,
                          reporter,
                          std::move(expanded.origin));
        auto native = counterpart->translate(config);
        config.warnOfUnknown();
        m_work.keepSecrets(config.takeSecrets());
        if (config.isRefused() || !native)
            loaded.unloaded = config.isRefused() ? config.refusal() : "it cannot be translated";
        else
            loaded.config = std::move(*native);
        return loaded;
    }

    std::string whyUnknown(const std::string &policyRef)
    {
        switch (structureOf(policyRef)) {
        case FlexStructure::OfInstance:
            return policyRef + " is for ApiInstances, not for Services";
        case FlexStructure::OfService:
            return policyRef + " is for Services, not for ApiInstances";
        case FlexStructure::None:
            break;
        }
        return "this version has no counterpart of " + inQuotes(policyRef)
               + m_work.didYouMeanPolicy(policyRef);
    }

    FlexWork &m_work;
    std::map<const FlexPolicyUse *, Loaded> m_loaded;
};

} // namespace

void addUnloaded(FlexWork &work, FlexUnloaded policy)
{
    Node spec = Node::map();
    spec.append("type", textAt(nativeName(policy.type), policy.place));
    spec.append("target", std::move(policy.target));
    if (policy.allowsOnError)
        spec.append("onError", textAt("allow", policy.place));
    spec.append("order", plainAt(std::to_string(policy.order), policy.place));
    if (!policy.rules.items.empty())
        spec.append("rules", std::move(policy.rules));
    work.add({.kind = "Policy",
              .name = work.uniqueName("Policy", policy.name),
              .namePlace = policy.place,
              .file = policy.file,
              .place = policy.place,
              .spec = std::move(spec),
              .unloaded = std::move(policy.reason)});
}

void translatePolicies(FlexWork &work)
{
    PolicyTranslator translator(work);
    for (const FlexInstance &instance : work.resources().instances)
        translator.translate(instance);
    translator.translateForServices();
}

} // namespace gatehouse
