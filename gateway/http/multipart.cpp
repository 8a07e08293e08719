// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/multipart.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <algorithm>

namespace gatehouse::http {

namespace {

constexpr std::size_t longestBoundary = 70;
constexpr std::size_t longestPartHead = std::size_t{8} * 1024;
constexpr std::size_t mostParts = 1000;
constexpr std::size_t mostParameters = 16; // each is compared with those before it
constexpr std::string_view lineEnd = "\r\n";

Unexpected<Error> unreadable(std::string context)
{
    return Unexpected(Error{ErrorCode::BodyEncoding, "multipart: " + std::move(context)});
}

Unexpected<Error> tooMuch(std::string context)
{
    return Unexpected(Error{ErrorCode::BodyNotInspectable, "multipart: " + std::move(context)});
}

struct Parameter
{
    std::string_view name;
    std::string_view value;
};

/// The filename in another charset, RFC 8187.
constexpr std::string_view extendedFilename = "filename*";

/// A field value of the kind `form-data; name="x"` (RFC 9110 §5.6.6).
struct ParameterisedValue
{
    std::string_view value;
    std::vector<Parameter> parameters;

    /// nullptr where it is not there.
    [[nodiscard]] const std::string_view *find(std::string_view name) const
    {
        const auto found = std::ranges::find_if(parameters, [name](const Parameter &parameter) {
            return equalsIgnoreCase(parameter.name, name);
        });
        return found == parameters.end() ? nullptr : &found->value;
    }
};

/// Takes a token or a quoted string without escapes from the front of \a text.
std::optional<std::string_view> takeValue(std::string_view &text)
{
    if (!text.starts_with('"')) {
        const auto end = std::ranges::find_if_not(text, isTokenChar);
        const std::string_view token = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        text.remove_prefix(token.size());
        return token.empty() ? std::nullopt : std::optional(token);
    }
    const std::size_t end = text.find_first_of("\"\\", 1);
    if (end == std::string_view::npos || text[end] == '\\')
        return std::nullopt;
    const std::string_view quoted = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return quoted;
}

/// \a known: a parameter with a * that is taken nevertheless.
Result<ParameterisedValue>
parseParameterised(std::string_view text, const std::string &where, std::string_view known = {})
{
    ParameterisedValue parsed;
    const std::size_t semicolon = std::min(text.find(';'), text.size());
    parsed.value = trimmed(text.substr(0, semicolon));
    text.remove_prefix(semicolon);
    while (!text.empty()) {
        text = trimmed(text.substr(1));
        const std::size_t equals = std::min(text.find('='), text.size());
        const std::string_view name = text.substr(0, equals);
        text.remove_prefix(std::min(equals + 1, text.size()));
        const auto value = takeValue(text);
        text = trimmed(text);
        if (!isToken(name) || !value || (!text.empty() && text.front() != ';'))
            return unreadable("malformed parameters in " + where);
        if (name.find('*') != std::string_view::npos && !equalsIgnoreCase(name, known))
            return unreadable("a parameter with * in " + where
                              + ", which some readers prefer and others pass over");
        if (parsed.find(name) != nullptr)
            return unreadable("the parameter " + inQuotes(name) + " twice in " + where);
        if (parsed.parameters.size() == mostParameters)
            return tooMuch("more than 16 parameters in " + where);
        parsed.parameters.push_back({name, *value});
    }
    return parsed;
}

bool isBoundary(std::string_view text)
{
    constexpr std::string_view alsoAllowed = "'()+_,-./:=? ";
    return !text.empty() && text.size() <= longestBoundary && text.back() != ' '
           && std::ranges::all_of(text, [&](char c) {
                  return isAlphanumeric(c) || alsoAllowed.find(c) != std::string_view::npos;
              });
}

bool isPlainText(std::string_view text)
{
    return std::ranges::none_of(text, isControl) && findInvalidUtf8(text) == std::string_view::npos;
}

Result<void> readDisposition(std::string_view value, FormPart &part)
{
    const auto disposition = parseParameterised(value, "Content-Disposition", extendedFilename);
    if (!disposition)
        return Unexpected(disposition.error());
    if (!equalsIgnoreCase(disposition->value, "form-data"))
        return unreadable("a Content-Disposition that is not form-data");
    const std::string_view *name = disposition->find("name");
    if (name == nullptr || name->empty() || !isPlainText(*name))
        return unreadable("a part without a name in UTF-8");
    if (name->find("=?") != std::string_view::npos) // RFC 2047, which some readers decode here
        return unreadable("a name that may be an encoded word");
    // Some readers take this field for the charset of all others. RFC 7578 §4.6.
    if (equalsIgnoreCase(*name, "_charset_"))
        return unreadable("a field _charset_");
    part.name = *name;
    if (const std::string_view *filename = disposition->find("filename")) {
        if (!isPlainText(*filename))
            return unreadable("a filename that is not UTF-8");
        part.filename = *filename;
    } else if (disposition->find(extendedFilename) != nullptr) {
        return unreadable("a filename* without filename, so that only some readers take the part "
                          "for a file");
    }
    return {};
}

/// Refuses what makes some readers see another content than what is written.
Result<void> checkContentType(const FormPart &part)
{
    const auto type = parseParameterised(part.contentType, "a part's Content-Type");
    if (!type)
        return Unexpected(type.error());
    const std::size_t slash = std::min(type->value.find('/'), type->value.size());
    const std::string_view major = type->value.substr(0, slash);
    if (!part.contentType.empty()
        && (!isToken(major) || slash == type->value.size()
            || !isToken(type->value.substr(slash + 1))))
        return unreadable("a malformed Content-Type of a part");
    if (equalsIgnoreCase(major, "multipart"))
        return unreadable("a part that has parts of its own");
    const std::string_view *charset = type->find("charset");
    if (!part.filename && charset != nullptr && !isUtf8Charset(*charset))
        return unreadable("a field in another charset than UTF-8");
    return {};
}

bool isIdentityTransfer(std::string_view encoding)
{
    return equalsIgnoreCase(encoding, "binary") || equalsIgnoreCase(encoding, "8bit")
           || equalsIgnoreCase(encoding, "7bit");
}

/// Reads the field lines of a part. \a head has a CRLF after each.
Result<void> readPartHead(std::string_view head, FormPart &part)
{
    std::size_t dispositions = 0;
    std::size_t types = 0;
    while (!head.empty()) {
        const std::string_view line = head.substr(0, head.find(lineEnd));
        head.remove_prefix(line.size() + lineEnd.size());
        const std::size_t colon = std::min(line.find(':'), line.size());
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = trimmed(line.substr(std::min(colon + 1, line.size())));
        const bool hasControl
            = std::ranges::any_of(value, [](char c) { return isControl(c) && c != '\t'; });
        if (colon == line.size() || !isToken(name) || hasControl)
            return unreadable("a malformed line in the head of a part");
        if (equalsIgnoreCase(name, "content-disposition")) {
            ++dispositions;
            if (auto read = readDisposition(value, part); !read)
                return read;
        } else if (equalsIgnoreCase(name, "content-type")) {
            ++types;
            part.contentType = value;
        } else if (equalsIgnoreCase(name, "content-encoding")
                   || (equalsIgnoreCase(name, "content-transfer-encoding")
                       && !isIdentityTransfer(value))) {
            return unreadable("a part with an encoding of its own");
        }
    }
    if (dispositions != 1 || types > 1)
        return unreadable("a part needs one Content-Disposition and at most one Content-Type");
    return checkContentType(part);
}

/// \a part is what stands between two boundary lines, with the CRLF that belongs to the second.
Result<FormPart> parsePart(std::string_view text)
{
    if (!text.ends_with(lineEnd))
        return unreadable("a boundary that does not begin a line");
    text.remove_suffix(lineEnd.size());
    constexpr std::string_view headEnd = "\r\n\r\n";
    const std::size_t end = text.substr(0, longestPartHead).find(headEnd);
    if (end == std::string_view::npos)
        return text.size() > longestPartHead
                   ? tooMuch("the head of a part is longer than 8 KiB")
                   : unreadable("a part without an empty line after its head");
    FormPart part;
    part.content = text.substr(end + headEnd.size());
    if (auto read = readPartHead(text.substr(0, end + lineEnd.size()), part); !read)
        return Unexpected(std::move(read).error());
    return part;
}

} // namespace

Result<std::string> multipartBoundary(std::string_view contentType)
{
    const auto type = parseParameterised(contentType, "Content-Type");
    if (!type)
        return Unexpected(type.error());
    if (!equalsIgnoreCase(type->value, "multipart/form-data"))
        return unreadable("Content-Type is not multipart/form-data");
    const std::string_view *charset = type->find("charset");
    if (charset != nullptr && !isUtf8Charset(*charset))
        return unreadable("Content-Type names another charset than UTF-8");
    const std::string_view *boundary = type->find("boundary");
    if (boundary == nullptr || !isBoundary(*boundary))
        return unreadable("Content-Type without a boundary of 1 to 70 permitted characters");
    return std::string(*boundary);
}

Result<std::vector<FormPart>> parseMultipart(std::string_view body, std::string_view boundary)
{
    if (!isBoundary(boundary))
        return unreadable("not a boundary");
    // Wherever this occurs it has to be a whole boundary line: some readers split the body at each.
    const std::string mark = "--" + std::string(boundary);
    if (!body.starts_with(mark))
        return unreadable("the body does not begin with the boundary");
    body.remove_prefix(mark.size());
    std::vector<FormPart> parts;
    while (body.starts_with(lineEnd)) {
        if (parts.size() == mostParts)
            return tooMuch("more than 1000 parts");
        body.remove_prefix(lineEnd.size());
        const std::size_t next = body.find(mark);
        if (next == std::string_view::npos)
            return unreadable("the last boundary is missing");
        auto part = parsePart(body.substr(0, next));
        if (!part)
            return Unexpected(std::move(part).error());
        parts.push_back(*part);
        body.remove_prefix(next + mark.size());
    }
    if (body != "--" && body != "--\r\n")
        return unreadable("a boundary that is followed by something else");
    return parts;
}

} // namespace gatehouse::http
