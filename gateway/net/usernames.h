// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace gatehouse::net {

/// Names of users, which may come from a directory service and are kept for five minutes. Of one
/// thread, which waits for that service.
class UserNames
{
public:
    /// The number where there is no name, or it cannot be found out now.
    [[nodiscard]] const std::string &of(std::uint32_t uid);

private:
    struct Known
    {
        std::string name;
        std::chrono::steady_clock::time_point until;
    };

    std::unordered_map<std::uint32_t, Known> m_known;
};

} // namespace gatehouse::net
