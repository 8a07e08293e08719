// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/contentcoding.h"

#include "gateway/http/decoders.h"

#include <algorithm>
#include <array>

namespace gatehouse::http {

namespace {

constexpr std::size_t pieceSize = std::size_t{32} * 1024;

Unexpected<Error> tooLarge(std::size_t limit)
{
    return Unexpected(Error{ErrorCode::BodyNotInspectable,
                            "more than " + std::to_string(limit) + " bytes when decoded"});
}

/// Doubles what \a text has room for, but not beyond \a limit as std::string would by itself.
void appendWithin(std::string &text, std::span<const char> piece, std::size_t limit)
{
    const std::size_t needed = text.size() + piece.size();
    if (needed > text.capacity())
        text.reserve(std::min(limit, std::max(needed, text.capacity() * 2)));
    text.append(piece.data(), piece.size());
}

Result<std::string> decodeOne(Coding coding, std::string_view input, std::size_t limit)
{
    const auto decoder = makeDecoder(coding, Reading::Strict);
    std::string decoded;
    std::array<char, pieceSize> buffer{};
    for (;;) {
        std::span<char> piece(buffer);
        const std::size_t before = input.size();
        const auto outcome = decoder->step(input, piece);
        if (outcome == Decoder::Outcome::Malformed)
            return undecodable(coding, "is malformed, or needs a dictionary or a larger window");
        if (piece.size() > limit - decoded.size())
            return tooLarge(limit);
        appendWithin(decoded, piece, limit);
        if (outcome == Decoder::Outcome::End)
            break;
        if (piece.empty() && input.size() == before)
            return undecodable(coding, "is cut off");
    }
    if (!input.empty())
        return undecodable(coding, "is followed by more");
    return decoded;
}

} // namespace

Result<std::string>
decodeContent(std::string_view contentEncoding, std::string_view body, std::size_t limit)
{
    auto codings = parseCodings(contentEncoding);
    if (!codings)
        return Unexpected(std::move(codings).error());
    if (codings->empty())
        return body.size() > limit ? Result<std::string>(tooLarge(limit)) : std::string(body);
    Result<std::string> decoded = decodeOne(codings->back(), body, limit);
    for (auto coding = codings->rbegin() + 1; decoded && coding != codings->rend(); ++coding)
        decoded = decodeOne(*coding, *decoded, limit);
    return decoded;
}

} // namespace gatehouse::http
