// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gatehouse {

/// What an exchange used, in the terms of all dialects: the parts of the input do not overlap. A part
/// that the provider did not tell is empty, never 0. Source of the fields: provider-apis, section 1.
struct Usage
{
    using Tokens = std::optional<std::uint64_t>;

    Tokens input; ///< without what was read from or written to a cache
    Tokens cacheRead;
    Tokens cacheWrite5m; ///< also where the vendor does not say for how long
    Tokens cacheWrite1h;
    Tokens output;    ///< with the reasoning
    Tokens reasoning; ///< the part of the output that nobody sees
    /// What the provider says that it costs (xAI, OpenRouter), in 10^-6 USD, rounded up.
    std::optional<std::int64_t> reportedMicroUsd;
    std::string model; ///< that answered, as the provider writes it; empty where it did not say

    bool operator==(const Usage &) const = default;

    /// True where the provider told anything of tokens.
    [[nodiscard]] bool hasTokens() const { return input || output || cacheRead; }
    /// Everything on the input's side that was told, or empty.
    [[nodiscard]] Tokens totalInput() const
    {
        if (!input && !cacheRead && !cacheWrite5m && !cacheWrite1h)
            return std::nullopt;
        return input.value_or(0) + cacheRead.value_or(0) + cacheWrite5m.value_or(0)
               + cacheWrite1h.value_or(0);
    }
};

} // namespace gatehouse
