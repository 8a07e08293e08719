// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/json/value.h"

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::json {

/// Appends one form of all the ways to write \a value: members sorted by name, no white space, strings
/// unescaped behind their length, numbers by their exact decimal value. Two values have the same form
/// only where they are the same; it is no JSON. Linear but for the sorting; as deep as the document.
void appendCanonical(std::string &out, Value value);
/// For a string, or a name.
void appendCanonical(std::string &out, std::string_view text);
/// The members of \a object in the order of that form.
[[nodiscard]] std::vector<Member> sortedMembers(Value object);

} // namespace gatehouse::json
