// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/base/pathsegments.h"
#include "gateway/base/text.h"
#include "gateway/dialects/dialect.h"

#include <algorithm>
#include <array>

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

// Google's Gemini and Vertex AI API references and SDK 3.1, 2026-11-23.

constexpr auto contentPlaces = std::to_array<std::string_view>(
    {"/labels",
     "/contents/*/parts/*/functionCall/args",
     "/contents/*/parts/*/functionResponse/response",
     "/tools/*/functionDeclarations",
     "/generationConfig/responseSchema",
     "/generationConfig/responseJsonSchema",
     "/generateContentRequest/contents/*/parts/*/functionCall/args",
     "/generateContentRequest/contents/*/parts/*/functionResponse/response",
     "/generateContentRequest/tools/*/functionDeclarations",
     "/batch/inputConfig/requests/requests/*/request/contents/*/parts/*/functionCall/args",
     "/batch/inputConfig/requests/requests/*/request/contents/*/parts/*/functionResponse/response",
     "/batch/inputConfig/requests/requests/*/request/tools/*/functionDeclarations",
     // by the OpenAI-compatible interface
     "/metadata",
     "/messages/*/tool_calls/*/function/arguments",
     "/tools/*/function",
     "/response_format"});
/// An interaction may name an agent in the place of a model.
constexpr auto modelPointers = std::to_array<std::string_view>({"/model", "/agent"});
/// The lines of a batch's file name models; a router chooses one by itself.
constexpr auto hiddenPlaces = std::to_array<std::string_view>(
    {"/batch/inputConfig/fileName",
     "/generationConfig/routingConfig/autoMode/modelRoutingPreference"});

/// Requests with POST or PATCH that store, change or stop something.
constexpr auto endpointsWithoutModel
    = std::to_array<std::string_view>({"batches/*:cancel",
                                       "cachedContents/*",
                                       "fileSearchStores/*:importFile",
                                       "fileSearchStores/*:uploadToFileSearchStore",
                                       "files",
                                       "interactions/*/cancel",
                                       "operations/*:cancel"});

/// Those of them that take a file.
constexpr auto uploadEndpoints
    = std::to_array<std::string_view>({"files", "fileSearchStores/*:uploadToFileSearchStore"});

/// Requests of that kind where the model that embeds may be chosen.
constexpr auto endpointsWithOptionalModel = std::to_array<std::string_view>({"fileSearchStores"});

constexpr auto modelMarkers = std::to_array<std::string_view>({"models"});
/// What others have made of models, under names that they chose: such a name alone could be a model's.
constexpr auto madeMarkers
    = std::to_array<std::string_view>({"tunedModels", "endpoints", "dynamic"});

/// The \a segment of \a path with the one before it: "tunedModels/t".
std::string_view withMarker(std::string_view path, std::string_view segment)
{
    const auto begin = static_cast<std::size_t>(segment.data() - path.data());
    const std::size_t markerEnd = path.find_last_not_of('/', begin - 1);
    const std::size_t slash = path.rfind('/', markerEnd);
    const std::size_t markerBegin = slash == std::string_view::npos ? 0 : slash + 1;
    return path.substr(markerBegin, begin + segment.size() - markerBegin);
}

/// "gemini-x" of /v1beta/models/gemini-x:generateContent; "tunedModels/t", and Vertex's endpoints likewise.
/// Where several are named, servers that match in other ways take other ones. Without a verb, GET shows
/// a card.
std::vector<std::string_view> modelsInPath(std::string_view path, bool isReading)
{
    std::vector<std::string_view> models;
    appendSegmentsBehind(path, modelMarkers, models);
    const std::size_t count = models.size();
    appendSegmentsBehind(path, madeMarkers, models);
    for (std::size_t i = count; i < models.size(); ++i)
        models[i] = withMarker(path, models[i]);
    if (isReading)
        std::erase_if(models, [](std::string_view segment) {
            return segment.find(':') == std::string_view::npos;
        });
    for (std::string_view &segment : models)
        segment = segment.substr(0, segment.rfind(':'));
    return models;
}

/// "gemini-x" is "models/gemini-x" too; at Vertex also "google/gemini-x", or a whole resource that ends in
/// "publishers/google/models/gemini-x"; publishers are none but whom Google lists. The names of a tuned
/// model and an endpoint have their kind and may have a project before it.
std::vector<std::string> spellingsOf(std::string_view model)
{
    const std::size_t slash = model.rfind('/') + 1; // 0 where there is none
    const std::string name(model.substr(slash));
    const std::string_view kind = model.substr(0, model.substr(0, slash).find_last_not_of('/') + 1);
    const std::string_view last = kind.substr(kind.rfind('/') + 1);
    for (const std::string_view marker : madeMarkers) {
        if (equalsIgnoreCase(last, marker))
            return {std::string(marker) + '/' + name};
    }
    const bool isPublished
        = kind.starts_with("publishers/") || kind.find("/publishers/") != std::string_view::npos;
    if (last.size() != kind.size() && !(isPublished && last == "models"))
        return {};
    return {name, "models/" + name};
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

/// A batch over an uploaded file names models there.
bool hidesModels(std::string_view path)
{
    return hasSegment(path, "batches") && !path.ends_with(":cancel");
}

/// Cumulative: the last one is the usage. The prompt's tokens include the cached ones, to which they are
/// cut where they are fewer; the candidates' do not include the thoughts.
bool readUsage(const json::Value &told, AnswerUsage &answer)
{
    Usage &usage = answer.usage;
    const Usage::Tokens prompt = tokensOf(told, "promptTokenCount");
    const Usage::Tokens tools = tokensOf(told, "toolUsePromptTokenCount");
    usage.cacheRead = tokensOf(told, "cachedContentTokenCount");
    usage.input = {};
    if (prompt) {
        if (usage.cacheRead)
            usage.cacheRead = std::min(*usage.cacheRead, *prompt);
        usage.input = *prompt - usage.cacheRead.value_or(0) + tools.value_or(0);
    }
    const Usage::Tokens candidates = tokensOf(told, "candidatesTokenCount");
    usage.reasoning = tokensOf(told, "thoughtsTokenCount");
    usage.output = candidates;
    if (usage.reasoning)
        usage.output = candidates.value_or(0) + *usage.reasoning;
    return true;
}

/// Interactions; their output does not include the thoughts either, unless the total says so.
bool readInteraction(const json::Value &told, AnswerUsage &answer)
{
    const Usage::Tokens prompt = tokensOf(told, "total_input_tokens");
    if (!prompt)
        return false;
    Usage &usage = answer.usage;
    const Usage::Tokens tools = tokensOf(told, "total_tool_use_tokens");
    usage.cacheRead = tokensOf(told, "total_cached_tokens");
    if (usage.cacheRead)
        usage.cacheRead = std::min(*usage.cacheRead, *prompt);
    usage.input = *prompt - usage.cacheRead.value_or(0) + tools.value_or(0);
    usage.output = tokensOf(told, "total_output_tokens");
    usage.reasoning = tokensOf(told, "total_thought_tokens");
    const Usage::Tokens total = tokensOf(told, "total_tokens");
    if (usage.output && total != *prompt + tools.value_or(0) + *usage.output)
        *usage.output += usage.reasoning.value_or(0);
    if (usage.output && usage.reasoning)
        usage.reasoning = std::min(*usage.reasoning, *usage.output);
    answer.isFinished = true;
    return true;
}

bool readFinishReason(const json::Value &reason, AnswerUsage &answer)
{
    answer.isFinished = answer.isFinished || reason.text().has_value();
    return true;
}

// The API references of Gemini and Vertex AI and SDK 3.1, 2026-11-23.

/// Without alt=sse a stream is an array.
constexpr auto usageMembers = std::to_array<UsagePlace>({
    {"/usageMetadata", &readUsage},
    {"/modelVersion", &readModel},
    {"/candidates/*/finishReason", &readFinishReason},
    {"/promptFeedback/blockReason", &readFinishReason},
    {"/*/usageMetadata", &readUsage},
    {"/*/modelVersion", &readModel},
    {"/usage", &readInteraction},
    {"/interaction/usage", &readInteraction},
    {"/interaction/model", &readModel},
});

/// Both spellings of a member are read, as protobuf's JSON is; Interactions have the second one only.
constexpr auto outputCaps = std::to_array<std::string_view>({"/generationConfig/maxOutputTokens",
                                                             "/generationConfig/max_output_tokens",
                                                             "/generation_config/maxOutputTokens",
                                                             "/generation_config/max_output_tokens",
                                                             "/parameters/maxOutputTokens"});
constexpr auto outputChoices
    = std::to_array<std::string_view>({"/generationConfig/candidateCount",
                                       "/generationConfig/candidate_count",
                                       "/generation_config/candidateCount",
                                       "/generation_config/candidate_count",
                                       "/parameters/candidateCount"});
constexpr auto pathsWithoutOutput = std::to_array<std::string_view>(
    {":countTokens", ":embedContent", ":batchEmbedContents", ":asyncBatchEmbedContent"});
constexpr auto streamPaths
    = std::to_array<std::string_view>({":streamGenerateContent", ":streamRawPredict"});

constexpr auto turnLists = std::to_array<std::string_view>({"contents", "input"});
constexpr auto historyMembers
    = std::to_array<std::string_view>({"previousInteractionId", "previous_interaction_id"});
constexpr auto modelRoles = std::to_array<std::string_view>({"model"});
constexpr auto passingMembers
    = std::to_array<std::string_view>({"id", "thoughtSignature", "thought_signature"});
constexpr auto dataMembers = std::to_array<std::string_view>({"args", "response"});

/// Of the Gemini API and, behind the project, of Vertex.
constexpr auto statelessEndpoints = std::to_array<std::string_view>(
    {"models/*:batchEmbedContents",
     "models/*:countTokens",
     "models/*:embedContent",
     "models/*:generateContent",
     "models/*:streamGenerateContent",
     "projects/*/locations/*/publishers/*/models/*:countTokens",
     "projects/*/locations/*/publishers/*/models/*:generateContent",
     "projects/*/locations/*/publishers/*/models/*:rawPredict",
     "projects/*/locations/*/publishers/*/models/*:streamGenerateContent",
     "projects/*/locations/*/publishers/*/models/*:streamRawPredict"});
constexpr auto stateMembers
    = std::to_array<std::string_view>({"cachedContent", "cached_content", "store"});

class Gemini final : public Dialect
{
public:
    [[nodiscard]] std::string_view name() const override { return "gemini"; }
    [[nodiscard]] bool takesKeyFromQuery() const override { return true; }

    [[nodiscard]] CredentialHeader credentialHeader(std::string_view /*credential*/) const override
    {
        return {.name = "x-goog-api-key", .prefix = {}};
    }

    [[nodiscard]] ModelPlaces modelPlaces() const override
    {
        return {.content = contentPlaces,
                .pointers = modelPointers,
                .hidden = hiddenPlaces,
                .inPath = &modelsInPath,
                .spellings = &spellingsOf,
                .needsNone = &needsNoModel,
                .storesBytes = &storesBytes,
                .mayNameNone = &mayNameNoModel,
                .hides = &hidesModels};
    }

    [[nodiscard]] UsagePlaces usagePlaces() const override { return {.members = usageMembers}; }

    /// google.rpc.ErrorInfo takes upper-case reasons only; ours is in x-gatehouse-reason.
    [[nodiscard]] std::string
    errorBody(int status, std::string_view /*reason*/, std::string_view message) const override
    {
        return R"({"error":{"code":)" + std::to_string(status) + R"(,"message":)"
               + jsonString(message) + R"(,"status":)" + jsonString(rpcStatus(status)) + "}}";
    }

    [[nodiscard]] TurnPlaces turnPlaces() const override
    {
        return {.lists = turnLists,
                .history = historyMembers,
                .modelRoles = modelRoles,
                .passing = passingMembers,
                .data = dataMembers};
    }

    [[nodiscard]] StatelessPlaces statelessPlaces() const override
    {
        return {.endpoints = statelessEndpoints, .state = stateMembers};
    }

    [[nodiscard]] OutputPlaces outputPlaces() const override
    {
        return {.caps = outputCaps,
                .choices = outputChoices,
                .withoutOutput = pathsWithoutOutput,
                .streams = streamPaths};
    }
};

} // namespace

const Dialect &geminiDialect()
{
    static const Gemini dialect;
    return dialect;
}

} // namespace gatehouse
