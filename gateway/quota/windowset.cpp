// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/windowset.h"

#include <algorithm>

namespace gatehouse::quota {

WindowSet::WindowSet(WindowKind kind, std::size_t count, std::byte *memory)
    : m_count(count)
{
    if (kind == WindowKind::Sliding && memory == nullptr)
        m_ownSliding = std::make_unique<SlidingWindow[]>(count);
    else if (memory == nullptr)
        m_ownFixed = std::make_unique<FixedWindow[]>(count);
    if (kind == WindowKind::Sliding)
        m_sliding
            = memory != nullptr ? reinterpret_cast<SlidingWindow *>(memory) : m_ownSliding.get();
    else
        m_fixed = memory != nullptr ? reinterpret_cast<FixedWindow *>(memory) : m_ownFixed.get();
    for (std::size_t i = 0; m_sliding != nullptr && memory != nullptr && i < count; ++i)
        m_sliding[i].mend();
}

Standing
WindowSet::take(std::int64_t amount, std::span<const Limit> limits, Time now, Grants &grants)
{
    Standing standing{.isGranted = true, .remaining = largestAmount};
    for (std::size_t i = 0; i < m_count; ++i) {
        grants[i] = takeOne(i, amount, limits[i], now);
        const std::int64_t remaining = std::max<std::int64_t>(limits[i].amount - grants[i].used, 0);
        if (!grants[i].isGranted) {
            for (std::size_t before = 0; before < i; ++before)
                giveBackOne(before, amount, grants[before]);
            return {.limit = i, .remaining = remaining, .wait = waitFor(i, amount, limits[i], now)};
        }
        if (remaining < standing.remaining) {
            standing.limit = i;
            standing.remaining = remaining;
        }
    }
    const Limit &limit = limits[standing.limit];
    standing.wait
        = waitFor(standing.limit, std::min(standing.remaining + 1, limit.amount), limit, now);
    return standing;
}

void WindowSet::add(std::int64_t amount, std::span<const Limit> limits, Time now)
{
    for (std::size_t i = 0; i < m_count; ++i)
        m_sliding[i].add(amount, limits[i], now);
}

void WindowSet::giveBack(std::int64_t amount, const Grants &grants)
{
    for (std::size_t i = 0; i < m_count; ++i)
        giveBackOne(i, amount, grants[i]);
}

void WindowSet::reset()
{
    for (std::size_t i = 0; i < m_count; ++i) {
        if (m_sliding != nullptr)
            m_sliding[i].reset();
        else
            m_fixed[i].reset();
    }
}

Grant WindowSet::takeOne(std::size_t i, std::int64_t amount, const Limit &limit, Time now)
{
    return m_sliding != nullptr ? m_sliding[i].take(amount, limit, now)
                                : m_fixed[i].take(amount, limit, now);
}

void WindowSet::giveBackOne(std::size_t i, std::int64_t amount, const Grant &grant)
{
    if (m_sliding != nullptr)
        m_sliding[i].giveBack(grant, amount);
    else
        m_fixed[i].giveBack(grant, amount);
}

std::optional<Duration>
WindowSet::waitFor(std::size_t i, std::int64_t amount, const Limit &limit, Time now) const
{
    if (m_sliding != nullptr)
        return m_sliding[i].waitFor(amount, limit, now);
    if (amount > limit.amount)
        return std::nullopt;
    return m_fixed[i].left(limit, now);
}

} // namespace gatehouse::quota
