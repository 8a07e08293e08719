// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"

#include <optional>
#include <string>
#include <string_view>

// What browsers say of the web page that sends a request: the Fetch standard's sections "Origin header"
// and "CORS protocol".

namespace gatehouse::http {

/// "must …" where \a text is no origin for a list: as browsers write it (HTML standard, "ASCII
/// serialization of an origin"), `*.` before a host for all names below it, `*`, or `null`.
[[nodiscard]] std::string listedOriginProblem(std::string_view text);

/// True where \a listed, which has no problem, names the origin itself or by `*.`; `*` names none.
[[nodiscard]] bool namesOrigin(std::string_view listed, std::string_view origin);

/// The fields by which a browser asks. Views into the request.
struct CorsRequest
{
    std::optional<std::string_view> origin;
    std::optional<std::string_view> method; ///< Access-Control-Request-Method
    std::string headers;      ///< Access-Control-Request-Headers, all fields of that name joined
    bool isMalformed = false; ///< a field that may come once comes twice, or is no token
};
[[nodiscard]] CorsRequest readCorsRequest(const RequestHead &request);

} // namespace gatehouse::http
