// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/escape.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace gatehouse::json {

namespace {

using Word = std::uint64_t;

/// How many of the eight bytes at \a from come before a backslash.
std::size_t lengthWithoutBackslash(Word bytes)
{
    constexpr Word low7 = 0x7f7f7f7f7f7f7f7f;
    const Word zeroForBackslash = bytes ^ 0x5c5c5c5c5c5c5c5c;
    // The top bit of each byte that is zero, of no other.
    const Word found = ~(((zeroForBackslash & low7) + low7) | zeroForBackslash | low7);
    const int bits = std::endian::native == std::endian::little ? std::countr_zero(found)
                                                                : std::countl_zero(found);
    return static_cast<std::size_t>(bits) / 8;
}

/// What the letter behind a backslash stands for; 0 for none that does.
char simpleEscape(char letter)
{
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        return letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/// The four digits at \a from, fewer where something else comes first; -1 for these.
int hexQuad(const char *from)
{
    int unit = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hexValue(from[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

char *writeUtf8(char *to, int codePoint)
{
    const auto put = [&to](int byte) { *to++ = static_cast<char>(byte); };
    if (codePoint < 0x80) {
        put(codePoint);
    } else if (codePoint < 0x800) {
        put(0xc0 | codePoint >> 6);
        put(0x80 | (codePoint & 0x3f));
    } else if (codePoint < 0x10000) {
        put(0xe0 | codePoint >> 12);
        put(0x80 | (codePoint >> 6 & 0x3f));
        put(0x80 | (codePoint & 0x3f));
    } else {
        put(0xf0 | codePoint >> 18);
        put(0x80 | (codePoint >> 12 & 0x3f));
        put(0x80 | (codePoint >> 6 & 0x3f));
        put(0x80 | (codePoint & 0x3f));
    }
    return to;
}

class Unescaper
{
public:
    Unescaper(const char *from, const char *end, char *to)
        : m_from(from)
        , m_end(end)
        , m_to(to)
    {}

    /// Up to the end or to the first escape that is wrong, where from() stays.
    [[nodiscard]] std::optional<Problem::Kind> run()
    {
        for (;;) {
            copyPlain();
            if (m_from >= m_end)
                return {};
            if (const auto wrong = takeEscape())
                return wrong;
        }
    }
    [[nodiscard]] const char *from() const { return m_from; }
    [[nodiscard]] char *to() const { return m_to; }

private:
    /// Up to a backslash or the end. Reads and writes up to seven bytes beyond.
    void copyPlain()
    {
        while (m_from < m_end) {
            Word bytes = 0;
            std::memcpy(&bytes, m_from, sizeof(bytes));
            std::memcpy(m_to, &bytes, sizeof(bytes));
            const std::size_t plain = std::min<std::size_t>(
                lengthWithoutBackslash(bytes), static_cast<std::size_t>(m_end - m_from));
            m_from += plain;
            m_to += plain;
            if (plain < sizeof(bytes))
                return;
        }
    }

    [[nodiscard]] std::optional<Problem::Kind> takeEscape()
    {
        if (m_from[1] == 'u')
            return takeUnicode();
        const char meant = simpleEscape(m_from[1]);
        if (meant == 0)
            return Problem::Kind::BadEscape;
        *m_to++ = meant;
        m_from += 2;
        return {};
    }

    [[nodiscard]] std::optional<Problem::Kind> takeUnicode()
    {
        constexpr std::ptrdiff_t length = 6; // of \uXXXX
        const int unit = hexQuad(m_from + 2);
        if (unit < 0)
            return Problem::Kind::BadEscape;
        if (unit < 0xd800 || unit > 0xdfff) {
            m_to = writeUtf8(m_to, unit);
            m_from += length;
            return {};
        }
        const char *second = m_from + length;
        if (unit >= 0xdc00 || second[0] != '\\' || second[1] != 'u')
            return Problem::Kind::LoneSurrogate;
        const int low = hexQuad(second + 2);
        if (low < 0xdc00 || low > 0xdfff)
            return Problem::Kind::LoneSurrogate;
        m_to = writeUtf8(m_to, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        m_from += 2 * length;
        return {};
    }

    const char *m_from;
    const char *m_end;
    char *m_to;
};

} // namespace

std::optional<Problem> appendUnescaped(std::string &out, std::string_view text, Range inner)
{
    const std::size_t before = out.size();
    // No escape is shorter than what it means.
    out.resize(before + inner.length + sizeof(Word));
    const char *from = text.data() + inner.offset;
    Unescaper unescaper(from, from + inner.length, out.data() + before);
    const auto wrong = unescaper.run();
    out.resize(static_cast<std::size_t>(unescaper.to() - out.data()));
    if (wrong)
        return Problem{*wrong, static_cast<std::size_t>(unescaper.from() - text.data())};
    return {};
}

} // namespace gatehouse::json
