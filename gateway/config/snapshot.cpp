// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/snapshot.h"

#include "gateway/http/form.h"
#include "gateway/http/rules.h"

namespace gatehouse {

namespace {

/// The base path ends where a segment of the path does.
bool isWithin(std::string_view path, std::string_view basePath)
{
    return path.starts_with(basePath)
           && (path.size() == basePath.size() || path[basePath.size()] == '/');
}

/// Decoded, as policies see it, and as written, as it goes on: a path that its percent-encoding makes
/// another one is nobody's.
bool areRulesMet(const RouteEntry &route, const http::RequestHead &request)
{
    if (route.rules.isEmpty())
        return true;
    const std::string_view below = request.path.substr(route.basePath.size());
    const auto decoded = http::percentDecoded(below);
    return route.rules.matches(request, decoded ? std::string_view(*decoded) : below)
           && route.providerPath(request);
}

} // namespace

std::optional<std::string> RouteEntry::providerPath(const http::RequestHead &request) const
{
    auto path = rules.rewritten(request, request.path.substr(basePath.size()));
    if (!path || http::hasDotSegment(*path))
        return std::nullopt;
    if (!path->empty() && !path->starts_with('/'))
        path->insert(0, "/");
    return path;
}

const RouteEntry *Snapshot::findRoute(std::string_view listener,
                                      const http::RequestHead &request) const
{
    const RouteEntry *longest = nullptr;
    for (const RouteEntry &route : routes) {
        if (route.listener != listener || !isWithin(request.path, route.basePath))
            continue;
        if (longest != nullptr && route.basePath.size() != longest->basePath.size())
            return nullptr; // rules choose among the routes of one base path only
        if (areRulesMet(route, request))
            return &route;
        longest = &route;
    }
    return nullptr;
}

} // namespace gatehouse
