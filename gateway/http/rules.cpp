// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/rules.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <algorithm>
#include <array>

namespace gatehouse::http {

namespace {

/// Each is compared with each field's name when the head is written anew.
constexpr int maxConnectionOptions = 32;

Result<void> refuseRequest(const char *why)
{
    return Unexpected(Error{ErrorCode::BadRequest, why});
}

bool isVisible(char c)
{
    return c > ' ' && c < '\x7f';
}

/// Printable ASCII that URL parsers in use leave as it is in a query; '#' would begin a fragment.
bool isQueryChar(char c)
{
    return isVisible(c) && c != '#' && c != '"' && c != '<' && c != '>';
}

/// Narrower than in a query: what one server takes for a separator and another does not stays out.
bool isPathChar(char c)
{
    return isQueryChar(c) && c != '?' && c != '\\' && c != '^' && c != '`' && c != '{' && c != '}';
}

/// 3 where \a text begins with the escape of these two digits, the second one in any case; else 0.
std::size_t escapeAt(std::string_view text, char first, char second)
{
    return text.size() >= 3 && text[0] == '%' && text[1] == first && (text[2] | 0x20) == second ? 3
                                                                                                : 0;
}

/// Length of what one server or another ends a segment's name with, at the front of \a text; else 0.
std::size_t separatorAt(std::string_view text)
{
    if (text.front() == '/' || text.front() == ';')
        return 1;
    const std::size_t slash = escapeAt(text, '2', 'f');
    return slash != 0 ? slash : escapeAt(text, '5', 'c');
}

} // namespace

bool hasDotSegment(std::string_view path)
{
    int dots = 0; // of the segment so far; -1 where it holds anything else
    while (!path.empty()) {
        const std::size_t separator = separatorAt(path);
        if (separator != 0 && (dots == 1 || dots == 2))
            return true;
        const std::size_t dot = path.front() == '.' ? 1 : escapeAt(path, '2', 'e');
        if (separator != 0)
            dots = path.front() == ';' ? -1 : 0; // parameters of the segment follow
        else if (dot != 0 && dots >= 0)
            ++dots;
        else
            dots = -1;
        path.remove_prefix(std::max<std::size_t>({separator, dot, 1}));
    }
    return dots == 1 || dots == 2;
}

namespace {

/// Every '%' begins an escape, and none of them hides a NUL or another control character.
bool hasValidEscapes(std::string_view path)
{
    for (std::size_t at = path.find('%'); at != std::string_view::npos;
         at = path.find('%', at + 1)) {
        if (at + 2 >= path.size() || hexValue(path[at + 1]) < 0 || hexValue(path[at + 2]) < 0)
            return false;
        if (path[at + 1] < '2' || (path[at + 1] == '7' && (path[at + 2] | 0x20) == 'f'))
            return false;
    }
    return true;
}

Result<void> checkPath(std::string_view path)
{
    if (!std::all_of(path.begin(), path.end(), isPathChar))
        return refuseRequest("the path holds a character that must be percent-encoded");
    if (!hasValidEscapes(path))
        return refuseRequest("the path holds a bad percent-encoding");
    if (hasDotSegment(path))
        return refuseRequest("the path holds a dot segment");
    return {};
}

/// The Host field of a request; absolute-form targets have to agree with it. RFC 9112 §3.2.
Result<std::string_view> hostField(const RequestHead &request)
{
    const Field *host = nullptr;
    for (const Field &field : request.fields) {
        if (field.id != FieldId::Host)
            continue;
        if (host != nullptr)
            return Unexpected(Error{ErrorCode::BadRequest, "more than one Host field"});
        host = &field;
    }
    if (host == nullptr)
        return Unexpected(Error{ErrorCode::BadRequest, "no Host field"});
    return host->value;
}

Result<void> applyTarget(RequestHead &request)
{
    const auto authority = hostField(request);
    if (!authority)
        return Unexpected(authority.error());
    const auto host = hostOfAuthority(*authority);
    if (!host)
        return refuseRequest("the Host field is not a host and a port");
    request.host = *host;

    std::string_view target = request.target;
    if (target == "*" && request.method == "OPTIONS") {
        request.path = target;
        request.query = {};
        return {};
    }
    if (!target.starts_with('/')) {
        const std::size_t scheme = target.find("://");
        if (scheme == std::string_view::npos
            || (!equalsIgnoreCase(target.substr(0, scheme), "http")
                && !equalsIgnoreCase(target.substr(0, scheme), "https")))
            return refuseRequest("the target is neither a path nor an http URL");
        target.remove_prefix(scheme + 3);
        const std::size_t end = std::min(target.find_first_of("/?"), target.size());
        if (!equalsIgnoreCase(target.substr(0, end), *authority))
            return refuseRequest("the target and the Host field name different hosts");
        target.remove_prefix(end);
        if (!target.starts_with('/'))
            return refuseRequest("the target URL has no path");
    }
    const std::size_t mark = std::min(target.find('?'), target.size());
    request.path = target.substr(0, mark);
    request.query = target.substr(mark);
    if (!std::all_of(request.query.begin(), request.query.end(), isQueryChar))
        return refuseRequest("the query holds a character that must be percent-encoded");
    return checkPath(request.path);
}

/// Content-Length and Transfer-Encoding of either kind of message; what is wrong, or null.
/// RFC 9112 §6, and only the forms that everybody reads alike.
const char *applyFraming(Head &head)
{
    const Field *length = nullptr;
    const Field *coding = nullptr;
    for (const Field &field : head.fields) {
        if (field.id == FieldId::ContentLength) {
            if (length != nullptr)
                return "more than one Content-Length";
            length = &field;
        } else if (field.id == FieldId::TransferEncoding) {
            if (coding != nullptr)
                return "more than one Transfer-Encoding";
            coding = &field;
        }
    }
    if (length != nullptr && coding != nullptr)
        return "Content-Length and Transfer-Encoding together";
    if (coding != nullptr) {
        if (!equalsIgnoreCase(coding->value, "chunked"))
            return "a Transfer-Encoding other than chunked";
        if (head.version == Version::Http10)
            return "Transfer-Encoding in HTTP/1.0";
        head.framing = Framing::Chunked;
    } else if (length != nullptr) {
        const auto value = parseDecimal(length->value);
        if (!value)
            return "a Content-Length that is not a number";
        head.framing = Framing::Length;
        head.contentLength = *value;
    }
    return nullptr;
}

/// Fields that we act upon, so that dropping them on the way would make two readings of one message.
bool isForAllHops(std::string_view name)
{
    static constexpr std::array<std::string_view, 10> names{"host",
                                                            "content-length",
                                                            "content-type",
                                                            "content-encoding",
                                                            "authorization",
                                                            "x-api-key",
                                                            "x-goog-api-key",
                                                            "api-key",
                                                            "origin",
                                                            "cookie"};
    return std::any_of(names.begin(), names.end(), [name](std::string_view listed) {
        return equalsIgnoreCase(listed, name);
    });
}

/// What is wrong with the \a nth option of Connection, or null.
const char *problemOfOption(std::string_view option, int nth)
{
    if (nth > maxConnectionOptions)
        return "more Connection options than anybody needs";
    if (!option.empty() && !isToken(option))
        return "a Connection option that is not a token";
    return isForAllHops(option) ? "Connection names a field that is not for one hop" : nullptr;
}

/// Keep-alive by version and Connection options; what is wrong, or null. RFC 9112 §9.3.
const char *applyConnection(Head &head)
{
    bool close = false;
    bool keepAlive = false;
    bool upgrade = false;
    int options = 0;
    const char *problem = nullptr;
    for (const Field &field : head.fields) {
        if (field.id != FieldId::Connection || problem != nullptr)
            continue;
        (void)forEachListElement(field.value, [&](std::string_view option) {
            close = close || equalsIgnoreCase(option, "close");
            keepAlive = keepAlive || equalsIgnoreCase(option, "keep-alive");
            upgrade = upgrade || equalsIgnoreCase(option, "upgrade");
            problem = problemOfOption(option, ++options);
            return problem == nullptr;
        });
    }
    head.keepAlive = !close && (head.version == Version::Http11 || keepAlive);
    if (upgrade && problem == nullptr) {
        const Field *protocol = head.find(FieldId::Upgrade);
        head.upgradeWebsocket = protocol != nullptr && head.version == Version::Http11
                                && equalsIgnoreCase(protocol->value, "websocket");
    }
    return problem;
}

Result<void> applyExpect(RequestHead &request)
{
    for (const Field &field : request.fields) {
        if (field.id != FieldId::Expect)
            continue;
        if (!equalsIgnoreCase(field.value, "100-continue"))
            return Unexpected(Error{ErrorCode::ExpectationFailed, {}});
        request.expectContinue
            = request.version == Version::Http11
              && (request.framing == Framing::Chunked
                  || (request.framing == Framing::Length && request.contentLength > 0));
    }
    return {};
}

/// Of the brackets and what is in them; 0 where it is not one.
std::size_t lengthOfIpLiteral(std::string_view authority)
{
    const auto isAddressChar = [](char c) { return hexValue(c) >= 0 || c == ':' || c == '.'; };
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos || end < 3)
        return 0;
    const std::string_view address = authority.substr(1, end - 1);
    return std::all_of(address.begin(), address.end(), isAddressChar) ? end + 1 : 0;
}

/// 0 where there is no name, or one longer than DNS allows.
std::size_t lengthOfHostName(std::string_view authority)
{
    const auto isHostChar
        = [](char c) { return isAlphanumeric(c) || c == '-' || c == '.' || c == '_'; };
    const auto *const stop = std::find_if_not(authority.begin(), authority.end(), isHostChar);
    const auto length = static_cast<std::size_t>(stop - authority.begin());
    return length <= 253 ? length : 0;
}

} // namespace

std::optional<std::string_view> hostOfAuthority(std::string_view authority)
{
    const std::size_t end
        = authority.starts_with('[') ? lengthOfIpLiteral(authority) : lengthOfHostName(authority);
    if (end == 0)
        return std::nullopt;
    const std::string_view port = authority.substr(end);
    if (!port.empty()) {
        const auto number = port.front() == ':' ? parseDecimal(port.substr(1)) : std::nullopt;
        if (!number || *number == 0 || *number > 65535)
            return std::nullopt;
    }
    return authority.substr(0, end);
}

Result<void> applyRequestRules(RequestHead &request)
{
    if (request.method.size() > 32)
        return refuseRequest("the method is too long");
    // CONNECT asks for another kind of server; TRACE would echo the provider's credential.
    if (request.method == "CONNECT" || request.method == "TRACE")
        return Unexpected(Error{ErrorCode::MethodNotAllowed, std::string(request.method)});
    if (auto result = applyTarget(request); !result)
        return result;
    if (const char *problem = applyFraming(request))
        return refuseRequest(problem);
    if (const char *problem = applyConnection(request))
        return refuseRequest(problem);
    if (request.upgradeWebsocket && (request.method != "GET" || request.framing != Framing::None))
        return Unexpected(Error{ErrorCode::UpgradeRefused, "it has to be a GET without a body"});
    return applyExpect(request);
}

Result<void> applyResponseRules(ResponseHead &response, std::string_view requestMethod)
{
    const auto refuse = [](const char *why) {
        return Unexpected(Error{ErrorCode::ProviderBadResponse, why});
    };
    if (response.status < 100 || response.status > 599)
        return refuse("the status is not between 100 and 599");
    if (const char *problem = applyFraming(response))
        return refuse(problem);
    if (const char *problem = applyConnection(response))
        return refuse(problem);
    response.hasContentLength = response.framing == Framing::Length;
    const bool isInterim = response.status < 200;
    if (response.framing == Framing::Chunked && (isInterim || response.status == 204))
        return refuse("a Transfer-Encoding where no body can be");
    if (isInterim || response.status == 204 || response.status == 304 || requestMethod == "HEAD") {
        response.framing = Framing::None;
    } else if (response.framing == Framing::None) {
        response.framing = Framing::UntilClose;
        response.keepAlive = false;
    }
    return {};
}

bool mayBeTrailer(const Field &field)
{
    switch (field.id) {
    case FieldId::Other:
        break;
    case FieldId::ApiKey:
    case FieldId::Authorization:
    case FieldId::Connection:
    case FieldId::ContentEncoding:
    case FieldId::ContentLength:
    case FieldId::ContentType:
    case FieldId::Cookie:
    case FieldId::Expect:
    case FieldId::GatehouseReason:
    case FieldId::GatehouseRequestId:
    case FieldId::Host:
    case FieldId::KeepAlive:
    case FieldId::Origin:
    case FieldId::ProxyAuthenticate:
    case FieldId::ProxyAuthorization:
    case FieldId::ProxyConnection:
    case FieldId::SecFetchSite:
    case FieldId::Te:
    case FieldId::Trailer:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade:
    case FieldId::XApiKey:
    case FieldId::XGoogApiKey:
        return false;
    }
    static constexpr std::array<std::string_view, 9> banned{"cache-control",
                                                            "content-range",
                                                            "location",
                                                            "max-forwards",
                                                            "range",
                                                            "set-cookie",
                                                            "forwarded",
                                                            "x-forwarded-for",
                                                            "x-forwarded-host"};
    return std::none_of(banned.begin(), banned.end(), [&field](std::string_view name) {
        return equalsIgnoreCase(field.name, name);
    });
}

} // namespace gatehouse::http
