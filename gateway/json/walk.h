// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/json/document.h"
#include "gateway/json/names.h"
#include "gateway/json/tape.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gatehouse::json {

/// Reads the tokens of \a text into \a tape, whose text it is and whose nodes are empty, and measures
/// them. \a structurals: of Structurals::find. After a problem \a tape and \a measures are of no use.
[[nodiscard]] std::optional<Problem> walk(std::string_view text,
                                          std::span<const std::uint32_t> structurals,
                                          const Limits &limits,
                                          Tape &tape,
                                          Measures &measures,
                                          NameCheck &names);

} // namespace gatehouse::json
