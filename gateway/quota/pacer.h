// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/quota/window.h"

#include <atomic>
#include <optional>

namespace gatehouse::quota {

/// Spreads what comes: so many at once, and from then on one each `per / amount`. The generic cell rate
/// algorithm (ITU-T I.371, annex A). Any thread, without a lock.
class Pacer
{
public:
    /// How long the next one has to wait for its turn, which is then taken; empty, and nothing is taken,
    /// where that is longer than \a patience. \a limit: amount ≥ 1.
    [[nodiscard]] std::optional<Duration> take(const Limit &limit, Duration patience, Time now);

private:
    /// When one would come that finds nothing before it, in nanoseconds.
    std::atomic<std::int64_t> m_free = 0;
};

} // namespace gatehouse::quota
