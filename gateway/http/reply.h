// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::http {

/// An answer that is the gateway's own.
struct OwnReply
{
    int status = 500;
    std::string_view reason = {}; ///< value of x-gatehouse-reason; empty: without
    std::string_view contentType = "application/json";
    std::string_view body = {};
    std::string_view requestId = {}; ///< value of x-gatehouse-request-id; empty: without
    bool cannotBeMended = false; ///< the same request again gets the same answer: x-should-retry
    bool toHead = false;         ///< the body is announced, not sent
    bool keepAlive = false;
};

/// Head and body, ready for the wire.
[[nodiscard]] std::string ownReply(const OwnReply &reply);

} // namespace gatehouse::http
