// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/http/head.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

/// The places where SDKs put a key, as bits of a set.
enum class Carrier : std::uint8_t {
    Bearer = 1,
    XApiKey = 2,
    XGoogApiKey = 4,
    ApiKey = 8,
    Query = 16
};
inline constexpr std::uint8_t allCarriers = 31;

/// The virtual key that a request carries and where; more than one place may carry the same.
struct CarriedKey
{
    std::string_view
        text; ///< empty where there is none; looks like a virtual key, may be malformed
    std::uint8_t carriers = 0;  ///< set of Carrier
    bool disagree = false;      ///< two places carry different ones
    std::string queryText = {}; ///< owner of text where only the query carries it
};

/// Finds the virtual keys of a request's fields and query, and takes them out of the query:
/// \a query receives what is left of it, as written. \a dropOthers: a `key=` of the client's own goes too,
/// since a credential of ours takes its place. Refused is a virtual key where it would go on to the
/// provider: in the path, another field, another parameter (BadRequest).
[[nodiscard]] Result<void> takeCarriers(const http::RequestHead &request,
                                        bool dropOthers,
                                        CarriedKey &key,
                                        std::string &query);

} // namespace gatehouse
