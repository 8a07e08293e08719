// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/quota/window.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace gatehouse::quota {

/// Number of a calendar's window, as calendar.h counts them; below 2^20.
using WindowNumber = std::uint32_t;

/// Counts an amount in windows of the calendar. Any thread, without a lock; exact. Holds no pointer, so it may lie
/// in a file that is mapped.
///
/// The window that is open only moves on: an amount that comes with an earlier number counts in it, so a clock that
/// is set back gives nothing back. Where it is more than one ahead, which only a clock brings about that was
/// wrong and was put right, the earlier one is opened again, with the amount that is counted.
class CalendarWindow
{
public:
    /// Grants all of \a amount (≥ 0) or nothing; \a limit: 0 … largestAmount.
    [[nodiscard]] Grant take(std::int64_t amount, std::int64_t limit, WindowNumber number);
    /// Counts what cannot be refused any more.
    void add(std::int64_t amount, WindowNumber number);
    /// Takes back \a amount of what \a grant gave; does nothing where another window is open by now.
    void giveBack(const Grant &grant, std::int64_t amount);
    [[nodiscard]] std::int64_t used(WindowNumber number) const;
    void reset() { m_word = 0; }

private:
    std::atomic<std::uint64_t> m_word = 0; ///< number, and 44 bits of the amount
};

/// The windows of one key, one for each limit of a policy. Any thread, without a lock.
class CalendarSet
{
public:
    static constexpr std::size_t largest = 8;

    struct Limit
    {
        std::int64_t amount = 0;
        WindowNumber number = 0; ///< of the window that the clock says
    };
    struct Grants
    {
        std::array<Grant, largest> of = {};
    };
    struct Standing
    {
        bool isGranted = false;
        std::size_t limit = 0;      ///< that refused, or the one of which the greatest part is used
        std::int64_t remaining = 0; ///< of it
        std::int64_t used = 0;      ///< of it
    };

    /// \a memory: as WindowSet's.
    explicit CalendarSet(std::size_t count, std::byte *memory = nullptr)
        : m_count(count)
        , m_own(memory == nullptr ? std::make_unique<CalendarWindow[]>(count) : nullptr)
        , m_windows(memory == nullptr ? m_own.get() : reinterpret_cast<CalendarWindow *>(memory))
    {}
    [[nodiscard]] static std::size_t bytesFor(std::size_t count)
    {
        return count * sizeof(CalendarWindow);
    }

    /// Grants \a amount of every limit, or nothing of any. \a limits: as many as count.
    [[nodiscard]] Standing take(std::int64_t amount, std::span<const Limit> limits, Grants &grants);
    void add(std::int64_t amount, std::span<const Limit> limits);
    void giveBack(std::int64_t amount, const Grants &grants);

    // Of a cell (keyed.h)
    [[nodiscard]] static bool isFree() { return false; } // money of a month is known for a month
    void reset();

private:
    std::size_t m_count;
    std::unique_ptr<CalendarWindow[]> m_own;
    CalendarWindow *m_windows;
};

} // namespace gatehouse::quota
