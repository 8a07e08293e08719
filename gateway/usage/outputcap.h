// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace gatehouse {

/// How much a request lets its answer be.
struct OutputCap
{
    /// Of one choice. 0 for what makes none, embeddings for one; none where the request does not say, or
    /// says what is no positive integer, such as Ollama's -1.
    std::optional<std::uint64_t> tokens = {};
    std::uint64_t choices = 1;
    bool streams = false;

    /// Of all choices, at most the largest number there is; none where that of one is not known.
    [[nodiscard]] std::optional<std::uint64_t> allTokens() const
    {
        constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
        if (!tokens || choices == 0)
            return tokens;
        return *tokens > most / choices ? most : *tokens * choices;
    }

    bool operator==(const OutputCap &) const = default;
};

/// Where a dialect's requests say how much output they allow. Filled by a dialect; pointers are JSON
/// pointers (RFC 6901).
struct OutputPlaces
{
    std::span<const std::string_view> caps = {};    ///< tokens of one choice
    std::span<const std::string_view> choices = {}; ///< of which each may be that long
    /// Lists whose elements are answered one by one, each with so many choices; numbers are one element.
    std::span<const std::string_view> lists = {};
    /// Ends of paths of requests that make no output, whatever their body says.
    std::span<const std::string_view> withoutOutput = {};
    /// Ends of paths of requests that are answered by a stream.
    std::span<const std::string_view> streams = {};
    /// The same, unless they say `"stream": false`.
    std::span<const std::string_view> streamsUnlessTold = {};
};

} // namespace gatehouse
