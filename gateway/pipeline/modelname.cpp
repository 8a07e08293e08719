// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/modelname.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse {

namespace {

constexpr std::size_t longestModel = 256;

/// What trimming functions take off: Unicode's White_Space beyond ASCII, U+200B and U+FEFF.
constexpr auto whiteSpace = std::to_array<std::string_view>(
    {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
     "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
     "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"});

bool isAscii(char c)
{
    return static_cast<unsigned char>(c) < 0x80;
}

constexpr char passedOver = '\0'; ///< as a NUL is, which names that matter do not hold

constexpr auto foldedLetters = [] {
    std::array<char, 256> letters{};
    for (std::size_t i = 0; i < letters.size(); ++i)
        letters[i] = toLowerAscii(static_cast<char>(i));
    letters['_'] = passedOver;
    letters['-'] = passedOver;
    return letters;
}();

bool hasSpaceAround(std::string_view text)
{
    if (text.front() == ' ' || text.back() == ' ')
        return true;
    if (isAscii(text.front()) && isAscii(text.back()))
        return false;
    return std::ranges::any_of(whiteSpace, [text](std::string_view space) {
        return text.starts_with(space) || text.ends_with(space);
    });
}

bool hasEscape(std::string_view text)
{
    for (std::size_t at = text.find('%'); at != std::string_view::npos;
         at = text.find('%', at + 1)) {
        if (at + 2 < text.size() && hexValue(text[at + 1]) >= 0 && hexValue(text[at + 2]) >= 0)
            return true;
    }
    return false;
}

/// A provider that makes a URL of the name would end somewhere else.
bool hasDotSegment(std::string_view text)
{
    if (text.find("./") == std::string_view::npos && text.find("/.") == std::string_view::npos)
        return text == "." || text == "..";
    const auto segments = split(text, '/');
    return std::ranges::any_of(
        segments, [](std::string_view segment) { return segment == "." || segment == ".."; });
}

} // namespace

FoldedName::FoldedName(std::string_view name)
    : m_isWhole(name.size() <= m_letters.size())
{
    if (!m_isWhole)
        name.remove_prefix(name.size() - m_letters.size());
    for (std::size_t i = 0; i < name.size(); ++i) {
        char letter = foldedLetters[static_cast<unsigned char>(name[i])];
        if (letter == passedOver)
            continue;
        if (!isAscii(letter)) {
            if (name.substr(i, 2) == "\u017f") {
                letter = 's';
                i += 1;
            } else if (name.substr(i, 3) == "\u212a") {
                letter = 'k';
                i += 2;
            }
        }
        m_letters[m_size++] = letter;
    }
}

bool FoldedName::mayMatter(std::string_view name)
{
    if (name.size() < 5)
        return false;
    const char last = name.back();
    const char beforeLast = name[name.size() - 2];
    const auto isFolded = [](char c) { return c == '_' || c == '-' || !isAscii(c); };
    if (isFolded(last) || isFolded(beforeLast))
        return true;
    const char second = toLowerAscii(beforeLast);
    switch (toLowerAscii(last)) {
    case 'l': // model
        return second == 'e';
    case 's': // models, modelids, modelnames, tools, plugins
        return second == 'l' || second == 'd' || second == 'e' || second == 'n';
    case 'd': // modelid
        return second == 'i';
    case 'e': // modelname
        return second == 'm';
    default: // none ends so
        return false;
    }
}

bool FoldedName::isModel() const
{
    const std::string_view name = text();
    if (name.size() < 5)
        return false;
    switch (name.back()) {
    case 'l':
        return name.ends_with("model");
    case 's':
        return name.ends_with("models") || name.ends_with("modelids")
               || name.ends_with("modelnames");
    case 'd':
        return name.ends_with("modelid");
    case 'e':
        return name.ends_with("modelname");
    default: // none ends so
        return false;
    }
}

bool isPlainModel(std::string_view model)
{
    if (model.empty() || model.size() > longestModel || hasSpaceAround(model))
        return false;
    if (std::ranges::any_of(model, isControl)
        || model.find_first_of("?#\\") != std::string_view::npos)
        return false;
    return !hasEscape(model) && !hasDotSegment(model)
           && findInvalidUtf8(model) == std::string_view::npos;
}

} // namespace gatehouse
