// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse::http {

/// tchar of RFC 9110 §5.6.2.
[[nodiscard]] bool isTokenChar(char c);
[[nodiscard]] bool isToken(std::string_view text);
/// Without the SP and HTAB at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);
/// The first byte that is not white space says that a lenient reader would find JSON here, an object or
/// an array: after a byte order mark, and in UTF-16 or UTF-32, which some readers tell from the zeros.
[[nodiscard]] bool looksLikeJson(std::string_view text);
/// True where text in this charset is UTF-8: that, under each name in use, or a part of it.
[[nodiscard]] bool isUtf8Charset(std::string_view charset);
/// 1 to 18 digits and nothing else, so that it can never overflow.
[[nodiscard]] std::optional<std::uint64_t> parseDecimal(std::string_view text);

/// Calls \a use with each element of a comma-separated list, empty ones too, until it returns false.
/// Returns false if it did. RFC 9110 §5.6.1.
template<typename Use>
bool forEachListElement(std::string_view list, Use use)
{
    for (;;) {
        const std::size_t comma = list.find(',');
        if (!use(trimmed(list.substr(0, comma))))
            return false;
        if (comma == std::string_view::npos)
            return true;
        list.remove_prefix(comma + 1);
    }
}

} // namespace gatehouse::http
