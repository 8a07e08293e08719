// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/reply.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace gatehouse::http {

namespace {

/// RFC 9110 §15 and RFC 6585.
std::string_view reasonPhrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 417:
        return "Expectation Failed";
    case 421:
        return "Misdirected Request";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Error";
    }
}

void append(std::string &out, std::string_view name, std::string_view value)
{
    out.append(name).append(": ").append(value).append("\r\n");
}

/// RFC 9110 §8.6: a 204 and a 304 have no body, and a 204 announces none.
bool mayHaveBody(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

void appendFraming(std::string &out, const OwnReply &reply)
{
    if (!mayHaveBody(reply.status))
        return;
    if (!reply.contentType.empty())
        append(out, "Content-Type", reply.contentType);
    if (reply.streams)
        append(out, "Transfer-Encoding", "chunked");
    else
        append(out, "Content-Length", std::to_string(reply.body.size()));
}

/// One chunk for each event with the empty line that ends it; the last may lack that line.
void appendEvents(std::string &out, std::string_view body)
{
    while (!body.empty()) {
        const std::size_t blank = body.find("\n\n");
        const std::string_view event
            = body.substr(0, blank == std::string_view::npos ? blank : blank + 2);
        std::array<char, 16> digits{};
        const auto end
            = std::to_chars(digits.data(), digits.data() + digits.size(), event.size(), 16).ptr;
        out.append(digits.data(), end).append("\r\n").append(event).append("\r\n");
        body.remove_prefix(event.size());
    }
}

} // namespace

void addFieldsOfStatus(int status, bool cannotBeMended, std::vector<Field> &fields)
{
    const auto add = [&fields](std::string_view name, std::string_view value) {
        const bool isThere = std::ranges::any_of(
            fields, [name](const Field &field) { return equalsIgnoreCase(field.name, name); });
        if (!isThere)
            fields.push_back({fieldId(name), name, value});
    };
    if (cannotBeMended)
        add("x-should-retry", "false");
    if (status == 503 && !cannotBeMended)
        add("Retry-After", "1");
    if (status == 401)
        add("WWW-Authenticate", "Bearer realm=\"gatehouse\"");
    if (status == 405)
        add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

std::string ownReply(const OwnReply &reply)
{
    std::string out = "HTTP/1.1 " + std::to_string(reply.status) + ' ';
    out.append(reasonPhrase(reply.status)).append("\r\n");
    appendFraming(out, reply);
    if (!reply.reason.empty())
        append(out, "x-gatehouse-reason", reply.reason);
    if (!reply.requestId.empty())
        append(out, "x-gatehouse-request-id", reply.requestId);
    std::vector<Field> fields(reply.fields.begin(), reply.fields.end());
    if (!reply.hasFieldsOfStatus)
        addFieldsOfStatus(reply.status, reply.cannotBeMended, fields);
    for (const Field &field : fields)
        append(out, field.name, field.value);
    if (!reply.keepAlive)
        append(out, "Connection", "close");
    out += "\r\n";
    if (reply.toHead || !mayHaveBody(reply.status))
        return out;
    const std::string_view body = reply.body.substr(0, reply.cutAfter.value_or(reply.body.size()));
    if (!reply.streams) {
        out += body;
    } else {
        appendEvents(out, body);
        if (body.size() == reply.body.size())
            out += "0\r\n\r\n";
    }
    return out;
}

} // namespace gatehouse::http
