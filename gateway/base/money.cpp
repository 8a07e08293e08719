// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/money.h"

#include "gateway/base/decimal.h"

namespace gatehouse {

std::optional<Money> parseMoney(std::string_view text)
{
    constexpr std::string_view currency = " USD";
    if (!text.ends_with(currency))
        return {};
    text.remove_suffix(currency.size());
    const auto microUsd = parseMillionths(text, largestMoney.microUsd);
    return microUsd ? std::optional(Money{*microUsd}) : std::nullopt;
}

std::string formatMoney(Money money)
{
    constexpr std::size_t cents = 2;
    return formatMillionths(money.microUsd, cents) + " USD";
}

} // namespace gatehouse
