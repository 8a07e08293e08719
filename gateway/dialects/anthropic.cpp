// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/base/pathsegments.h"
#include "gateway/dialects/dialect.h"

#include <algorithm>
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

/// Puts what \a told has in the place of what is known. Where the writes are told as a sum that is not
/// the sum of the parts known, as those of an event before, the sum is believed and 1h is cut to it.
void readInput(const json::Value &told, Usage &usage)
{
    if (const Usage::Tokens input = tokensOf(told, "input_tokens"))
        usage.input = input;
    if (const Usage::Tokens read = tokensOf(told, "cache_read_input_tokens"))
        usage.cacheRead = read;
    if (const auto parts = told.find("cache_creation")) {
        if (const Usage::Tokens written = tokensOf(*parts, "ephemeral_5m_input_tokens"))
            usage.cacheWrite5m = written;
        if (const Usage::Tokens written = tokensOf(*parts, "ephemeral_1h_input_tokens"))
            usage.cacheWrite1h = written;
    }
    if (const Usage::Tokens written = tokensOf(told, "cache_creation_input_tokens")) {
        if (usage.cacheWrite1h)
            usage.cacheWrite1h = std::min(*usage.cacheWrite1h, *written);
        usage.cacheWrite5m = *written - usage.cacheWrite1h.value_or(0);
    }
}

/// message_start, whose output_tokens are none of the answer's: a stream that is cut has told no output.
bool readStart(const json::Value &told, AnswerUsage &answer)
{
    answer.comesInParts = true;
    readInput(told, answer.usage);
    return true;
}

/// Of message_delta, with what has changed since, cumulative; or of a whole message. Others have a member
/// of that name too, but none with a cache beside the input.
bool readUsage(const json::Value &told, AnswerUsage &answer)
{
    const bool isOwn
        = !told.find("prompt_tokens")
          && (told.find("cache_read_input_tokens") || told.find("cache_creation_input_tokens"));
    if (!isOwn && !answer.comesInParts)
        return false;
    readInput(told, answer.usage);
    if (const Usage::Tokens output = tokensOf(told, "output_tokens"))
        answer.usage.output = output;
    const auto details = told.find("output_tokens_details");
    if (const Usage::Tokens thinking
        = details ? tokensOf(*details, "thinking_tokens") : Usage::Tokens())
        answer.usage.reasoning = thinking;
    if (answer.usage.reasoning && answer.usage.output)
        answer.usage.reasoning = std::min(*answer.usage.reasoning, *answer.usage.output);
    return true;
}

bool readStopReason(const json::Value &reason, AnswerUsage &answer)
{
    answer.isFinished = answer.isFinished || reason.text().has_value();
    return true;
}

constexpr auto usageMembers = std::to_array<UsagePlace>({
    {"/message/usage", &readStart},
    {"/message/model", &readModel},
    {"/usage", &readUsage},
    {"/model", &readModel},
    {"/delta/stop_reason", &readStopReason},
});
constexpr auto lastEvents = std::to_array<std::string_view>({"message_stop"});

// The second one is of the Text Completions API.
constexpr auto outputCaps
    = std::to_array<std::string_view>({"/max_tokens", "/max_tokens_to_sample"});
constexpr auto pathsWithoutOutput = std::to_array<std::string_view>({"/messages/count_tokens"});

constexpr auto turnLists = std::to_array<std::string_view>({"messages"});
constexpr auto modelRoles = std::to_array<std::string_view>({"assistant"});
/// Of the blocks of a turn. What the model thought is worded anew each time.
constexpr auto passingMembers = std::to_array<std::string_view>(
    {"id", "tool_use_id", "cache_control", "signature", "thinking"});
constexpr auto dataMembers = std::to_array<std::string_view>({"input"});

constexpr auto statelessEndpoints
    = std::to_array<std::string_view>({"complete", "messages", "messages/count_tokens"});
constexpr auto stateMembers = std::to_array<std::string_view>({"container", "mcp_servers"});
constexpr auto providerTools = std::to_array<std::string_view>({"code_execution", "mcp_toolset"});

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

    [[nodiscard]] UsagePlaces usagePlaces() const override
    {
        return {.members = usageMembers, .lastEvents = lastEvents};
    }

    /// The vendor's shape has no place for a reason; it is in x-gatehouse-reason.
    [[nodiscard]] std::string
    errorBody(int status, std::string_view /*reason*/, std::string_view message) const override
    {
        return R"({"type":"error","error":{"type":)" + jsonString(errorType(status))
               + R"(,"message":)" + jsonString(message) + R"(},"request_id":null})";
    }

    [[nodiscard]] TurnPlaces turnPlaces() const override
    {
        return {.lists = turnLists,
                .modelRoles = modelRoles,
                .passing = passingMembers,
                .data = dataMembers};
    }

    [[nodiscard]] StatelessPlaces statelessPlaces() const override
    {
        return {.endpoints = statelessEndpoints, .state = stateMembers, .tools = providerTools};
    }

    [[nodiscard]] OutputPlaces outputPlaces() const override
    {
        return {.caps = outputCaps, .withoutOutput = pathsWithoutOutput};
    }

protected:
    [[nodiscard]] std::string errorEvent(std::string_view path,
                                         int status,
                                         std::string_view reason,
                                         std::string_view message) const override
    {
        return "event: error\n" + Dialect::errorEvent(path, status, reason, message);
    }
};

} // namespace

const Dialect &anthropicDialect()
{
    static const Anthropic dialect;
    return dialect;
}

} // namespace gatehouse
