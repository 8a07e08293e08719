// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace gatehouse {

class Exchange;

/// The methods that fields such as X-HTTP-Method-Override and parameters such as `$httpMethod` and `_method`
/// name in the place of the request's own, for readers that heed them (Google's APIs, Rails, Express,
/// ASP.NET). As written; mostly none.
[[nodiscard]] std::vector<std::string> overridingMethods(const Exchange &exchange);

} // namespace gatehouse
