// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/money.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse {

namespace {

constexpr std::int64_t microsPerUsd = 1'000'000;
constexpr std::size_t mostDecimals = 6;
constexpr std::size_t leastDecimals = 2; ///< cents, where there are any at all

} // namespace

std::optional<Money> parseMoney(std::string_view text)
{
    constexpr std::string_view currency = " USD";
    if (!text.ends_with(currency))
        return {};
    text.remove_suffix(currency.size());
    const std::size_t point = text.find('.');
    const bool hasPoint = point != std::string_view::npos;
    const std::string_view dollars = text.substr(0, point);
    const std::string_view decimals = hasPoint ? text.substr(point + 1) : std::string_view();
    if (dollars.empty() || !std::ranges::all_of(dollars, isDigit)
        || !std::ranges::all_of(decimals, isDigit) || hasPoint == decimals.empty()
        || decimals.size() > mostDecimals)
        return {};
    std::int64_t number = 0;
    for (const char digit : dollars) {
        number = number * 10 + (digit - '0');
        if (number > largestMoney.microUsd / microsPerUsd)
            return {};
    }
    for (std::size_t i = 0; i < mostDecimals; ++i)
        number = number * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
    return number > largestMoney.microUsd ? std::optional<Money>() : Money{number};
}

std::string formatMoney(Money money)
{
    std::string text = std::to_string(money.microUsd / microsPerUsd);
    std::string decimals = std::to_string(money.microUsd % microsPerUsd);
    decimals.insert(0, mostDecimals - decimals.size(), '0');
    decimals.erase(decimals.find_last_not_of('0') + 1); // npos + 1 is 0
    if (!decimals.empty()) {
        decimals.resize(std::max(decimals.size(), leastDecimals), '0');
        text.append(".").append(decimals);
    }
    return text.append(" USD");
}

} // namespace gatehouse
