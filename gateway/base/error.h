// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

/// Whose doing an error is.
enum class Source : std::uint8_t { Client, Gateway, Provider };

/// Everything that can go wrong with an exchange: the rows of errors.def.
enum class ErrorCode : std::uint8_t {
#define X(code, reason, status, source, retryable, what) code,
#include "gateway/base/errors.def"
#undef X
};

/// The fixed part of an error: one per ErrorCode.
struct ErrorInfo
{
    std::string_view reason; ///< value of x-gatehouse-reason, audit reason and metric label
    int status = 500;        ///< HTTP status; 499 is recorded, never sent
    Source source = Source::Gateway;
    bool retryable = false; ///< the same request may succeed later
    std::string_view what;  ///< what happened, a sentence without its full stop
};

[[nodiscard]] const ErrorInfo &errorInfo(ErrorCode code);
[[nodiscard]] std::string_view sourceName(Source source);

/// What went wrong, as a value. `context` says where and what to do; it is shown to the user, so it
/// never holds a key, a credential or a body.
struct Error
{
    ErrorCode code = ErrorCode::Internal;
    std::string context;

    [[nodiscard]] const ErrorInfo &info() const { return errorInfo(code); }
    /// "what: context", for logs and answers.
    [[nodiscard]] std::string message() const;
};

} // namespace gatehouse
