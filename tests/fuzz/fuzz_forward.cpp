// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/forward.h"
#include "tests/fuzz/heads.h"

#include <cstdint>
#include <string>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

bool isCarrier(FieldId id)
{
    return id == FieldId::Authorization || id == FieldId::XApiKey || id == FieldId::XGoogApiKey
           || id == FieldId::ApiKey;
}

/// Fields that only our own lines may bring, once each.
bool isBetweenNeighbours(FieldId id)
{
    switch (id) {
    case FieldId::Expect:
    case FieldId::GatehouseReason:
    case FieldId::GatehouseRequestId:
    case FieldId::KeepAlive:
    case FieldId::ProxyAuthenticate:
    case FieldId::ProxyAuthorization:
    case FieldId::ProxyConnection:
    case FieldId::Te:
        return true;
    default:
        return false;
    }
}

void requireForwarded(const RequestHead &request, std::string_view credentialLine)
{
    std::string written;
    writeRequestHead(written,
                     request,
                     {.basePath = "/base",
                      .path = request.path,
                      .query = request.query,
                      .authority = "up:1",
                      .credentialLine = credentialLine});
    RequestHead again;
    require(parseRequestHead(written, 8192, again).has_value());
    requireLinesOf(written, again);
    require(again.path == "/base" + std::string(request.path) && again.query == request.query
            && again.host == "up" && again.framing == request.framing);
    std::size_t carriers = 0;
    for (const Field &field : again.fields) {
        require(!isBetweenNeighbours(field.id));
        if (!isCarrier(field.id))
            continue;
        ++carriers;
        require(field.value.find("ghk_") == std::string_view::npos);
        require(credentialLine.empty() || field.value == "sk-real");
    }
    require(credentialLine.empty() || carriers == 1);
    // What Connection named is not there, but for what we write ourselves.
    for (const Field &field : again.fields) {
        const bool isOurs = field.id == FieldId::Connection || field.id == FieldId::Upgrade
                            || field.id == FieldId::TransferEncoding || isCarrier(field.id);
        require(isOurs || !request.connectionNames(field.name));
    }
    // End-to-end fields are the same ones in the same order.
    auto at = request.fields.begin();
    for (const Field &field : again.fields) {
        if (field.id != FieldId::Other)
            continue;
        at = std::find_if(at, request.fields.end(), [&](const Field &before) {
            return before.name == field.name && before.value == field.value;
        });
        require(at++ != request.fields.end());
    }
}

} // namespace

/// The field lines of a request; its first line and Host are ours, so that more of them are read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string lines(reinterpret_cast<const char *>(data), size);
    for (const char *line : {"POST /v1/x?a HTTP/1.1", "GET /v1/x HTTP/1.1"}) {
        const std::string text = std::string(line) + "\r\nHost: h\r\n" + lines + "\r\n\r\n";
        const std::string_view head(text.data(), scannedLength(text));
        RequestHead request;
        if (!parseRequestHead(head, 8192, request))
            continue;
        requireForwarded(request, {});
        requireForwarded(request, "x-api-key: sk-real\r\n");
        requireForwarded(request, "Authorization: sk-real\r\n");
    }
    return 0;
}
