// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse {

/// \a usd, a number as JSON writes it ("0.00014", "1.4e-4"), in 10^-6 USD, rounded up; by its digits,
/// since a double would round some of them up by one too many. None for what is negative, no number, or
/// above 10^12 USD.
[[nodiscard]] std::optional<std::int64_t> microUsd(std::string_view usd);

} // namespace gatehouse
