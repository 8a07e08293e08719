// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// The bytes that \a text stands for, where it is the one text that an encoder makes of them: full
/// padding, no white space, unused bits 0. RFC 4648 §4 and §3.5.
[[nodiscard]] std::optional<std::string> base64Decoded(std::string_view text);
/// The same in the alphabet of RFC 4648 §5 and without padding, as JOSE writes it (RFC 7515 §2).
[[nodiscard]] std::optional<std::string> base64UrlDecoded(std::string_view text);

} // namespace gatehouse
