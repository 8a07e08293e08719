// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/snapshot.h"
#include "gateway/http/head.h"

#include <string>
#include <string_view>

namespace gatehouse::net {

/// What a request may do, after the checks that stand before everything else.
struct Admission
{
    const RouteEntry *route = nullptr; ///< set as soon as it is known, for the dialect of a refusal
    const KeyEntry *key = nullptr;     ///< null on a public route without a key
    std::string_view path;             ///< below the route's base path, as written
    std::string query;                 ///< as written, without the virtual key
};

/// Host, browser origin, route and virtual key, in this order; no side effect, nothing allocated
/// before the key is right but a query that carries one. \a listener is the listener's name.
[[nodiscard]] Result<void> admit(const http::RequestHead &request,
                                 const Snapshot &snapshot,
                                 std::string_view listener,
                                 const KeyHasher &hasher,
                                 Admission &admission);

} // namespace gatehouse::net
