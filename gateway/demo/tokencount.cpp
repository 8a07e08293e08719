// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/tokencount.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <tuple>

namespace gatehouse::demo {

namespace {

constexpr std::size_t longestPiece = 4;

bool isSpace(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool isWord(char c)
{
    return isAlphanumeric(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

std::size_t codePointLength(char lead)
{
    const auto byte = static_cast<unsigned char>(lead);
    if (byte < 0xc0)
        return 1;
    if (byte < 0xe0)
        return 2;
    return byte < 0xf0 ? 3 : 4;
}

std::size_t skipSpace(std::string_view text, std::size_t at)
{
    while (at < text.size() && isSpace(text[at]))
        ++at;
    return at;
}

/// \a at: a character that is no white space.
std::size_t skipPiece(std::string_view text, std::size_t at)
{
    if (!isWord(text[at]))
        return at + 1;
    const std::size_t begin = at;
    while (at < text.size() && isWord(text[at])) {
        const std::size_t next = std::min(at + codePointLength(text[at]), text.size());
        if (next - begin > longestPiece)
            break;
        at = next;
    }
    return at;
}

} // namespace

std::string_view takeToken(std::string_view &rest)
{
    std::size_t end = skipSpace(rest, 0);
    if (end < rest.size())
        end = skipSpace(rest, skipPiece(rest, end));
    const std::string_view token = rest.substr(0, end);
    rest.remove_prefix(end);
    return token;
}

std::size_t countTokens(std::string_view text)
{
    text.remove_prefix(skipSpace(text, 0));
    std::size_t count = 0;
    for (; !text.empty(); ++count)
        std::ignore = takeToken(text);
    return count;
}

std::string_view firstTokens(std::string_view text, std::size_t count)
{
    std::string_view rest = text;
    while (count-- > 0 && !rest.empty())
        std::ignore = takeToken(rest);
    return text.substr(0, text.size() - rest.size());
}

} // namespace gatehouse::demo
