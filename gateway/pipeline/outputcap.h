// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/json/document.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse {

/// How much output a request allows.
struct OutputCap
{
    std::optional<std::uint64_t>
        tokens;                ///< of each choice, the reasoning too; none: it does not say
    std::uint64_t choices = 1; ///< answers that it asks for at once
    bool streams = false;      ///< it asks for events

    bool operator==(const OutputCap &) const = default;

    /// Of all choices together.
    [[nodiscard]] std::optional<std::uint64_t> total() const;
};

/// What the request to \a path, below the base path, says in \a body, wherever some vendor looks for it:
/// a route's provider may speak more than its own dialect. Of several caps the largest counts, since
/// which one is read is the provider's choice; what is no positive integer is none. Endpoints that
/// measure, embed or judge text write nothing. Source: provider-apis, sections 1.1 to 1.7.
[[nodiscard]] OutputCap outputCapOf(std::string_view path, const json::Value &body);

} // namespace gatehouse
