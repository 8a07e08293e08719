// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// An amount of US dollars in whole millionths. Of a price it is said for what: `per million tokens` in
/// 10^-6 USD is the same number as one token's price in 10^-12 USD, so no price of a vendor is too fine.
struct Money
{
    std::int64_t microUsd = 0;

    bool operator==(const Money &) const = default;
};

/// The largest that is read: a number of dollars that int64 holds in millionths.
inline constexpr Money largestMoney{9'000'000'000'000'000'000};

/// What parseMoney takes, for messages: "must be …".
inline constexpr std::string_view moneyForm
    = "an amount such as 25 USD or 0.50 USD, in USD with at most 6 decimals";

/// `25 USD`, `0.000001 USD`: digits, at most 6 decimals, one space, USD; up to 9·10^12 USD. There is no
/// other currency, sign, exponent or separator of thousands.
[[nodiscard]] std::optional<Money> parseMoney(std::string_view text);
/// With as many decimals as it needs, but never one alone: `0.50 USD`. What parseMoney reads back.
/// \a money is not negative.
[[nodiscard]] std::string formatMoney(Money money);

} // namespace gatehouse
