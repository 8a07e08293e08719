// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/match/pattern.h"

#include "gateway/base/text.h"

#include <re2/re2.h>

#include <algorithm>

namespace gatehouse {

namespace {

using re2::RE2;
using re2::StringPiece;

/// For the program and the automata that matching builds. A pattern in a configuration needs a few
/// KiB; where the automata outgrow this, RE2 matches on without them, slower but still in linear time.
constexpr std::int64_t memoryLimit = std::int64_t{1} << 20;

RE2::Options re2Options(PatternOptions options)
{
    RE2::Options compiled;
    // In UTF-8 no `.` matches a byte that is not well-formed, and paths and fields are bytes.
    compiled.set_encoding(RE2::Options::EncodingLatin1);
    compiled.set_dot_nl(true);
    compiled.set_case_sensitive(!options.ignoreCase);
    compiled.set_max_mem(memoryLimit);
    compiled.set_log_errors(false);
    return compiled;
}

Unexpected<Error> malformed(std::string_view problem, std::string_view where)
{
    std::string context = "must be a regular expression in RE2's syntax: ";
    context += problem;
    if (!where.empty())
        context += " at " + inQuotes(where);
    return Unexpected(Error{ErrorCode::ConfigInvalid, std::move(context)});
}

std::string_view problemOf(RE2::ErrorCode code)
{
    switch (code) {
    case RE2::ErrorBadEscape:
        return "unknown escape";
    case RE2::ErrorBadCharClass:
    case RE2::ErrorBadCharRange: // also what it calls an unknown name of a class
        return "a class that is not known, or a range that ends before it begins";
    case RE2::ErrorMissingBracket:
        return "a ] is missing";
    case RE2::ErrorMissingParen:
        return "a ) is missing";
    case RE2::ErrorUnexpectedParen:
        return "a ) without its (";
    case RE2::ErrorTrailingBackslash:
        return "a backslash at the end";
    case RE2::ErrorRepeatArgument:
        return "nothing to repeat";
    case RE2::ErrorRepeatSize:
        return "more repetitions than 1000, or the greater number first";
    case RE2::ErrorRepeatOp:
        return "a repetition of a repetition";
    case RE2::ErrorBadPerlOp:
        return "look-around and other groups of Perl are not known";
    case RE2::ErrorBadUTF8:
        return "bytes beyond ASCII";
    case RE2::ErrorBadNamedCapture:
        return "a malformed name of a group";
    case RE2::ErrorPatternTooLarge:
        return "it is too large; use fewer or smaller repetitions";
    case RE2::NoError:
    case RE2::ErrorInternal:
        break;
    }
    return "RE2 failed on it";
}

bool isAscii(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool match(const RE2 &compiled, std::string_view text, RE2::Anchor anchor)
{
    const StringPiece piece(text.data(), text.size());
    return compiled.Match(piece, 0, piece.size(), anchor, nullptr, 0);
}

} // namespace

Pattern::Pattern(std::shared_ptr<const RE2> compiled)
    : m_compiled(std::move(compiled))
{}

Result<Pattern> Pattern::compile(std::string_view text, PatternOptions options)
{
    if (!isAscii(text))
        return malformed("a byte beyond ASCII; write it as \\xHH", {});
    auto compiled
        = std::make_shared<const RE2>(StringPiece(text.data(), text.size()), re2Options(options));
    if (!compiled->ok())
        return malformed(problemOf(compiled->error_code()), compiled->error_arg());
    return Pattern(std::move(compiled));
}

bool Pattern::matchesWhole(std::string_view text) const
{
    return match(*m_compiled, text, RE2::ANCHOR_BOTH);
}

bool Pattern::isFoundIn(std::string_view text) const
{
    return match(*m_compiled, text, RE2::UNANCHORED);
}

std::optional<std::vector<std::string_view>> Pattern::groups(std::string_view text) const
{
    const StringPiece piece(text.data(), text.size());
    // The first one is the whole match.
    std::vector<StringPiece> found(static_cast<std::size_t>(m_compiled->NumberOfCapturingGroups())
                                   + 1);
    if (!m_compiled->Match(
            piece, 0, piece.size(), RE2::ANCHOR_BOTH, found.data(), static_cast<int>(found.size())))
        return std::nullopt;
    std::vector<std::string_view> groups;
    groups.reserve(found.size() - 1);
    for (auto group = found.begin() + 1; group != found.end(); ++group)
        groups.emplace_back(group->data() == nullptr
                                ? std::string_view()
                                : std::string_view(group->data(), group->size()));
    return groups;
}

std::optional<std::string> Pattern::rewritten(std::string_view text) const
{
    const auto found = groups(text);
    if (!found)
        return std::nullopt;
    if (found->empty())
        return std::string(text);
    std::string joined;
    for (const std::string_view group : *found)
        joined += group;
    return joined;
}

} // namespace gatehouse
