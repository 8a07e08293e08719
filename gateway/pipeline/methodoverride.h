// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace gatehouse {

class Exchange;

/// The methods that servers may take a request for beside its own: those that fields such as
/// X-HTTP-Method-Override and parameters such as `$httpMethod` and `_method` name, for readers that heed
/// them (Google's APIs, Rails, Express, ASP.NET), and all of them in capitals too. Mostly none.
[[nodiscard]] std::vector<std::string> overridingMethods(const Exchange &exchange);

} // namespace gatehouse
