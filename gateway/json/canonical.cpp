// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/canonical.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace gatehouse::json {

namespace {

/// Digits without zeros around them and the power of ten of the last one: 1.50e3 is 15e2. An exponent
/// beyond all reason stays as it is written.
void appendNumber(std::string &out, std::string_view number)
{
    const std::string_view written = number;
    const bool isNegative = number.starts_with('-');
    number.remove_prefix(isNegative ? 1 : 0);
    std::int64_t exponent = 0;
    if (const std::size_t e = number.find_first_of("eE"); e != std::string_view::npos) {
        std::string_view digits = number.substr(e + 1);
        digits.remove_prefix(digits.starts_with('+') ? 1 : 0);
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
        constexpr std::int64_t most = std::int64_t{1} << 40;
        if (read.ec != std::errc() || exponent > most || exponent < -most) {
            out.append(1, '#').append(written).append(1, ';');
            return;
        }
        number = number.substr(0, e);
    }
    const std::size_t point = number.find('.');
    std::string digits(number.substr(0, point));
    if (point != std::string_view::npos) {
        digits += number.substr(point + 1);
        exponent -= static_cast<std::int64_t>(number.size() - point - 1);
    }
    const std::size_t last = digits.find_last_not_of('0');
    if (last == std::string::npos) {
        out += isNegative ? "#-0;" : "#0;";
        return;
    }
    exponent += static_cast<std::int64_t>(digits.size() - last - 1);
    digits.resize(last + 1);
    digits.erase(0, digits.find_first_not_of('0'));
    out.append(isNegative ? "#-" : "#").append(digits).append(1, 'e');
    out.append(std::to_string(exponent)).append(1, ';');
}

} // namespace

void appendCanonical(std::string &out, std::string_view text)
{
    out.append(1, '"').append(std::to_string(text.size())).append(1, ':').append(text);
}

std::vector<Member> sortedMembers(Value object)
{
    std::vector<Member> members;
    members.reserve(object.size());
    for (const Member &member : object.members())
        members.push_back(member);
    std::ranges::sort(members, {}, &Member::name);
    return members;
}

void appendCanonical(std::string &out, Value value)
{
    switch (value.kind()) {
    case Kind::Null:
        out += 'n';
        return;
    case Kind::Boolean:
        out += *value.boolean() ? 't' : 'f';
        return;
    case Kind::Number:
        appendNumber(out, value.sourceText());
        return;
    case Kind::String:
        appendCanonical(out, *value.text());
        return;
    case Kind::Array:
        out += '[';
        for (const Value element : value.elements())
            appendCanonical(out, element);
        out += ']';
        return;
    case Kind::Object:
        out += '{';
        for (const Member &member : sortedMembers(value)) {
            appendCanonical(out, member.name);
            appendCanonical(out, member.value);
        }
        out += '}';
        return;
    }
}

} // namespace gatehouse::json
