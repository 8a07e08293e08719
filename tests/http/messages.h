// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"

#include <QByteArrayList>

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::http {

inline QByteArray bytes(std::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

inline std::string_view view(const QByteArray &array)
{
    return {array.constData(), static_cast<std::size_t>(array.size())};
}

/// "ok", or the reason of the refusal.
template<typename T>
QByteArray outcomeOf(const Result<T> &result)
{
    return result ? QByteArray("ok") : bytes(result.error().info().reason);
}

/// The scanner's verdict on \a head, which has to be one head and nothing else: "ok" or what it is.
inline QByteArray scanned(std::string_view head)
{
    HeadScanner scanner;
    switch (scanner.scan(head)) {
    case HeadScanner::Outcome::NeedMore:
        return "incomplete";
    case HeadScanner::Outcome::Malformed:
        return "malformed";
    case HeadScanner::Outcome::Complete:
        break;
    }
    return scanner.length() == head.size() ? "ok" : "bytes behind the head";
}

constexpr std::size_t targetLimit = 64;

/// What the gateway makes of a request head: "ok", "malformed" by the scanner, or a reason.
inline QByteArray outcomeOfRequest(std::string_view head, RequestHead &request)
{
    const QByteArray whole = scanned(head);
    return whole == "ok" ? outcomeOf(parseRequestHead(head, targetLimit, request)) : whole;
}

inline QByteArray
outcomeOfResponse(std::string_view head, ResponseHead &response, std::string_view method = "GET")
{
    const QByteArray whole = scanned(head);
    return whole == "ok" ? outcomeOf(parseResponseHead(head, method, response)) : whole;
}

/// A request with this first line, Host and these field lines, each with its CRLF.
inline std::string requestWith(std::string_view fieldLines,
                               std::string_view firstLine = "POST /v1/x HTTP/1.1")
{
    return std::string(firstLine) + "\r\nHost: h\r\n" + std::string(fieldLines) + "\r\n";
}

inline std::string responseWith(std::string_view fieldLines,
                                std::string_view firstLine = "HTTP/1.1 200 OK")
{
    return std::string(firstLine) + "\r\n" + std::string(fieldLines) + "\r\n";
}

/// "name=value|name=value" in the order written.
inline QByteArray listed(const std::vector<Field> &fields)
{
    QByteArrayList texts;
    for (const Field &field : fields)
        texts += bytes(field.name) + '=' + bytes(field.value);
    return texts.join('|');
}

} // namespace gatehouse::http
