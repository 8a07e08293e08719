// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/quota/window.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

namespace gatehouse::quota {

/// Keeps requests from somebody who fails: closed while few enough do, open for a while when too many did,
/// then half-open, with one request at a time as a probe whose result opens or closes it. Any thread,
/// without a lock.
class Breaker
{
public:
    struct Setting
    {
        double failureRate = 0.5;     ///< of the window, from which it opens
        std::int64_t minRequests = 1; ///< results in the window below which it does not
        Duration window{};            ///< at least a second; counted in tenths
        Duration open{};              ///< before a probe
    };
    enum class Way : std::uint8_t { Closed, Probe, Open };
    struct Admission
    {
        Way way = Way::Closed;
        Duration wait{}; ///< where open: until it may be worth another try
    };

    /// Who gets Probe has to call endProbe().
    [[nodiscard]] Admission admit(Time now);
    /// Neither open nor half-open.
    [[nodiscard]] bool isClosed() const { return m_openUntil.load() == 0; }
    /// A request has its result; counts while it is closed. True where this opened it.
    bool record(const Setting &setting, bool failed, Time now);
    /// \a failed is empty where nothing came of the probe: another may be sent.
    void endProbe(const Setting &setting, std::optional<bool> failed, Time now);

    // For Keyed: what is not used for longer than any window has nothing to forget.
    [[nodiscard]] bool isFree() const { return isClosed(); }
    void reset();

private:
    static constexpr std::int64_t slices = 10;

    void count(std::int64_t slice, bool failed);
    [[nodiscard]] bool isTooMuch(const Setting &setting, std::int64_t slice) const;

    /// Number of the slice of time (24 bits), results and failures in it (20 bits each).
    std::array<std::atomic<std::uint64_t>, slices> m_slices{};
    std::atomic<std::int64_t> m_openUntil = 0; ///< Time in nanoseconds; 0: closed
    std::atomic<bool> m_isProbing = false;
};

} // namespace gatehouse::quota
