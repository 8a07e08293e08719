// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/contentcoding.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <brotli/decode.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <vector>

#include <zlib.h>
#include <zstd.h>

namespace gatehouse::http {

namespace {

enum class Coding { Identity, Gzip, Deflate, Brotli, Zstd };

constexpr std::size_t mostCodings = 3;
constexpr std::size_t pieceSize = std::size_t{32} * 1024;

Unexpected<Error> undecodable(std::string context)
{
    return Unexpected(Error{ErrorCode::BodyEncoding, std::move(context)});
}

std::string_view nameOf(Coding coding)
{
    switch (coding) {
    case Coding::Identity:
        return "identity";
    case Coding::Gzip:
        return "gzip";
    case Coding::Deflate:
        return "deflate";
    case Coding::Brotli:
        return "br";
    case Coding::Zstd:
        return "zstd";
    }
    return {};
}

std::optional<Coding> codingNamed(std::string_view name)
{
    if (equalsIgnoreCase(name, "x-gzip"))
        return Coding::Gzip;
    for (const Coding coding :
         {Coding::Identity, Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd})
        if (equalsIgnoreCase(name, nameOf(coding)))
            return coding;
    return std::nullopt;
}

/// In the order in which they were applied.
Result<std::vector<Coding>> parseCodings(std::string_view contentEncoding)
{
    std::vector<Coding> codings;
    if (contentEncoding.empty())
        return codings;
    std::string problem;
    forEachListElement(contentEncoding, [&](std::string_view name) {
        const auto coding = codingNamed(name);
        if (!coding)
            problem = "content-encoding " + inQuotes(name)
                      + " is not known; use gzip, deflate, br or zstd";
        else if (std::ranges::find(codings, *coding) != codings.end())
            problem = "content-encoding names " + std::string(nameOf(*coding)) + " twice";
        else if (codings.size() == mostCodings)
            problem = "content-encoding names more than three codings";
        else
            codings.push_back(*coding);
        return problem.empty();
    });
    if (!problem.empty())
        return undecodable(std::move(problem));
    return codings;
}

/// Decodes piece by piece; one per coded body. Its constructor throws std::bad_alloc.
class Decoder
{
public:
    enum class Outcome {
        More, ///< goes on with more input or more room
        End,  ///< the coded body is complete; what is left of the input is behind it
        Malformed,
    };

    Decoder() = default;
    virtual ~Decoder() = default;
    Decoder(const Decoder &) = delete;
    Decoder(Decoder &&) = delete;
    Decoder &operator=(const Decoder &) = delete;
    Decoder &operator=(Decoder &&) = delete;

    /// Takes from the front of \a input, and shortens \a output to what was written of it.
    virtual Outcome step(std::string_view &input, std::span<char> &output) = 0;
};

class ZlibDecoder final : public Decoder
{
public:
    explicit ZlibDecoder(Coding coding)
    {
        // With either of these, and unlike with 32 added, zlib takes no other wrapper than this one.
        const int windowBits = coding == Coding::Gzip ? MAX_WBITS + 16 : MAX_WBITS;
        if (inflateInit2(&m_stream, windowBits) != Z_OK)
            throw std::bad_alloc();
    }
    ~ZlibDecoder() override { inflateEnd(&m_stream); }
    ZlibDecoder(const ZlibDecoder &) = delete; // zlib's state points back to its stream
    ZlibDecoder(ZlibDecoder &&) = delete;
    ZlibDecoder &operator=(const ZlibDecoder &) = delete;
    ZlibDecoder &operator=(ZlibDecoder &&) = delete;

    Outcome step(std::string_view &input, std::span<char> &output) override
    {
        constexpr std::size_t longest = std::numeric_limits<uInt>::max();
        const auto given = static_cast<uInt>(std::min(input.size(), longest));
        const auto room = static_cast<uInt>(output.size());
        // zlib does not write to its input; its interface is older than const.
        m_stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(input.data()));
        m_stream.avail_in = given;
        m_stream.next_out = reinterpret_cast<Bytef *>(output.data());
        m_stream.avail_out = room;
        const int result = inflate(&m_stream, Z_NO_FLUSH);
        input.remove_prefix(given - m_stream.avail_in);
        output = output.first(room - m_stream.avail_out);
        switch (result) {
        case Z_OK:
        case Z_BUF_ERROR: // nothing could be done: the input is at its end
            return Outcome::More;
        case Z_STREAM_END:
            return Outcome::End;
        default:
            return Outcome::Malformed;
        }
    }

private:
    z_stream m_stream = {};
};

class BrotliDecoder final : public Decoder
{
public:
    BrotliDecoder()
    {
        if (!m_state)
            throw std::bad_alloc();
    }

    Outcome step(std::string_view &input, std::span<char> &output) override
    {
        std::size_t given = input.size();
        std::size_t room = output.size();
        auto *next = reinterpret_cast<const std::uint8_t *>(input.data());
        auto *target = reinterpret_cast<std::uint8_t *>(output.data());
        const auto result
            = BrotliDecoderDecompressStream(m_state.get(), &given, &next, &room, &target, nullptr);
        input.remove_prefix(input.size() - given);
        output = output.first(output.size() - room);
        switch (result) {
        case BROTLI_DECODER_RESULT_SUCCESS:
            return Outcome::End;
        case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
            return Outcome::More;
        case BROTLI_DECODER_RESULT_ERROR:
            break;
        }
        return Outcome::Malformed;
    }

private:
    struct Destroy
    {
        void operator()(BrotliDecoderState *state) const { BrotliDecoderDestroyInstance(state); }
    };
    std::unique_ptr<BrotliDecoderState, Destroy> m_state{
        BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)};
};

class ZstdDecoder final : public Decoder
{
public:
    ZstdDecoder()
    {
        // RFC 9659 §3: a content coding's window is at most 8 MiB.
        constexpr int longestWindow = 23;
        if (!m_context)
            throw std::bad_alloc();
        ZSTD_DCtx_setParameter(m_context.get(), ZSTD_d_windowLogMax, longestWindow);
    }

    Outcome step(std::string_view &input, std::span<char> &output) override
    {
        if (m_isAtStart) {
            // Else the library would take skippable frames and older formats for a body, too.
            constexpr std::string_view magic = "\x28\xb5\x2f\xfd";
            if (!input.starts_with(magic))
                return Outcome::Malformed;
            m_isAtStart = false;
        }
        ZSTD_inBuffer in{input.data(), input.size(), 0};
        ZSTD_outBuffer out{output.data(), output.size(), 0};
        const std::size_t result = ZSTD_decompressStream(m_context.get(), &out, &in);
        input.remove_prefix(in.pos);
        output = output.first(out.pos);
        if (ZSTD_isError(result) != 0)
            return Outcome::Malformed;
        return result == 0 ? Outcome::End : Outcome::More;
    }

private:
    struct Destroy
    {
        void operator()(ZSTD_DCtx *context) const { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, Destroy> m_context{ZSTD_createDCtx()};
    bool m_isAtStart = true;
};

std::unique_ptr<Decoder> makeDecoder(Coding coding)
{
    switch (coding) {
    case Coding::Identity:
        return nullptr;
    case Coding::Gzip:
    case Coding::Deflate:
        return std::make_unique<ZlibDecoder>(coding);
    case Coding::Brotli:
        return std::make_unique<BrotliDecoder>();
    case Coding::Zstd:
        return std::make_unique<ZstdDecoder>();
    }
    return nullptr;
}

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
    const auto decoder = makeDecoder(coding);
    const auto malformed = [coding](std::string_view problem) {
        return undecodable("the " + std::string(nameOf(coding)) + " data " + std::string(problem));
    };
    std::string decoded;
    std::array<char, pieceSize> buffer{};
    for (;;) {
        std::span<char> piece(buffer);
        const std::size_t before = input.size();
        const auto outcome = decoder->step(input, piece);
        if (outcome == Decoder::Outcome::Malformed)
            return malformed("is malformed, or needs a dictionary or a larger window");
        if (piece.size() > limit - decoded.size())
            return tooLarge(limit);
        appendWithin(decoded, piece, limit);
        if (outcome == Decoder::Outcome::End)
            break;
        if (piece.empty() && input.size() == before)
            return malformed("is cut off");
    }
    if (!input.empty())
        return malformed("is followed by more");
    return decoded;
}

} // namespace

Result<std::string>
decodeContent(std::string_view contentEncoding, std::string_view body, std::size_t limit)
{
    auto codings = parseCodings(contentEncoding);
    if (!codings)
        return Unexpected(std::move(codings).error());
    std::erase(*codings, Coding::Identity);
    if (codings->empty())
        return body.size() > limit ? Result<std::string>(tooLarge(limit)) : std::string(body);
    Result<std::string> decoded = decodeOne(codings->back(), body, limit);
    for (auto coding = codings->rbegin() + 1; decoded && coding != codings->rend(); ++coding)
        decoded = decodeOne(*coding, *decoded, limit);
    return decoded;
}

} // namespace gatehouse::http
