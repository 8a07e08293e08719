// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/decimal.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse {

namespace {

constexpr std::int64_t one = 1'000'000;
constexpr std::size_t mostDecimals = 6;

} // namespace

std::optional<std::int64_t> parseMillionths(std::string_view text, std::int64_t largest)
{
    const std::size_t point = text.find('.');
    const bool hasPoint = point != std::string_view::npos;
    const std::string_view whole = text.substr(0, point);
    const std::string_view decimals = hasPoint ? text.substr(point + 1) : std::string_view();
    if (whole.empty() || !std::ranges::all_of(whole, isDigit)
        || !std::ranges::all_of(decimals, isDigit) || hasPoint == decimals.empty()
        || decimals.size() > mostDecimals)
        return {};
    std::int64_t number = 0;
    for (const char digit : whole) {
        number = number * 10 + (digit - '0');
        if (number > largest / one)
            return {};
    }
    for (std::size_t i = 0; i < mostDecimals; ++i)
        number = number * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
    return number > largest ? std::optional<std::int64_t>() : number;
}

std::string formatMillionths(std::int64_t millionths, std::size_t leastDecimals)
{
    std::string text = std::to_string(millionths / one);
    std::string decimals = std::to_string(millionths % one);
    decimals.insert(0, mostDecimals - decimals.size(), '0');
    decimals.erase(decimals.find_last_not_of('0') + 1); // npos + 1 is 0
    if (!decimals.empty()) {
        decimals.resize(std::max(decimals.size(), leastDecimals), '0');
        text.append(".").append(decimals);
    }
    return text;
}

} // namespace gatehouse
