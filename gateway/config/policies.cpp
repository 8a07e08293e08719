// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/policies.h"

#include "gateway/base/text.h"
#include "gateway/config/buildcontext.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::string_view keyPolicy = "client-key";

/// Stands in for a policy of a foreign document that could not be loaded: it holds the door shut.
class UnloadedPolicy final : public Policy
{
public:
    UnloadedPolicy(std::string type, std::string reason, bool allowsOnError)
        : m_type(std::move(type))
        , m_reason(std::move(reason))
        , m_allowsOnError(allowsOnError)
    {}
    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }
    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        std::string message = "a policy of this route is not loaded: ";
        if (m_allowsOnError)
            return Undecided{message + m_reason};
        // Strangers are not told how the gateway is set up.
        message += exchange.client() != nullptr ? m_reason + "; gatehouse check says where"
                                                : "the gateway's log says why";
        return Reply{.status = 503, .reason = m_type + ":unloaded", .message = std::move(message)};
    }

private:
    std::string m_type;
    std::string m_reason;
    bool m_allowsOnError;
};

const PolicyType &unloadedType()
{
    static const PolicyType type{{.id = "policy", .title = {}, .summary = {}}, nullptr, nullptr};
    return type;
}

struct Compiled
{
    const TargetSpec *target = nullptr;
    bool isEnabled = true;
    bool isForeign = false;
    std::shared_ptr<const PolicyEntry> entry;
};

class PolicyCompiler
{
public:
    PolicyCompiler(const Draft &draft,
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
        for (const Resource<PolicySpec> &policy : m_draft.policies) {
            if (auto entry = compile(policy))
                m_compiled.push_back(
                    {&policy.spec.target, policy.spec.enabled, policy.isForeign, std::move(entry)});
        }
        const auto builtIn = builtInKeyPolicy();
        for (RouteEntry &route : m_snapshot.routes) {
            std::vector<std::shared_ptr<const PolicyEntry>> entries;
            bool asksForKey = false;
            for (const Compiled &compiled : m_compiled) {
                if (!compiled.isEnabled || !mayApply(compiled, route))
                    continue;
                asksForKey = asksForKey || isWholeKeyPolicy(*compiled.entry, route);
                entries.push_back(compiled.entry);
            }
            if (!asksForKey)
                entries.push_back(builtIn);
            route.pipeline = Pipeline(std::move(entries));
            checkOrder(route);
        }
    }

private:
    /// False where the target rules the route out for good; clients and their labels are known only
    /// when a request is there. MuleSoft's policies and client-key know none: their labels are those of
    /// routes.
    static bool mayApply(const Compiled &compiled, const RouteEntry &route)
    {
        const TargetSpec &target = *compiled.target;
        return (target.route.empty() || target.route == route.name)
               && (!(compiled.isForeign || compiled.entry->type() == keyPolicy)
                   || route.hasLabels(target.labels));
    }

    /// One that applies to some requests only, or only observes, is no substitute for the built-in one.
    static bool isWholeKeyPolicy(const PolicyEntry &entry, const RouteEntry &route)
    {
        const PolicyEntry::Settings &settings = entry.settings();
        return entry.type() == keyPolicy && !settings.observes && settings.rules.isEmpty()
               && settings.client.empty() && route.hasLabels(settings.labels);
    }

    static bool isForSomeClients(const PolicyEntry &entry, const RouteEntry &route)
    {
        const PolicyEntry::Settings &settings = entry.settings();
        return !settings.client.empty() || !route.hasLabels(settings.labels);
    }

    /// Behind it everybody is known who will be: client-key, or, where requests without a key pass that,
    /// the last policy whose tokens may name a client.
    static auto lastToNameClient(const RouteEntry &route)
    {
        const auto policies = route.pipeline.policies();
        auto last = std::ranges::find_if(
            policies, [&route](const auto &entry) { return isWholeKeyPolicy(*entry, route); });
        for (auto later = last; route.isPublic && later != policies.end(); ++later) {
            const PolicyEntry &entry = **later;
            if (entry.policy().mayNameClient() && !entry.settings().observes
                && !isForSomeClients(entry, route))
                last = later;
        }
        return last;
    }

    /// Before that, a policy for some clients would not apply to all of them.
    void checkOrder(const RouteEntry &route)
    {
        const auto namer = lastToNameClient(route);
        std::string finder((*namer)->type());
        if ((*namer)->name() != finder)
            finder += ' ' + inQuotes((*namer)->name());
        for (auto before = route.pipeline.policies().begin(); before != namer; ++before) {
            if (!isForSomeClients(**before, route))
                continue;
            const PolicyEntry::Settings &settings = (*before)->settings();
            const auto policy
                = std::ranges::find(m_draft.policies, settings.name, &Resource<PolicySpec>::name);
            Reporter(policy->file, m_diagnostics)
                .error(policy->place({"order"}),
                       "policy " + inQuotes(settings.name)
                           + " is for some clients only, so on route " + inQuotes(route.name)
                           + " it must have an order over "
                           + std::to_string((*namer)->settings().order) + ", where " + finder
                           + " has found out who asks");
        }
    }

    std::shared_ptr<const PolicyEntry> compile(const Resource<PolicySpec> &policy)
    {
        const PolicySpec &spec = policy.spec;
        Reporter reporter(policy.file, m_diagnostics);
        if (spec.type.empty())
            return nullptr; // reported as it was read
        const PolicyType *type = findPolicyType(spec.type);
        if (type == nullptr && spec.unloaded.empty()) {
            std::vector<std::string_view> ids;
            for (const PolicyType &known : policyTypes())
                ids.push_back(known.info.id);
            reporter.error(policy.place({"type"}),
                           "unknown policy type " + inQuotes(spec.type)
                               + didYouMean(spec.type, ids));
            return nullptr;
        }
        Diagnostics found;
        std::unique_ptr<const Policy> made;
        auto rules = Rules::compile(spec.rules);
        if (!rules)
            Reporter(policy.file, found).error(policy.place({"rules"}), rules.error().context);
        if (spec.unloaded.empty())
            made = make(policy, *type, found);
        const std::string unloaded = report(policy, std::move(found));
        if (!unloaded.empty()) {
            made = std::make_unique<UnloadedPolicy>(spec.type, unloaded, spec.onError == "allow");
            if (!rules)
                rules = Rules(); // for all requests then
        }
        if (!rules)
            return nullptr;
        if (!made)
            return nullptr;
        if (spec.type == keyPolicy && !spec.target.client.empty()) {
            reporter.error(
                policy.place({"target", "client"}),
                "client-key finds out who the client is, so it cannot be for one client");
            return nullptr;
        }
        return std::make_shared<const PolicyEntry>(
            PolicyEntry::Settings{.name = policy.name,
                                  .type = type != nullptr ? type : &unloadedType(),
                                  .observes = spec.mode == "observe",
                                  .allowsOnError = spec.onError == "allow",
                                  .order = orderOf(spec, type),
                                  .client = spec.target.client,
                                  .labels = spec.target.labels,
                                  .rules = std::move(*rules)},
            std::move(made));
    }

    std::unique_ptr<const Policy>
    make(const Resource<PolicySpec> &policy, const PolicyType &type, Diagnostics &found)
    {
        BuildContext context(policy, m_draft.directory, m_snapshot, m_secrets, m_states, found);
        auto made = type.make(&policy.spec.config, context);
        m_snapshot.usesEndpoints = m_snapshot.usesEndpoints || context.usesEndpoints();
        return made;
    }

    /// Why a foreign document's policy stays out: its mistakes are warnings, and do not keep the rest of
    /// the configuration from being put in force. Empty for all others.
    std::string report(const Resource<PolicySpec> &policy, Diagnostics found)
    {
        std::string unloaded = policy.spec.unloaded;
        for (Diagnostic &diagnostic : found) {
            if (policy.isForeign && diagnostic.severity == Diagnostic::Severity::Error) {
                if (unloaded.empty())
                    unloaded = diagnostic.message;
                diagnostic.severity = Diagnostic::Severity::Warning;
                diagnostic.message += "; the policy is not loaded";
            }
            m_diagnostics.push_back(std::move(diagnostic));
        }
        return unloaded;
    }

    static std::int64_t orderOf(const PolicySpec &spec, const PolicyType *type)
    {
        if (spec.order != PolicySpec::orderOfType)
            return spec.order;
        return type != nullptr ? type->info.defaultOrder : unloadedType().info.defaultOrder;
    }

    /// client-key as it is without any configuration.
    std::shared_ptr<const PolicyEntry> builtInKeyPolicy()
    {
        const PolicyType *type = findPolicyType(keyPolicy);
        const Resource<PolicySpec> none{.name = std::string(keyPolicy)};
        BuildContext context(
            none, m_draft.directory, m_snapshot, m_secrets, m_states, m_diagnostics);
        return std::make_shared<const PolicyEntry>(
            PolicyEntry::Settings{
                .name = std::string(keyPolicy), .type = type, .order = type->info.defaultOrder},
            type->make(nullptr, context));
    }

    const Draft &m_draft;
    SecretSource &m_secrets;
    StateStore &m_states;
    Snapshot &m_snapshot;
    Diagnostics &m_diagnostics;
    std::vector<Compiled> m_compiled;
};

} // namespace

void compilePolicies(const Draft &draft,
                     SecretSource &secrets,
                     StateStore &states,
                     Snapshot &snapshot,
                     Diagnostics &diagnostics)
{
    PolicyCompiler(draft, secrets, states, snapshot, diagnostics).compile();
    states.sweep();
}

} // namespace gatehouse
