// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gatehouse::json {

/// Why a text was refused, and where. Holds nothing of the text, so it may be logged and shown.
struct Problem
{
    enum class Kind : std::uint8_t {
        Empty,            ///< nothing, or white space alone
        TooLong,          ///< longer than Document::longestText
        TooDeep,          ///< Limits::maxDepth
        TooManyValues,    ///< Limits::maxNodes
        ByteOrderMark,    ///< U+FEFF at the front
        BadUtf8,          ///< not well-formed UTF-8 (Unicode 15, table 3-7), anywhere
        ControlCharacter, ///< a byte below 0x20 in a string, not escaped
        UnclosedString,   ///< offset: its opening quote
        BadEscape,        ///< a backslash before something RFC 8259 §7 does not list
        LoneSurrogate,    ///< an escape that is half of a pair
        BadNumber,        ///< begins as a number, and is none; NaN and Infinity are ValueExpected
        ValueExpected,
        NameExpected,
        ColonExpected,
        CommaExpected, ///< a comma, or the end of the container
        Unfinished,    ///< the text ends inside a container
        TrailingBytes, ///< something follows the value
        DuplicateName, ///< offset: the later of the two; names are compared unescaped
    };

    Kind kind = Kind::Empty;
    std::size_t offset = 0; ///< in bytes, from 0

    /// "a name comes twice in one object, at byte 17".
    [[nodiscard]] std::string message() const;

    bool operator==(const Problem &) const = default;
};

} // namespace gatehouse::json
