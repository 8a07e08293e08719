// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse::http {

/// \a body, which is complete, without its codings; \a contentEncoding is the value of the field
/// (several fields: joined by a comma), empty where there is none. RFC 9110 §8.4.
///
/// Known are identity, gzip and x-gzip (RFC 1952), deflate (RFC 1950), br (RFC 7932) and zstd
/// (RFC 8878), each at most once and three at most. What readers could decode differently is
/// BodyEncoding: an unknown coding, truncation, a wrong checksum, bytes behind the end, a second gzip
/// member or zstd frame (some read the first only), deflate without its zlib wrapper, dictionaries.
///
/// BodyNotInspectable as soon as a coding yields more than \a limit bytes. Memory stays below about
/// twice the limit and a window of 16 MiB (br) or 8 MiB (zstd, RFC 9659).
[[nodiscard]] Result<std::string>
decodeContent(std::string_view contentEncoding, std::string_view body, std::size_t limit);

} // namespace gatehouse::http
