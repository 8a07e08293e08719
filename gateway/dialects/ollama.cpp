// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/base/pathsegments.h"
#include "gateway/base/text.h"
#include "gateway/dialects/dialect.h"

#include <algorithm>
#include <array>

namespace gatehouse {

namespace {

// github.com/ollama/ollama, api/types.go, server/routes.go and types/model/name.go, 2026-11-23.

constexpr auto contentPlaces
    = std::to_array<std::string_view>({"/metadata",
                                       "/format",
                                       "/files",
                                       "/adapters",
                                       "/draft_files",
                                       "/messages/*/tool_calls/*/function/arguments",
                                       "/messages/*/content/*/input",
                                       "/input/*/arguments",
                                       "/tools/*/function",
                                       "/tools/*/input_schema",
                                       "/response_format",
                                       "/text/format"});
constexpr auto modelPointers
    = std::to_array<std::string_view>({"/model", "/name", "/from", "/source", "/destination"});
/// Servers of old take the commands of a Modelfile, or the path of one.
constexpr auto hiddenPlaces = std::to_array<std::string_view>({"/modelfile", "/path"});

/// Requests with POST that store something, or ask who and what is known.
constexpr auto endpointsWithoutModel = std::to_array<std::string_view>({"blobs/sha256:*",
                                                                        "blobs/sha256-*",
                                                                        "experimental/web_fetch",
                                                                        "experimental/web_search",
                                                                        "me",
                                                                        "signout",
                                                                        "web_fetch",
                                                                        "web_search"});

/// Those of them that take a file.
constexpr auto uploadEndpoints
    = std::to_array<std::string_view>({"blobs/sha256:*", "blobs/sha256-*"});

bool needsNoModel(std::string_view path)
{
    return isEndpoint(path, endpointsWithoutModel);
}

bool storesBytes(std::string_view path)
{
    return isEndpoint(path, uploadEndpoints);
}

/// The suffix ":local" says what is meant anyway, and a cloud model's is written in two ways:
/// "gpt-oss:120b-cloud", "gpt-oss:120b:cloud". internal/modelref/modelref.go.
std::string withPlainSource(std::string name)
{
    constexpr std::string_view local = ":local";
    constexpr std::string_view cloud = ":cloud";
    if (name.ends_with(local))
        name.resize(name.size() - local.size());
    if (!name.ends_with(cloud))
        return name;
    const std::size_t end = name.size() - cloud.size();
    const std::size_t slash = name.rfind('/') + 1; // 0 where there is none
    if (name.find(':', slash) < end)
        name[end] = '-';
    return name;
}

/// registry.ollama.ai/library/Llama3:latest and llama3 are one model: all that may be left out of a name
/// in each of its forms.
std::vector<std::string> spellingsOf(std::string_view model)
{
    constexpr std::string_view registry = "registry.ollama.ai/";
    constexpr std::string_view library = "library/";
    constexpr std::string_view latest = ":latest";
    std::string name = toLowerAscii(model);
    std::erase(name, ' '); // which are trimmed around a source
    name = withPlainSource(std::move(name));
    if (const std::size_t scheme = name.find("://"); scheme != std::string::npos)
        name.erase(0, scheme + 3);
    if (name.starts_with(registry))
        name.erase(0, registry.size());
    if (name.starts_with(library))
        name.erase(0, library.size());
    const std::size_t slash = name.rfind('/') + 1; // 0 where there is none
    if (name.find(':', slash) == std::string::npos)
        name += latest;

    std::vector<std::string> names{name};
    if (slash == 0)
        names.push_back(std::string(library) + name);
    if (std::ranges::count(names.back(), '/') == 1)
        names.push_back(std::string(registry) + names.back());
    if (name.ends_with(latest)) {
        for (std::size_t i = 0, count = names.size(); i < count; ++i)
            names.push_back(names[i].substr(0, names[i].size() - latest.size()));
    }
    return names;
}

/// What was in the cache is not counted, nor told.
bool readPromptCount(const json::Value &count, AnswerUsage &answer)
{
    answer.usage.input = tokensOf(count);
    return true;
}

bool readOutputCount(const json::Value &count, AnswerUsage &answer)
{
    answer.usage.output = tokensOf(count);
    return true;
}

bool readDone(const json::Value &done, AnswerUsage &answer)
{
    answer.isFinished = answer.isFinished || done.boolean() == true;
    return true;
}

constexpr auto usageMembers = std::to_array<UsagePlace>({
    {"/prompt_eval_count", &readPromptCount},
    {"/eval_count", &readOutputCount},
    {"/done", &readDone},
    {"/model", &readModel},
});

constexpr auto outputCaps = std::to_array<std::string_view>({"/options/num_predict"});
constexpr auto pathsWithoutOutput
    = std::to_array<std::string_view>({"/api/embed", "/api/embeddings"});
constexpr auto streamPaths = std::to_array<std::string_view>({"/api/chat", "/api/generate"});

constexpr auto turnLists = std::to_array<std::string_view>({"messages"});
constexpr auto askedMembers = std::to_array<std::string_view>({"prompt", "suffix", "images"});
constexpr auto historyMembers = std::to_array<std::string_view>({"context"});
constexpr auto modelRoles = std::to_array<std::string_view>({"assistant"});
constexpr auto sceneRoles = std::to_array<std::string_view>({"system"});
constexpr auto passingMembers = std::to_array<std::string_view>({"id", "thinking"});
constexpr auto dataMembers = std::to_array<std::string_view>({"arguments"});

constexpr auto statelessEndpoints
    = std::to_array<std::string_view>({"chat", "embed", "embeddings", "generate"});
/// It says how long the model stays loaded from now on, which is asked for again each time.
constexpr auto stateMembers = std::to_array<std::string_view>({"keep_alive"});

class Ollama final : public Dialect
{
public:
    [[nodiscard]] std::string_view name() const override { return "ollama"; }

    /// A local Ollama asks for none; ollama.com and proxies before one do.
    [[nodiscard]] CredentialHeader credentialHeader(std::string_view /*credential*/) const override
    {
        return {.name = "Authorization", .prefix = "Bearer "};
    }

    [[nodiscard]] ModelPlaces modelPlaces() const override
    {
        return {.content = contentPlaces,
                .pointers = modelPointers,
                .hidden = hiddenPlaces,
                .spellings = &spellingsOf,
                .ignoresCase = true,
                .needsNone = &needsNoModel,
                .storesBytes = &storesBytes};
    }

    [[nodiscard]] UsagePlaces usagePlaces() const override { return {.members = usageMembers}; }

    /// github.com/ollama/ollama, docs/api.md and api/types.go, 2026-11-23.
    [[nodiscard]] std::string
    errorBody(int /*status*/, std::string_view /*reason*/, std::string_view message) const override
    {
        return R"({"error":)" + jsonString(message) + "}";
    }

    [[nodiscard]] TurnPlaces turnPlaces() const override
    {
        return {.lists = turnLists,
                .asked = askedMembers,
                .history = historyMembers,
                .modelRoles = modelRoles,
                .sceneRoles = sceneRoles,
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
                .withoutOutput = pathsWithoutOutput,
                .streamsUnlessTold = streamPaths};
    }
};

} // namespace

const Dialect &ollamaDialect()
{
    static const Ollama dialect;
    return dialect;
}

} // namespace gatehouse
