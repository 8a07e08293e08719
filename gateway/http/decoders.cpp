// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/decoders.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <brotli/decode.h>

#include <algorithm>
#include <limits>
#include <new>
#include <optional>

#include <zlib.h>
#include <zstd.h>

namespace gatehouse::http {

namespace {

constexpr std::size_t mostCodings = 3;

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

class ZlibDecoder final : public Decoder
{
public:
    ZlibDecoder(Coding coding, Reading reading)
    {
        // With each of these, and unlike with 32 added, zlib takes no other wrapper than this one.
        const int windowBits = coding == Coding::Gzip           ? MAX_WBITS + 16
                               : reading == Reading::RawDeflate ? -MAX_WBITS
                                                                : MAX_WBITS;
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

    void restart() override { inflateReset(&m_stream); }

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
    explicit ZstdDecoder(Reading reading)
        : m_takesSkippable(reading == Reading::Lenient)
    {
        // RFC 9659 §3: a content coding's window is at most 8 MiB.
        constexpr int longestWindow = 23;
        if (!m_context)
            throw std::bad_alloc();
        ZSTD_DCtx_setParameter(m_context.get(), ZSTD_d_windowLogMax, longestWindow);
    }

    Outcome step(std::string_view &input, std::span<char> &output) override
    {
        if (!takeMagic(input)) {
            output = output.first(0);
            return Outcome::Malformed;
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

    void restart() override { m_magicBytes = 0; }

private:
    /// Looks at what begins a frame, as much of it as there is. Else the library would take skippable frames
    /// and older formats for a body, too.
    bool takeMagic(std::string_view input)
    {
        constexpr std::string_view magic = "\x28\xb5\x2f\xfd";
        constexpr std::string_view skippable = "\x50\x2a\x4d\x18"; // the first one, of sixteen
        for (const char c : input.substr(0, magic.size() - m_magicBytes)) {
            if (m_magicBytes == 0)
                m_isSkippable = m_takesSkippable && (c & '\xf0') == skippable.front();
            const char expected = (m_isSkippable ? skippable : magic)[m_magicBytes];
            if (c != expected && !(m_isSkippable && m_magicBytes == 0))
                return false;
            ++m_magicBytes;
        }
        return true;
    }

    struct Destroy
    {
        void operator()(ZSTD_DCtx *context) const { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, Destroy> m_context{ZSTD_createDCtx()};
    std::size_t m_magicBytes = 0; ///< that were seen of this frame
    bool m_takesSkippable;
    bool m_isSkippable = false;
};

} // namespace

Unexpected<Error> undecodable(std::string context)
{
    return Unexpected(Error{ErrorCode::BodyEncoding, std::move(context)});
}

Unexpected<Error> undecodable(Coding coding, std::string_view problem)
{
    return undecodable("the " + std::string(nameOf(coding)) + " data " + std::string(problem));
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
    std::erase(codings, Coding::Identity);
    return codings;
}

std::unique_ptr<Decoder> makeDecoder(Coding coding, Reading reading)
{
    switch (coding) {
    case Coding::Identity:
        return nullptr;
    case Coding::Gzip:
    case Coding::Deflate:
        return std::make_unique<ZlibDecoder>(coding, reading);
    case Coding::Brotli:
        return std::make_unique<BrotliDecoder>();
    case Coding::Zstd:
        return std::make_unique<ZstdDecoder>(reading);
    }
    return nullptr;
}

} // namespace gatehouse::http
