// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gatehouse {

/// Where a dialect's requests have the turns of a conversation, and which of them are the model's. Filled
/// by a dialect, read by Dialect::lastTurn(). Members of the top level by name.
struct TurnPlaces
{
    /// Lists of turns, each an object: "messages".
    std::span<const std::string_view> lists = {};
    /// What is asked beside such lists or without one, of any kind: "prompt". A text in the place of a
    /// list is one too.
    std::span<const std::string_view> asked = {};
    /// What stands for turns that are kept elsewhere: "previous_response_id". Counts where no turn of the
    /// model's is in the request.
    std::span<const std::string_view> history = {};
    /// Values of a turn's `role` that make it the model's, in lower case.
    std::span<const std::string_view> modelRoles = {};
    /// Ends of a turn's `type` that make it the model's.
    std::span<const std::string_view> modelTypes = {};
    /// Values of a turn's `role` that set the scene and ask nothing: "system".
    std::span<const std::string_view> sceneRoles = {};
    /// Members of turns, and of what is in them, that differ each time for nothing: "id", "signature".
    std::span<const std::string_view> passing = {};
    /// Members of turns that hold a tool's own data, in which each member counts: "input".
    std::span<const std::string_view> data = {};
};

/// Which texts of a turn are taken as equal.
enum class TurnForm : std::uint8_t {
    Exact,
    Beginning ///< those that begin alike: at least three eighths of it, at most three quarters
};

} // namespace gatehouse
