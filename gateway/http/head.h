// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gatehouse::http {

/// The fields that the gateway itself looks at; all others are Other and pass as they are.
enum class FieldId : std::uint8_t {
    Other,
    ApiKey,
    Authorization,
    Connection,
    ContentEncoding,
    ContentLength,
    ContentType,
    Cookie,
    Expect,
    GatehouseReason,
    GatehouseRequestId,
    Host,
    KeepAlive,
    Origin,
    ProxyAuthenticate,
    ProxyAuthorization,
    ProxyConnection,
    SecFetchSite,
    Te,
    Trailer,
    TransferEncoding,
    Upgrade,
    XApiKey,
    XGoogApiKey,
};

/// What a field name, in any case, is to the gateway.
[[nodiscard]] FieldId fieldId(std::string_view name);

/// A field line as it was written; value without the optional white space around it. Views into the
/// head that was parsed. RFC 9112 §5.
struct Field
{
    FieldId id = FieldId::Other;
    std::string_view name;
    std::string_view value;
};

/// How the end of a body is found. RFC 9112 §6.3.
enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };

enum class Version : std::uint8_t { Http10, Http11 };

/// What requests and responses have in common after the rules were applied.
struct Head
{
    Version version = Version::Http11;
    Framing framing = Framing::None;
    std::uint64_t contentLength = 0; ///< with Framing::Length; for HEAD and 304 what was announced
    bool keepAlive = true;           ///< the peer keeps the connection open after this message
    bool upgradeWebsocket = false;   ///< Connection names upgrade and Upgrade is websocket
    std::vector<Field> fields;       ///< in the order written

    /// First field of that id, or null.
    [[nodiscard]] const Field *find(FieldId id) const;
    /// True where a Connection field names \a name (any case).
    [[nodiscard]] bool connectionNames(std::string_view name) const;
};

struct RequestHead : Head
{
    std::string_view method;
    std::string_view target; ///< as written
    std::string_view path;   ///< as written, without the query; "*" for OPTIONS *
    std::string_view query;  ///< as written, with its '?'; empty where there is none
    std::string_view host;   ///< host of the effective authority, without port
    bool expectContinue = false;
};

struct ResponseHead : Head
{
    int status = 0;
    std::string_view reason;
    bool hasContentLength = false; ///< announced, also where the message has no body
};

/// Parses one complete request head, its last CRLF CRLF included. \a request is cleared first and
/// points into \a head afterwards. Refuses (Source::Client) whatever two readers could read
/// differently: RFC 9112 §§2–7, RFC 9110 §§4–7, and stricter where those let a recipient choose.
/// \a targetLimit in bytes.
[[nodiscard]] Result<void>
parseRequestHead(std::string_view head, std::size_t targetLimit, RequestHead &request);

/// The same for a response; \a requestMethod decides whether it has a body. Refusals are
/// ProviderBadResponse.
[[nodiscard]] Result<void>
parseResponseHead(std::string_view head, std::string_view requestMethod, ResponseHead &response);

/// Parses a trailer section up to and with its empty line, CRLF alone included. Fields that frame,
/// route or authenticate are refused (RFC 9110 §6.5.1) with \a refusal.
[[nodiscard]] Result<std::vector<Field>> parseTrailers(std::string_view section, ErrorCode refusal);

/// Finds the end of a head in bytes that come in pieces, and refuses on the way what no parser
/// behind it could tell: bare LF and obs-fold. One per head; keep it while the head is incomplete.
class HeadScanner
{
public:
    enum class Outcome : std::uint8_t { NeedMore, Complete, Malformed };

    /// \a bytes: all of the head so far, from its first byte, so that it can grow between calls.
    [[nodiscard]] Outcome scan(std::string_view bytes);
    /// Length of the head with its empty line; valid after Complete.
    [[nodiscard]] std::size_t length() const { return m_position; }

private:
    std::size_t m_position = 0; ///< first byte of the line not yet seen whole
    std::size_t m_searched = 0; ///< no LF between m_position and here
};

} // namespace gatehouse::http
