// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/outputcap.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace gatehouse {

namespace {

/// The names from the outside to the inside; an empty one ends them.
using Place = std::array<std::string_view, 2>;

constexpr auto caps = std::to_array<Place>({{"max_completion_tokens", ""},
                                            {"max_tokens", ""},
                                            {"max_output_tokens", ""},
                                            {"max_tokens_to_sample", ""},
                                            {"generationConfig", "maxOutputTokens"},
                                            {"generation_config", "max_output_tokens"},
                                            {"options", "num_predict"}});
constexpr auto multipliers = std::to_array<Place>({{"n", ""},
                                                   {"best_of", ""},
                                                   {"num_generations", ""},
                                                   {"generationConfig", "candidateCount"},
                                                   {"generation_config", "candidate_count"}});
/// The last segments of paths whose answers hold no text of a model; Gemini's methods follow a colon.
constexpr auto silentEndpoints = std::to_array<std::string_view>({"embeddings",
                                                                  "embed",
                                                                  "rerank",
                                                                  "moderations",
                                                                  "count_tokens",
                                                                  "input_tokens",
                                                                  "tokenize",
                                                                  "countTokens",
                                                                  "embedContent",
                                                                  "batchEmbedContents"});
/// Ollama's, which stream unless they are told not to.
constexpr auto eagerEndpoints = std::to_array<std::string_view>({"/api/chat", "/api/generate"});

std::optional<std::uint64_t> positiveAt(const json::Value &body, const Place &place)
{
    std::optional<json::Value> value = body.find(place[0]);
    if (value && !place[1].empty())
        value = value->find(place[1]);
    const auto number = value ? value->integer() : std::nullopt;
    return number && *number > 0 ? std::optional(static_cast<std::uint64_t>(*number))
                                 : std::nullopt;
}

std::string_view lastSegment(std::string_view path)
{
    const std::size_t end = path.find_last_of("/:");
    return end == std::string_view::npos ? path : path.substr(end + 1);
}

bool streams(std::string_view path, const json::Value &body)
{
    if (lastSegment(path) == "streamGenerateContent")
        return true;
    const auto stream = body.find("stream");
    const auto said = stream ? stream->boolean() : std::nullopt;
    const bool isEager = std::ranges::any_of(
        eagerEndpoints, [path](std::string_view eager) { return path.ends_with(eager); });
    return said.value_or(isEager);
}

} // namespace

std::optional<std::uint64_t> OutputCap::total() const
{
    constexpr std::uint64_t most = std::uint64_t{1} << 53;
    if (!tokens)
        return std::nullopt;
    return *tokens <= most / std::max<std::uint64_t>(choices, 1) ? *tokens * choices : most;
}

OutputCap outputCapOf(std::string_view path, const json::Value &body)
{
    OutputCap cap;
    if (std::ranges::find(silentEndpoints, lastSegment(path)) != silentEndpoints.end()) {
        cap.tokens = 0;
        return cap;
    }
    if (!body.isObject())
        return cap;
    cap.streams = streams(path, body);
    for (const Place &place : caps) {
        if (const auto tokens = positiveAt(body, place))
            cap.tokens = std::max(cap.tokens.value_or(0), *tokens);
    }
    for (const Place &place : multipliers) {
        if (const auto choices = positiveAt(body, place))
            cap.choices = std::max(cap.choices, *choices);
    }
    return cap;
}

} // namespace gatehouse
