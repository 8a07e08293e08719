// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace gatehouse {

/// When and how often a request is sent again. A policy's, and lives as long.
struct RetrySetting
{
    std::int64_t attempts = 2;      ///< the first time too
    bool onConnect = true;          ///< no connection came about
    std::vector<int> statuses = {}; ///< of answers that are not passed on while attempts are left
    std::chrono::milliseconds backoff{
        250}; ///< before the second attempt at most; doubles each time
    bool honoursRetryAfter = true;

    [[nodiscard]] bool covers(int status) const
    {
        return std::ranges::find(statuses, status) != statuses.end();
    }
};

} // namespace gatehouse
