// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/error.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace gatehouse {

/// One time that a request went to a provider, or was to go there.
struct Attempt
{
    std::string_view provider = {}; ///< its name; of the configuration that the exchange began with
    int status = 0;                 ///< 0: no answer has begun
    std::optional<ErrorCode> error
        = {}; ///< why there is no whole answer, where that is the provider's doing
    std::chrono::steady_clock::time_point begin = {};
    std::chrono::steady_clock::duration time{}; ///< to its failure or to the answer's head
};

} // namespace gatehouse
