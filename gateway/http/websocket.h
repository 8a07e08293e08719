// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace gatehouse::http {

/// Reads the texts that a WebSocket's server sends (RFC 6455), as they pass by, without their framing and
/// without permessage-deflate (RFC 7692). Binary messages and control frames are passed over. Memory: 16 KiB,
/// and 48 KiB more where messages are deflated.
class WebSocketReader
{
public:
    enum class Kind : std::uint8_t {
        NeedMore, ///< all bytes are used up
        Piece,    ///< the next of a text; valid until the next call
        TextEnd,  ///< the text is complete
        Broken    ///< what came is no WebSocket, or not as it was agreed; from now on always
    };
    struct Step
    {
        Kind kind = Kind::NeedMore;
        std::string_view data = {};
    };

    /// \a extensions: all that the answer's Sec-WebSocket-Extensions say, joined by commas. Empty where they
    /// name one that is not known here. Throws std::bad_alloc.
    [[nodiscard]] static std::optional<WebSocketReader> of(std::string_view extensions);

    WebSocketReader(WebSocketReader &&) noexcept;
    WebSocketReader &operator=(WebSocketReader &&) noexcept;
    WebSocketReader(const WebSocketReader &) = delete;
    WebSocketReader &operator=(const WebSocketReader &) = delete;
    ~WebSocketReader();

    /// Uses up bytes at the front of \a bytes, which may be cut anywhere.
    [[nodiscard]] Step next(std::string_view &bytes);

private:
    struct Inflater;
    enum class State : std::uint8_t { Head, Payload, Tail, End, Broken };

    WebSocketReader();
    /// False while bytes of it are missing.
    [[nodiscard]] bool takeHead(std::string_view &bytes);
    [[nodiscard]] bool beginFrame();
    [[nodiscard]] std::optional<Step> takePayload(std::string_view &bytes);
    [[nodiscard]] std::optional<Step> inflate(std::string_view &deflated);
    void endFrame();

    static constexpr std::size_t longestHead = 10;

    std::unique_ptr<Inflater> m_inflater; ///< null: nothing may be deflated
    std::array<std::uint8_t, longestHead> m_head{};
    std::size_t m_headSize = 0;
    std::uint64_t m_left = 0; ///< bytes of the frame's payload
    std::string_view m_tail;  ///< of what ends a deflated message, not yet taken
    State m_state = State::Head;
    bool m_isFinal = false;
    bool m_isControl = false;
    bool m_isInMessage = false; ///< a frame of it came, and not its last one
    bool m_isText = false;
    bool m_isDeflated = false;
};

} // namespace gatehouse::http
