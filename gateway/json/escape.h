// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/json/problem.h"
#include "gateway/json/value.h"

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::json {

/// Appends to \a out what the string at \a inner of \a text means, its quotes left out. RFC 8259 §7.
/// \a text has Tape::padding bytes behind it, and a quote behind \a inner.
[[nodiscard]] std::optional<Problem>
appendUnescaped(std::string &out, std::string_view text, Range inner);

} // namespace gatehouse::json
