// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/contentdecoder.h"

#include "gateway/http/decoders.h"

#include <algorithm>

namespace gatehouse::http {

namespace {

constexpr std::size_t pieceSize = std::size_t{32} * 1024;

/// The first byte of zlib's wrapper has the method, 8 (RFC 1950); undici tells by it, too.
Reading readingOf(Coding coding, char first)
{
    constexpr int methodBits = 0x0f;
    constexpr int deflateMethod = 8;
    const bool isRaw = coding == Coding::Deflate && (first & methodBits) != deflateMethod;
    return isRaw ? Reading::RawDeflate : Reading::Lenient;
}

} // namespace

/// One coding.
struct ContentDecoder::Stage
{
    explicit Stage(Coding itsCoding)
        : coding(itsCoding)
        , buffer(pieceSize, '\0')
    {}
    /// Makes ready for \a input; false where nothing of it is to be taken.
    [[nodiscard]] bool begins(std::string_view input);

    Coding coding;
    std::unique_ptr<Decoder> decoder; ///< null before the first byte
    std::string buffer;
    bool isComplete = false; ///< at the end of a body, a member or a frame
    bool isAgain = false;    ///< what is decoded is not the first of them
    bool isDone = false;     ///< what comes is behind the end
};

bool ContentDecoder::Stage::begins(std::string_view input)
{
    isDone = isDone || (isComplete && coding != Coding::Gzip && coding != Coding::Zstd);
    if (input.empty() || isDone)
        return false;
    if (!decoder)
        decoder = makeDecoder(coding, readingOf(coding, input.front()));
    if (isComplete) {
        decoder->restart();
        isComplete = false;
        isAgain = true;
    }
    return true;
}

ContentDecoder::ContentDecoder() = default;
ContentDecoder::~ContentDecoder() = default;
ContentDecoder::ContentDecoder(ContentDecoder &&) noexcept = default;
ContentDecoder &ContentDecoder::operator=(ContentDecoder &&) noexcept = default;

Result<ContentDecoder> ContentDecoder::of(std::string_view contentEncoding)
{
    auto codings = parseCodings(contentEncoding);
    if (!codings)
        return Unexpected(std::move(codings).error());
    ContentDecoder decoder;
    for (auto coding = codings->rbegin(); coding != codings->rend(); ++coding)
        decoder.m_stages.push_back(std::make_unique<Stage>(*coding));
    return decoder;
}

Result<void> ContentDecoder::take(std::string_view bytes, const Sink &sink)
{
    if (m_isOver)
        return {};
    Result<void> result = takeFrom(0, bytes, sink);
    m_isOver = m_isOver || !result;
    return result;
}

Result<void> ContentDecoder::takeFrom(std::size_t stage, std::string_view bytes, const Sink &sink)
{
    if (stage == m_stages.size()) {
        while (!bytes.empty() && !m_isOver) {
            m_isOver = !sink(bytes.substr(0, pieceSize));
            bytes.remove_prefix(std::min(bytes.size(), pieceSize));
        }
        return {};
    }
    Stage &own = *m_stages[stage];
    bool isFull = false; // there may be more in the decoder than fits
    while (!m_isOver && (isFull || own.begins(bytes))) {
        std::span<char> piece(own.buffer);
        const std::size_t before = bytes.size();
        const auto outcome = own.decoder->step(bytes, piece);
        own.isComplete = outcome == Decoder::Outcome::End;
        isFull = !own.isComplete && piece.size() == own.buffer.size();
        const std::string_view decoded(piece.data(), piece.size());
        if (auto next = takeFrom(stage + 1, decoded, sink); !next)
            return next;
        if (outcome == Decoder::Outcome::Malformed && own.isAgain) {
            own.isComplete = true;
            own.isDone = true;
            return {};
        }
        if (outcome == Decoder::Outcome::Malformed)
            return undecodable(own.coding,
                               "is malformed, or needs a dictionary or a larger window");
        if (piece.empty() && bytes.size() == before)
            break;
    }
    return {};
}

bool ContentDecoder::isFinished() const
{
    return !m_stages.empty()
           && std::ranges::all_of(m_stages, [](const auto &stage) { return stage->isComplete; });
}

} // namespace gatehouse::http
