// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/pipeline/exchange.h"
#include "gateway/pipeline/verdict.h"

#include <optional>
#include <string_view>

namespace gatehouse {

/// What policies that authenticate by the Authorization field have in common (RFC 9110 §11.6.2).
/// \a type is the policy's, for the reasons of replies.
namespace authorization {

/// What stands behind \a scheme ("Bearer", any case); never a virtual key, which is not theirs to judge.
/// The refusal: `<type>:missing`, with \a challenge, where there is none, and 400
/// `<type>:authorization` where there are several fields of that name.
[[nodiscard]] Result<std::string_view, Reply> credentials(const Exchange &exchange,
                                                          std::string_view type,
                                                          std::string_view scheme,
                                                          std::string_view challenge);

/// Likewise the whole value of the one field \a name.
[[nodiscard]] Result<std::string_view, Reply> valueOf(const Exchange &exchange,
                                                      std::string_view type,
                                                      std::string_view name,
                                                      std::string_view challenge);

/// Takes the fields of that name away, so that they do not go on to the provider.
void remove(Exchange &exchange, std::string_view name = "authorization");

/// 401 with a WWW-Authenticate field. \a message: a sentence without its full stop.
[[nodiscard]] Reply unauthorized(std::string_view type,
                                 std::string_view detail,
                                 std::string_view message,
                                 std::string_view challenge);

/// Makes the client of that name the one who asks. 403 `<type>:client` where \a name is none, where
/// there is no such client, or where a virtual key names another, and `<type>:scope` where the client
/// may not use the route.
[[nodiscard]] std::optional<Reply>
setClient(Exchange &exchange, std::string_view type, std::optional<std::string_view> name);

} // namespace authorization

} // namespace gatehouse
