// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/dialects/dialect.h"

namespace gatehouse {

namespace {

/// The name of the google.rpc.Code that maps to \a status; the nearest one where none does.
/// github.com/googleapis/googleapis, google/rpc/code.proto, 2026-11-23.
std::string_view rpcStatus(int status)
{
    switch (status) {
    case 401:
        return "UNAUTHENTICATED";
    case 403:
        return "PERMISSION_DENIED";
    case 404:
        return "NOT_FOUND";
    case 409:
        return "ABORTED";
    case 429:
        return "RESOURCE_EXHAUSTED";
    case 502:
    case 503:
        return "UNAVAILABLE";
    case 408:
    case 504:
        return "DEADLINE_EXCEEDED";
    default:
        return status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
    }
}

class Gemini final : public Dialect
{
public:
    [[nodiscard]] std::string_view name() const override { return "gemini"; }
    [[nodiscard]] bool takesKeyFromQuery() const override { return true; }

    [[nodiscard]] CredentialHeader credentialHeader(std::string_view /*credential*/) const override
    {
        return {.name = "x-goog-api-key", .prefix = {}};
    }

    /// google.rpc.ErrorInfo takes upper-case reasons only; ours is in x-gatehouse-reason.
    [[nodiscard]] std::string
    errorBody(int status, std::string_view /*reason*/, std::string_view message) const override
    {
        return R"({"error":{"code":)" + std::to_string(status) + R"(,"message":)"
               + jsonString(message) + R"(,"status":)" + jsonString(rpcStatus(status)) + "}}";
    }
};

} // namespace

const Dialect &geminiDialect()
{
    static const Gemini dialect;
    return dialect;
}

} // namespace gatehouse
