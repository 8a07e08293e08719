// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/statelessplaces.h"

#include <array>

namespace gatehouse {

namespace {

// OpenAI's, Azure's by deployment; Cohere's and Mistral's beside them.

constexpr auto endpoints = std::to_array<std::string_view>({"chat",
                                                            "chat/completions",
                                                            "completions",
                                                            "deployments/*/chat/completions",
                                                            "deployments/*/completions",
                                                            "deployments/*/embeddings",
                                                            "embed",
                                                            "embeddings",
                                                            "fim/completions",
                                                            "moderations",
                                                            "rerank"});
constexpr auto keepingEndpoints = std::to_array<std::string_view>({"responses"});
/// An answer with audio has an id by which later requests refer to it; a deferred one is fetched (xAI).
constexpr auto stateMembers = std::to_array<std::string_view>({"audio",
                                                               "background",
                                                               "conversation",
                                                               "conversation_id",
                                                               "deferred",
                                                               "previous_response_id",
                                                               "store"});
constexpr auto providerTools
    = std::to_array<std::string_view>({"code_interpreter", "mcp", "shell"});

} // namespace

StatelessPlaces openaiStatelessPlaces();
StatelessPlaces openaiStatelessPlaces()
{
    return {.endpoints = endpoints,
            .keeping = keepingEndpoints,
            .state = stateMembers,
            .tools = providerTools};
}

} // namespace gatehouse
