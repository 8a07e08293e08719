// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/exchange.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/pipeline/rules.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gatehouse {

/// A policy in force: what is configured around it, and itself. Immutable; any thread.
class PolicyEntry
{
public:
    struct Settings
    {
        std::string name;
        const PolicyType *type = nullptr;
        bool observes = false;      ///< mode: observe
        bool allowsOnError = false; ///< onError: allow
        std::int64_t order = 50;
        std::string client = {}; ///< only exchanges of this client; empty: all
        std::map<std::string, std::string> labels
            = {}; ///< only where client or route have all of them
        Rules rules = {};
    };

    PolicyEntry(Settings settings, std::unique_ptr<const Policy> policy)
        : m_settings(std::move(settings))
        , m_policy(std::move(policy))
        , m_phases(m_policy->phases())
    {}

    [[nodiscard]] const Settings &settings() const { return m_settings; }
    [[nodiscard]] std::string_view name() const { return m_settings.name; }
    [[nodiscard]] std::string_view type() const { return m_settings.type->info.id; }
    [[nodiscard]] const Policy &policy() const { return *m_policy; }
    [[nodiscard]] bool has(PolicyPhase phase) const
    {
        return (m_phases & static_cast<std::uint8_t>(phase)) != 0;
    }
    /// Its rules hold where they match any path and method that a server may take the request for.
    [[nodiscard]] bool appliesTo(const Exchange &exchange) const;

private:
    Settings m_settings;
    std::unique_ptr<const Policy> m_policy;
    std::uint8_t m_phases;
};

/// The policies of one route in their order, and how exchanges go through them. Immutable and shared;
/// where an exchange stands is kept in the exchange.
class Pipeline
{
public:
    enum class Outcome : std::uint8_t {
        Passed,
        Paused, ///< the exchange's Resume will be called; hand its verdict to resume()
        Refused ///< the reply is to be sent, through runResponseHead
    };

    Pipeline() = default;
    /// Sorts them: by order, then as list.def has their types, then by name.
    explicit Pipeline(std::vector<std::shared_ptr<const PolicyEntry>> policies);

    [[nodiscard]] std::span<const std::shared_ptr<const PolicyEntry>> policies() const
    {
        return m_policies;
    }

    /// Runs onRequestHead.
    [[nodiscard]] Outcome runRequestHead(Exchange &exchange, Reply &reply) const;
    /// After runRequestHead passed: true where a policy that applies reads the body.
    [[nodiscard]] bool needsBody(const Exchange &exchange) const;
    /// The same, of a policy that does not only observe.
    [[nodiscard]] bool needsBodyToDecide(const Exchange &exchange) const;
    /// True where a policy of the route, in force, changes heads: what comes outside of them, trailers
    /// and interim answers, must not go past it.
    [[nodiscard]] bool changesHeads() const { return m_changesHeads; }
    /// Runs onRequestBody; the body is complete.
    [[nodiscard]] Outcome runRequestBody(Exchange &exchange, Reply &reply) const;
    /// Goes on behind the policy that paused, to the end of its phase.
    [[nodiscard]] Outcome resume(Exchange &exchange, Verdict verdict, Reply &reply) const;
    /// True where onResponseHead of some policy that let the request pass is to be run.
    [[nodiscard]] bool hasResponsePhase(const Exchange &exchange) const;
    /// Runs onResponseHead; \a response may be changed, its views are kept by the exchange.
    void runResponseHead(Exchange &exchange, http::ResponseHead &response) const;

    /// True where onResponseBody of some policy is to be run.
    [[nodiscard]] bool hasResponseBodyPhase(const Exchange &exchange) const;
    /// Runs onResponseBody on the next \a bytes: the reply with which the answer is to be broken off
    /// before them, if any.
    [[nodiscard]] std::optional<Reply> runResponseBody(Exchange &exchange,
                                                       std::string_view bytes) const;
    /// Runs onEnd, once.
    void runEnd(Exchange &exchange) const;
    /// Call where Exchange::noteAnswer() or noteFailure() has changed the last attempt.
    void runAttempt(Exchange &exchange) const;

private:
    [[nodiscard]] bool hasPhase(const Exchange &exchange, PolicyPhase phase) const;
    /// Calls \a hook(entry) for the policies that apply, from the last one before \a end; until it says true.
    template<typename Hook>
    void runBackwards(Exchange &exchange, PolicyPhase phase, std::size_t end, Hook hook) const;
    [[nodiscard]] Outcome
    run(Exchange &exchange, PolicyPhase phase, std::size_t from, Reply &reply) const;
    [[nodiscard]] Outcome
    settle(Exchange &exchange, const PolicyEntry &entry, Verdict verdict, Reply &reply) const;

    std::vector<std::shared_ptr<const PolicyEntry>> m_policies;
    std::uint8_t m_phases = 0; ///< of all of them
    bool m_changesHeads = false;
};

} // namespace gatehouse
