// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/match/glob.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::size_t longestGlob = 1000;

Unexpected<Error> malformed(std::string_view problem)
{
    return Unexpected(Error{ErrorCode::ConfigInvalid, std::string(problem)});
}

void appendLiteral(std::string &pattern, char c)
{
    constexpr std::string_view digits = "0123456789abcdef";
    if (isAlphanumeric(c)) {
        pattern += c;
        return;
    }
    const auto byte = static_cast<unsigned char>(c);
    pattern += "\\x";
    pattern += digits[byte >> 4];
    pattern += digits[byte & 15];
}

} // namespace

Glob::Glob(Pattern pattern)
    : m_pattern(std::move(pattern))
{}

Result<Glob> Glob::parse(std::string_view text, Kind kind)
{
    if (text.empty())
        return malformed("must not be empty; * stands for everything");
    if (text.size() > longestGlob)
        return malformed("must be at most 1000 bytes long");
    const std::string_view one = kind == Kind::Path ? "[^/]" : ".";
    std::string pattern;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '?') {
            pattern += one;
        } else if (text[i] != '*') {
            appendLiteral(pattern, text[i]);
        } else {
            const std::size_t stars = std::min(text.find_first_not_of('*', i), text.size()) - i;
            pattern += stars > 1 ? "." : one;
            pattern += '*';
            i += stars - 1;
        }
    }
    auto compiled = Pattern::compile(pattern);
    if (!compiled)
        return malformed("must be simpler: " + compiled.error().context);
    return Glob(std::move(*compiled));
}

} // namespace gatehouse
