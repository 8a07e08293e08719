// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/requestbody.h"

#include "gateway/base/text.h"
#include "gateway/http/contentcoding.h"
#include "gateway/http/text.h"

#include <algorithm>
#include <utility>

namespace gatehouse {

namespace {

/// Buffers up to this size are kept for the next exchange.
constexpr std::size_t keptCapacity = std::size_t{64} * 1024;
/// A decoded body may be this many times as long as the encoded one, and this long in any case.
constexpr std::size_t mostInflation = 100;
constexpr std::size_t freelyInflated = std::size_t{1} << 20;

std::string_view mediaType(std::string_view contentType)
{
    return http::trimmed(contentType.substr(0, contentType.find(';')));
}

/// True where all that a Content-Type says of a charset is that it is UTF-8 or part of it. In others the
/// same bytes may be other JSON: UTF-7, or those where a backslash ends a character.
bool isUtf8(std::string_view contentType)
{
    constexpr std::string_view key = "charset";
    if (contentType.find_first_of(";=, \t") == std::string_view::npos)
        return true; // nothing behind the type
    const std::string type = toLowerAscii(contentType);
    std::string_view rest = type;
    for (std::size_t at = rest.find(key); at != std::string_view::npos; at = rest.find(key)) {
        rest = http::trimmed(rest.substr(at + key.size()));
        if (!rest.starts_with('='))
            return false;
        rest = http::trimmed(rest.substr(1));
        std::string_view name = http::trimmed(rest.substr(0, rest.find(';')));
        if (name.size() > 2 && name.front() == '"' && name.back() == '"')
            name = name.substr(1, name.size() - 2);
        if (!http::isUtf8Charset(name))
            return false;
    }
    return true;
}

/// The values of all Content-Encoding fields, in their order.
std::string contentEncoding(const http::RequestHead &head)
{
    std::string codings;
    for (const http::Field &field : head.fields) {
        if (field.id == http::FieldId::ContentEncoding)
            codings.append(codings.empty() ? "" : ", ").append(field.value);
    }
    return codings;
}

Unexpected<Error> undecodable(std::string context)
{
    return Unexpected(Error{ErrorCode::BodyEncoding, std::move(context)});
}

} // namespace

std::string_view RequestBody::contentType() const
{
    const http::Field *field = m_head->find(http::FieldId::ContentType);
    return field == nullptr ? std::string_view() : field->value;
}

bool RequestBody::isJsonType(std::string_view contentType)
{
    constexpr std::string_view suffix = "+json";
    const std::string_view type = mediaType(contentType);
    return equalsIgnoreCase(type, "application/json") || equalsIgnoreCase(type, "text/json")
           || (type.size() > suffix.size()
               && equalsIgnoreCase(type.substr(type.size() - suffix.size()), suffix));
}

bool RequestBody::isFormType(std::string_view contentType)
{
    return equalsIgnoreCase(mediaType(contentType), "application/x-www-form-urlencoded");
}

Result<std::string_view> RequestBody::decoded()
{
    if (m_unreadable)
        return Unexpected(*m_unreadable);
    if (m_bytes.empty() || m_head->find(http::FieldId::ContentEncoding) == nullptr)
        return std::string_view(m_bytes);
    if (!m_decoded) {
        // A few bytes must not keep a worker busy with megabytes; prompts shrink tenfold or so.
        const std::size_t limit
            = std::min(std::max(m_bytes.size() * mostInflation, freelyInflated), inspectionLimit);
        m_decoded = http::decodeContent(contentEncoding(*m_head), m_bytes, limit);
    }
    if (!*m_decoded)
        return Unexpected(m_decoded->error());
    return std::string_view(**m_decoded);
}

Result<BodyKind> RequestBody::kind()
{
    const auto text = decoded();
    if (!text)
        return Unexpected(text.error());
    if (text->empty())
        return BodyKind::None;
    if (std::ranges::count(m_head->fields, http::FieldId::ContentType, &http::Field::id) > 1)
        return undecodable("more than one Content-Type");
    const std::string_view type = mediaType(contentType());
    BodyKind kind = BodyKind::Opaque;
    if (http::looksLikeJson(*text) || isJsonType(contentType()))
        kind = BodyKind::Json;
    else if (equalsIgnoreCase(type, "multipart/form-data"))
        kind = BodyKind::Multipart;
    else if (isFormType(contentType()))
        kind = BodyKind::Form;
    // Parts of a multipart body have charsets of their own, see http::parseMultipart.
    if ((kind == BodyKind::Json || kind == BodyKind::Form) && !isUtf8(contentType()))
        return undecodable("Content-Type names another charset than UTF-8");
    return kind;
}

Result<const json::Document *> RequestBody::json()
{
    if (m_jsonProblem)
        return Unexpected(Error{ErrorCode::BodyNotJson, m_jsonProblem->message()});
    if (m_isParsed)
        return static_cast<const json::Document *>(m_document.get());
    const auto text = decoded();
    if (!text)
        return Unexpected(text.error());
    if (!m_document)
        m_document = std::make_unique<json::Document>();
    if (const auto parsed = m_document->parse(*text); !parsed) {
        m_jsonProblem = parsed.error();
        return json();
    }
    m_isParsed = true;
    return static_cast<const json::Document *>(m_document.get());
}

void RequestBody::splice(std::size_t offset, std::size_t length, std::string_view text)
{
    m_bytes.replace(offset, length, text);
    m_decoded.reset();
    m_jsonProblem.reset();
    m_isParsed = false;
}

void RequestBody::clear()
{
    if (m_bytes.capacity() > keptCapacity)
        std::string().swap(m_bytes); // assignment would keep the buffer
    m_bytes.clear();
    m_decoded.reset();
    m_unreadable.reset();
    m_jsonProblem.reset();
    m_isParsed = false;
    if (m_document && m_document->capacity() > 4 * keptCapacity)
        m_document.reset();
}

} // namespace gatehouse
