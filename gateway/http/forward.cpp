// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/forward.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace gatehouse::http {

namespace {

void appendLine(std::string &out, const Field &field)
{
    out.append(field.name).append(": ").append(field.value).append("\r\n");
}

void appendNumber(std::string &out, std::uint64_t number)
{
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

/// Fields that mean something between two neighbours only. RFC 9110 §7.6.1.
bool isHopByHop(const Field &field)
{
    switch (field.id) {
    case FieldId::Connection:
    case FieldId::KeepAlive:
    case FieldId::ProxyAuthenticate:
    case FieldId::ProxyConnection:
    case FieldId::Te:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade:
        return true;
    default: // everything else is for the other end
        return false;
    }
}

bool isOurs(const Field &field)
{
    return field.id == FieldId::GatehouseReason || field.id == FieldId::GatehouseRequestId;
}

bool isCarrier(const Field &field)
{
    return field.id == FieldId::Authorization || field.id == FieldId::XApiKey
           || field.id == FieldId::XGoogApiKey || field.id == FieldId::ApiKey;
}

bool holdsVirtualKey(const Field &field)
{
    return field.value.find("ghk_") != std::string_view::npos;
}

/// Decides once for a message whether Connection names anything but what is left out anyway, so that
/// the common case does not look at it again for each field.
bool namesFields(const Head &head)
{
    return std::any_of(head.fields.begin(), head.fields.end(), [](const Field &field) {
        return field.id == FieldId::Connection && field.value != "keep-alive"
               && field.value != "Upgrade";
    });
}

bool isForwarded(const RequestHead &request, const Field &field, bool ownCredential)
{
    if (field.id == FieldId::Other)
        return true;
    if (isHopByHop(field) || field.id == FieldId::Expect || field.id == FieldId::ProxyAuthorization
        || isOurs(field))
        return false;
    if (field.id == FieldId::Trailer)
        return request.framing == Framing::Chunked;
    return !isCarrier(field) || !(ownCredential || holdsVirtualKey(field));
}

} // namespace

void dropConnectionNamed(Head &head)
{
    if (!namesFields(head))
        return;
    std::vector<Field> kept;
    for (const Field &field : head.fields) {
        if (field.id != FieldId::Connection && !head.connectionNames(field.name))
            kept.push_back(field);
    }
    head.fields = std::move(kept);
}

void writeRequestHead(std::string &out, const RequestHead &request, const RequestRewrite &rewrite)
{
    out.append(request.method).append(" ");
    out.append(rewrite.basePath).append(rewrite.path);
    if (rewrite.basePath.empty() && rewrite.path.empty())
        out.append("/");
    out.append(rewrite.query).append(" HTTP/1.1\r\n");
    const bool dropNamed = namesFields(request);
    for (const Field &field : request.fields) {
        if (field.id == FieldId::Host)
            appendLine(out, {field.id, field.name, rewrite.authority});
        else if (isForwarded(
                     request, field, rewrite.dropsCredentials || !rewrite.credentialLine.empty())
                 && !(dropNamed && request.connectionNames(field.name)))
            appendLine(out, field);
    }
    out.append(rewrite.credentialLine);
    if (request.framing == Framing::Chunked)
        out.append("Transfer-Encoding: chunked\r\n");
    if (request.upgradeWebsocket)
        out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    out.append("\r\n");
}

void writeResponseHead(std::string &out,
                       const ResponseHead &response,
                       const ResponseRewrite &rewrite)
{
    out.append("HTTP/1.1 ");
    appendNumber(out, static_cast<std::uint64_t>(response.status));
    out.append(" ").append(response.reason).append("\r\n");
    const bool dropNamed = namesFields(response);
    const bool neverHasLength = response.status < 200 || response.status == 204; // RFC 9110 §8.6
    for (const Field &field : response.fields) {
        if (field.id != FieldId::Other) {
            if (isHopByHop(field) || isOurs(field)
                || (field.id == FieldId::Trailer && rewrite.framing != Framing::Chunked)
                || (field.id == FieldId::ContentLength && neverHasLength))
                continue;
        }
        if (!(dropNamed && response.connectionNames(field.name)))
            appendLine(out, field);
    }
    if (!rewrite.requestId.empty())
        out.append("x-gatehouse-request-id: ").append(rewrite.requestId).append("\r\n");
    if (rewrite.framing == Framing::Chunked)
        out.append("Transfer-Encoding: chunked\r\n");
    if (response.status == 101)
        out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    else if (rewrite.close)
        out.append("Connection: close\r\n");
    else if (rewrite.toHttp10)
        out.append("Connection: keep-alive\r\n");
    out.append("\r\n");
}

void writeTrailers(std::string &out, const std::vector<Field> &fields)
{
    for (const Field &field : fields)
        appendLine(out, field);
    out.append("\r\n");
}

} // namespace gatehouse::http
