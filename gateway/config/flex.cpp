// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/flex.h"

#include "gateway/base/text.h"
#include "gateway/config/flexwork.h"

#include <algorithm>
#include <tuple>

namespace gatehouse {

namespace {

/// A target that is not there is a slip of the pen that would leave something unguarded.
void checkTargets(FlexWork &work)
{
    for (const FlexBinding &binding : work.resources().bindings) {
        const bool isService = binding.target == FlexBinding::Target::Service;
        const FlexResources &resources = work.resources();
        if (binding.target == FlexBinding::Target::Selector) {
            const bool isUsed = std::ranges::any_of(
                resources.instances,
                [&binding](const FlexInstance &instance) { return binding.selects(instance); });
            if (!isUsed)
                work.warning(binding.policy.file,
                             binding.targetPlace,
                             "no ApiInstance has these labels; the policy has no effect");
            continue;
        }
        const bool isThere = isService ? resources.findService(binding.targetName) != nullptr
                                       : resources.findInstance(binding.targetName) != nullptr;
        if (!isThere)
            work.error(binding.policy.file,
                       binding.targetPlace,
                       std::string("there is no ") + (isService ? "Service " : "ApiInstance ")
                           + inQuotes(binding.targetName.text()));
    }
}

} // namespace

std::vector<FlexUse> usesOf(const FlexInstance &instance, const FlexResources &resources)
{
    std::vector<FlexUse> uses;
    for (const FlexPolicyUse &policy : instance.policies)
        uses.push_back({&policy, nullptr});
    for (const FlexBinding &binding : resources.bindings) {
        if (binding.selects(instance))
            uses.push_back({&binding.policy, &binding});
    }
    std::ranges::stable_sort(uses, {}, [](const FlexUse &use) {
        const bool isAutomated
            = use.binding != nullptr && use.binding->target == FlexBinding::Target::Selector;
        return std::tuple(use.policy->order, !isAutomated);
    });
    return uses;
}

FlexStructure structureOf(std::string_view policyRef)
{
    if (policyRef == "tls-outbound")
        return FlexStructure::OfService;
    const bool isOfInstance
        = policyRef == "tls" || policyRef == "route" || policyRef == "route-weighted";
    return isOfInstance ? FlexStructure::OfInstance : FlexStructure::None;
}

FlexTranslation translateFlex(std::span<const FlexDocument> documents,
                              std::span<const PolicyType> types,
                              Diagnostics &diagnostics)
{
    Diagnostics found;
    const FlexResources resources = readFlexDocuments(documents, found);
    FlexWork work(resources, types, found);
    checkTargets(work);
    translateListeners(work);
    translateRoutes(work);
    translatePolicies(work);
    // What several ApiInstances share is looked at once for each of them.
    for (Diagnostic &diagnostic : found) {
        if (std::ranges::find(diagnostics, diagnostic) == diagnostics.end())
            diagnostics.push_back(std::move(diagnostic));
    }
    return work.takeResult();
}

} // namespace gatehouse
