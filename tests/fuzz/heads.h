// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace gatehouse::http {

inline void require(bool holds)
{
    if (!holds)
        std::abort();
}

/// Length of the one head at the front of \a text, 0 where there is none; the same however the bytes
/// come: at once, cut into two, or one by one.
inline std::size_t scannedLength(std::string_view text)
{
    using Outcome = HeadScanner::Outcome;
    HeadScanner atOnce;
    const Outcome expected = atOnce.scan(text);
    const auto requireSame = [&](std::size_t step) {
        HeadScanner scanner;
        Outcome outcome = Outcome::NeedMore;
        for (std::size_t size = 0; outcome == Outcome::NeedMore && size < text.size();) {
            size = std::min(text.size(), size + step);
            outcome = scanner.scan(text.substr(0, size));
        }
        require(outcome == expected);
        require(outcome != Outcome::Complete || scanner.length() == atOnce.length());
    };
    requireSame(1);
    requireSame(text.size() / 2 + 1);
    if (!text.empty())
        requireSame(static_cast<unsigned char>(text.front()) % 16 + 2);
    return expected == Outcome::Complete ? atOnce.length() : 0;
}

/// \a written is one head: lines without controls, each with its CRLF, of \a head's fields.
inline void requireLinesOf(std::string_view written, const Head &head)
{
    require(scannedLength(written) == written.size());
    std::size_t lines = 0;
    for (std::size_t i = 0; i < written.size(); ++i) {
        const char c = written[i];
        if (c == '\r')
            require(i + 1 < written.size() && written[i + 1] == '\n');
        else if (c == '\n')
            ++lines;
        else
            require(c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'));
    }
    require(lines == head.fields.size() + 2);
}

/// Everything of \a part lies within \a whole.
inline void requireWithin(std::string_view part, std::string_view whole)
{
    require(part.empty()
            || (part.data() >= whole.data()
                && part.data() + part.size() <= whole.data() + whole.size()));
}

inline void requireWithin(const std::vector<Field> &fields, std::string_view whole)
{
    for (const Field &field : fields) {
        require(!field.name.empty());
        requireWithin(field.name, whole);
        requireWithin(field.value, whole);
    }
}

} // namespace gatehouse::http
