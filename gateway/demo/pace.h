// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/http/head.h"

#include <chrono>
#include <cstddef>
#include <string>

namespace gatehouse {

struct SimulatedSettings
{
    std::chrono::milliseconds firstToken{150}; ///< from the end of the request
    unsigned tokensPerSecond = 60;             ///< 0: as fast as it can be sent
};

} // namespace gatehouse

namespace gatehouse::demo {

/// \a settings with what the request asks for: `x-demo-latency: 250ms` (at most 1h) and
/// `x-demo-tokens-per-second: 200` (at most 1000000, 0 as above). The error is for people.
[[nodiscard]] Result<SimulatedSettings, std::string> overridden(SimulatedSettings settings,
                                                                const http::Head &head);

/// When, after the end of the request, what follows \a tokens tokens may be sent.
[[nodiscard]] std::chrono::nanoseconds dueAfter(const SimulatedSettings &settings,
                                                std::size_t tokens);

} // namespace gatehouse::demo
