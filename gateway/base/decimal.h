// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// Digits, and a point with 1 to 6 decimals where there is one, in millionths; none where that is written
/// otherwise or above \a largest.
[[nodiscard]] std::optional<std::int64_t> parseMillionths(std::string_view text,
                                                          std::int64_t largest);
/// With as many decimals as it needs, \a leastDecimals where it needs any. \a millionths ≥ 0.
[[nodiscard]] std::string formatMillionths(std::int64_t millionths, std::size_t leastDecimals);

} // namespace gatehouse
