// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/window.h"

#include <algorithm>

namespace gatehouse::quota {

namespace {

constexpr int amountBits = 44;
constexpr std::uint64_t amountMask = (std::uint64_t{1} << amountBits) - 1;
constexpr std::uint64_t indexMask = (std::uint64_t{1} << 20) - 1;
constexpr std::int64_t stepsInFixedWindow = 1024;

std::uint64_t wordOf(std::int64_t index, std::uint64_t amount)
{
    return (static_cast<std::uint64_t>(index) & indexMask) << amountBits | amount;
}
std::uint64_t amountOf(std::uint64_t word)
{
    return word & amountMask;
}

/// How many steps before \a index the word's lie; negative: another thread's clock is ahead.
std::int64_t ageOf(std::uint64_t word, std::int64_t index)
{
    const std::uint64_t age
        = (static_cast<std::uint64_t>(index) - (word >> amountBits)) & indexMask;
    constexpr std::uint64_t half = (indexMask + 1) / 2;
    return age < half ? static_cast<std::int64_t>(age)
                      : static_cast<std::int64_t>(age) - static_cast<std::int64_t>(indexMask + 1);
}

/// Of a window cut into so many steps: rounded up, so that it is never too short.
std::int64_t stepOf(const Limit &limit, std::int64_t steps)
{
    return std::max<std::int64_t>((limit.per.count() + steps - 1) / steps, 1);
}

} // namespace

Grant SlidingWindow::take(std::int64_t amount, const Limit &limit, Time now)
{
    const std::int64_t index = now.time_since_epoch().count() / stepOf(limit, partsInWindow);
    expire(index);
    std::int64_t sum = m_sum.load();
    do {
        if (amount > limit.amount - sum)
            return {.used = sum};
    } while (!m_sum.compare_exchange_weak(sum, sum + amount));
    return {.isGranted = true, .used = sum + amount, .part = addToPart(amount, index)};
}

void SlidingWindow::add(std::int64_t amount, const Limit &limit, Time now)
{
    const std::int64_t index = now.time_since_epoch().count() / stepOf(limit, partsInWindow);
    expire(index);
    m_sum.fetch_add(amount);
    (void)addToPart(amount, index);
}

void SlidingWindow::giveBack(const Grant &grant, std::int64_t amount)
{
    for (std::atomic<std::uint64_t> &part : m_parts) {
        std::uint64_t word = part.load();
        while (word >> amountBits == grant.part && amountOf(word) != 0) {
            const std::uint64_t back = std::min(amountOf(word), static_cast<std::uint64_t>(amount));
            if (part.compare_exchange_weak(word, word - back)) {
                m_sum.fetch_sub(static_cast<std::int64_t>(back));
                return;
            }
        }
    }
}

void SlidingWindow::mend()
{
    std::int64_t sum = 0;
    for (const std::atomic<std::uint64_t> &part : m_parts)
        sum += static_cast<std::int64_t>(amountOf(part.load()));
    m_sum = sum;
}

void SlidingWindow::reset()
{
    // The sum is not set: another thread may be between it and its part.
    for (std::atomic<std::uint64_t> &part : m_parts)
        m_sum.fetch_sub(static_cast<std::int64_t>(amountOf(part.exchange(0))));
}

std::optional<Duration>
SlidingWindow::waitFor(std::int64_t amount, const Limit &limit, Time now) const
{
    if (amount > limit.amount)
        return std::nullopt;
    const std::int64_t step = stepOf(limit, partsInWindow);
    const std::int64_t index = now.time_since_epoch().count() / step;
    std::int64_t missing = amount - (limit.amount - used());
    if (missing <= 0)
        return Duration::zero();
    for (std::int64_t at = std::max<std::int64_t>(index - partsInWindow, 0); at <= index; ++at) {
        const std::uint64_t word = m_parts[static_cast<std::size_t>(at % ring)].load();
        if (ageOf(word, at) != 0)
            continue;
        missing -= static_cast<std::int64_t>(amountOf(word));
        if (missing <= 0)
            return Duration((at + ring) * step) - now.time_since_epoch();
    }
    return limit.per; // the rest is on its way into a part
}

/// Takes what is too old out of the sum.
void SlidingWindow::expire(std::int64_t index)
{
    const std::int64_t before = m_expired.load();
    if (before >= index)
        return;
    // After very long what is old may look as if it were to come; what another thread counts now, whose
    // clock is ahead, is close by.
    constexpr std::int64_t nearby = 1000;
    const bool wasIdle = index - before > nearby;
    for (std::atomic<std::uint64_t> &part : m_parts) {
        std::uint64_t word = part.load();
        while (
            amountOf(word) != 0
            && (ageOf(word, index) > partsInWindow || (wasIdle && ageOf(word, index) < -nearby))) {
            if (part.compare_exchange_weak(word, 0)) {
                m_sum.fetch_sub(static_cast<std::int64_t>(amountOf(word)));
                break;
            }
        }
    }
    m_expired.store(index); // may go back by another thread's: then it is done once more
}

/// The amount is in the sum already. Returns the part's index as words have it.
std::uint32_t SlidingWindow::addToPart(std::int64_t amount, std::int64_t index)
{
    std::atomic<std::uint64_t> &part = m_parts[static_cast<std::size_t>(index % ring)];
    std::uint64_t word = part.load();
    for (;;) {
        const bool isOld = amountOf(word) == 0 || ageOf(word, index) > 0;
        const std::uint64_t before = isOld ? 0 : amountOf(word);
        // A thread with an older clock counts to what is there, for longer than it must.
        const std::uint64_t base = isOld ? wordOf(index, 0) : word - before;
        const std::uint64_t after
            = std::min(before + static_cast<std::uint64_t>(amount), amountMask);
        if (!part.compare_exchange_weak(word, base | after))
            continue;
        const std::int64_t lost = isOld ? static_cast<std::int64_t>(amountOf(word)) : 0;
        const std::int64_t cut
            = static_cast<std::int64_t>(before) + amount - static_cast<std::int64_t>(after);
        if (lost + cut != 0)
            m_sum.fetch_sub(lost + cut);
        return static_cast<std::uint32_t>(base >> amountBits);
    }
}

Grant FixedWindow::take(std::int64_t amount, const Limit &limit, Time now)
{
    const std::int64_t index = now.time_since_epoch().count() / stepOf(limit, stepsInFixedWindow);
    std::uint64_t word = m_word.load();
    for (;;) {
        const bool isOver = amountOf(word) == 0 || ageOf(word, index) > stepsInFixedWindow;
        const auto before = static_cast<std::int64_t>(isOver ? 0 : amountOf(word));
        if (amount > limit.amount - before)
            return {.used = before};
        const std::uint64_t base = isOver ? wordOf(index, 0) : word & ~amountMask;
        if (m_word.compare_exchange_weak(word, base | static_cast<std::uint64_t>(before + amount)))
            return {.isGranted = true,
                    .used = before + amount,
                    .part = static_cast<std::uint32_t>(base >> amountBits)};
    }
}

void FixedWindow::giveBack(const Grant &grant, std::int64_t amount)
{
    std::uint64_t word = m_word.load();
    while (word >> amountBits == grant.part && amountOf(word) != 0) {
        const std::uint64_t back = std::min(amountOf(word), static_cast<std::uint64_t>(amount));
        if (m_word.compare_exchange_weak(word, word - back))
            return;
    }
}

std::int64_t FixedWindow::used(const Limit &limit, Time now) const
{
    const std::uint64_t word = m_word.load();
    const std::int64_t index = now.time_since_epoch().count() / stepOf(limit, stepsInFixedWindow);
    return ageOf(word, index) > stepsInFixedWindow ? 0 : static_cast<std::int64_t>(amountOf(word));
}

Duration FixedWindow::left(const Limit &limit, Time now) const
{
    const std::uint64_t word = m_word.load();
    const std::int64_t step = stepOf(limit, stepsInFixedWindow);
    const std::int64_t index = now.time_since_epoch().count() / step;
    const std::int64_t age = std::max<std::int64_t>(ageOf(word, index), 0);
    if (amountOf(word) == 0 || age > stepsInFixedWindow)
        return Duration::zero();
    return Duration((index - age + stepsInFixedWindow + 1) * step) - now.time_since_epoch();
}

} // namespace gatehouse::quota
