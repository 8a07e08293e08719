// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/base/pathsegments.h"
#include "gateway/dialects/dialect.h"
#include "gateway/usage/cost.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace gatehouse {

StatelessPlaces openaiStatelessPlaces(); // openaistateless.cpp
TurnPlaces openaiTurnPlaces();           // openaiturns.cpp

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

// OpenAI's openapi.yaml and SDK 7.57, OpenRouter's and Azure's API references, 2026-11-23.

constexpr auto contentPlaces
    = std::to_array<std::string_view>({"/metadata",
                                       "/messages/*/content/*/input",
                                       "/messages/*/tool_calls/*/function/arguments",
                                       "/input/*/arguments",
                                       "/input/*/tools/*/input_schema",
                                       "/tools/*/function",
                                       "/tools/*/input_schema",
                                       "/tool_choice",
                                       "/functions",
                                       "/response_format",
                                       "/text/format",
                                       "/prompt/variables",
                                       "/documents",
                                       "/attributes",
                                       "/filters",
                                       "/data_source/source/content"});
/// Those of forms and lists besides members that are called a model: a call's session is a part of a
/// form, data of one's own on Azure are embedded by a deployment. LiteLLM has three lists of fallbacks,
/// which it also takes as settings of its router.
constexpr auto modelPointers = std::to_array<std::string_view>(
    {"/model",
     "/session/model",
     "/engine",
     "/deployment",
     "/fallbacks",
     "/context_window_fallbacks",
     "/content_policy_fallbacks",
     "/router_settings_override/fallbacks",
     "/router_settings_override/context_window_fallbacks",
     "/router_settings_override/content_policy_fallbacks",
     "/data_sources/*/parameters/embedding_dependency/deployment_name"});
/// OpenRouter keeps presets, Mistral agents, with models of their own. LiteLLM's dictionary has one model
/// under the name of another.
constexpr auto hiddenPlaces
    = std::to_array<std::string_view>({"/preset", "/agent_id", "/context_window_fallback_dict"});
constexpr auto modelTools = std::to_array<std::string_view>({"image_generation",
                                                             "openrouter:image_generation",
                                                             "openrouter:advisor",
                                                             "openrouter:subagent",
                                                             "openrouter:fusion",
                                                             "fusion"});
constexpr auto modelParameters = std::to_array<std::string_view>({"deployment"});
/// Azure's machine learning endpoints choose the deployment by it.
constexpr auto modelHeaders = std::to_array<std::string_view>({"azureml-model-deployment"});

/// Requests with POST that store, change or stop something. None that another service takes for something
/// else: POST /conversations/{id} makes an answer at Mistral.
constexpr auto endpointsWithoutModel
    = std::to_array<std::string_view>({"batches/*/cancel",
                                       "containers",
                                       "containers/*/files",
                                       "conversations/*/items",
                                       "files",
                                       "fine_tuning/jobs/*/cancel",
                                       "fine_tuning/jobs/*/pause",
                                       "fine_tuning/jobs/*/resume",
                                       "realtime/calls/*/hangup",
                                       "realtime/calls/*/refer",
                                       "realtime/calls/*/reject",
                                       "responses/*/cancel",
                                       "threads/*/messages",
                                       "threads/*/messages/*",
                                       "threads/*/runs/*/cancel",
                                       "uploads",
                                       "uploads/*/cancel",
                                       "uploads/*/complete",
                                       "uploads/*/parts",
                                       "vector_stores/*/file_batches",
                                       "vector_stores/*/file_batches/*/cancel",
                                       "vector_stores/*/files",
                                       "vector_stores/*/files/*"});

/// Those of them that take a file.
constexpr auto uploadEndpoints
    = std::to_array<std::string_view>({"containers/*/files", "files", "uploads/*/parts"});

/// Those where others may name a model: POST /conversations at Mistral, the one that embeds in
/// POST /vector_stores at Llama Stack and LiteLLM. POST /threads/runs makes an answer: a thread's own
/// name tells it from that.
constexpr auto endpointsWithOptionalModel
    = std::to_array<std::string_view>({"assistants/*",
                                       "conversations",
                                       "evals/*",
                                       "responses/input_tokens",
                                       "threads",
                                       "threads/thread_*",
                                       "threads/*/runs/*/submit_tool_outputs",
                                       "vector_stores",
                                       "vector_stores/*",
                                       "vector_stores/*/search"});

constexpr auto sessionEndpoints = std::to_array<std::string_view>(
    {"realtime", "realtime/calls", "realtime/translations", "realtime/translations/calls"});

constexpr auto pathMarkers = std::to_array<std::string_view>({"deployments", "engines"});

/// Azure names the model in the path: /openai/deployments/{model}/chat/completions. So did OpenAI's
/// engines, and Hugging Face does behind /models/; but GET /models/{model} shows its card.
std::vector<std::string_view> modelsInPath(std::string_view path, bool isReading)
{
    std::vector<std::string_view> models;
    appendSegmentsBehind(path, pathMarkers, models);
    constexpr std::string_view marker = "/models/";
    const std::size_t at = isReading ? std::string_view::npos : path.find(marker);
    if (at != std::string_view::npos)
        models.push_back(path.substr(at + marker.size()));
    return models;
}

bool needsNoModel(std::string_view path)
{
    return isEndpoint(path, endpointsWithoutModel);
}

bool storesBytes(std::string_view path)
{
    return isEndpoint(path, uploadEndpoints);
}

bool mayNameNoModel(std::string_view path)
{
    return isEndpoint(path, endpointsWithOptionalModel);
}

/// A batch runs the lines of a file that was uploaded before; each names a model.
bool hidesModels(std::string_view path)
{
    return hasSegment(path, "batches");
}

/// A Realtime session keeps the model of its URL; a WebSocket to /responses names one in each frame.
bool isFixedByUrl(std::string_view path)
{
    return isEndpoint(path, sessionEndpoints);
}

Usage::Tokens tokensOf(const json::Value &object, std::initializer_list<std::string_view> names)
{
    for (const std::string_view name : names) {
        if (const Usage::Tokens tokens = gatehouse::tokensOf(object, name))
            return tokens;
    }
    return {};
}

/// The same in one of the objects \a within.
// Chat, Responses, Realtime.
constexpr auto promptDetails = std::to_array<std::string_view>(
    {"prompt_tokens_details", "input_tokens_details", "input_token_details"});
constexpr auto completionDetails = std::to_array<std::string_view>(
    {"completion_tokens_details", "output_tokens_details", "output_token_details"});

Usage::Tokens
detailOf(const json::Value &usage, std::span<const std::string_view> within, std::string_view name)
{
    for (const std::string_view member : within) {
        const auto details = usage.find(member);
        if (const Usage::Tokens tokens
            = details ? gatehouse::tokensOf(*details, name) : Usage::Tokens())
            return tokens;
    }
    return {};
}

/// xAI's in 10^-10 USD (docs.x.ai, "Cost tracking"), OpenRouter's in USD, 2026-11-23.
std::optional<std::int64_t> costOf(const json::Value &usage)
{
    constexpr std::int64_t ticks = 10'000;
    const auto told = usage.find("cost_in_usd_ticks");
    if (const auto cost = told ? told->integer() : std::nullopt; cost && *cost >= 0)
        return *cost / ticks + (*cost % ticks != 0 ? 1 : 0);
    const auto credits = usage.find("cost");
    return credits && credits->kind() == json::Kind::Number ? microUsd(credits->sourceText())
                                                            : std::nullopt;
}

/// The prompt's tokens include those of the cache, and those of the output the reasoning. Where the parts
/// are more than the whole, the whole is believed: they are cut to it. xAI, and Gemini at this interface,
/// leave the reasoning out of completion_tokens, but not out of the total.
void readTokens(const json::Value &told, Usage &usage)
{
    const Usage::Tokens prompt = tokensOf(told, {"prompt_tokens", "input_tokens"});
    Usage::Tokens read = detailOf(told, promptDetails, "cached_tokens");
    if (!read)
        read = tokensOf(told, {"prompt_cache_hit_tokens", "cached_tokens"}); // DeepSeek, Cohere
    Usage::Tokens written = detailOf(told, promptDetails, "cache_write_tokens");
    usage.input = prompt;
    if (prompt) {
        read = read ? std::min(*read, *prompt) : read;
        written = written ? std::min(*written, *prompt - read.value_or(0)) : written;
        usage.input = *prompt - read.value_or(0) - written.value_or(0);
    }
    usage.cacheRead = read;
    usage.cacheWrite5m = written;
    usage.cacheWrite1h = {};

    usage.output = tokensOf(told, {"completion_tokens", "output_tokens"});
    const Usage::Tokens total = gatehouse::tokensOf(told, "total_tokens");
    if (prompt && total && told.find("completion_tokens") && *total >= *prompt)
        usage.output = std::max(usage.output.value_or(0), *total - *prompt);
    usage.reasoning = detailOf(told, completionDetails, "reasoning_tokens");
    if (usage.output && usage.reasoning)
        usage.reasoning = std::min(*usage.reasoning, *usage.output);
}

/// Of the whole family: Cohere has its counts one level below, those that are billed for beside all.
/// Cumulative where each event has one.
bool readUsage(const json::Value &told, AnswerUsage &answer)
{
    if (!told.isObject())
        return false;
    if (const auto cost = costOf(told))
        answer.usage.reportedMicroUsd = cost;
    answer.isFinished = true;
    for (const std::string_view name : {"billed_units", "tokens"}) {
        const auto units = told.find(name);
        if (units && units->isObject()) {
            readTokens(*units, answer.usage);
            return true;
        }
    }
    // A transcription may be told in seconds, which are no tokens.
    if (tokensOf(told, {"prompt_tokens", "input_tokens", "completion_tokens", "output_tokens"}))
        readTokens(told, answer.usage);
    return true;
}

/// A choice of a stream's event, and its end: the usage in an event with unfinished choices is not final.
bool readChoice(const json::Value & /*index*/, AnswerUsage &answer)
{
    ++answer.openChoices;
    return true;
}

bool readFinishReason(const json::Value &reason, AnswerUsage &answer)
{
    answer.openChoices -= reason.text() ? 1 : 0;
    return true;
}

// OpenAI's openapi.yaml and SDK 7.57; Groq's SDK 1.6; Cohere's SDK 8.1 and API reference, 2026-11-23.

constexpr auto usageMembers = std::to_array<UsagePlace>({
    {"/usage", &readUsage},
    {"/response/usage", &readUsage},
    {"/x_groq/usage", &readUsage},
    {"/delta/usage", &readUsage},       // Cohere, message-end
    {"/meta/billed_units", &readUsage}, // Cohere, embeddings
    {"/model", &readModel},
    {"/response/model", &readModel},
    {"/choices/*/index", &readChoice},
    {"/choices/*/finish_reason", &readFinishReason},
});
/// And [DONE], which is no type.
constexpr auto lastEvents = std::to_array<std::string_view>(
    {"response.completed", "response.incomplete", "response.failed", "message-end"});

// OpenAI's openapi.yaml, the parameters of llama.cpp's server, of Hugging Face's text generation and of
// Cohere's v1, 2026-11-23. They include the reasoning.

constexpr auto outputCaps = std::to_array<std::string_view>({"/max_completion_tokens",
                                                             "/max_tokens",
                                                             "/max_output_tokens",
                                                             "/n_predict",
                                                             "/parameters/max_new_tokens"});
constexpr auto outputChoices
    = std::to_array<std::string_view>({"/n",
                                       "/best_of",
                                       "/n_cmpl",
                                       "/num_generations",
                                       "/parameters/best_of",
                                       "/parameters/num_return_sequences"});
constexpr auto outputLists = std::to_array<std::string_view>({"/prompt"});
constexpr auto pathsWithoutOutput = std::to_array<std::string_view>({"/embeddings",
                                                                     "/embed",
                                                                     "/rerank",
                                                                     "/moderations",
                                                                     "/responses/input_tokens",
                                                                     "/tokenize",
                                                                     "/detokenize"});

class OpenAi final : public Dialect
{
public:
    [[nodiscard]] std::string_view name() const override { return "openai"; }

    [[nodiscard]] CredentialHeader credentialHeader(std::string_view /*credential*/) const override
    {
        return {.name = "Authorization", .prefix = "Bearer "};
    }

    [[nodiscard]] ModelPlaces modelPlaces() const override
    {
        return {.content = contentPlaces,
                .pointers = modelPointers,
                .hidden = hiddenPlaces,
                .tools = modelTools,
                .parameters = modelParameters,
                .headers = modelHeaders,
                .inPath = &modelsInPath,
                .needsNone = &needsNoModel,
                .storesBytes = &storesBytes,
                .mayNameNone = &mayNameNoModel,
                .hides = &hidesModels,
                .fixedByUrl = &isFixedByUrl};
    }

    [[nodiscard]] UsagePlaces usagePlaces() const override
    {
        return {.members = usageMembers, .lastEvents = lastEvents};
    }

    [[nodiscard]] std::string
    errorBody(int status, std::string_view reason, std::string_view message) const override
    {
        return R"({"error":{"message":)" + jsonString(message) + R"(,"type":)"
               + jsonString(errorType(status)) + R"(,"param":null,"code":)" + jsonString(reason)
               + "}}";
    }

    [[nodiscard]] TurnPlaces turnPlaces() const override { return openaiTurnPlaces(); }

    [[nodiscard]] StatelessPlaces statelessPlaces() const override
    {
        return openaiStatelessPlaces();
    }

    [[nodiscard]] OutputPlaces outputPlaces() const override
    {
        return {.caps = outputCaps,
                .choices = outputChoices,
                .lists = outputLists,
                .withoutOutput = pathsWithoutOutput};
    }

protected:
    /// Responses have an event of their own, whose members are not within `error`; but the Python SDK
    /// raises only for that. The number of the event before is not known here, and nobody compares it.
    [[nodiscard]] std::string errorEvent(std::string_view path,
                                         int status,
                                         std::string_view reason,
                                         std::string_view message) const override
    {
        if (!path.ends_with("/responses"))
            return Dialect::errorEvent(path, status, reason, message);
        return R"(event: error
data: {"type":"error","sequence_number":0,"code":)"
               + jsonString(reason) + R"(,"message":)" + jsonString(message) + R"(,"param":null,)"
               + errorBody(status, reason, message).substr(1) + "\n\n";
    }
};

} // namespace

const Dialect &openaiDialect()
{
    static const OpenAi dialect;
    return dialect;
}

} // namespace gatehouse
