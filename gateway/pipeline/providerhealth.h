// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace gatehouse {

/// How a provider fares, by what it answers to clients and to health checks. One for all workers, kept over
/// reloads. Any thread, without a lock.
class ProviderHealth
{
public:
    using Time = std::chrono::steady_clock::time_point;

    /// When a provider is left alone that fails again and again (Provider.spec.outlierEjection).
    struct Ejection
    {
        std::int64_t failures = 0;         ///< in a row; 0: it never is
        std::chrono::milliseconds time{0}; ///< for so long, twice as long each time in a row
        std::chrono::milliseconds longest{0};
    };
    /// Provider.spec.healthCheck.
    struct CheckLimits
    {
        std::int64_t failures = 1;  ///< in a row, from which it is unwell
        std::int64_t successes = 1; ///< in a row, from which it is well again
    };

    /// Neither ejected nor unwell by its checks.
    [[nodiscard]] bool isWell(Time now) const;

    /// It has answered as it should, or told a client that the client's request is wrong.
    void noteSuccess(Time now);
    /// It could not be reached, broke off, or answered with an error of its own. For how long this
    /// ejects it, where it does.
    std::optional<std::chrono::milliseconds> noteFailure(const Ejection &ejection, Time now);

    /// A health check has its result; from one thread at a time. True where it is well or unwell by that,
    /// and was not before.
    bool noteCheck(const CheckLimits &limits, bool isGood);
    /// Its checks are over: it counts as well.
    void forgetChecks();

    /// It began to answer after \a time; a moving average with a weight of an eighth for the newest.
    void noteLatency(std::chrono::microseconds time);
    /// Empty where it has not answered yet.
    [[nodiscard]] std::optional<std::chrono::microseconds> latency() const;

private:
    std::atomic<std::int64_t> m_failures = 0;     ///< in a row
    std::atomic<std::int64_t> m_ejections = 0;    ///< in a row
    std::atomic<std::int64_t> m_ejectedUntil = 0; ///< Time in nanoseconds; 0: never yet
    std::atomic<bool> m_isUnwell = false;         ///< by its checks
    std::atomic<std::int64_t> m_checks = 0;       ///< in a row that say otherwise than m_isUnwell
    std::atomic<std::int64_t> m_latency = 0;      ///< microseconds, at least 1; 0: none yet
};

} // namespace gatehouse
