// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/contentcoding.h"
#include "gateway/http/contentdecoder.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

using namespace gatehouse;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

Result<std::string> decode(std::string_view names, std::string_view body, std::size_t limit)
{
    auto decoded = http::decodeContent(names, body, limit);
    if (decoded)
        require(decoded->size() <= limit);
    else
        require(decoded.error().code == ErrorCode::BodyEncoding
                || decoded.error().code == ErrorCode::BodyNotInspectable);
    return decoded;
}

/// What is read by the side of \a body in pieces of \a size, up to about \a limit; whether all of it was
/// readable and is complete.
bool readAside(std::string_view names,
               std::string_view body,
               std::size_t size,
               std::size_t limit,
               std::string &text)
{
    auto decoder = http::ContentDecoder::of(names);
    if (!decoder)
        return false;
    bool isReadable = true;
    for (std::size_t at = 0; at < body.size(); at += size) {
        const std::string piece(body.substr(at, size));
        const auto taken = decoder->take(piece, [&text, limit](std::string_view decoded) {
            text += decoded;
            return text.size() <= limit;
        });
        isReadable = isReadable && taken;
    }
    return isReadable && decoder->isFinished();
}

} // namespace

/// First a byte that chooses the codings, then the body; or `?`, a line of names and the body. What can be
/// decoded in one way only reads the same by the side, in pieces too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    constexpr std::array<std::string_view, 8> known{
        "gzip", "deflate", "br", "zstd", "gzip,br", "zstd, gzip", "br,deflate,zstd", "identity"};
    constexpr std::size_t limit = std::size_t{1} << 16;
    if (size == 0)
        return 0;
    std::string_view text(reinterpret_cast<const char *>(data), size);
    const bool hasNames = text.front() == '?';
    std::string_view names = known[data[0] % known.size()];
    text.remove_prefix(1);
    if (hasNames) {
        names = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(names.size() + 1, text.size()));
    }
    const auto decoded = decode(names, text, limit);
    for (const std::size_t piece : {text.size() + 1, std::size_t(1), size % 7 + 2}) {
        std::string aside;
        const bool isWhole = readAside(names, text, piece, limit, aside);
        if (decoded)
            require(aside == *decoded && (isWhole || *decoded == text));
    }
    if (!decoded)
        return 0;
    require(decode(names, text, decoded->size() + limit).value_or("") == *decoded);
    if (!decoded->empty())
        require(!decode(names, text, decoded->size() - 1));
    if (decoded->data() != nullptr && *decoded != text) {
        require(!decode(names, std::string(text) + '\0', limit));
        require(!decode(names, text.substr(0, text.size() - 1), limit));
    }
    return 0;
}
