// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::http {

/// One part of a form, as views of the body: their place in it is what a splice needs.
struct FormPart
{
    std::string_view name;                    ///< not empty, UTF-8 without controls
    std::optional<std::string_view> filename; ///< there: the part is a file, to some not if empty
    std::string_view contentType;             ///< as written, empty where there is none
    std::string_view content;
};

/// The boundary of a multipart/form-data Content-Type. BodyEncoding where there is not exactly one of
/// 1 to 70 of the characters of RFC 2046 §5.1.1, or where another charset than UTF-8 is named.
[[nodiscard]] Result<std::string> multipartBoundary(std::string_view contentType);

/// The parts of a complete multipart/form-data body (RFC 2046 §5.1, RFC 7578), in linear time.
///
/// BodyEncoding for whatever two readers could read differently: anything before the first boundary
/// or on its line; anything after the last one but a CRLF; a boundary in the middle of a line or
/// after a bare LF or CR; a part without exactly one Content-Disposition with exactly one name; folded
/// lines; backslashes in quoted values; name*, and filename* where no filename stands beside it, as .NET
/// writes both; transfer encodings, charsets and parts of
/// parts that change what a field says. BodyNotInspectable over 1000 parts or 8 KiB of a part's head.
[[nodiscard]] Result<std::vector<FormPart>> parseMultipart(std::string_view body,
                                                           std::string_view boundary);

} // namespace gatehouse::http
