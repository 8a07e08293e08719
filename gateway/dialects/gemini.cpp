// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/base/pathsegments.h"
#include "gateway/dialects/dialect.h"

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
                                       "fileSearchStores",
                                       "fileSearchStores/*:importFile",
                                       "fileSearchStores/*:uploadToFileSearchStore",
                                       "files",
                                       "interactions/*/cancel",
                                       "operations/*:cancel"});

/// Those of them that take a file.
constexpr auto uploadEndpoints
    = std::to_array<std::string_view>({"files", "fileSearchStores/*:uploadToFileSearchStore"});

constexpr auto pathMarkers
    = std::to_array<std::string_view>({"models", "tunedModels", "endpoints", "dynamic"});

/// "gemini-x" of /v1beta/models/gemini-x:generateContent; tuned models and Vertex's endpoints likewise.
/// Where several are named, servers that match in other ways take other ones. Without a verb, GET shows
/// a card.
std::vector<std::string_view> modelsInPath(std::string_view path, bool isReading)
{
    std::vector<std::string_view> models;
    appendSegmentsBehind(path, pathMarkers, models);
    if (isReading)
        std::erase_if(models, [](std::string_view segment) {
            return segment.find(':') == std::string_view::npos;
        });
    for (std::string_view &segment : models)
        segment = segment.substr(0, segment.rfind(':'));
    return models;
}

/// Bodies name "models/gemini-x", or a whole resource of Vertex that ends so.
std::vector<std::string> spellingsOf(std::string_view model)
{
    const std::string name(model.substr(model.rfind('/') + 1));
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

/// A batch over an uploaded file names models there.
bool hidesModels(std::string_view path)
{
    return hasSegment(path, "batches") && !path.ends_with(":cancel");
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

    [[nodiscard]] ModelPlaces modelPlaces() const override
    {
        return {.content = contentPlaces,
                .pointers = modelPointers,
                .hidden = hiddenPlaces,
                .inPath = &modelsInPath,
                .spellings = &spellingsOf,
                .needsNone = &needsNoModel,
                .storesBytes = &storesBytes,
                .hides = &hidesModels};
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
