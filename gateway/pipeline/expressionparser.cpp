// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/expressionparser.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <algorithm>
#include <array>

namespace gatehouse {

namespace {

using Part = ExpressionPart;

constexpr std::string_view known
    = "attributes.headers['…'], attributes.queryParams['…'], attributes.requestPath, "
      "attributes.method, attributes.remoteAddress, texts in quotes, ++ and parentheses";
constexpr std::size_t deepest = 32;

bool isSpace(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool isNameChar(char c)
{
    return isAlphanumeric(c) || c == '_';
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && isSpace(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && isSpace(text.back()))
        text.remove_suffix(1);
    return text;
}

void appendUtf8(std::string &text, std::uint32_t codePoint)
{
    const auto push = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (codePoint < 0x80) {
        push(codePoint);
    } else if (codePoint < 0x800) {
        push(0xC0 | codePoint >> 6);
        push(0x80 | (codePoint & 0x3F));
    } else {
        push(0xE0 | codePoint >> 12);
        push(0x80 | (codePoint >> 6 & 0x3F));
        push(0x80 | (codePoint & 0x3F));
    }
}

/// Reads the inside of `#[…]` by recursive descent. The first problem ends it.
class Parser
{
public:
    /// \a offset of \a body in the whole text.
    Parser(std::string_view body, std::size_t offset)
        : m_body(body)
        , m_offset(offset)
    {}

    Result<std::vector<Part>> parse()
    {
        parseSum();
        skipSpace();
        if (m_problem.empty() && m_at < m_body.size())
            reportUnknown();
        if (!m_problem.empty())
            return Unexpected(Error{ErrorCode::ConfigInvalid, m_problem});
        return std::move(m_parts);
    }

private:
    void report(std::size_t at, const std::string &problem)
    {
        if (m_problem.empty())
            m_problem = problem + " at character " + std::to_string(m_offset + at + 1);
    }

    void reportUnknown()
    {
        if (m_at >= m_body.size())
            return report(m_at, "the expression ends too early");
        std::size_t end = m_at;
        while (end < m_body.size() && (isNameChar(m_body[end]) || m_body[end] == '.'))
            ++end;
        const std::string_view word = m_body.substr(m_at, std::max<std::size_t>(end - m_at, 1));
        report(m_at, inQuotes(word) + " is not evaluated");
        m_problem.append("; only ").append(known).append(" are");
    }

    void skipSpace()
    {
        while (m_at < m_body.size() && isSpace(m_body[m_at]))
            ++m_at;
    }

    /// Skips white space and, where it is there, the token.
    bool accept(std::string_view token)
    {
        skipSpace();
        if (!m_body.substr(m_at).starts_with(token))
            return false;
        m_at += token.size();
        return true;
    }

    std::string_view readName()
    {
        skipSpace();
        const std::size_t begin = m_at;
        while (m_at < m_body.size() && isNameChar(m_body[m_at]))
            ++m_at;
        return m_body.substr(begin, m_at - begin);
    }

    void parseSum()
    {
        do {
            parseTerm();
        } while (m_problem.empty() && accept("++"));
    }

    void parseTerm()
    {
        skipSpace();
        const char first = m_at < m_body.size() ? m_body[m_at] : '\0';
        if (first == '(')
            return parseGroup();
        if (first == '\'' || first == '"') {
            std::string literal = readLiteral();
            return add({Part::Kind::Literal, std::move(literal)});
        }
        parseAttribute();
    }

    void parseGroup()
    {
        const std::size_t begin = m_at++;
        if (++m_depth > deepest)
            return report(begin, "too many parentheses");
        parseSum();
        if (m_problem.empty() && !accept(")")) {
            if (m_at < m_body.size())
                reportUnknown();
            else
                report(begin, "the ) is missing of the (");
        }
        --m_depth;
    }

    void parseAttribute()
    {
        struct Attribute
        {
            std::string_view name;
            Part::Kind kind;
        };
        static constexpr auto table
            = std::to_array<Attribute>({{"headers", Part::Kind::Header},
                                        {"queryParams", Part::Kind::Parameter},
                                        {"requestPath", Part::Kind::Path},
                                        {"method", Part::Kind::Method},
                                        {"remoteAddress", Part::Kind::Address}});
        const std::size_t begin = m_at;
        const auto found = readName() == "attributes" && accept(".")
                               ? std::ranges::find(table, readName(), &Attribute::name)
                               : table.end();
        if (found == table.end()) {
            m_at = begin;
            return reportUnknown();
        }
        Part part{found->kind};
        if (part.kind == Part::Kind::Header || part.kind == Part::Kind::Parameter)
            part.text = readSelector(begin);
        skipSpace();
        // A selector of a text: attributes.method[0], attributes.requestPath.size.
        if (m_at < m_body.size() && (m_body[m_at] == '[' || m_body[m_at] == '.'))
            reportUnknown();
        if (part.kind == Part::Kind::Header && !http::isToken(part.text))
            report(begin, inQuotes(part.text) + " is no name of a header");
        add(std::move(part));
    }

    /// `['name']`; \a begin is where the attribute begins.
    std::string readSelector(std::size_t begin)
    {
        if (!accept("[")) {
            report(begin, "this needs a name, as in attributes.headers['x-name']");
            return {};
        }
        skipSpace();
        if (m_at >= m_body.size() || (m_body[m_at] != '\'' && m_body[m_at] != '"')) {
            reportUnknown();
            return {};
        }
        std::string name = readLiteral();
        if (m_problem.empty() && !accept("]"))
            reportUnknown();
        return name;
    }

    std::string readLiteral()
    {
        const std::size_t begin = m_at;
        const char quote = m_body[m_at++];
        std::string text;
        while (m_problem.empty()) {
            if (m_at >= m_body.size()) {
                report(begin, "the text has no closing quote");
                break;
            }
            const char c = m_body[m_at];
            if (c == quote) {
                ++m_at;
                break;
            }
            if (c == '$' && startsInterpolation(m_body.substr(m_at + 1)))
                report(m_at,
                       "$ for a value within a text is not evaluated; use ++, or \\$ for a $");
            else if (c == '\\')
                readEscape(text);
            else {
                text += c;
                ++m_at;
            }
        }
        if (std::ranges::any_of(text, isControl))
            report(begin, "a text must not have control characters or line breaks");
        return text;
    }

    /// `$(…)`, `$name` and `$$` stand for values in DataWeave.
    static bool startsInterpolation(std::string_view rest)
    {
        return !rest.empty()
               && (rest.front() == '(' || rest.front() == '$' || isNameChar(rest.front()));
    }

    void readEscape(std::string &text)
    {
        const std::size_t begin = m_at++;
        const char c = m_at < m_body.size() ? m_body[m_at++] : '\0';
        constexpr std::string_view themselves = "\\'\"`$/";
        constexpr std::string_view controls = "nrtbf";
        if (themselves.find(c) != std::string_view::npos)
            text += c;
        else if (controls.find(c) != std::string_view::npos)
            report(begin, "a text must not have control characters or line breaks");
        else if (c == 'u')
            readCodePoint(begin, text);
        else
            report(begin, "unknown escape");
    }

    void readCodePoint(std::size_t begin, std::string &text)
    {
        constexpr std::string_view digits = "0123456789abcdef";
        std::uint32_t codePoint = 0;
        for (int i = 0; i < 4; ++i, ++m_at) {
            const std::size_t digit = m_at < m_body.size() ? digits.find(toLowerAscii(m_body[m_at]))
                                                           : std::string_view::npos;
            if (digit == std::string_view::npos)
                return report(begin, "\\u needs four hexadecimal digits");
            codePoint = codePoint << 4 | static_cast<std::uint32_t>(digit);
        }
        if (codePoint >= 0xD800 && codePoint < 0xE000)
            return report(begin,
                          "\\u must not be half of a surrogate pair; write the character itself");
        appendUtf8(text, codePoint);
    }

    void add(Part part)
    {
        if (part.kind == Part::Kind::Literal && !m_parts.empty()
            && m_parts.back().kind == Part::Kind::Literal)
            m_parts.back().text += part.text;
        else
            m_parts.push_back(std::move(part));
    }

    std::string_view m_body;
    std::size_t m_offset;
    std::size_t m_at = 0;
    std::size_t m_depth = 0;
    std::vector<Part> m_parts;
    std::string m_problem;
};

} // namespace

Result<std::vector<ExpressionPart>> parseExpression(std::string_view text)
{
    constexpr std::string_view opening = "#[";
    const auto invalid = [](std::string problem) {
        return Unexpected(Error{ErrorCode::ConfigInvalid, std::move(problem)});
    };
    const std::string_view inner = trimmed(text);
    if (inner.starts_with(opening)) {
        if (!inner.ends_with(']'))
            return invalid("the ] is missing at the end of #[");
        const std::string_view body
            = inner.substr(opening.size(), inner.size() - opening.size() - 1);
        return Parser(body, static_cast<std::size_t>(body.data() - text.data())).parse();
    }
    if (const std::size_t at = text.find(opening); at != std::string_view::npos)
        return invalid("an expression must be the whole value, but #[ stands at character "
                       + std::to_string(at + 1));
    if (std::ranges::any_of(text, isControl))
        return invalid("must not contain control characters or line breaks");
    return std::vector<Part>{{Part::Kind::Literal, std::string(text)}};
}

} // namespace gatehouse
