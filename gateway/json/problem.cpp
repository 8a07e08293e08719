// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/problem.h"

#include <string_view>

namespace gatehouse::json {

namespace {

std::string_view describe(Problem::Kind kind)
{
    using Kind = Problem::Kind;
    switch (kind) {
    case Kind::Empty:
        return "there is no JSON value";
    case Kind::TooLong:
        return "the JSON text is too long";
    case Kind::TooDeep:
        return "arrays and objects are nested too deeply";
    case Kind::TooManyValues:
        return "there are too many values";
    case Kind::ByteOrderMark:
        return "there is a byte order mark before the JSON value";
    case Kind::BadUtf8:
        return "there is a byte that is not UTF-8";
    case Kind::ControlCharacter:
        return "there is a control character in a string, which must be escaped";
    case Kind::UnclosedString:
        return "a string is never closed";
    case Kind::BadEscape:
        return "there is an escape in a string that JSON does not have";
    case Kind::LoneSurrogate:
        return "an escape is half of a surrogate pair";
    case Kind::BadNumber:
        return "a number is not written as JSON wants it";
    case Kind::ValueExpected:
        return "a value is expected";
    case Kind::NameExpected:
        return "the name of a member in double quotes is expected";
    case Kind::ColonExpected:
        return "a colon is expected";
    case Kind::CommaExpected:
        return "a comma or the end of the array or object is expected";
    case Kind::Unfinished:
        return "the JSON text ends before its value does";
    case Kind::TrailingBytes:
        return "something follows the JSON value";
    case Kind::DuplicateName:
        return "a name comes twice in one object";
    }
    return {};
}

} // namespace

std::string Problem::message() const
{
    return std::string(describe(kind)) + ", at byte " + std::to_string(offset);
}

} // namespace gatehouse::json
