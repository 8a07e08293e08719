// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/multipart.h"

#include <string>
#include <string_view>

namespace gatehouse::http {

/// A body with the boundary `b`; the lines of \a text end with `|`, which stands for CRLF.
inline std::string lines(std::string text)
{
    std::string body;
    for (const char c : text)
        c == '|' ? body += "\r\n" : body += c;
    return body;
}

/// Each part as `name(filename)<type>:content;`, then what was refused.
inline std::string shown(std::string_view body, std::string_view boundary = "b")
{
    const auto parts = parseMultipart(body, boundary);
    if (!parts)
        return parts.error().code == ErrorCode::BodyEncoding         ? "unreadable"
               : parts.error().code == ErrorCode::BodyNotInspectable ? "too much"
                                                                     : "another error";
    std::string text;
    for (const FormPart &part : *parts) {
        text += part.name;
        if (part.filename)
            text += '(' + std::string(*part.filename) + ')';
        if (!part.contentType.empty())
            text += '<' + std::string(part.contentType) + '>';
        text += ':' + std::string(part.content) + ';';
    }
    return text;
}

/// A form with one part whose head is \a head and one named `model`.
inline std::string withHead(const std::string &head)
{
    return lines("--b|" + head
                 + "||x|--b|Content-Disposition: form-data; name=\"model\"||gpt|--b--|");
}

inline const std::string disposition = "Content-Disposition: form-data; name=\"a\"";

} // namespace gatehouse::http
