// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/json/problem.h"

#include <optional>
#include <string_view>

namespace gatehouse::json {

/// What is wrong with the bytes of \a text before any grammar: the byte order mark, UTF-8, strings,
/// in this order, or that there is nothing. For texts that are refused, to say why: simdjson says no
/// place, and not all of its implementations find the same fault first.
[[nodiscard]] std::optional<Problem> findByteProblem(std::string_view text);

} // namespace gatehouse::json
