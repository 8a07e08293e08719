// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

struct ByteSize
{
    std::uint64_t bytes = 0;

    bool operator==(const ByteSize &) const = default;
};

using Instant = std::chrono::system_clock::time_point;

/// `250ms 30s 5m 12h 90d`: digits and one unit, at most 100 years.
[[nodiscard]] std::optional<std::chrono::milliseconds> parseDuration(std::string_view text);
/// In the largest unit that is exact; what parseDuration reads back. \a duration is not negative.
[[nodiscard]] std::string formatDuration(std::chrono::milliseconds duration);

/// `64KiB 10MiB 2GiB` or plain bytes, at most 2^62.
[[nodiscard]] std::optional<ByteSize> parseSize(std::string_view text);
/// In the largest unit that is exact; what parseSize reads back.
[[nodiscard]] std::string formatSize(ByteSize size);

/// ISO 8601: `2026-11-23T09:00:00Z`, with a fraction (cut to milliseconds) or an offset `+01:00` too;
/// `2026-11-23` is that day's beginning in UTC. A time without Z or offset is refused.
[[nodiscard]] std::optional<Instant> parseInstant(std::string_view text);
/// `2026-11-23T09:00:00Z`, cut to seconds.
[[nodiscard]] std::string formatInstant(Instant instant);

} // namespace gatehouse
