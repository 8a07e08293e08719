// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

namespace gatehouse {

/// Which of a dialect's requests with POST ask for nothing but an answer, so that one answer may stand for
/// the next: they make, change and refer to nothing that is kept at the provider. Filled by a dialect, read
/// by Dialect::isStateless(). What is not listed is not such a request.
struct StatelessPlaces
{
    /// As patterns of isEndpoint(): "chat/completions".
    std::span<const std::string_view> endpoints = {};
    /// The same, where the provider keeps its answer unless the body says `"store": false`.
    std::span<const std::string_view> keeping = {};
    /// Members of the top level that make or refer to something kept, unless null or false: "conversation".
    std::span<const std::string_view> state = {};
    /// Beginnings of the `type` of tools that the provider runs itself and that may do something: "mcp".
    std::span<const std::string_view> tools = {};
};

} // namespace gatehouse
