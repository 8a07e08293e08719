// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/base/pathsegments.h"
#include "gateway/dialects/dialect.h"

#include <array>

namespace gatehouse {

namespace {

/// docs.claude.com/en/api/errors, 2026-11-23: other 4xx are invalid_request_error.
std::string_view errorType(int status)
{
    switch (status) {
    case 401:
        return "authentication_error";
    case 402:
        return "billing_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 413:
        return "request_too_large";
    case 429:
        return "rate_limit_error";
    case 504:
        return "timeout_error";
    case 529:
        return "overloaded_error";
    default:
        return status < 500 ? "invalid_request_error" : "api_error";
    }
}

// Anthropic's API reference and SDK 1.12, Messages, Message Batches and Managed Agents, 2026-11-23.

constexpr auto contentPlaces
    = std::to_array<std::string_view>({"/metadata",
                                       "/messages/*/content/*/input",
                                       "/tools/*/input_schema",
                                       "/tools/*/input_examples",
                                       "/output_config/format",
                                       "/tools/*/function", // by the OpenAI-compatible interface
                                       "/response_format",
                                       "/requests/*/params/metadata",
                                       "/requests/*/params/messages/*/content/*/input",
                                       "/requests/*/params/tools/*/input_schema",
                                       "/requests/*/params/tools/*/input_examples",
                                       "/requests/*/params/output_config/format"});
constexpr auto modelPointers
    = std::to_array<std::string_view>({"/model", "/requests/*/params/model"});
/// An agent has its models with the vendor; the fallbacks "default" are those that it chooses.
constexpr auto hiddenPlaces = std::to_array<std::string_view>({"/agent",
                                                               "/agent/id",
                                                               "/agent_id",
                                                               "/deployment_id",
                                                               "/fallbacks",
                                                               "/requests/*/params/fallbacks"});

/// Requests with POST that store or stop something.
constexpr auto endpointsWithoutModel = std::to_array<std::string_view>(
    {"files", "messages/batches/*/cancel", "skills", "skills/*/versions"});

/// Those of them that take a file.
constexpr auto uploadEndpoints
    = std::to_array<std::string_view>({"files", "skills", "skills/*/versions"});

bool needsNoModel(std::string_view path)
{
    return isEndpoint(path, endpointsWithoutModel);
}

bool storesBytes(std::string_view path)
{
    return isEndpoint(path, uploadEndpoints);
}

class Anthropic final : public Dialect
{
public:
    [[nodiscard]] std::string_view name() const override { return "anthropic"; }

    /// An OAuth token (`sk-ant-oat…`, from `claude setup-token`) is only taken as a bearer, which is
    /// how Claude Code sends it (2.1.330, 2026-11-23).
    [[nodiscard]] CredentialHeader credentialHeader(std::string_view credential) const override
    {
        if (credential.starts_with("sk-ant-oat"))
            return {.name = "Authorization", .prefix = "Bearer "};
        return {.name = "x-api-key", .prefix = {}};
    }

    [[nodiscard]] ModelPlaces modelPlaces() const override
    {
        return {.content = contentPlaces,
                .pointers = modelPointers,
                .hidden = hiddenPlaces,
                .needsNone = &needsNoModel,
                .storesBytes = &storesBytes};
    }

    /// The vendor's shape has no place for a reason; it is in x-gatehouse-reason.
    [[nodiscard]] std::string
    errorBody(int status, std::string_view /*reason*/, std::string_view message) const override
    {
        return R"({"type":"error","error":{"type":)" + jsonString(errorType(status))
               + R"(,"message":)" + jsonString(message) + R"(},"request_id":null})";
    }
};

} // namespace

const Dialect &anthropicDialect()
{
    static const Anthropic dialect;
    return dialect;
}

} // namespace gatehouse
