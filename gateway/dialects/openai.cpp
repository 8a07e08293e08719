// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/base/pathsegments.h"
#include "gateway/dialects/dialect.h"

#include <array>

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
