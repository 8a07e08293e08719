// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/head.h"

#include "gateway/base/text.h"
#include "gateway/http/rules.h"
#include "gateway/http/text.h"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace gatehouse::http {

namespace {

namespace beast = boost::beast::http;
using boost::beast::error_code;

std::string_view view(boost::beast::string_view text)
{
    return {text.data(), text.size()};
}

FieldId otherFieldId(std::string_view name)
{
    switch (name.size()) {
    case 7:
        return equalsIgnoreCase(name, "api-key") ? FieldId::ApiKey : FieldId::Other;
    case 9:
        return equalsIgnoreCase(name, "x-api-key") ? FieldId::XApiKey : FieldId::Other;
    case 14:
        if (equalsIgnoreCase(name, "x-goog-api-key"))
            return FieldId::XGoogApiKey;
        return equalsIgnoreCase(name, "sec-fetch-site") ? FieldId::SecFetchSite : FieldId::Other;
    case 18:
        return equalsIgnoreCase(name, "x-gatehouse-reason") ? FieldId::GatehouseReason
                                                            : FieldId::Other;
    case 22:
        return equalsIgnoreCase(name, "x-gatehouse-request-id") ? FieldId::GatehouseRequestId
                                                                : FieldId::Other;
    default:
        return FieldId::Other;
    }
}

FieldId fieldId(beast::field field, std::string_view name)
{
    switch (field) {
    case beast::field::authorization:
        return FieldId::Authorization;
    case beast::field::connection:
        return FieldId::Connection;
    case beast::field::content_encoding:
        return FieldId::ContentEncoding;
    case beast::field::content_length:
        return FieldId::ContentLength;
    case beast::field::content_type:
        return FieldId::ContentType;
    case beast::field::cookie:
        return FieldId::Cookie;
    case beast::field::expect:
        return FieldId::Expect;
    case beast::field::host:
        return FieldId::Host;
    case beast::field::keep_alive:
        return FieldId::KeepAlive;
    case beast::field::origin:
        return FieldId::Origin;
    case beast::field::proxy_authenticate:
        return FieldId::ProxyAuthenticate;
    case beast::field::proxy_authorization:
        return FieldId::ProxyAuthorization;
    case beast::field::proxy_connection:
        return FieldId::ProxyConnection;
    case beast::field::te:
        return FieldId::Te;
    case beast::field::trailer:
        return FieldId::Trailer;
    case beast::field::transfer_encoding:
        return FieldId::TransferEncoding;
    case beast::field::upgrade:
        return FieldId::Upgrade;
    default: // Beast knows some 350 names; those without a meaning here pass as they are
        return otherFieldId(name);
    }
}

/// Collects what Beast reads of one complete head. It never sees a body: the head ends its input.
template<bool isRequest>
class Reader final : public beast::basic_parser<isRequest>
{
public:
    explicit Reader(std::vector<Field> &fields)
        : m_fields(fields)
    {
        this->header_limit((std::numeric_limits<std::uint32_t>::max)());
        this->body_limit(boost::none);
    }

    /// True where all of \a head is one head and nothing else.
    bool read(std::string_view head)
    {
        error_code error;
        const std::size_t used
            = this->put(boost::asio::const_buffer(head.data(), head.size()), error);
        return !error && used == head.size() && this->is_header_done();
    }

    std::string_view method;
    std::string_view target;
    std::string_view reason;
    int status = 0;
    int version = 0;

private:
    using string_view = boost::beast::string_view;

    void on_request_impl(
        beast::verb, string_view text, string_view where, int number, error_code &) override
    {
        method = view(text);
        target = view(where);
        version = number;
    }
    void on_response_impl(int code, string_view phrase, int number, error_code &) override
    {
        status = code;
        reason = view(phrase);
        version = number;
    }
    void on_field_impl(beast::field field,
                       string_view name,
                       string_view value,
                       error_code &error) override
    {
        // A value that does not begin behind its colon is an obs-fold, joined in Beast's own buffer.
        const char *begin = name.data() + name.size() + 1;
        while (*begin == ' ' || *begin == '\t')
            ++begin;
        if (begin != value.data()) {
            error = beast::error::bad_value;
            return;
        }
        m_fields.push_back({fieldId(field, view(name)), view(name), view(value)});
    }
    void on_header_impl(error_code &) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t> &, error_code &) override {}
    std::size_t on_body_impl(string_view, error_code &) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code &) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view, error_code &) override { return 0; }
    void on_finish_impl(error_code &) override {}

    std::vector<Field> &m_fields;
};

/// `HTTP/d.d` at the end of the start line, but a version that is not spoken here.
bool hasOtherVersion(std::string_view head)
{
    const std::string_view line = head.substr(0, head.find('\r'));
    if (line.size() < 9)
        return false;
    const std::string_view version = line.substr(line.size() - 9);
    return version.starts_with(" HTTP/") && version[7] == '.' && version[6] >= '0'
           && version[6] <= '9' && version[8] >= '0' && version[8] <= '9' && version != " HTTP/1.1"
           && version != " HTTP/1.0";
}

void reset(Head &head)
{
    head.version = Version::Http11;
    head.framing = Framing::None;
    head.contentLength = 0;
    head.keepAlive = true;
    head.upgradeWebsocket = false;
    head.fields.clear();
}

} // namespace

FieldId fieldId(std::string_view name)
{
    return fieldId(beast::string_to_field({name.data(), name.size()}), name);
}

const Field *Head::find(FieldId id) const
{
    for (const Field &field : fields) {
        if (field.id == id)
            return &field;
    }
    return nullptr;
}

bool Head::connectionNames(std::string_view name) const
{
    for (const Field &field : fields) {
        if (field.id == FieldId::Connection
            && !forEachListElement(field.value, [name](std::string_view element) {
                   return !equalsIgnoreCase(element, name);
               }))
            return true;
    }
    return false;
}

Result<void> parseRequestHead(std::string_view head, std::size_t targetLimit, RequestHead &request)
{
    reset(request);
    request.expectContinue = false;
    if (head.substr(0, head.find("\r\n")).size() > targetLimit + 64)
        return Unexpected(Error{ErrorCode::TargetTooLong, {}});
    Reader<true> reader(request.fields);
    if (!reader.read(head)) {
        if (hasOtherVersion(head))
            return Unexpected(Error{ErrorCode::VersionNotSupported, {}});
        return Unexpected(Error{ErrorCode::BadRequest, "the request line or a field line"});
    }
    request.method = reader.method;
    request.target = reader.target;
    request.version = reader.version == 10 ? Version::Http10 : Version::Http11;
    if (request.target.size() > targetLimit)
        return Unexpected(Error{ErrorCode::TargetTooLong, {}});
    return applyRequestRules(request);
}

Result<void>
parseResponseHead(std::string_view head, std::string_view requestMethod, ResponseHead &response)
{
    reset(response);
    response.hasContentLength = false;
    Reader<false> reader(response.fields);
    if (!reader.read(head))
        return Unexpected(Error{ErrorCode::ProviderBadResponse, "the status line or a field line"});
    response.status = reader.status;
    response.reason = reader.reason;
    response.version = reader.version == 10 ? Version::Http10 : Version::Http11;
    return applyResponseRules(response, requestMethod);
}

Result<std::vector<Field>> parseTrailers(std::string_view section, ErrorCode refusal)
{
    std::vector<Field> fields;
    // Beast reads field lines only below a start line; its framing fields are refused right here.
    const std::string head = "HTTP/1.1 200 \r\n" + std::string(section);
    Reader<false> reader(fields);
    if (!reader.read(head))
        return Unexpected(Error{refusal, "a trailer field line"});
    for (Field &field : fields) {
        if (!mayBeTrailer(field))
            return Unexpected(Error{refusal, "a trailer field that has no business there"});
        const auto rebase = [&](std::string_view text) {
            return section.substr(static_cast<std::size_t>(text.data() - head.data()) - 15,
                                  text.size());
        };
        field.name = rebase(field.name);
        field.value = field.value.empty() ? std::string_view() : rebase(field.value);
    }
    return fields;
}

HeadScanner::Outcome HeadScanner::scan(std::string_view bytes)
{
    while (m_position < bytes.size()) {
        const char *line = bytes.data() + m_position;
        if (m_position != 0 && (*line == ' ' || *line == '\t'))
            return Outcome::Malformed; // obs-fold, RFC 9112 §5.2
        const std::size_t from = std::max(m_position, m_searched);
        const void *found = std::memchr(bytes.data() + from, '\n', bytes.size() - from);
        if (found == nullptr) {
            m_searched = bytes.size();
            return Outcome::NeedMore;
        }
        const auto length = static_cast<std::size_t>(static_cast<const char *>(found) - line);
        if (length == 0 || line[length - 1] != '\r')
            return Outcome::Malformed; // bare LF, RFC 9112 §2.2
        const bool isFirst = m_position == 0;
        m_position += length + 1;
        if (length == 1)
            return isFirst ? Outcome::Malformed : Outcome::Complete;
    }
    return Outcome::NeedMore;
}

} // namespace gatehouse::http
