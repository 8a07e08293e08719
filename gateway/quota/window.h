// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace gatehouse::quota {

/// On the steady clock; counters do not know what day it is.
using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

constexpr std::int64_t largestAmount = (std::int64_t{1} << 44) - 1;

/// How much of something may be had in how long.
struct Limit
{
    std::int64_t amount = 0; ///< 0 … largestAmount
    Duration per{};          ///< 1 ms or more
};

/// What a window said.
struct Grant
{
    bool isGranted = false;
    std::int64_t used = 0;  ///< in the window, with what was granted
    std::uint32_t part = 0; ///< for giveBack()
};

/// Counts an amount over the last stretch of time: at no moment has more than the limit been granted in
/// the `per` before it. Time is cut into parts, and what was granted comes back when all of its part is
/// older than `per`: at most per / 32 late, never early.
///
/// Any thread, without a lock. Where threads meet, the sum may for a moment be too large, never too small: a
/// limit is never passed. A thread that sleeps within a call for longer than 16,000 windows finds
/// its own past taken for the present; it refuses more then, not less.
class SlidingWindow
{
public:
    /// Grants all of \a amount (≥ 0) or nothing.
    [[nodiscard]] Grant take(std::int64_t amount, const Limit &limit, Time now);
    /// Counts what cannot be refused any more, over the limit too.
    void add(std::int64_t amount, const Limit &limit, Time now);
    /// Takes back \a amount of what \a grant gave; does nothing where that is too old to count.
    void giveBack(const Grant &grant, std::int64_t amount);
    /// Takes the sum from the parts, which a process that was killed in the midst of a call may have left too
    /// large; before any other thread is there.
    void mend();
    /// Forgets everything. What another thread takes meanwhile may go with it or stay.
    void reset();
    /// As of the last call with a time.
    [[nodiscard]] std::int64_t used() const { return m_sum.load(std::memory_order_relaxed); }
    /// How long until \a amount may be granted, if nothing else comes; empty where it is above the limit.
    [[nodiscard]] std::optional<Duration>
    waitFor(std::int64_t amount, const Limit &limit, Time now) const;

private:
    static constexpr std::uint32_t partsInWindow = 32;
    static constexpr std::uint32_t ring = partsInWindow + 1; ///< the oldest is only partly within

    void expire(std::int64_t index);
    [[nodiscard]] std::uint32_t addToPart(std::int64_t amount, std::int64_t index);

    std::atomic<std::int64_t> m_sum = 0;
    std::atomic<std::int64_t> m_expired = 0; ///< index up to which expire() was done
    /// The lower 20 bits of a part's index, and what was granted in it.
    std::array<std::atomic<std::uint64_t>, ring> m_parts{};
};

/// Counts an amount in windows that follow each other: one begins with the first grant after the one
/// before is over. Threads as above. Up to twice the limit can be had around the end of a window.
class FixedWindow
{
public:
    [[nodiscard]] Grant take(std::int64_t amount, const Limit &limit, Time now);
    void giveBack(const Grant &grant, std::int64_t amount);
    void reset() { m_word = 0; }
    [[nodiscard]] std::int64_t used(const Limit &limit, Time now) const;
    /// Until the window ends; zero where none is open.
    [[nodiscard]] Duration left(const Limit &limit, Time now) const;

private:
    /// The lower 20 bits of its beginning in steps of per / 1024, and what was granted.
    std::atomic<std::uint64_t> m_word = 0;
};

} // namespace gatehouse::quota
