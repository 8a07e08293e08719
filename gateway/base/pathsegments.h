// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace gatehouse {

/// Appends the segment behind each that is one of \a markers ("models", in any case, as some servers
/// route), slashes in a row taken as one.
void appendSegmentsBehind(std::string_view path,
                          std::span<const std::string_view> markers,
                          std::vector<std::string_view> &found);

/// True where one of the path's segments is \a segment, in any case.
[[nodiscard]] bool hasSegment(std::string_view path, std::string_view segment);

/// True where \a path is one of \a patterns, "uploads/*/parts", behind nothing but what APIs are
/// mounted at: a version, "openai", "api". Compared exactly: what is not the vendor's own way of
/// writing it is another endpoint. A `*` stands for something without a colon within a segment that is
/// not the first: "*", "*:cancel", "sha256:*".
[[nodiscard]] bool isEndpoint(std::string_view path, std::span<const std::string_view> patterns);

} // namespace gatehouse
