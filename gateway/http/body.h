// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"

#include <memory>
#include <string>
#include <string_view>

namespace gatehouse::http {

/// Takes the framing off a body that comes in pieces, without copying it. RFC 9112 §§6–7, with
/// chunk lines read strictly: 1 to 15 hexadecimal digits, extensions without white space and at most
/// 1 KiB in all of a body, CRLF and nothing else.
class BodyReader
{
public:
    enum class Event : std::uint8_t {
        NeedMore, ///< all input is used up
        Data,     ///< `data` is the next piece, a view into the input
        End,      ///< the message is complete; what is left of the input belongs to the next one
        Malformed
    };
    struct Step
    {
        Event event = Event::NeedMore;
        std::string_view data;
    };

    BodyReader() = default;
    explicit BodyReader(const Head &head);

    /// Uses up the front of \a input and says what it was. Call until it is not Data.
    [[nodiscard]] Step next(std::string_view &input);
    /// The peer closed: true where that completes the body.
    [[nodiscard]] bool endsAtClose() const { return m_state == State::UntilClose || isDone(); }
    [[nodiscard]] bool isDone() const { return m_state == State::Done; }
    /// The trailer section with its empty line; empty where there was none. Valid after End.
    [[nodiscard]] std::string_view trailerSection() const
    {
        return m_trailers ? std::string_view(m_trailers->bytes) : std::string_view();
    }

private:
    enum class State : std::uint8_t {
        Done,
        Length,
        UntilClose,
        SizeFirst,
        Size,
        ExtensionName,
        ExtensionValueFirst,
        ExtensionToken,
        ExtensionQuoted,
        ExtensionEscaped,
        ExtensionAfterQuoted,
        SizeLf,
        ChunkData,
        DataCr,
        DataLf,
        TrailerCr,
        TrailerLf,
        TrailerSection,
        Broken,
    };
    /// Rare, so that a body without trailers pays one pointer.
    struct Trailers
    {
        std::string bytes;
        HeadScanner scanner;
    };

    [[nodiscard]] Step takeData(std::string_view &input, State after);
    [[nodiscard]] State nextOfSizeLine(char c);
    [[nodiscard]] static State betweenExtensions(char c);
    [[nodiscard]] State nextOfExtensionName(char c);
    [[nodiscard]] State nextOfExtension(char c);
    [[nodiscard]] State afterSizeLine() const;
    [[nodiscard]] Step takeTrailers(std::string_view &input);

    std::uint64_t m_left = 0; ///< bytes of the body, or of the chunk
    std::unique_ptr<Trailers> m_trailers;
    State m_state = State::Done;
    std::uint8_t m_digits = 0;          ///< of the chunk size, or 1 once an extension has a name
    std::uint16_t m_extensionBytes = 0; ///< of all chunks so far
};

} // namespace gatehouse::http
