// SPDX-License-Identifier: GPL-3.0-or-later
// What policies allow an exchange: bytes, time, attempts.
#include "gateway/pipeline/exchange.h"

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
    m_decisions.push_back({m_retryPolicy, Decision::Kind::Change, std::move(why)});
}

} // namespace gatehouse
