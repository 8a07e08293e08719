// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/providerhealth.h"

#include <algorithm>

namespace gatehouse {

namespace {

std::int64_t nanosecondsOf(ProviderHealth::Time time)
{
    return std::chrono::nanoseconds(time.time_since_epoch()).count();
}

} // namespace

bool ProviderHealth::isWell(Time now) const
{
    return !m_isUnwell.load(std::memory_order_relaxed)
           && nanosecondsOf(now) >= m_ejectedUntil.load(std::memory_order_relaxed);
}

void ProviderHealth::noteSuccess(Time now)
{
    // What was asked before it was ejected says nothing of how it is now.
    if (nanosecondsOf(now) < m_ejectedUntil.load())
        return;
    if (m_failures != 0) // seldom: no cache line moves between workers for what goes well
        m_failures = 0;
    if (m_ejections != 0)
        m_ejections = 0;
}

std::optional<std::chrono::milliseconds> ProviderHealth::noteFailure(const Ejection &ejection,
                                                                     Time now)
{
    std::int64_t until = m_ejectedUntil.load();
    if (ejection.failures == 0 || nanosecondsOf(now) < until
        || m_failures.fetch_add(1) + 1 < ejection.failures)
        return std::nullopt;
    constexpr std::int64_t mostDoublings = 20;
    const std::int64_t doublings = std::min(m_ejections.load(), mostDoublings);
    const auto time = std::min(ejection.longest, ejection.time * (std::int64_t{1} << doublings));
    // Of several that fail at this moment one ejects it.
    if (!m_ejectedUntil.compare_exchange_strong(until, nanosecondsOf(now + time)))
        return std::nullopt;
    ++m_ejections;
    m_failures = ejection.failures - 1; // when it is asked again, the first failure tells
    return time;
}

bool ProviderHealth::noteCheck(const CheckLimits &limits, bool isGood)
{
    const bool isUnwell = m_isUnwell;
    if (isGood != isUnwell) {
        m_checks = 0;
        return false;
    }
    if (++m_checks < (isGood ? limits.successes : limits.failures))
        return false;
    m_checks = 0;
    m_isUnwell = !isUnwell;
    return true;
}

void ProviderHealth::forgetChecks()
{
    m_checks = 0;
    m_isUnwell = false;
}

void ProviderHealth::noteLatency(std::chrono::microseconds time)
{
    constexpr std::int64_t weight = 8;
    const std::int64_t newest = std::max<std::int64_t>(time.count(), 1);
    std::int64_t before = m_latency.load(std::memory_order_relaxed);
    while (!m_latency.compare_exchange_weak(
        before,
        before == 0 ? newest : std::max<std::int64_t>(before + (newest - before) / weight, 1),
        std::memory_order_relaxed)) {
    }
}

std::optional<std::chrono::microseconds> ProviderHealth::latency() const
{
    const std::int64_t value = m_latency.load(std::memory_order_relaxed);
    return value == 0 ? std::nullopt : std::optional(std::chrono::microseconds(value));
}

} // namespace gatehouse
