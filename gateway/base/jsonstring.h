// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace gatehouse {

/// \a text as a JSON string with its quotes, for a document written by hand. RFC 8259 §7; a byte that
/// is not well-formed UTF-8 becomes U+FFFD.
[[nodiscard]] std::string jsonString(std::string_view text);

} // namespace gatehouse
