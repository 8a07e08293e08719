// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/error.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace gatehouse {

/// A header that policies or the gateway bring along.
struct Header
{
    std::string name;
    std::string value;

    bool operator==(const Header &) const = default;
};

/// An answer that is the gateway's own.
struct Reply
{
    int status = 403;
    std::string reason;     ///< x-gatehouse-reason: "<type>" or "<type>:<detail>"
    std::string message;    ///< what happened and what to do; said in the route's dialect
    bool retryable = false; ///< the same request may succeed later; else x-should-retry: false
    std::vector<Header> headers = {};
    /// What is sent instead of the dialect's error: set by policies that answer for the provider.
    bool hasOwnBody = false;
    std::string body = {};
    std::string contentType = {}; ///< of a body; empty: JSON
    bool streams = false; ///< with hasOwnBody: sent as chunks, one for each event of the body

    /// The row of errors.def as an answer.
    [[nodiscard]] static Reply of(const Error &error)
    {
        const ErrorInfo &info = error.info();
        return {.status = info.status,
                .reason = std::string(info.reason),
                .message = error.message(),
                .retryable = info.retryable};
    }
};

/// Nothing stands against the request.
struct Continue
{};

/// The decision comes later, through the Resume that Exchange::pause() gave.
struct Pause
{};

/// The policy cannot decide: somebody it asks does not answer, a secret cannot be read. It refuses
/// with 503 `<type>:unavailable`, unless its owner set `onError: allow`. What the client did wrong is no such case: that is a Reply.
struct Undecided
{
    std::string message; ///< what happened and what to do; never holds a secret
};

/// What a policy says of a request.
using Verdict = std::variant<Continue, Pause, Reply, Undecided>;

} // namespace gatehouse
