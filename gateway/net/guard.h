// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/snapshot.h"
#include "gateway/http/head.h"

#include <string_view>

namespace gatehouse::net {

/// Host, route and browser origin, in this order: what stands before all policies, on every request.
/// No side effect. \a route is set as soon as it is known, for the dialect of a
/// refusal. \a listener is the listener's name.
[[nodiscard]] Result<void> admit(const http::RequestHead &request,
                                 const Snapshot &snapshot,
                                 std::string_view listener,
                                 const RouteEntry *&route);

} // namespace gatehouse::net
