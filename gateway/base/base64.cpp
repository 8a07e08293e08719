// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/base64.h"

#include <array>
#include <cstdint>

namespace gatehouse {

namespace {

constexpr std::uint8_t noDigit = 0xff;
using Digits = std::array<std::uint8_t, 256>;

constexpr Digits digitsOf(std::string_view alphabet)
{
    Digits digits{};
    digits.fill(noDigit);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        digits[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return digits;
}

constexpr Digits standardDigits
    = digitsOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
constexpr Digits urlDigits
    = digitsOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

/// \a text without padding.
std::optional<std::string> decoded(std::string_view text, const Digits &digits)
{
    if (text.size() % 4 == 1)
        return {};
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::uint8_t digit = digits[static_cast<std::uint8_t>(c)];
        if (digit == noDigit)
            return {};
        bits = bits << 6 | digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> count & 0xff);
        }
    }
    if ((bits & ((1U << count) - 1)) != 0)
        return {};
    return bytes;
}

} // namespace

std::optional<std::string> base64Decoded(std::string_view text)
{
    if (text.size() % 4 != 0)
        return {};
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding)
        text.remove_suffix(1);
    return decoded(text, standardDigits);
}

std::optional<std::string> base64UrlDecoded(std::string_view text)
{
    return decoded(text, urlDigits);
}

} // namespace gatehouse
