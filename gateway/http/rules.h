// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"

namespace gatehouse::http {

/// What a head that Beast could read has to fulfil besides, so that it has exactly one meaning:
/// fills in the derived members. Where it refuses, the message must not be passed on.
[[nodiscard]] Result<void> applyRequestRules(RequestHead &request);
[[nodiscard]] Result<void> applyResponseRules(ResponseHead &response,
                                              std::string_view requestMethod);

/// False for fields that frame, route, authenticate or say how to read the content. RFC 9110 §6.5.1.
[[nodiscard]] bool mayBeTrailer(const Field &field);

/// The host of `host [ ":" port ]`, brackets of an IP literal kept; nullopt where it is not of that
/// form. RFC 9110 §4.2, RFC 3986 §3.2.2; userinfo is refused.
[[nodiscard]] std::optional<std::string_view> hostOfAuthority(std::string_view authority);

/// A segment of one or two dots, however they and the slashes around them are written. Refused in
/// requests, and in what is put together of their parts.
[[nodiscard]] bool hasDotSegment(std::string_view path);

} // namespace gatehouse::http
