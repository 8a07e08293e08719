// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/pipeline.h"

#include "gateway/pipeline/methodoverride.h"
#include "gateway/pipeline/pathreadings.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace gatehouse {

namespace {

bool hasAll(const std::map<std::string, std::string> &labels,
            const std::map<std::string, std::string> &wanted)
{
    return std::ranges::all_of(wanted, [&labels](const auto &label) {
        const auto found = labels.find(label.first);
        return found != labels.end() && found->second == label.second;
    });
}

} // namespace

bool RouteInfo::hasLabels(const std::map<std::string, std::string> &wanted) const
{
    return hasAll(labels, wanted);
}

bool PolicyEntry::appliesTo(const Exchange &exchange) const
{
    const ClientEntry *client = exchange.client();
    if (!m_settings.client.empty() && (client == nullptr || client->name != m_settings.client))
        return false;
    if (!m_settings.labels.empty() && !exchange.route().hasLabels(m_settings.labels)
        && (client == nullptr || !hasAll(client->labels, m_settings.labels)))
        return false;
    const Rules &rules = m_settings.rules;
    if (rules.isEmpty())
        return true;
    OtherReadings others;
    if (rules.namesPaths())
        others.paths = otherPathReadings(exchange);
    if (rules.namesMethods())
        others.methods = overridingMethods(exchange);
    return rules.matches(exchange.request(), exchange.decodedPath(), others);
}

Pipeline::Pipeline(std::vector<std::shared_ptr<const PolicyEntry>> policies)
    : m_policies(std::move(policies))
{
    // Types lie in one table in the order of list.def, so their addresses are in that order. The one
    // that stands in for types that are not known makes nothing, lies in no table, and comes last.
    std::ranges::stable_sort(m_policies, [](const auto &a, const auto &b) {
        const PolicyEntry::Settings &left = a->settings();
        const PolicyEntry::Settings &right = b->settings();
        const bool isLeftUnknown = left.type->make == nullptr;
        const bool isRightUnknown = right.type->make == nullptr;
        return std::tie(left.order, isLeftUnknown, left.type, left.name)
               < std::tie(right.order, isRightUnknown, right.type, right.name);
    });
    for (const auto &entry : m_policies) {
        m_phases |= entry->policy().phases();
        const bool isTransformation
            = entry->settings().type->info.category == PolicyCategory::Transformation;
        m_changesHeads = m_changesHeads || (isTransformation && !entry->settings().observes);
    }
}

Pipeline::Outcome Pipeline::runRequestHead(Exchange &exchange, Reply &reply) const
{
    exchange.m_applies.assign(m_policies.size(), false);
    return run(exchange, PolicyPhase::RequestHead, 0, reply);
}

bool Pipeline::needsBody(const Exchange &exchange) const
{
    if ((m_phases & static_cast<std::uint8_t>(PolicyPhase::RequestBody)) == 0)
        return false;
    for (std::size_t i = 0; i < m_policies.size(); ++i) {
        if (exchange.m_applies[i] && m_policies[i]->has(PolicyPhase::RequestBody)
            && m_policies[i]->policy().readsBody(exchange))
            return true;
    }
    return false;
}

bool Pipeline::needsBodyToDecide(const Exchange &exchange) const
{
    for (std::size_t i = 0; i < m_policies.size(); ++i) {
        const PolicyEntry &entry = *m_policies[i];
        if (exchange.m_applies[i] && !entry.settings().observes
            && entry.has(PolicyPhase::RequestBody) && entry.policy().readsBody(exchange))
            return true;
    }
    return false;
}

Pipeline::Outcome Pipeline::runRequestBody(Exchange &exchange, Reply &reply) const
{
    exchange.m_models.reset(); // the body was not there before
    return run(exchange, PolicyPhase::RequestBody, 0, reply);
}

Pipeline::Outcome Pipeline::resume(Exchange &exchange, Verdict verdict, Reply &reply) const
{
    exchange.m_ticket.reset();
    const std::size_t place = exchange.m_place;
    const Outcome outcome = settle(exchange, *m_policies[place], std::move(verdict), reply);
    if (outcome != Outcome::Passed)
        return outcome;
    return run(exchange, static_cast<PolicyPhase>(exchange.m_phase), place + 1, reply);
}

Pipeline::Outcome
Pipeline::run(Exchange &exchange, PolicyPhase phase, std::size_t from, Reply &reply) const
{
    exchange.m_phase = static_cast<std::uint8_t>(phase);
    for (std::size_t i = from; i < m_policies.size(); ++i) {
        const PolicyEntry &entry = *m_policies[i];
        // Decided once, as the exchange comes by, so that a policy holds for all of it or not at all.
        if (phase == PolicyPhase::RequestHead)
            exchange.m_applies[i] = entry.appliesTo(exchange);
        if (!exchange.m_applies[i] || !entry.has(phase))
            continue;
        exchange.m_place = i;
        exchange.m_current = &entry;
        exchange.m_isObserved = entry.settings().observes;
        exchange.m_hasChanged = false;
        Verdict verdict = phase == PolicyPhase::RequestHead
                              ? entry.policy().onRequestHead(exchange)
                              : entry.policy().onRequestBody(exchange);
        const Outcome outcome = settle(exchange, entry, std::move(verdict), reply);
        if (outcome != Outcome::Passed)
            return outcome;
    }
    exchange.m_current = nullptr;
    exchange.m_isObserved = false;
    exchange.m_place = m_policies.size();
    return Outcome::Passed;
}

/// What becomes of a verdict under the policy's mode and onError, and its line in the record.
Pipeline::Outcome
Pipeline::settle(Exchange &exchange, const PolicyEntry &entry, Verdict verdict, Reply &reply) const
{
    using Kind = Decision::Kind;
    if (std::holds_alternative<Pause>(verdict))
        return Outcome::Paused;
    const bool observes = entry.settings().observes;
    const auto record = [&](Kind kind, std::string detail) {
        exchange.m_decisions.push_back({&entry, kind, std::move(detail)});
    };
    if (std::holds_alternative<Continue>(verdict)) {
        if (exchange.m_hasChanged)
            record(observes ? Kind::WouldChange : Kind::Change, {});
        else
            record(Kind::Pass, {});
        return Outcome::Passed;
    }
    if (auto *undecided = std::get_if<Undecided>(&verdict)) {
        // Strangers are not told how the gateway is set up.
        const std::string detail
            = exchange.client() != nullptr ? undecided->message : "the gateway's log says why";
        record(Kind::Error, undecided->message);
        if (observes || entry.settings().allowsOnError)
            return Outcome::Passed;
        reply
            = Reply{.status = 503,
                    .reason = std::string(entry.type()) + ":unavailable",
                    .message = "Policy " + std::string(entry.name()) + " cannot decide: " + detail,
                    .retryable = true};
        return Outcome::Refused;
    }
    auto &given = std::get<Reply>(verdict);
    record(observes ? Kind::WouldRefuse : Kind::Refuse, given.reason);
    if (observes)
        return Outcome::Passed;
    reply = std::move(given);
    return Outcome::Refused;
}

bool Pipeline::hasPhase(const Exchange &exchange, PolicyPhase phase) const
{
    if ((m_phases & static_cast<std::uint8_t>(phase)) == 0)
        return false;
    for (std::size_t i = 0; i < exchange.m_applies.size(); ++i) {
        if (exchange.m_applies[i] && m_policies[i]->has(phase))
            return true;
    }
    return false;
}

bool Pipeline::hasResponsePhase(const Exchange &exchange) const
{
    return hasPhase(exchange, PolicyPhase::ResponseHead);
}

bool Pipeline::hasResponseBodyPhase(const Exchange &exchange) const
{
    return hasPhase(exchange, PolicyPhase::ResponseBody);
}

template<typename Hook>
void Pipeline::runBackwards(Exchange &exchange, PolicyPhase phase, std::size_t end, Hook hook) const
{
    exchange.m_phase = static_cast<std::uint8_t>(phase);
    for (std::size_t i = std::min(end, exchange.m_applies.size()); i-- > 0;) {
        const PolicyEntry &entry = *m_policies[i];
        if (!exchange.m_applies[i] || !entry.has(phase))
            continue;
        exchange.m_place = i;
        exchange.m_current = &entry;
        exchange.m_isObserved = entry.settings().observes;
        exchange.m_hasChanged = false;
        if (hook(entry))
            break;
    }
    exchange.m_current = nullptr;
    exchange.m_isObserved = false;
}

void Pipeline::runResponseHead(Exchange &exchange, http::ResponseHead &response) const
{
    exchange.m_response = &response;
    // Where a policy refused in the head phase, those behind it never saw the request; where it was
    // the body phase, all let the head pass.
    const bool isRefusedInHead
        = exchange.m_current != nullptr
          && exchange.m_phase == static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    const std::size_t end = isRefusedInHead ? exchange.m_place : m_policies.size();
    runBackwards(exchange, PolicyPhase::ResponseHead, end, [&exchange](const PolicyEntry &entry) {
        entry.policy().onResponseHead(exchange);
        if (exchange.m_hasChanged)
            exchange.m_decisions.push_back(
                {&entry,
                 exchange.m_isObserved ? Decision::Kind::WouldChange : Decision::Kind::Change,
                 {}});
        return false;
    });
    exchange.m_response = nullptr;
}

std::optional<Reply> Pipeline::runResponseBody(Exchange &exchange, std::string_view bytes) const
{
    std::optional<Reply> given;
    const auto ask = [&](const PolicyEntry &entry) {
        std::optional<Reply> reply = entry.policy().onResponseBody(exchange, bytes);
        if (!reply)
            return false;
        const auto kind
            = exchange.m_isObserved ? Decision::Kind::WouldRefuse : Decision::Kind::Refuse;
        const bool isSaid
            = std::ranges::any_of(exchange.m_decisions, [&](const Decision &decision) {
                  return decision.policy == &entry && decision.kind == kind;
              });
        if (!isSaid) // an observing policy would say it of each piece that follows
            exchange.m_decisions.push_back({&entry, kind, reply->reason});
        if (exchange.m_isObserved)
            return false;
        given = std::move(reply);
        return true;
    };
    runBackwards(exchange, PolicyPhase::ResponseBody, m_policies.size(), ask);
    return given;
}

void Pipeline::runAttempt(Exchange &exchange) const
{
    if (!hasPhase(exchange, PolicyPhase::Attempt))
        return;
    runBackwards(
        exchange, PolicyPhase::Attempt, m_policies.size(), [&exchange](const PolicyEntry &entry) {
            entry.policy().onAttempt(exchange);
            return false;
        });
}

void Pipeline::runEnd(Exchange &exchange) const
{
    if (!hasPhase(exchange, PolicyPhase::End))
        return;
    runBackwards(
        exchange, PolicyPhase::End, m_policies.size(), [&exchange](const PolicyEntry &entry) {
            entry.policy().onEnd(exchange);
            return false;
        });
}

} // namespace gatehouse
