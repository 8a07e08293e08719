// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/corsrequest.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <algorithm>

namespace gatehouse::http {

namespace {

bool isLowerCaseOrDigit(char c)
{
    return isDigit(c) || (c >= 'a' && c <= 'z');
}

bool isHost(std::string_view text)
{
    if (text.starts_with('[') && text.ends_with(']')) {
        text = text.substr(1, text.size() - 2);
        return text.find(':') != std::string_view::npos && std::ranges::all_of(text, [](char c) {
                   return isDigit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
               });
    }
    return !text.empty() && text.front() != '.' && std::ranges::all_of(text, [](char c) {
        return isLowerCaseOrDigit(c) || c == '-' || c == '.' || c == '_';
    });
}

/// ":8080", or nothing; browsers leave out the port that the scheme has anyway.
bool isPortSuffix(std::string_view text, std::string_view scheme)
{
    if (text.empty())
        return true;
    const std::string_view digits = text.substr(1);
    if (digits.empty() || digits.size() > 5 || digits.front() == '0'
        || !std::ranges::all_of(digits, isDigit))
        return false;
    return !(scheme == "http" && digits == "80") && !(scheme == "https" && digits == "443");
}

bool isListedOrigin(std::string_view text)
{
    const std::size_t end = text.find("://");
    if (end == std::string_view::npos || end == 0)
        return false;
    const std::string_view scheme = text.substr(0, end);
    const std::string_view authority = text.substr(end + 3);
    const std::size_t bracket = authority.find(']');
    const std::size_t colon = std::min(
        authority.find(':', bracket == std::string_view::npos ? 0 : bracket), authority.size());
    std::string_view host = authority.substr(0, colon);
    if (host.starts_with("*.")) {
        host.remove_prefix(2);
        if (host.find('.') == std::string_view::npos) // would be all of a top-level domain
            return false;
    }
    return std::ranges::all_of(
               scheme,
               [](char c) { return isLowerCaseOrDigit(c) || c == '+' || c == '-' || c == '.'; })
           && isHost(host) && isPortSuffix(authority.substr(colon), scheme);
}

/// Appends the names of a list; false where one is no token.
bool appendNames(std::string_view list, std::string &names)
{
    return forEachListElement(list, [&names](std::string_view name) {
        if (name.empty())
            return true;
        names.append(names.empty() ? "" : ", ").append(name);
        return isToken(name);
    });
}

} // namespace

std::string listedOriginProblem(std::string_view text)
{
    if (text == "*" || text == "null" || isListedOrigin(text))
        return {};
    return "must be an origin as browsers send it, in lower case and without path or default port, "
           "such as https://app.example.com, or https://*.example.com, * or null";
}

bool namesOrigin(std::string_view listed, std::string_view origin)
{
    const std::size_t star = listed.find('*');
    if (star == std::string_view::npos || star == 0)
        return listed == origin && star != 0;
    const std::string_view head = listed.substr(0, star);
    const std::string_view tail = listed.substr(star + 1);
    return origin.size() > head.size() + tail.size() && origin.starts_with(head)
           && origin.ends_with(tail)
           && isHost(origin.substr(head.size(), origin.size() - head.size() - tail.size()));
}

CorsRequest readCorsRequest(const RequestHead &request)
{
    CorsRequest asked;
    const auto setOnce = [&asked](std::optional<std::string_view> &value, std::string_view text) {
        asked.isMalformed = asked.isMalformed || value.has_value();
        value = text;
    };
    for (const Field &field : request.fields) {
        if (field.id == FieldId::Origin)
            setOnce(asked.origin, field.value);
        else if (field.id != FieldId::Other)
            continue;
        else if (equalsIgnoreCase(field.name, "access-control-request-method"))
            setOnce(asked.method, field.value);
        else if (equalsIgnoreCase(field.name, "access-control-request-headers"))
            asked.isMalformed = !appendNames(field.value, asked.headers) || asked.isMalformed;
    }
    asked.isMalformed = asked.isMalformed || (asked.method && !isToken(*asked.method));
    return asked;
}

} // namespace gatehouse::http
