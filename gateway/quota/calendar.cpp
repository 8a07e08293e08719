// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/calendar.h"

#include <QByteArray>
#include <QDate>
#include <QDateTime>

#include <algorithm>
#include <cstdlib>

namespace gatehouse::quota {

namespace {

constexpr qint64 julianDayOf1970 = 2'440'588;
constexpr std::chrono::minutes untilBelieved{10};
constexpr std::int64_t followed = std::chrono::nanoseconds(std::chrono::minutes(2)).count();
constexpr std::int64_t isTheSame = std::chrono::nanoseconds(std::chrono::minutes(1)).count();

QTimeZone zoneNamed(std::string_view name)
{
    const QTimeZone zone(QByteArray(name.data(), static_cast<qsizetype>(name.size())));
    return name == "local" || !zone.isValid() ? QTimeZone::systemTimeZone() : zone;
}

} // namespace

Calendar::Calendar(std::string_view zone)
    : m_zone(zoneNamed(zone))
{}

Calendar::Span Calendar::at(Period period, WallTime now) const
{
    now = std::max(now, WallTime{});
    if (period == Period::Total)
        return {0, WallTime{}, WallTime::max()};
    Known &known = m_known[static_cast<std::size_t>(period)];
    const std::uint32_t version = known.version.load(std::memory_order_acquire);
    const Span span{known.number.load(std::memory_order_acquire),
                    WallTime(std::chrono::seconds(known.begin.load(std::memory_order_acquire))),
                    WallTime(std::chrono::seconds(known.end.load(std::memory_order_acquire)))};
    const bool isWhole
        = version % 2 == 0 && known.version.load(std::memory_order_acquire) == version;
    if (isWhole && now >= span.begin && now < span.end)
        return span;
    const std::lock_guard lock(m_mutex);
    const Span computed = compute(period, now);
    known.version.fetch_add(1, std::memory_order_acq_rel);
    known.number.store(computed.number, std::memory_order_release);
    known.begin.store(computed.begin.time_since_epoch().count(), std::memory_order_release);
    known.end.store(computed.end.time_since_epoch().count(), std::memory_order_release);
    known.version.fetch_add(1, std::memory_order_acq_rel);
    return computed;
}

Calendar::Span Calendar::compute(Period period, WallTime now) const
{
    const QDate date = QDateTime::fromSecsSinceEpoch(now.time_since_epoch().count(), m_zone).date();
    QDate first = date;
    QDate next = date.addDays(1);
    // 1970-01-01 may be in 1969 elsewhere.
    qint64 number = date.toJulianDay() - julianDayOf1970 + 1;
    if (period == Period::Week) {
        first = date.addDays(1 - date.dayOfWeek());
        next = first.addDays(7);
        number = (first.toJulianDay() - julianDayOf1970 + 7) / 7;
    } else if (period == Period::Month) {
        first = QDate(date.year(), date.month(), 1);
        next = first.addMonths(1);
        number = qint64{12} * (date.year() - 1969) + date.month();
    }
    const auto startOf = [this](QDate day) {
        return WallTime(std::chrono::seconds(day.startOfDay(m_zone).toSecsSinceEpoch()));
    };
    return {static_cast<WindowNumber>(std::clamp<qint64>(number, 0, (1 << 20) - 1)),
            startOf(first),
            startOf(next)};
}

WallTime HeldClock::now(std::chrono::system_clock::time_point wall, Time steady)
{
    using std::chrono::nanoseconds;
    const std::int64_t steadyNs = nanoseconds(steady.time_since_epoch()).count();
    const std::int64_t offset = nanoseconds(wall.time_since_epoch()).count() - steadyNs;
    const std::int64_t believed = m_offset.load(std::memory_order_relaxed);
    if (believed == unset || std::abs(offset - believed) <= followed)
        m_offset.store(offset, std::memory_order_relaxed);
    else
        consider(offset, steady);
    return std::chrono::floor<std::chrono::seconds>(std::chrono::sys_time<nanoseconds>(
        nanoseconds(steadyNs + m_offset.load(std::memory_order_relaxed))));
}

/// The wall clock was set, or the steady one stood still while the machine slept.
void HeldClock::consider(std::int64_t offset, Time steady)
{
    const std::lock_guard lock(m_mutex);
    if (m_candidate == unset || std::abs(offset - m_candidate) > isTheSame) {
        m_candidate = offset;
        m_since = steady;
    } else if (steady - m_since >= untilBelieved) {
        m_offset.store(offset, std::memory_order_relaxed);
        m_candidate = unset;
    }
}

} // namespace gatehouse::quota
