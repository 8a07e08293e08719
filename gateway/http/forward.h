// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"

#include <string>
#include <string_view>

namespace gatehouse::http {

/// Takes out the fields that Connection names, which end here (RFC 9110 §7.6.1), and Connection itself: for
/// those who change a head, so that what they put in is not taken for one of them.
void dropConnectionNamed(Head &head);

/// What the gateway puts into a request head of its own.
struct RequestRewrite
{
    std::string_view basePath;       ///< of the provider; goes before \a path
    std::string_view path;           ///< below the route's base path, as written
    std::string_view query;          ///< with its '?', the virtual key taken out; or empty
    std::string_view authority;      ///< the Host value
    std::string_view credentialLine; ///< whole line with CRLF, or empty
    /// Those of the client too where we bring none: they are for another provider.
    bool dropsCredentials = false;
};

/// Appends to \a out the head for the provider: written anew from what was parsed, end-to-end fields
/// in their order and as spelled, Host with its new value. Left out are hop-by-hop and
/// Connection-named fields, Expect, the carriers of credentials (all of them where we bring one, else those with a virtual key).
void writeRequestHead(std::string &out, const RequestHead &request, const RequestRewrite &rewrite);

/// How a response's end is shown to the client.
struct ResponseRewrite
{
    Framing framing = Framing::None; ///< what the client will see
    bool toHttp10 = false;
    bool close = false;              ///< we close after this message
    std::string_view requestId = {}; ///< value of x-gatehouse-request-id; empty: without
};

/// The same towards the client; the provider's own x-gatehouse-reason and -request-id are left out, so
/// that the names can be trusted.
void writeResponseHead(std::string &out,
                       const ResponseHead &response,
                       const ResponseRewrite &rewrite);

/// Appends the fields, as parseTrailers lets them through, as a trailer section with its empty line.
void writeTrailers(std::string &out, const std::vector<Field> &fields);

} // namespace gatehouse::http
