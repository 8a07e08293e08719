// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/guard.h"

#include "gateway/base/text.h"
#include "gateway/http/form.h"

#include <algorithm>

namespace gatehouse::net {

namespace {

using http::FieldId;

Result<void> refuse(ErrorCode code, std::string context = {})
{
    return Unexpected(Error{code, std::move(context)});
}

bool isListed(const std::vector<std::string> &list, std::string_view value)
{
    return std::any_of(list.begin(), list.end(), [value](const std::string &listed) {
        return equalsIgnoreCase(listed, value);
    });
}

/// A policy that is for all clients and for this request.
bool isForRequest(const PolicyEntry &entry,
                  const RouteEntry &route,
                  const http::RequestHead &request)
{
    const PolicyEntry::Settings &settings = entry.settings();
    if (settings.observes || !settings.client.empty() || !route.hasLabels(settings.labels))
        return false;
    if (settings.rules.isEmpty())
        return true;
    const auto path = http::percentDecoded(request.path.substr(route.basePath.size()));
    return path && settings.rules.matches(request, *path);
}

/// Listed for the whole gateway, or by a policy in force on the route (cors).
bool isOriginListed(const Snapshot &snapshot,
                    const RouteEntry *route,
                    const http::RequestHead &request,
                    std::string_view origin)
{
    if (isListed(snapshot.origins, origin))
        return true;
    if (route == nullptr)
        return false;
    const auto policies = route->pipeline.policies();
    return std::any_of(policies.begin(), policies.end(), [&](const auto &entry) {
        return entry->policy().listsOrigin(origin) && isForRequest(*entry, *route, request);
    });
}

/// Browsers are the way by which a web page reaches a loopback port; SDKs send none of these
/// fields, or (on Node) a bare Sec-Fetch-Mode. Fetch standard, section "Sec-Fetch-Site".
Result<void>
checkOrigin(const http::RequestHead &request, const Snapshot &snapshot, const RouteEntry *route)
{
    bool listed = false;
    for (const http::Field &field : request.fields) {
        if (field.id != FieldId::Origin)
            continue;
        if (!isOriginListed(snapshot, route, request, field.value))
            return refuse(ErrorCode::OriginRefused,
                          "add it to the Gateway's origins, or to a policy cors, to allow it");
        listed = true;
    }
    for (const http::Field &field : request.fields) {
        if (field.id == FieldId::SecFetchSite && !listed
            && !equalsIgnoreCase(field.value, "same-origin")
            && !equalsIgnoreCase(field.value, "none"))
            return refuse(ErrorCode::OriginRefused, "a web page of another site sent this request");
    }
    return {};
}

} // namespace

Result<void> admit(const http::RequestHead &request,
                   const Snapshot &snapshot,
                   std::string_view listener,
                   const RouteEntry *&route)
{
    if (!isListed(snapshot.hosts, request.host))
        return refuse(ErrorCode::UnknownHost, "add it to the Gateway's hosts to answer to it");
    route = snapshot.findRoute(listener, request);
    if (auto result = checkOrigin(request, snapshot, route); !result)
        return result;
    if (route == nullptr)
        return refuse(ErrorCode::RouteUnknown, "see the routes with: gatehouse check");
    return {};
}

} // namespace gatehouse::net
