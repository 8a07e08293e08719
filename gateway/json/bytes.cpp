// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/bytes.h"

#include "gateway/base/result.h"
#include "gateway/base/text.h"

namespace gatehouse::json {

namespace {

using Kind = Problem::Kind;

bool isBareControl(char c)
{
    return static_cast<unsigned char>(c) < 0x20;
}

/// Where the string ends whose opening quote is at \a quote, or why it does not.
Result<std::size_t, Problem> findClosingQuote(std::string_view text, std::size_t quote)
{
    constexpr std::string_view letters = "\"\\/bfnrtu"; // behind a backslash
    for (std::size_t at = quote + 1; at < text.size(); ++at) {
        if (isBareControl(text[at]))
            return Unexpected(Problem{Kind::ControlCharacter, at});
        if (text[at] == '"')
            return at;
        if (text[at] != '\\' || at + 1 == text.size() || isBareControl(text[at + 1]))
            continue;
        if (letters.find(text[at + 1]) == std::string_view::npos)
            return Unexpected(Problem{Kind::BadEscape, at});
        ++at;
    }
    return Unexpected(Problem{Kind::UnclosedString, quote});
}

} // namespace

std::optional<Problem> findByteProblem(std::string_view text)
{
    if (text.starts_with("\xef\xbb\xbf"))
        return Problem{Kind::ByteOrderMark, 0};
    if (const std::size_t bad = findInvalidUtf8(text); bad != std::string_view::npos)
        return Problem{Kind::BadUtf8, bad};
    if (text.find_first_not_of(" \n\r\t") == std::string_view::npos)
        return Problem{Kind::Empty, text.size()};
    std::size_t at = text.find('"');
    while (at != std::string_view::npos) {
        const auto end = findClosingQuote(text, at);
        if (!end)
            return end.error();
        at = text.find('"', *end + 1);
    }
    return {};
}

} // namespace gatehouse::json
