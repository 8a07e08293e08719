// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/usage/cost.h"

#include "gateway/base/text.h"

#include <charconv>

namespace gatehouse {

namespace {

constexpr std::int64_t most = 1'000'000'000'000'000'000;
constexpr int microDigits = 6;

/// digits · 10^exponent, and a bit more where `hasMore`.
struct Decimal
{
    std::int64_t digits = 0;
    int exponent = 0;
    bool hasMore = false;

    void append(char digit, bool isFraction)
    {
        if (digits < most / 10) {
            digits = digits * 10 + (digit - '0');
            exponent -= isFraction ? 1 : 0;
        } else {
            hasMore = hasMore || digit != '0';
            exponent += isFraction ? 0 : 1;
        }
    }
};

/// Moves the digits before an exponent from \a text into \a number; false where there are none.
bool takeDigits(std::string_view &text, Decimal &number)
{
    bool isFraction = false;
    bool hasDigits = false;
    for (; !text.empty(); text.remove_prefix(1)) {
        const char c = text.front();
        if (isDigit(c)) {
            number.append(c, isFraction);
            hasDigits = true;
        } else if (c == '.' && !isFraction) {
            isFraction = true;
        } else {
            break;
        }
    }
    return hasDigits;
}

} // namespace

std::optional<std::int64_t> microUsd(std::string_view usd)
{
    Decimal number;
    if (usd.size() > 400 || !takeDigits(usd, number))
        return {};
    if (!usd.empty()) {
        if (toLowerAscii(usd.front()) != 'e')
            return {};
        usd.remove_prefix(1);
        if (usd.starts_with('+') && !usd.starts_with("+-"))
            usd.remove_prefix(1);
        int exponent = 0;
        const auto [end, failure] = std::from_chars(usd.data(), usd.data() + usd.size(), exponent);
        if (failure != std::errc() || end != usd.data() + usd.size() || exponent < -999
            || exponent > 999)
            return {};
        number.exponent += exponent;
    }
    for (number.exponent += microDigits; number.exponent > 0 && number.digits != 0;
         --number.exponent) {
        if (number.digits > most / 10)
            return {};
        number.digits *= 10;
    }
    for (; number.exponent < 0 && number.digits != 0; ++number.exponent) {
        number.hasMore = number.hasMore || number.digits % 10 != 0;
        number.digits /= 10;
    }
    if (number.digits >= most)
        return {};
    return number.digits + (number.hasMore ? 1 : 0);
}

} // namespace gatehouse
