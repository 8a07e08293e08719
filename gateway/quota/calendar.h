// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/quota/calendarwindow.h"

#include <QTimeZone>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string_view>

namespace gatehouse::quota {

using WallTime = std::chrono::sys_seconds;

enum class Period : std::uint8_t { Day, Week, Month, Total };
/// As the configuration names them, in the same order.
inline constexpr auto periodNames
    = std::to_array<std::string_view>({"day", "week", "month", "total"});

/// Windows of a time zone's calendar: a day from midnight to midnight, however long that is where clocks
/// change, a week from Monday, a month, and all of time. Any thread; a lock only when a window begins.
class Calendar
{
public:
    struct Span
    {
        WindowNumber number = 0; ///< one more than the one before
        WallTime begin;
        WallTime end; ///< of Total: WallTime::max()
    };

    /// \a zone: an IANA name, or `local` for the system's, which is also taken where there is none of that name.
    explicit Calendar(std::string_view zone);

    /// The window in which \a now is; times before 1970 count as 1970.
    [[nodiscard]] Span at(Period period, WallTime now) const;

private:
    /// Read without a lock: valid where `version` is even and the same before and after.
    struct Known
    {
        std::atomic<std::uint32_t> version = 0;
        std::atomic<WindowNumber> number = 0;
        std::atomic<std::int64_t> begin = 0;
        std::atomic<std::int64_t> end = 0;
    };

    [[nodiscard]] Span compute(Period period, WallTime now) const;

    QTimeZone m_zone;
    mutable std::array<Known, 3> m_known;
    mutable std::mutex m_mutex; ///< of who writes m_known
};

/// A wall clock that is not believed at once when it is set: it goes on by the steady clock, and takes over
/// what the wall clock says when that has said the same for ten minutes. So neither a clock that is set
/// back, nor one that is set to another year and put right, opens a window. A machine that slept is
/// found to have slept ten minutes after it woke. Corrections of up to two minutes are followed at once. Any thread.
class HeldClock
{
public:
    [[nodiscard]] WallTime now(std::chrono::system_clock::time_point wall, Time steady);

private:
    static constexpr std::int64_t unset = std::numeric_limits<std::int64_t>::min();

    void consider(std::int64_t offset, Time steady);

    std::atomic<std::int64_t> m_offset
        = unset;                      ///< ns from the steady to the wall clock that is believed
    std::mutex m_mutex;               ///< of what follows
    std::int64_t m_candidate = unset; ///< to the wall clock that is not believed yet
    Time m_since{};                   ///< when that was first said
};

} // namespace gatehouse::quota
