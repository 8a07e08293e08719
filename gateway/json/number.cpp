// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/number.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace gatehouse::json {

namespace {

const char *skipDigits(const char *from)
{
    while (isDigit(*from))
        ++from;
    return from;
}

/// A number in its parts: ±whole.fraction × 10^exponent.
struct Decimal
{
    bool isNegative = false;
    std::string_view whole;
    std::string_view fraction;
    std::int64_t exponent = 0; ///< kept within ±2^40, which is beyond any text's length
};

std::int64_t readExponent(std::string_view text)
{
    constexpr std::int64_t bound = std::int64_t(1) << 40;
    if (text.starts_with('+'))
        text.remove_prefix(1);
    std::int64_t exponent = 0;
    const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (problem == std::errc::result_out_of_range)
        return text.starts_with('-') ? -bound : bound;
    return std::clamp(exponent, -bound, bound);
}

Decimal readDecimal(std::string_view number)
{
    Decimal decimal;
    if (number.starts_with('-')) {
        decimal.isNegative = true;
        number.remove_prefix(1);
    }
    if (const std::size_t mark = number.find_first_of("eE"); mark != std::string_view::npos) {
        decimal.exponent = readExponent(number.substr(mark + 1));
        number = number.substr(0, mark);
    }
    const std::size_t point = std::min(number.find('.'), number.size());
    decimal.whole = number.substr(0, point);
    if (point < number.size())
        decimal.fraction = number.substr(point + 1);
    return decimal;
}

/// True where the number is below 1, whatever its sign.
bool isBelowOne(const Decimal &decimal)
{
    const auto size = [](std::size_t length) { return static_cast<std::int64_t>(length); };
    const std::size_t first = decimal.whole.find_first_not_of('0');
    if (first != std::string_view::npos)
        return size(decimal.whole.size() - first) + decimal.exponent <= 0;
    const std::size_t zeros = decimal.fraction.find_first_not_of('0');
    return zeros == std::string_view::npos || decimal.exponent - size(zeros) <= 0;
}

} // namespace

const char *skipNumber(const char *from)
{
    if (*from == '-')
        ++from;
    if (!isDigit(*from))
        return nullptr;
    from = *from == '0' ? from + 1 : skipDigits(from);
    if (*from == '.') {
        if (!isDigit(*++from))
            return nullptr;
        from = skipDigits(from);
    }
    if (*from == 'e' || *from == 'E') {
        ++from;
        if (*from == '+' || *from == '-')
            ++from;
        if (!isDigit(*from))
            return nullptr;
        from = skipDigits(from);
    }
    return from;
}

std::optional<double> toDouble(std::string_view number)
{
    double value = 0;
    const auto [rest, problem]
        = std::from_chars(number.data(), number.data() + number.size(), value);
    if (problem == std::errc())
        return value;
    const Decimal decimal = readDecimal(number);
    if (!isBelowOne(decimal))
        return {};
    return decimal.isNegative ? -0.0 : 0.0;
}

std::optional<std::int64_t> toInteger(std::string_view number)
{
    constexpr std::int64_t mostDigits = 19; // of 64 bits with a sign
    const Decimal decimal = readDecimal(number);
    std::string digits(decimal.isNegative ? "-" : "");
    digits += decimal.whole;
    digits += decimal.fraction;
    const std::size_t last = digits.find_last_of("123456789");
    if (last == std::string::npos)
        return 0;
    const auto dropped = static_cast<std::int64_t>(digits.size() - last - 1);
    const std::int64_t zeros
        = decimal.exponent - static_cast<std::int64_t>(decimal.fraction.size()) + dropped;
    if (zeros < 0 || zeros >= mostDigits)
        return {};
    digits.resize(last + 1);
    digits.append(static_cast<std::size_t>(zeros), '0');
    std::int64_t value = 0;
    const auto [rest, problem]
        = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (problem != std::errc())
        return {};
    return value;
}

} // namespace gatehouse::json
