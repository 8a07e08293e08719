// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/authorization.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"
#include "gateway/secrets/virtualkey.h"

#include <string>

namespace gatehouse::authorization {

namespace {

std::string reasonOf(std::string_view type, std::string_view detail)
{
    return std::string(type).append(":").append(detail);
}

std::optional<Reply> refused(std::string_view type, std::string_view detail, std::string message)
{
    return Reply{.status = 403, .reason = reasonOf(type, detail), .message = std::move(message)};
}

} // namespace

Result<std::string_view, Reply> valueOf(const Exchange &exchange,
                                        std::string_view type,
                                        std::string_view name,
                                        std::string_view challenge)
{
    const http::Field *found = nullptr;
    for (const http::Field &field : exchange.request().fields) {
        if (!equalsIgnoreCase(field.name, name))
            continue;
        if (found != nullptr)
            return Unexpected(
                Reply{.status = 400,
                      .reason = reasonOf(type, "authorization"),
                      .message = "The request has more than one " + std::string(name) + " header"});
        found = &field;
    }
    if (found == nullptr || found->value.empty() || virtualkey::looksLike(found->value))
        return Unexpected(unauthorized(type,
                                       "missing",
                                       "The request has no " + std::string(name)
                                           + " header with the credentials asked for here",
                                       challenge));
    return found->value;
}

Result<std::string_view, Reply> credentials(const Exchange &exchange,
                                            std::string_view type,
                                            std::string_view scheme,
                                            std::string_view challenge)
{
    const auto value = valueOf(exchange, type, "Authorization", challenge);
    if (!value)
        return value;
    const std::size_t space = value->find(' ');
    const std::string_view text = space == std::string_view::npos
                                      ? std::string_view()
                                      : http::trimmed(value->substr(space));
    if (text.empty() || !equalsIgnoreCase(value->substr(0, space), scheme)
        || virtualkey::looksLike(text))
        return Unexpected(unauthorized(type,
                                       "missing",
                                       "The Authorization header does not hold the "
                                           + std::string(scheme)
                                           + " credentials asked for here; a virtual key goes into "
                                             "x-api-key beside them",
                                       challenge));
    return text;
}

void remove(Exchange &exchange, std::string_view name)
{
    exchange.removeRequestHeaders(
        [name](std::string_view other) { return equalsIgnoreCase(name, other); });
}

Reply unauthorized(std::string_view type,
                   std::string_view detail,
                   std::string_view message,
                   std::string_view challenge)
{
    return {.status = 401,
            .reason = reasonOf(type, detail),
            .message = std::string(message),
            .headers = {{"www-authenticate", std::string(challenge)}}};
}

std::optional<Reply>
setClient(Exchange &exchange, std::string_view type, std::optional<std::string_view> name)
{
    const ClientEntry *client = name ? exchange.clients().findClient(*name) : nullptr;
    if (client == nullptr)
        return refused(
            type, "client", "The token names no client of this gateway; ask its owner to add one");
    if (exchange.client() != nullptr && exchange.client() != client)
        return refused(type, "client", "The token and the virtual key belong to different clients");
    if (!client->mayUseRoute(exchange.route().name))
        return refused(type, "scope", "The client may not use this route");
    exchange.setClient(*client);
    return {};
}

} // namespace gatehouse::authorization
