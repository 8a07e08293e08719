// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse::http {

/// Reads a text/event-stream that comes in pieces, cut anywhere (WHATWG HTML §9.2.6, "Interpreting an
/// event stream"): lines end in CR, LF or CRLF, comments and the fields but `event` and `data` are passed
/// over, blocks without data are no events. Does not copy an event that lies whole in the input, unless
/// its data is on several lines, and allocates nothing after the longest event so far. Bytes that are not
/// UTF-8 are given as they are.
class SseReader
{
public:
    static constexpr std::size_t defaultLimit = std::size_t(1) << 20;

    enum class Kind : std::uint8_t {
        NeedMore, ///< all input is used up
        Event,    ///< a whole event
        Piece, ///< `data` is the next piece of an event over the limit; its lines are joined by LF
        Oversized ///< that event's end; type and data are empty
    };
    /// The views are valid until the next call, and while the input is.
    struct Step
    {
        Kind kind = Kind::NeedMore;
        std::string_view type; ///< the last `event` field; empty where there is none
        std::string_view data; ///< its lines are joined by LF
        /// Of an Event or Oversized, in bytes of the stream: the first one behind the end of the block
        /// before, so comments right before the event are within; and one past its blank line.
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };

    /// \a limit: of the type and data of one event, in bytes; the reader keeps about twice as much.
    explicit SseReader(std::size_t limit = defaultLimit)
        : m_limit(limit)
    {}
    SseReader(const SseReader &) = delete; // views of its own parts
    SseReader &operator=(const SseReader &) = delete;

    /// Uses up the front of \a input and says what it was. Call until it is NeedMore. An event whose blank
    /// line ends in a CR that is the last byte waits for the next one, which may belong to it.
    [[nodiscard]] Step next(std::string_view &input);
    /// The stream is over: the event that no blank line ended, which a browser would drop and LLM clients
    /// read; else NeedMore. The reader is of no use afterwards.
    [[nodiscard]] Step finish();
    /// Where the block that goes on begins, in bytes of the stream: what is before belongs to no event to
    /// come.
    [[nodiscard]] std::uint64_t blockBegin() const { return m_begin; }

private:
    /// What the line that the input begins in the middle of is.
    enum class Line : std::uint8_t {
        Whole,  ///< none: the input begins a line, or continues m_line
        Passed, ///< one whose rest is of no interest
        Data    ///< data over the limit, given in pieces
    };

    /// A line of the input, or a part of one: the bytes before its end, where that is in the input.
    struct Part
    {
        std::string_view bytes;
        std::size_t endLength = 0; ///< of CR, LF or CRLF; 0: the input ends first
    };

    [[nodiscard]] static Part frontLine(std::string_view input);
    /// True for what is to be given now.
    [[nodiscard]] bool takeFront(std::string_view &input, Step &step);
    [[nodiscard]] bool takeAfterCr(std::string_view &input, Step &step);
    [[nodiscard]] bool takeData(std::string_view &input, Part part, Step &step);
    void takeType(std::string_view &input, Part part);
    [[nodiscard]] bool startPieces(std::string_view gathered, Step &step);
    [[nodiscard]] bool endBlock(Step &step);
    void endLine(std::string_view &input, Part part);
    void takeMark(std::string_view &input);
    void advance(std::string_view &input, std::size_t count);
    /// Copies what lies in the input.
    void keepViews();
    [[nodiscard]] std::size_t gatheredSize() const;

    std::size_t m_limit;
    std::uint64_t m_position = 0; ///< in the stream, of the front of the input
    std::uint64_t m_begin = 0;    ///< of the block
    std::string m_line;           ///< the front of a line that the input before began
    std::string m_data;
    std::string m_type;
    std::string_view m_view;     ///< the data, where it is one line of the input
    std::string_view m_typeView; ///< the type, of the input or m_type
    std::size_t m_dataLines = 0;
    Line m_rest = Line::Whole;
    bool m_isView = false; ///< the data is m_view, else m_data
    bool m_isOversized = false;
    bool m_isGiven = false;       ///< what was gathered before it was over the limit
    bool m_isAfterCr = false;     ///< a LF at the front of the input belongs to the line before
    bool m_isBlank = false;       ///< that line was blank: the block ends with it
    std::uint8_t m_markBytes = 0; ///< of the byte order mark; 3 when it is behind us
};

} // namespace gatehouse::http
