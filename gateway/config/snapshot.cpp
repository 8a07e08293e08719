// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/snapshot.h"

namespace gatehouse {

const RouteEntry *Snapshot::findRoute(std::string_view listener, std::string_view path) const
{
    for (const RouteEntry &route : routes) {
        if (!path.starts_with(route.basePath) || route.listener != listener)
            continue;
        const bool endsSegment
            = path.size() == route.basePath.size() || path[route.basePath.size()] == '/';
        if (endsSegment)
            return &route;
    }
    return nullptr;
}

} // namespace gatehouse
