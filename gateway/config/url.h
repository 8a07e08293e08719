// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

struct BaseUrl
{
    bool tls = false;
    std::string host; ///< lower case, IPv6 without brackets
    std::uint16_t port = 0;
    std::string path; ///< "" or "/v1": never with a last slash

    bool operator==(const BaseUrl &) const = default;
};

/// `http://` or `https://`, a host, optionally a port and a path. Refused are userinfo, query,
/// fragment, percent-encoding, empty and dot segments: all that two readers may read differently.
/// ConfigInvalid with "must …" as its context. After RFC 3986 §3.
[[nodiscard]] Result<BaseUrl> parseBaseUrl(std::string_view text);

/// What is wrong with a path of whole segments, such as /openai/v1: "must …"; empty where nothing is.
[[nodiscard]] std::string pathProblem(std::string_view path);

/// Value of the Host header: the scheme's default port left out, IPv6 in brackets.
[[nodiscard]] std::string authorityOf(const BaseUrl &url);

} // namespace gatehouse
