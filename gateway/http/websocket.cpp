// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/websocket.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <algorithm>
#include <new>
#include <utility>

#include <zlib.h>

namespace gatehouse::http {

namespace {

// RFC 6455 §5.2
constexpr unsigned finalBit = 0x80;
constexpr unsigned deflatedBit = 0x40; ///< RSV1, RFC 7692 §6
constexpr unsigned reservedBits = 0x30;
constexpr unsigned opcodeBits = 0x0F;
constexpr unsigned controlBit = 0x08;
constexpr unsigned maskedBit = 0x80;
constexpr unsigned lengthBits = 0x7F;
constexpr unsigned continuation = 0;
constexpr unsigned textFrame = 1;
constexpr unsigned binaryFrame = 2;
constexpr unsigned lastControl = 10;
constexpr std::uint64_t longestControl = 125;

/// What a sender takes off the end of each deflated message, RFC 7692 §7.2.1.
constexpr std::string_view deflateTail{"\x00\x00\xff\xff", 4};
/// A message that inflates to more is not read on: nobody writes that much at once.
constexpr std::uint64_t longestMessage = std::uint64_t{64} << 20;

} // namespace

struct WebSocketReader::Inflater
{
    Inflater()
    {
        if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
            throw std::bad_alloc();
    }
    ~Inflater() { inflateEnd(&stream); }
    Inflater(const Inflater &) = delete;
    Inflater(Inflater &&) = delete;
    Inflater &operator=(const Inflater &) = delete;
    Inflater &operator=(Inflater &&) = delete;

    z_stream stream = {};
    std::array<char, std::size_t{16} * 1024> out{};
    std::uint64_t size = 0;   ///< of the message so far
    bool keepsContext = true; ///< from one message to the next
    bool mayHaveMore = false; ///< out was full
};

WebSocketReader::WebSocketReader() = default;
WebSocketReader::WebSocketReader(WebSocketReader &&) noexcept = default;
WebSocketReader &WebSocketReader::operator=(WebSocketReader &&) noexcept = default;
WebSocketReader::~WebSocketReader() = default;

std::optional<WebSocketReader> WebSocketReader::of(std::string_view extensions)
{
    WebSocketReader reader;
    for (const std::string_view extension : split(extensions, ',')) {
        const auto parts = split(extension, ';');
        const std::string_view name = trimmed(parts.front());
        if (name.empty())
            continue;
        if (!equalsIgnoreCase(name, "permessage-deflate") || reader.m_inflater)
            return std::nullopt;
        reader.m_inflater = std::make_unique<Inflater>();
        reader.m_inflater->keepsContext
            = std::ranges::none_of(parts, [](std::string_view parameter) {
                  return equalsIgnoreCase(trimmed(parameter), "server_no_context_takeover");
              });
    }
    return reader;
}

WebSocketReader::Step WebSocketReader::next(std::string_view &bytes)
{
    for (;;) {
        switch (m_state) {
        case State::Broken:
            bytes = {};
            return {Kind::Broken};
        case State::Head:
            if (!takeHead(bytes))
                return {};
            if (!beginFrame())
                m_state = State::Broken;
            break;
        case State::Payload:
            if (const auto step = takePayload(bytes))
                return *step;
            break;
        case State::Tail:
            if (const auto step = inflate(m_tail))
                return *step;
            if (m_state == State::Tail && m_tail.empty() && !m_inflater->mayHaveMore)
                m_state = State::End;
            break;
        case State::End:
            m_state = State::Head;
            if (m_isDeflated) {
                m_inflater->size = 0;
                if (!m_inflater->keepsContext)
                    inflateReset(&m_inflater->stream);
            }
            if (m_isText)
                return {Kind::TextEnd};
            break;
        }
    }
}

bool WebSocketReader::takeHead(std::string_view &bytes)
{
    const auto missing = [this] {
        std::size_t size = 2;
        if (m_headSize >= size) {
            const unsigned length = m_head[1] & lengthBits;
            size += length == 127 ? 8 : length == 126 ? 2 : 0;
        }
        return size - m_headSize;
    };
    for (std::size_t left = missing(); left != 0; left = missing()) {
        if (bytes.empty())
            return false;
        m_head.at(m_headSize++) = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
    }
    m_left = m_head[1] & lengthBits;
    if (m_headSize > 2) {
        m_left = 0;
        for (std::size_t i = 2; i < m_headSize; ++i)
            m_left = m_left << 8U | m_head.at(i);
    }
    m_headSize = 0;
    return true;
}

/// False where no server may send such a frame here.
bool WebSocketReader::beginFrame()
{
    const unsigned first = m_head[0];
    const unsigned opcode = first & opcodeBits;
    const bool isDeflated = (first & deflatedBit) != 0;
    if ((first & reservedBits) != 0 || (m_head[1] & maskedBit) != 0)
        return false;
    m_isFinal = (first & finalBit) != 0;
    m_isControl = (opcode & controlBit) != 0;
    m_state = State::Payload;
    if (m_isControl)
        return m_isFinal && !isDeflated && opcode <= lastControl && m_left <= longestControl;
    if (opcode == continuation)
        return m_isInMessage && !isDeflated;
    if (m_isInMessage || opcode > binaryFrame || (isDeflated && !m_inflater))
        return false;
    m_isInMessage = true;
    m_isText = opcode == textFrame;
    m_isDeflated = isDeflated;
    return true;
}

std::optional<WebSocketReader::Step> WebSocketReader::takePayload(std::string_view &bytes)
{
    const bool inflates = m_isDeflated && !m_isControl;
    if (m_left == 0 && !(inflates && m_inflater->mayHaveMore)) {
        endFrame();
        return std::nullopt;
    }
    if (bytes.empty() && !(inflates && m_inflater->mayHaveMore))
        return Step{};
    std::string_view payload = bytes.substr(0, m_left);
    const std::size_t given = payload.size();
    if (inflates) {
        const auto step = inflate(payload);
        bytes.remove_prefix(given - payload.size());
        m_left -= given - payload.size();
        return step;
    }
    bytes.remove_prefix(given);
    m_left -= given;
    if (m_isText && !m_isControl)
        return Step{Kind::Piece, payload};
    return std::nullopt;
}

/// A piece of what the message says, if it is a text.
std::optional<WebSocketReader::Step> WebSocketReader::inflate(std::string_view &deflated)
{
    constexpr std::size_t most = std::size_t{1} << 30;
    z_stream &stream = m_inflater->stream;
    const auto given = static_cast<uInt>(std::min(deflated.size(), most));
    // zlib does not write to its input; its interface is older than const.
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(deflated.data()));
    stream.avail_in = given;
    stream.next_out = reinterpret_cast<Bytef *>(m_inflater->out.data());
    stream.avail_out = static_cast<uInt>(m_inflater->out.size());
    const int result = ::inflate(&stream, Z_SYNC_FLUSH);
    deflated.remove_prefix(given - stream.avail_in);
    const std::size_t size = m_inflater->out.size() - stream.avail_out;
    m_inflater->size += size;
    m_inflater->mayHaveMore = stream.avail_out == 0;
    if (result == Z_STREAM_END) // a final block, RFC 7692 §7.2.3.5: the next one begins anew
        inflateReset(&stream);
    if ((result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
        || m_inflater->size > longestMessage) {
        m_state = State::Broken;
        return std::nullopt;
    }
    if (size == 0 || !m_isText)
        return std::nullopt;
    return Step{Kind::Piece, {m_inflater->out.data(), size}};
}

void WebSocketReader::endFrame()
{
    m_state = State::Head;
    if (m_isControl || !m_isFinal)
        return;
    m_isInMessage = false;
    m_tail = deflateTail;
    m_state = m_isDeflated ? State::Tail : State::End;
}

} // namespace gatehouse::http
