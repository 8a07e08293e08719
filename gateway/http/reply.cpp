// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/reply.h"

namespace gatehouse::http {

namespace {

/// RFC 9110 §15 and RFC 6585.
std::string_view reasonPhrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
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
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 417:
        return "Expectation Failed";
    case 421:
        return "Misdirected Request";
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

} // namespace

std::string ownReply(const OwnReply &reply)
{
    std::string out = "HTTP/1.1 " + std::to_string(reply.status) + ' ';
    out += reasonPhrase(reply.status);
    out += "\r\nContent-Type: ";
    out += reply.contentType;
    out += "\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\n";
    if (!reply.reason.empty()) {
        out += "x-gatehouse-reason: ";
        out += reply.reason;
        out += "\r\n";
    }
    if (!reply.requestId.empty()) {
        out += "x-gatehouse-request-id: ";
        out += reply.requestId;
        out += "\r\n";
    }
    if (reply.cannotBeMended)
        out += "x-should-retry: false\r\n";
    if (reply.status == 503)
        out += "Retry-After: 1\r\n";
    if (reply.status == 401)
        out += "WWW-Authenticate: Bearer realm=\"gatehouse\"\r\n";
    if (reply.status == 405)
        out += "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
    if (!reply.keepAlive)
        out += "Connection: close\r\n";
    out += "\r\n";
    if (!reply.toHead)
        out += reply.body;
    return out;
}

} // namespace gatehouse::http
