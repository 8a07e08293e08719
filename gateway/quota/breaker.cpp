// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/breaker.h"

#include <algorithm>

namespace gatehouse::quota {

namespace {

constexpr unsigned countBits = 20;
constexpr std::uint64_t mostCount = (std::uint64_t{1} << countBits) - 1;
constexpr std::uint64_t numberMask = 0xff'ffff;
/// For those who come while a probe is under way.
constexpr std::chrono::seconds probeWait{1};

struct Slice
{
    std::uint64_t number = 0;
    std::uint64_t results = 0;
    std::uint64_t failures = 0;

    static Slice of(std::uint64_t packed)
    {
        return {packed >> (2 * countBits), (packed >> countBits) & mostCount, packed & mostCount};
    }
    [[nodiscard]] std::uint64_t packed() const
    {
        return number << (2 * countBits) | results << countBits | failures;
    }
};

} // namespace

Breaker::Admission Breaker::admit(Time now)
{
    const std::int64_t time = now.time_since_epoch().count();
    const auto refusal = [time](std::int64_t until) {
        return Admission{Way::Open, std::max<Duration>(Duration(until - time), probeWait)};
    };
    const std::int64_t until = m_openUntil.load();
    if (until == 0)
        return {};
    if (time < until || m_isProbing.exchange(true))
        return refusal(until);
    // The probe before may have ended since we looked.
    const std::int64_t still = m_openUntil.load();
    if (still != 0 && time >= still)
        return {Way::Probe, {}};
    m_isProbing = false;
    return still == 0 ? Admission{} : refusal(still);
}

void Breaker::count(std::int64_t slice, bool failed)
{
    const std::uint64_t number = static_cast<std::uint64_t>(slice) & numberMask;
    std::atomic<std::uint64_t> &cell = m_slices[static_cast<std::size_t>(slice % slices)];
    std::uint64_t packed = cell.load();
    for (;;) {
        Slice counted = Slice::of(packed);
        if (counted.number != number)
            counted = {number, 0, 0};
        if (counted.results == mostCount)
            return;
        ++counted.results;
        counted.failures += failed ? 1 : 0;
        if (cell.compare_exchange_weak(packed, counted.packed()))
            return;
    }
}

bool Breaker::isTooMuch(const Setting &setting, std::int64_t slice) const
{
    std::uint64_t results = 0;
    std::uint64_t failures = 0;
    for (const std::atomic<std::uint64_t> &cell : m_slices) {
        const Slice counted = Slice::of(cell.load());
        const std::uint64_t age = (static_cast<std::uint64_t>(slice) - counted.number) & numberMask;
        if (age >= slices)
            continue;
        results += counted.results;
        failures += counted.failures;
    }
    return results >= static_cast<std::uint64_t>(setting.minRequests)
           && static_cast<double>(failures) >= setting.failureRate * static_cast<double>(results);
}

bool Breaker::record(const Setting &setting, bool failed, Time now)
{
    if (!isClosed())
        return false; // of a request from before
    const std::int64_t slice = now.time_since_epoch().count()
                               / std::max<std::int64_t>(setting.window.count() / slices, 1);
    count(slice, failed);
    if (!failed || !isTooMuch(setting, slice))
        return false;
    std::int64_t closed = 0;
    return m_openUntil.compare_exchange_strong(closed,
                                               (now + setting.open).time_since_epoch().count());
}

void Breaker::endProbe(const Setting &setting, std::optional<bool> failed, Time now)
{
    if (failed && *failed)
        m_openUntil = (now + setting.open).time_since_epoch().count();
    else if (failed)
        reset();
    m_isProbing = false;
}

void Breaker::reset()
{
    for (std::atomic<std::uint64_t> &cell : m_slices)
        cell = 0;
    m_openUntil = 0;
    m_isProbing = false;
}

} // namespace gatehouse::quota
