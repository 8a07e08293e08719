// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/text.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>

namespace gatehouse::http {

namespace {

constexpr std::array<bool, 256> makeTokenTable()
{
    std::array<bool, 256> table{};
    for (unsigned char c :
         {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
        table[c] = true;
    for (unsigned c = '0'; c <= '9'; ++c)
        table[c] = true;
    for (unsigned c = 'a'; c <= 'z'; ++c)
        table[c] = table[c - 'a' + 'A'] = true;
    return table;
}

constexpr std::array<bool, 256> tokenTable = makeTokenTable();

} // namespace

bool isTokenChar(char c)
{
    return tokenTable[static_cast<unsigned char>(c)];
}

bool isToken(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), isTokenChar);
}

std::string_view trimmed(std::string_view text)
{
    const auto isBlank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && isBlank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && isBlank(text.back()))
        text.remove_suffix(1);
    return text;
}

bool looksLikeJson(std::string_view text)
{
    using namespace std::string_view_literals;
    const std::size_t first = text.find_first_not_of(" \t\r\n\f\v\0\xEF\xBB\xBF\xFE\xFF"sv);
    return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

bool isUtf8Charset(std::string_view charset)
{
    constexpr auto names = std::to_array<std::string_view>({"utf-8", "utf8", "us-ascii"});
    return std::any_of(names.begin(), names.end(), [charset](std::string_view name) {
        return equalsIgnoreCase(name, charset);
    });
}

std::optional<std::uint64_t> parseDecimal(std::string_view text)
{
    if (text.empty() || text.size() > 18)
        return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

} // namespace gatehouse::http
