// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

using namespace gatehouse;

namespace {

constexpr std::string_view deflated = "permessage-deflate";

void require(bool holds)
{
    if (!holds)
        std::abort();
}

/// Of a content type, or of a WebSocket where that is empty or its extension. What was known at the end, of \a body in pieces of \a size, each gone when the next one comes.
std::pair<Usage, bool> read(const Dialect &dialect,
                            std::string_view type,
                            std::string_view body,
                            std::size_t cut,
                            std::size_t size)
{
    const auto reader = type.empty() || type == deflated ? dialect.webSocketUsageReader(type)
                                                         : dialect.usageReader(type);
    reader->take(std::string(body.substr(0, cut)));
    for (std::size_t at = std::min(cut, body.size()); at < body.size(); at += size)
        reader->take(std::string(body.substr(at, size)));
    reader->end();
    return {reader->usage(), reader->isComplete()};
}

void requirePlausible(const Usage &usage)
{
    constexpr std::uint64_t most = std::uint64_t(1) << 54; // two counts may be added
    for (const Usage::Tokens &tokens : {usage.input,
                                        usage.cacheRead,
                                        usage.cacheWrite5m,
                                        usage.cacheWrite1h,
                                        usage.output,
                                        usage.reasoning})
        require(tokens.value_or(0) <= most);
    require(usage.reportedMicroUsd.value_or(0) >= 0 && usage.model.size() <= 256);
    require(!usage.output || !usage.reasoning || *usage.reasoning <= *usage.output);
}

} // namespace

/// A letter for the content type or the WebSocket, then a body. However it is cut, the usage is the same, and the same for
/// all dialects.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    if (size == 0)
        return 0;
    const std::string_view body(reinterpret_cast<const char *>(data) + 1, size - 1);
    const std::string_view type = data[0] == 'j'   ? "application/json"
                                  : data[0] == 'l' ? "application/x-ndjson"
                                  : data[0] == 'w' ? ""
                                  : data[0] == 'd' ? deflated
                                                   : "text/event-stream";
    const auto expected = read(*dialects().front(), type, body, body.size(), 1);
    requirePlausible(expected.first);
    for (const Dialect *dialect : dialects())
        require(read(*dialect, type, body, body.size() / 2, body.size() + 1) == expected);
    require(read(*dialects().front(), type, body, 0, 1) == expected);
    require(read(*dialects().front(), type, body, size % 7, data[0] % 16 + 2) == expected);
    for (std::size_t cut = 0; size < 200 && cut < body.size(); ++cut)
        require(read(*dialects().front(), type, body, cut, body.size()) == expected);
    return 0;
}
