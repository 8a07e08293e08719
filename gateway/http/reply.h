// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::http {

/// An answer that is the gateway's own.
struct OwnReply
{
    int status = 500;
    std::string_view reason = {}; ///< value of x-gatehouse-reason; empty: without
    std::string_view contentType
        = "application/json"; ///< empty: it is among the fields, or there is none
    std::string_view body = {};
    std::string_view requestId = {}; ///< value of x-gatehouse-request-id; empty: without
    bool cannotBeMended = false; ///< the same request again gets the same answer: x-should-retry
    bool toHead = false;         ///< the body is announced, not sent
    bool keepAlive = false;
    std::span<const Field> fields = {}; ///< further ones, none that frames the message
    bool hasFieldsOfStatus = false;     ///< addFieldsOfStatus was called for `fields` already
    /// The body is server-sent events: sent in chunks, one for each event, so to HTTP/1.1 clients only.
    bool streams = false;
    std::optional<std::uint64_t> cutAfter
        = {}; ///< bytes of the body, then nothing more; close after it
};

/// Adds what an answer of ours with this status says besides, unless \a fields has it: WWW-Authenticate
/// (401), Retry-After (503 that can be mended), Allow (405), and x-should-retry.
void addFieldsOfStatus(int status, bool cannotBeMended, std::vector<Field> &fields);

/// Head and body, ready for the wire.
[[nodiscard]] std::string ownReply(const OwnReply &reply);

} // namespace gatehouse::http
