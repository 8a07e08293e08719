// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/forward.h"
#include "tests/fuzz/heads.h"

#include <cstdint>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

void requireOneMeaning(const ResponseHead &response, std::string_view head, bool toHead)
{
    requireWithin(response.fields, head);
    requireWithin(response.reason, head);
    require(response.status >= 100 && response.status <= 599);
    for (const FieldId id : {FieldId::ContentLength, FieldId::TransferEncoding})
        require(std::ranges::count(response.fields, id, &Field::id) <= 1);
    const bool isChunked = response.find(FieldId::TransferEncoding) != nullptr;
    require(response.hasContentLength == (response.find(FieldId::ContentLength) != nullptr));
    require(!(response.hasContentLength && isChunked));
    const bool hasNoBody
        = toHead || response.status < 200 || response.status == 204 || response.status == 304;
    require(response.framing
            == (hasNoBody                   ? Framing::None
                : isChunked                 ? Framing::Chunked
                : response.hasContentLength ? Framing::Length
                                            : Framing::UntilClose));
    require(response.framing != Framing::UntilClose || !response.keepAlive);
}

void requireRoundTrip(const ResponseHead &response, bool toHead, const ResponseRewrite &rewrite)
{
    std::string written;
    writeResponseHead(written, response, rewrite);
    ResponseHead again;
    require(parseResponseHead(written, toHead ? "HEAD" : "GET", again).has_value());
    requireLinesOf(written, again);
    requireOneMeaning(again, written, toHead);
    require(again.status == response.status && again.reason == response.reason);
    require(again.framing == rewrite.framing);
    if (again.framing == Framing::Length)
        require(again.contentLength == response.contentLength);
    if (response.status != 101)
        require(again.keepAlive == !(rewrite.close || again.framing == Framing::UntilClose));
    const auto isId = [](const Field &field) { return field.id == FieldId::GatehouseRequestId; };
    require(std::ranges::count_if(again.fields, isId) == 1);
    require(again.find(FieldId::GatehouseRequestId)->value == rewrite.requestId);
    require(again.find(FieldId::GatehouseReason) == nullptr);
}

void readResponse(std::string_view text, std::string_view head, bool toHead)
{
    ResponseHead response;
    (void)parseResponseHead(text, "GET", response); // as it is: it must not rely on the scanner
    if (!parseResponseHead(head, toHead ? "HEAD" : "GET", response))
        return;
    requireOneMeaning(response, head, toHead);
    ResponseRewrite rewrite{.framing = response.framing, .requestId = "id"};
    requireRoundTrip(response, toHead, rewrite);
    rewrite.close = true;
    requireRoundTrip(response, toHead, rewrite);
    const bool isOpenEnded
        = response.framing == Framing::Chunked || response.framing == Framing::UntilClose;
    if (isOpenEnded) {
        rewrite.framing = Framing::Chunked;
        requireRoundTrip(response, toHead, rewrite);
        rewrite.framing = Framing::UntilClose;
    }
    rewrite.toHttp10 = true;
    requireRoundTrip(response, toHead, rewrite);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    const std::string_view head = text.substr(0, scannedLength(text));
    readResponse(text, head, false);
    readResponse(text, head, true);
    return 0;
}
