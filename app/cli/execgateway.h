// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <chrono>
#include <string>

namespace gatehouse {

/// Waits until the gateway at a route's URL knows a key that has expired: `client-key:expired` says
/// that it has read the session, and such a key is of no use to whoever else listens there. The request
/// ends at the key, no provider sees it. The error says what stands against it: nothing listens, what
/// listens is not the gateway, or it does not take the key within \a limit.
[[nodiscard]] Result<void, std::string>
awaitKey(const std::string &url, const std::string &probeKey, std::chrono::milliseconds limit);

} // namespace gatehouse
