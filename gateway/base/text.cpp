// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace gatehouse {

namespace {

constexpr std::size_t longestComparedWord = 64;

/// One row of Unicode 15, table 3-7: the ranges of the first and the second byte of a sequence.
struct Utf8Form
{
    std::uint8_t first, last;
    std::uint8_t secondFirst, secondLast;
    std::size_t size;
};
constexpr auto utf8Forms = std::to_array<Utf8Form>({{0xc2, 0xdf, 0x80, 0xbf, 2},
                                                    {0xe0, 0xe0, 0xa0, 0xbf, 3},
                                                    {0xe1, 0xec, 0x80, 0xbf, 3},
                                                    {0xed, 0xed, 0x80, 0x9f, 3},
                                                    {0xee, 0xef, 0x80, 0xbf, 3},
                                                    {0xf0, 0xf0, 0x90, 0xbf, 4},
                                                    {0xf1, 0xf3, 0x80, 0xbf, 4},
                                                    {0xf4, 0xf4, 0x80, 0x8f, 4}});

/// Bytes of the well-formed sequence that begins here, 0 where it is none.
std::size_t utf8SequenceSize(std::string_view text)
{
    const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    if (byte(0) < 0x80)
        return 1;
    const auto form = std::ranges::find_if(utf8Forms, [&](const Utf8Form &candidate) {
        return byte(0) >= candidate.first && byte(0) <= candidate.last;
    });
    if (form == utf8Forms.end() || text.size() < form->size || byte(1) < form->secondFirst
        || byte(1) > form->secondLast)
        return 0;
    for (std::size_t i = 2; i < form->size; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    }
    return form->size;
}

} // namespace

std::string toHex(std::span<const std::uint8_t> bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 0xf];
    }
    return text;
}

std::string toLowerAscii(std::string_view text)
{
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) { return toLowerAscii(c); });
    return lower;
}

bool equalsIgnoreCase(std::string_view a, std::string_view b)
{
    return std::ranges::equal(
        a, b, [](char x, char y) { return toLowerAscii(x) == toLowerAscii(y); });
}

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    for (std::size_t at = text.find(separator); at != std::string_view::npos;
         at = text.find(separator, begin)) {
        parts.push_back(text.substr(begin, at - begin));
        begin = at + 1;
    }
    parts.push_back(text.substr(begin));
    return parts;
}

std::size_t editDistance(std::string_view a, std::string_view b)
{
    // Optimal string alignment; three rows are enough.
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

std::string didYouMean(std::string_view word, std::span<const std::string_view> candidates)
{
    if (word.size() > longestComparedWord)
        return {};
    const std::string lower = toLowerAscii(word);
    std::string_view nearest;
    std::size_t distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t found = editDistance(lower, toLowerAscii(candidate));
        if (found < distance && found < word.size()) {
            distance = found;
            nearest = candidate;
        }
    }
    return nearest.empty() ? std::string() : "; did you mean " + inQuotes(nearest) + "?";
}

std::string inQuotes(std::string_view text)
{
    constexpr std::size_t longest = 60;
    std::size_t size = std::min(text.size(), longest);
    while (size < text.size() && size > 0 && (static_cast<std::uint8_t>(text[size]) & 0xc0) == 0x80)
        --size; // not in the middle of a character
    std::string result = "\"";
    for (const char c : text.substr(0, size))
        result += isControl(c) ? '?' : c;
    result += size < text.size() ? "…\"" : "\"";
    return result;
}

std::size_t findInvalidUtf8(std::string_view text)
{
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t size = utf8SequenceSize(text.substr(at));
        if (size == 0)
            return at;
        at += size;
    }
    return std::string_view::npos;
}

} // namespace gatehouse
