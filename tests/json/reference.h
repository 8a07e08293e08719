// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/json/document.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>

/// A second reader, short and slow, that knows nothing of the one it is compared with. Both write
/// what they understood as one line for each value: where it is, and what it says.
namespace reference {

using namespace gatehouse::json;

inline std::string line(char kind, Range source, std::string_view content)
{
    return std::string(1, kind) + ' ' + std::to_string(source.offset) + '+'
           + std::to_string(source.length) + ' ' + std::string(content) + '\n';
}

/// The C locale is expected.
inline std::string numberText(std::optional<double> value)
{
    char text[40] = "beyond";
    if (value)
        std::snprintf(text, sizeof(text), "%a", *value);
    return text;
}

class Reader
{
public:
    explicit Reader(std::string_view text, std::size_t maxDepth)
        : m_text(text)
        , m_maxDepth(maxDepth)
    {}

    /// None for what is to be refused.
    std::optional<std::string> read()
    {
        skipSpace();
        if (!value(0))
            return {};
        skipSpace();
        return m_at == m_text.size() ? std::optional(m_lines) : std::nullopt;
    }

private:
    [[nodiscard]] int peek(std::size_t ahead = 0) const
    {
        return m_at + ahead < m_text.size() ? static_cast<unsigned char>(m_text[m_at + ahead]) : -1;
    }
    bool take(std::string_view word)
    {
        const bool isThere = m_text.substr(m_at).starts_with(word);
        m_at += isThere ? word.size() : 0;
        return isThere;
    }
    void skipSpace()
    {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')
            ++m_at;
    }
    [[nodiscard]] Range since(std::size_t begin) const { return {begin, m_at - begin}; }

    bool value(std::size_t depth)
    {
        const std::size_t begin = m_at;
        if (peek() == '{' || peek() == '[')
            return depth < m_maxDepth && container(depth, peek() == '{');
        if (peek() == '"') {
            std::string content;
            if (!string(content))
                return false;
            m_lines += line('s', since(begin), content);
            return true;
        }
        for (const std::string_view word : {"null", "true", "false"}) {
            if (take(word)) {
                m_lines += line('w', since(begin), word);
                return true;
            }
        }
        return number();
    }

    bool container(std::size_t depth, bool isObject)
    {
        const char *const brackets = isObject ? "{}" : "[]";
        const std::size_t begin = m_at++;
        m_lines += line(brackets[0], {begin, 1}, "");
        std::set<std::string> names;
        skipSpace();
        if (!take({brackets + 1, 1})) {
            for (;;) {
                skipSpace();
                if (isObject && !name(names))
                    return false;
                if (!value(depth + 1))
                    return false;
                skipSpace();
                if (take({brackets + 1, 1}))
                    break;
                if (!take(","))
                    return false;
            }
        }
        m_lines += line(brackets[1], since(begin), "");
        return true;
    }

    bool name(std::set<std::string> &names)
    {
        const std::size_t begin = m_at;
        std::string content;
        if (peek() != '"' || !string(content) || !names.insert(content).second)
            return false;
        m_lines += line('n', since(begin), content);
        skipSpace();
        if (!take(":"))
            return false;
        skipSpace();
        return true;
    }

    bool digits()
    {
        const std::size_t begin = m_at;
        while (peek() >= '0' && peek() <= '9')
            ++m_at;
        return m_at > begin;
    }

    bool number()
    {
        const std::size_t begin = m_at;
        take("-");
        if (!take("0") && !digits())
            return false;
        if (take(".") && !digits())
            return false;
        if (take("e") || take("E")) {
            if (!take("+"))
                take("-");
            if (!digits())
                return false;
        }
        const std::string text(m_text.substr(begin, m_at - begin));
        const double value = std::strtod(text.c_str(), nullptr);
        m_lines += line(
            'd', since(begin), numberText(std::isinf(value) ? std::nullopt : std::optional(value)));
        return true;
    }

    bool string(std::string &out)
    {
        ++m_at;
        while (!take("\"")) {
            const int c = peek();
            if (c < 0x20)
                return false;
            if (c == '\\' ? !escape(out) : !codePoint(out))
                return false;
        }
        return true;
    }

    /// One character as it is, UTF-8 checked by its definition: decoded, then looked at.
    bool codePoint(std::string &out)
    {
        const int lead = peek();
        const int length = lead < 0x80   ? 1
                           : lead < 0xc0 ? 0
                           : lead < 0xe0 ? 2
                           : lead < 0xf0 ? 3
                                         : 4;
        static constexpr int smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        if (length == 0 || lead > 0xf7)
            return false;
        int point = length == 1 ? lead : lead & (0x7f >> length);
        for (int i = 1; i < length; ++i) {
            const int next = peek(static_cast<std::size_t>(i));
            if (next < 0 || (next & 0xc0) != 0x80)
                return false;
            point = point << 6 | (next & 0x3f);
        }
        if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return false;
        out += m_text.substr(m_at, static_cast<std::size_t>(length));
        m_at += static_cast<std::size_t>(length);
        return true;
    }

    bool escape(std::string &out)
    {
        static constexpr std::string_view letters = "\"\\/bfnrt";
        static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        ++m_at;
        const std::size_t which
            = peek() < 0 ? std::string_view::npos : letters.find(static_cast<char>(peek()));
        if (which != std::string_view::npos) {
            out += meanings[which];
            ++m_at;
            return true;
        }
        std::optional<unsigned> unit = hexUnit();
        if (!unit || (*unit >= 0xdc00 && *unit <= 0xdfff))
            return false;
        if (*unit >= 0xd800 && *unit <= 0xdfff) {
            const auto low = take("\\") ? hexUnit() : std::nullopt;
            if (!low || *low < 0xdc00 || *low > 0xdfff)
                return false;
            unit = 0x10000 + (*unit - 0xd800) * 0x400 + (*low - 0xdc00);
        }
        append(out, *unit);
        return true;
    }

    std::optional<unsigned> hexUnit()
    {
        if (!take("u"))
            return {};
        const std::string quad(m_text.substr(m_at, 4));
        if (quad.size() < 4
            || quad.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
            return {};
        m_at += 4;
        return static_cast<unsigned>(std::strtoul(quad.c_str(), nullptr, 16));
    }

    static void append(std::string &out, unsigned point)
    {
        const auto trail
            = [&](int shift) { out += static_cast<char>(0x80 + (point >> shift) % 64); };
        if (point < 0x80) {
            out += static_cast<char>(point);
        } else if (point < 0x800) {
            out += static_cast<char>(0xc0 + point / 64);
            trail(0);
        } else if (point < 0x10000) {
            out += static_cast<char>(0xe0 + point / 4096);
            trail(6);
            trail(0);
        } else {
            out += static_cast<char>(0xf0 + point / 262144);
            trail(12);
            trail(6);
            trail(0);
        }
    }

    std::string_view m_text;
    std::size_t m_maxDepth;
    std::size_t m_at = 0;
    std::string m_lines;
};

/// None where \a text is to be refused.
inline std::optional<std::string> understand(std::string_view text, std::size_t maxDepth = 512)
{
    return Reader(text, maxDepth).read();
}

/// What \a value says, in the same lines.
inline void describe(Value value, std::string &lines)
{
    switch (value.kind()) {
    case Kind::Null:
        lines += line('w', value.source(), "null");
        break;
    case Kind::Boolean:
        lines += line('w', value.source(), *value.boolean() ? "true" : "false");
        break;
    case Kind::Number:
        lines += line('d', value.source(), numberText(value.number()));
        break;
    case Kind::String:
        lines += line('s', value.source(), *value.text());
        break;
    case Kind::Array:
        lines += line('[', {value.source().offset, 1}, "");
        for (const Value element : value.elements())
            describe(element, lines);
        lines += line(']', value.source(), "");
        break;
    case Kind::Object:
        lines += line('{', {value.source().offset, 1}, "");
        for (const Member &member : value.members()) {
            lines += line('n', member.nameSource, member.name);
            describe(member.value, lines);
        }
        lines += line('}', value.source(), "");
        break;
    }
}

inline std::string describe(Value value)
{
    std::string lines;
    describe(value, lines);
    return lines;
}

/// The measures of \a value by going over it.
inline Measures measure(Value value)
{
    Measures all;
    const auto take = [&all](const Measures &inner) {
        all.depth = std::max(all.depth, inner.depth + 1);
        all.entries = std::max(all.entries, inner.entries);
        all.elements = std::max(all.elements, inner.elements);
        all.longestName = std::max(all.longestName, inner.longestName);
        all.longestString = std::max(all.longestString, inner.longestString);
    };
    if (value.isArray() || value.isObject())
        all.depth = 1;
    std::size_t elements = 0;
    for (const Value element : value.elements()) {
        take(measure(element));
        ++elements;
    }
    std::size_t entries = 0;
    for (const Member &member : value.members()) {
        take(measure(member.value));
        all.longestName = std::max(all.longestName, member.name.size());
        ++entries;
    }
    all.elements = std::max(all.elements, elements);
    all.entries = std::max(all.entries, entries);
    if (const auto text = value.text())
        all.longestString = text->size();
    return all;
}

} // namespace reference
