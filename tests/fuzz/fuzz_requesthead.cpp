// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/forward.h"
#include "gateway/http/text.h"
#include "tests/fuzz/heads.h"

#include <cstdint>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

constexpr std::size_t targetLimit = 8192;

bool isPlain(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
}

void requireOneMeaning(const RequestHead &request, std::string_view head)
{
    requireWithin(request.fields, head);
    requireWithin(request.target, head);
    require(isPlain(request.target) && isToken(request.method) && isPlain(request.host));
    require(request.path == "*" || request.path.starts_with('/'));
    require(request.target.ends_with(request.query)
            && (request.query.empty() || request.query.starts_with('?')));
    for (const FieldId id : {FieldId::Host, FieldId::ContentLength, FieldId::TransferEncoding})
        require(std::ranges::count(request.fields, id, &Field::id) <= 1);
    require(request.find(FieldId::Host) != nullptr);
    const bool hasLength = request.find(FieldId::ContentLength) != nullptr;
    const bool isChunked = request.find(FieldId::TransferEncoding) != nullptr;
    require(!(hasLength && isChunked));
    require(request.framing
            == (isChunked   ? Framing::Chunked
                : hasLength ? Framing::Length
                            : Framing::None));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    RequestHead request;
    (void)parseRequestHead(text, targetLimit, request); // as it is: it must not rely on the scanner
    const std::string_view head = text.substr(0, scannedLength(text));
    if (!parseRequestHead(head, targetLimit, request))
        return 0;
    requireOneMeaning(request, head);

    std::string written;
    writeRequestHead(written,
                     request,
                     {.basePath = {},
                      .path = request.path,
                      .query = request.query,
                      .authority = "h",
                      .credentialLine = {}});
    RequestHead again;
    require(parseRequestHead(written, targetLimit, again).has_value());
    requireLinesOf(written, again);
    requireOneMeaning(again, written);
    require(again.method == request.method && again.path == request.path
            && again.query == request.query && again.host == "h");
    require(again.framing == request.framing && again.contentLength == request.contentLength
            && again.upgradeWebsocket == request.upgradeWebsocket);
    require(again.version == Version::Http11 && again.keepAlive && !again.expectContinue);
    return 0;
}
