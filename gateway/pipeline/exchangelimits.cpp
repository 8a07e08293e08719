// SPDX-License-Identifier: GPL-3.0-or-later
// What policies allow an exchange: bytes, time, attempts.
#include "gateway/pipeline/exchange.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace gatehouse {

void Exchange::limitBody(std::uint64_t bytes, const Reply &refusal)
{
    m_bodyLimits.push_back({bytes, &refusal, m_current, m_isObserved});
}

const Reply *Exchange::checkBodySize(std::uint64_t bytes)
{
    for (BodyLimit &limit : m_bodyLimits) {
        if (bytes <= limit.bytes)
            continue;
        limit.bytes = std::numeric_limits<std::uint64_t>::max(); // said once
        m_decisions.push_back(
            {limit.policy,
             limit.isObserved ? Decision::Kind::WouldRefuse : Decision::Kind::Refuse,
             limit.refusal->reason});
        if (!limit.isObserved)
            return limit.refusal;
    }
    return nullptr;
}

void Exchange::limitTime(Wait wait, std::chrono::milliseconds longest, const Reply &refusal)
{
    m_timeLimits.push_back({wait, longest, &refusal, m_current, m_isObserved});
    m_observesTimes = m_observesTimes || m_isObserved;
}

const Exchange::TimeLimit *Exchange::shortestLimit(Wait wait) const
{
    const TimeLimit *shortest = nullptr;
    for (const TimeLimit &limit : m_timeLimits) {
        if (limit.wait == wait && !limit.isObserved
            && (shortest == nullptr || limit.longest < shortest->longest))
            shortest = &limit;
    }
    return shortest;
}

std::optional<std::chrono::milliseconds> Exchange::timeLimit(Wait wait) const
{
    const TimeLimit *limit = shortestLimit(wait);
    return limit == nullptr ? std::nullopt : std::optional(limit->longest);
}

const Reply *Exchange::timedOut(Wait wait)
{
    const TimeLimit *limit = shortestLimit(wait);
    if (limit == nullptr)
        return nullptr;
    m_decisions.push_back({limit->policy, Decision::Kind::Refuse, limit->refusal->reason});
    return limit->refusal;
}

void Exchange::checkObservedTime(Wait wait, std::chrono::steady_clock::duration waited)
{
    for (TimeLimit &limit : m_timeLimits) {
        if (limit.wait != wait || !limit.isObserved || limit.isSaid || waited <= limit.longest)
            continue;
        limit.isSaid = true;
        m_decisions.push_back({limit.policy, Decision::Kind::WouldRefuse, limit.refusal->reason});
    }
}

void Exchange::retry(const RetrySetting &setting)
{
    if (!mayChange())
        return;
    m_hasChanged = false; // nothing yet
    m_retry = &setting;
    m_retryPolicy = m_current;
}

void Exchange::noteRetry(std::string why)
{
    if (m_retryPolicy != nullptr)
        m_decisions.push_back({m_retryPolicy, Decision::Kind::Change, std::move(why)});
}

void Exchange::avoid(std::string_view provider)
{
    const auto &names = m_route->providerNames;
    const auto name = std::ranges::find(names, provider);
    if (name != names.end() && mayChange())
        m_avoided.push_back(*name); // which lives as long as the route
}

void Exchange::prefer(std::string_view provider)
{
    const auto &names = m_route->providerNames;
    const auto name = std::ranges::find(names, provider);
    if (name != names.end() && mayChange()) {
        m_hasChanged = false; // it is one of those that it might go to anyway
        m_preferred = *name;
    }
}

bool Exchange::isAvoided(std::string_view provider) const
{
    return std::ranges::find(m_avoided, provider) != m_avoided.end();
}

void Exchange::beginAttempt(std::chrono::steady_clock::time_point now)
{
    m_attempts.push_back({.provider = m_provider, .begin = now});
}

void Exchange::noteAnswer(int status, std::chrono::steady_clock::time_point now)
{
    if (m_attempts.empty())
        return;
    Attempt &attempt = m_attempts.back();
    attempt.status = status;
    attempt.time = now - attempt.begin;
}

void Exchange::noteFailure(ErrorCode error, std::chrono::steady_clock::time_point now)
{
    if (m_attempts.empty() || m_attempts.back().error)
        return;
    Attempt &attempt = m_attempts.back();
    attempt.error = error;
    if (attempt.status == 0)
        attempt.time = now - attempt.begin;
}

} // namespace gatehouse
