// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/turnplaces.h"

#include <array>

namespace gatehouse {

namespace {

// Chat, Responses and text completions; Cohere's chat in both of its versions.

constexpr auto turnLists = std::to_array<std::string_view>({"chat_history", "messages", "input"});
constexpr auto askedMembers
    = std::to_array<std::string_view>({"message", "tool_results", "prompt", "suffix", "inputs"});
constexpr auto historyMembers
    = std::to_array<std::string_view>({"previous_response_id", "conversation", "conversation_id"});
constexpr auto modelRoles = std::to_array<std::string_view>({"assistant", "chatbot"});
/// Items of a response that are handed back: function_call, but function_call_output is not the model's.
constexpr auto modelTypes = std::to_array<std::string_view>({"_call", "reasoning"});
constexpr auto sceneRoles = std::to_array<std::string_view>({"system", "developer"});
constexpr auto passingMembers = std::to_array<std::string_view>({"id",
                                                                 "call_id",
                                                                 "tool_call_id",
                                                                 "encrypted_content",
                                                                 "reasoning",
                                                                 "reasoning_content",
                                                                 "reasoning_details",
                                                                 "status",
                                                                 "summary"});
constexpr auto dataMembers
    = std::to_array<std::string_view>({"arguments", "output", "action", "parameters", "outputs"});

} // namespace

TurnPlaces openaiTurnPlaces();
TurnPlaces openaiTurnPlaces()
{
    return {.lists = turnLists,
            .asked = askedMembers,
            .history = historyMembers,
            .modelRoles = modelRoles,
            .modelTypes = modelTypes,
            .sceneRoles = sceneRoles,
            .passing = passingMembers,
            .data = dataMembers};
}

} // namespace gatehouse
