// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/fraction.h"

#include "gateway/base/decimal.h"

namespace gatehouse {

std::optional<Fraction> parseFraction(std::string_view text)
{
    constexpr std::int64_t largest = 1'000'000'000'000;
    const auto millionths = parseMillionths(text, largest);
    return millionths ? std::optional(Fraction{*millionths}) : std::nullopt;
}

std::string formatFraction(Fraction fraction)
{
    return formatMillionths(fraction.millionths, 1);
}

} // namespace gatehouse
