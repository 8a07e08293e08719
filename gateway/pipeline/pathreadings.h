// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace gatehouse {

class Exchange;

/// The paths, below the base path, that servers may take the request's for beside its decoded one: with
/// slashes in a row as one, without parameters, decoded once more, and so on. None, and no memory, where
/// it can be read in one way only.
[[nodiscard]] std::vector<std::string> otherPathReadings(const Exchange &exchange);

} // namespace gatehouse
