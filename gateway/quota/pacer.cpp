// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/pacer.h"

#include <algorithm>

namespace gatehouse::quota {

namespace {

/// Between two turns, rounded up: never faster than the limit.
std::int64_t stepOf(const Limit &limit)
{
    return (limit.per.count() + limit.amount - 1) / limit.amount;
}

/// How far ahead of the clock the turns may be that need not wait.
std::int64_t burstOf(const Limit &limit)
{
    return stepOf(limit) * (limit.amount - 1);
}

} // namespace

std::optional<Duration> Pacer::take(const Limit &limit, Duration patience, Time now)
{
    const std::int64_t time = now.time_since_epoch().count();
    std::int64_t free = m_free.load();
    for (;;) {
        const std::int64_t from = std::max(free, time);
        const std::int64_t wait = std::max<std::int64_t>(from - burstOf(limit) - time, 0);
        if (wait > patience.count())
            return std::nullopt;
        if (m_free.compare_exchange_weak(free, from + stepOf(limit)))
            return Duration(wait);
    }
}

} // namespace gatehouse::quota
