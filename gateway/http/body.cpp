// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/body.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <algorithm>
#include <utility>

namespace gatehouse::http {

namespace {

constexpr std::uint8_t maxSizeDigits = 15;
constexpr std::uint16_t maxExtensionBytes = 1024;
constexpr std::size_t maxTrailerBytes = std::size_t{16} * 1024;

/// qdtext and what may follow a backslash, RFC 9110 §5.6.4, without the two that end or escape.
bool isQuotable(char c)
{
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
}

} // namespace

BodyReader::BodyReader(const Head &head)
{
    switch (head.framing) {
    case Framing::None:
        m_state = State::Done;
        break;
    case Framing::Length:
        m_left = head.contentLength;
        m_state = m_left == 0 ? State::Done : State::Length;
        break;
    case Framing::Chunked:
        m_state = State::SizeFirst;
        break;
    case Framing::UntilClose:
        m_state = State::UntilClose;
        break;
    }
}

BodyReader::Step BodyReader::takeData(std::string_view &input, State after)
{
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(m_left, input.size()));
    const Step step{Event::Data, input.substr(0, taken)};
    input.remove_prefix(taken);
    m_left -= taken;
    if (m_left == 0)
        m_state = after;
    return step;
}

BodyReader::State BodyReader::afterSizeLine() const
{
    return m_left == 0 ? State::TrailerCr : State::ChunkData;
}

/// What may follow a whole size or extension: another extension, or the line's end.
BodyReader::State BodyReader::betweenExtensions(char c)
{
    if (c == ';')
        return State::ExtensionName;
    return c == '\r' ? State::SizeLf : State::Broken;
}

BodyReader::State BodyReader::nextOfExtensionName(char c)
{
    if (isTokenChar(c)) {
        m_digits = 1; // there is a name
        return State::ExtensionName;
    }
    if (std::exchange(m_digits, std::uint8_t{0}) == 0)
        return State::Broken;
    return c == '=' ? State::ExtensionValueFirst : betweenExtensions(c);
}

BodyReader::State BodyReader::nextOfExtension(char c)
{
    if (++m_extensionBytes > maxExtensionBytes)
        return State::Broken;
    switch (m_state) {
    case State::ExtensionName:
        return nextOfExtensionName(c);
    case State::ExtensionValueFirst:
        if (c == '"')
            return State::ExtensionQuoted;
        return isTokenChar(c) ? State::ExtensionToken : State::Broken;
    case State::ExtensionToken:
        return isTokenChar(c) ? State::ExtensionToken : betweenExtensions(c);
    case State::ExtensionQuoted:
        if (c == '"')
            return State::ExtensionAfterQuoted;
        if (c == '\\')
            return State::ExtensionEscaped;
        return isQuotable(c) ? State::ExtensionQuoted : State::Broken;
    case State::ExtensionEscaped:
        return isQuotable(c) ? State::ExtensionQuoted : State::Broken;
    case State::ExtensionAfterQuoted:
        return betweenExtensions(c);
    default: // called for the states above only
        return State::Broken;
    }
}

BodyReader::State BodyReader::nextOfSizeLine(char c)
{
    switch (m_state) {
    case State::SizeFirst:
        m_left = 0;
        m_digits = 0;
        [[fallthrough]];
    case State::Size: {
        const int value = hexValue(c);
        if (value >= 0) {
            m_left = m_left << 4 | static_cast<unsigned>(value);
            return ++m_digits > maxSizeDigits ? State::Broken : State::Size;
        }
        if (m_digits == 0)
            return State::Broken;
        m_digits = 0;
        return betweenExtensions(c);
    }
    case State::SizeLf:
        return c == '\n' ? afterSizeLine() : State::Broken;
    case State::DataCr:
        return c == '\r' ? State::DataLf : State::Broken;
    case State::DataLf:
        return c == '\n' ? State::SizeFirst : State::Broken;
    default:
        return nextOfExtension(c);
    }
}

BodyReader::Step BodyReader::takeTrailers(std::string_view &input)
{
    if (m_state == State::TrailerCr) {
        if (input.front() != '\r') {
            m_trailers = std::make_unique<Trailers>();
            m_state = State::TrailerSection;
        } else {
            input.remove_prefix(1);
            m_state = State::TrailerLf;
            return next(input);
        }
    }
    if (m_state == State::TrailerLf) {
        m_state = input.front() == '\n' ? State::Done : State::Broken;
        input.remove_prefix(1);
        return next(input);
    }
    std::string &bytes = m_trailers->bytes;
    const std::size_t before = bytes.size();
    bytes.append(input.substr(0, maxTrailerBytes - before));
    switch (m_trailers->scanner.scan(bytes)) {
    case HeadScanner::Outcome::NeedMore:
        if (bytes.size() >= maxTrailerBytes)
            break;
        input = {};
        return {};
    case HeadScanner::Outcome::Complete:
        bytes.resize(m_trailers->scanner.length());
        input.remove_prefix(bytes.size() - before);
        m_state = State::Done;
        return next(input);
    case HeadScanner::Outcome::Malformed:
        break;
    }
    m_state = State::Broken;
    return {Event::Malformed, {}};
}

BodyReader::Step BodyReader::next(std::string_view &input)
{
    for (;;) {
        if (m_state == State::Done)
            return {Event::End, {}};
        if (m_state == State::Broken)
            return {Event::Malformed, {}};
        if (input.empty())
            return {Event::NeedMore, {}};
        switch (m_state) {
        case State::Length:
            return takeData(input, State::Done);
        case State::ChunkData:
            return takeData(input, State::DataCr);
        case State::UntilClose: {
            const Step step{Event::Data, input};
            input = {};
            return step;
        }
        case State::TrailerCr:
        case State::TrailerLf:
        case State::TrailerSection:
            return takeTrailers(input);
        default:
            m_state = nextOfSizeLine(input.front());
            input.remove_prefix(1);
        }
    }
}

} // namespace gatehouse::http
