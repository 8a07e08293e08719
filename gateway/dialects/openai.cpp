// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/dialects/dialect.h"

namespace gatehouse {

namespace {

/// The SDKs choose their class by the status alone; the type is for people and logs. 401, 403 and 404
/// are invalid_request_error there too. developers.openai.com, "Error codes" and the `Error` schema
/// of openapi.yaml, 2026-11-23.
std::string_view errorType(int status)
{
    if (status == 429)
        return "rate_limit_error";
    if (status == 503)
        return "service_unavailable_error";
    return status < 500 ? "invalid_request_error" : "server_error";
}

class OpenAi final : public Dialect
{
public:
    [[nodiscard]] std::string_view name() const override { return "openai"; }

    [[nodiscard]] CredentialHeader credentialHeader(std::string_view /*credential*/) const override
    {
        return {.name = "Authorization", .prefix = "Bearer "};
    }

    [[nodiscard]] std::string
    errorBody(int status, std::string_view reason, std::string_view message) const override
    {
        return R"({"error":{"message":)" + jsonString(message) + R"(,"type":)"
               + jsonString(errorType(status)) + R"(,"param":null,"code":)" + jsonString(reason)
               + "}}";
    }
};

} // namespace

const Dialect &openaiDialect()
{
    static const OpenAi dialect;
    return dialect;
}

} // namespace gatehouse
