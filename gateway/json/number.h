// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse::json {

/// The first byte behind the number at \a from, null where there is none. RFC 8259 §6. Stops at the
/// latest at a byte that no number has, which has to follow.
[[nodiscard]] const char *skipNumber(const char *from);

/// The nearest double, zero for what is nearer to it than any; none beyond the largest one.
/// \a number is a number of RFC 8259, here and below.
[[nodiscard]] std::optional<double> toDouble(std::string_view number);
/// None for a fraction and beyond 64 bits.
[[nodiscard]] std::optional<std::int64_t> toInteger(std::string_view number);

} // namespace gatehouse::json
