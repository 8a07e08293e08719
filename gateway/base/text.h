// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

[[nodiscard]] constexpr char toLowerAscii(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool isAlphanumeric(char c)
{
    return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// C0 controls and DEL.
[[nodiscard]] constexpr bool isControl(char c)
{
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// 0 to 15; -1 where \a c is no hexadecimal digit of either case.
[[nodiscard]] constexpr int hexValue(char c)
{
    const char lower = toLowerAscii(c);
    return isDigit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Two lower-case digits for each byte.
[[nodiscard]] std::string toHex(std::span<const std::uint8_t> bytes);

[[nodiscard]] std::string toLowerAscii(std::string_view text);
[[nodiscard]] bool equalsIgnoreCase(std::string_view a, std::string_view b);

/// The parts between the separators, empty ones too; one part for an empty text.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

/// Levenshtein's distance over bytes, swapped neighbours counting once.
[[nodiscard]] std::size_t editDistance(std::string_view a, std::string_view b);
/// `; did you mean "x"?` for the nearest of the candidates, empty where none is near.
[[nodiscard]] std::string didYouMean(std::string_view word,
                                     std::span<const std::string_view> candidates);

/// The text in double quotes for a message: controls as `?`, cut after 60 bytes.
[[nodiscard]] std::string inQuotes(std::string_view text);

/// Offset of the first byte that is not well-formed UTF-8 (Unicode 15, table 3-7), else npos.
[[nodiscard]] std::size_t findInvalidUtf8(std::string_view text);

} // namespace gatehouse
