// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/sse.h"

#include "gateway/base/findbyte.h"

#include <algorithm>

namespace gatehouse::http {

namespace {

constexpr std::string_view byteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view dataField = "data:";
constexpr std::string_view typeField = "event:";
/// So many bytes of a line say which field it is, and whether its data begins with a blank.
constexpr std::size_t enough = 6;

enum class Field : std::uint8_t { Data, Type, Other };

/// \a line: all of it, or the first bytes, which are enough.
Field fieldOf(std::string_view line, bool isWhole)
{
    if (line.starts_with(dataField) || (isWhole && line == "data"))
        return Field::Data;
    if (line.starts_with(typeField) || (isWhole && line == "event"))
        return Field::Type;
    return Field::Other;
}

/// Behind the name, its colon and one blank.
std::size_t valueOffset(std::string_view line, std::string_view field)
{
    if (line.size() < field.size())
        return line.size();
    return field.size() + (line.size() > field.size() && line[field.size()] == ' ' ? 1 : 0);
}

} // namespace

SseReader::Step SseReader::next(std::string_view &input)
{
    Step step;
    if (m_markBytes < byteOrderMark.size())
        takeMark(input);
    while (!input.empty()) {
        if (m_isAfterCr ? takeAfterCr(input, step) : takeFront(input, step))
            return step;
    }
    keepViews();
    return {};
}

SseReader::Step SseReader::finish()
{
    const std::uint64_t length = m_position;
    std::string_view ending = m_isAfterCr ? "\n\n\n" : "\n\n";
    Step step = next(ending);
    while (step.kind == Kind::Piece) // a line end that no line follows
        step = next(ending);
    step.end = step.kind == Kind::NeedMore ? 0 : length;
    return step;
}

SseReader::Part SseReader::frontLine(std::string_view input)
{
    const char *const inputEnd = input.data() + input.size();
    const char *const lineEnd = findByte<'\n', '\r'>(input.data(), inputEnd);
    Part part{.bytes = input.substr(0, static_cast<std::size_t>(lineEnd - input.data()))};
    if (lineEnd != inputEnd)
        part.endLength = input.substr(part.bytes.size()).starts_with("\r\n") ? 2 : 1;
    return part;
}

bool SseReader::takeFront(std::string_view &input, Step &step)
{
    Part part = frontLine(input);
    const bool isEnded = part.endLength != 0;
    if (m_rest == Line::Data && !part.bytes.empty()) {
        step.kind = Kind::Piece;
        step.data = part.bytes;
        advance(input, part.bytes.size());
        return true;
    }
    if (m_rest != Line::Whole) {
        if (isEnded)
            m_rest = Line::Whole;
        endLine(input, part);
        return false;
    }
    if (m_line.empty() ? !isEnded && part.bytes.size() < enough
                       : !part.bytes.empty() && m_line.size() < enough) {
        const std::size_t count = std::min(part.bytes.size(), enough - m_line.size());
        m_line.append(part.bytes, 0, count);
        advance(input, count);
        return false;
    }
    if (m_line.empty() && part.bytes.empty()) {
        m_isBlank = true;
        endLine(input, part);
        return !m_isAfterCr && endBlock(step);
    }
    switch (fieldOf(m_line.empty() ? part.bytes : m_line, isEnded)) {
    case Field::Data:
        return takeData(input, part, step);
    case Field::Type: {
        // Even where the type is left out it may be what makes the event too long.
        const bool wasOversized = m_isOversized;
        takeType(input, part);
        return m_isOversized && !wasOversized && startPieces({}, step);
    }
    case Field::Other:
        break;
    }
    m_rest = isEnded ? Line::Whole : Line::Passed;
    m_line.clear();
    endLine(input, part);
    return false;
}

bool SseReader::takeAfterCr(std::string_view &input, Step &step)
{
    m_isAfterCr = false;
    if (input.front() == '\n')
        advance(input, 1);
    return m_isBlank && endBlock(step);
}

bool SseReader::takeData(std::string_view &input, Part part, Step &step)
{
    const bool isEnded = part.endLength != 0;
    const bool isWithin = m_line.empty();
    const std::size_t offset = valueOffset(isWithin ? part.bytes : m_line, dataField);
    const std::size_t size = (isWithin ? 0 : m_line.size()) + part.bytes.size() - offset;
    if (m_isOversized || gatheredSize() + (m_dataLines > 0 ? 1 : 0) + size > m_limit) {
        m_rest = Line::Data;
        if (isWithin)
            advance(input, offset);
        const bool gives = startPieces(
            isWithin ? std::string_view() : std::string_view(m_line).substr(offset), step);
        ++m_dataLines;
        m_line.clear();
        return gives;
    }
    if (!isEnded) {
        m_line.append(part.bytes);
        advance(input, part.bytes.size());
        return false;
    }
    if (m_dataLines == 0 && isWithin) {
        m_view = part.bytes.substr(offset);
        m_isView = true;
    } else {
        keepViews();
        if (m_dataLines == 0)
            m_data.clear();
        else
            m_data += '\n';
        m_data.append(isWithin ? part.bytes : m_line, offset);
        if (!isWithin)
            m_data.append(part.bytes);
        m_line.clear();
    }
    ++m_dataLines;
    endLine(input, part);
    return false;
}

void SseReader::takeType(std::string_view &input, Part part)
{
    const bool isEnded = part.endLength != 0;
    const std::size_t dataSize = gatheredSize() - m_typeView.size();
    if (m_isOversized
        || dataSize + m_line.size() + part.bytes.size() > m_limit + typeField.size()) {
        m_isOversized = true;
        m_rest = isEnded ? Line::Whole : Line::Passed;
        m_line.clear();
    } else if (!isEnded) {
        m_line.append(part.bytes);
    } else if (m_line.empty()) {
        m_typeView = part.bytes.substr(valueOffset(part.bytes, typeField));
    } else {
        m_line.append(part.bytes);
        m_type.assign(m_line, valueOffset(m_line, typeField));
        m_typeView = m_type;
        m_line.clear();
    }
    endLine(input, part);
}

/// Gives what is gathered of the event, if that was not done, and the front of the line that follows.
bool SseReader::startPieces(std::string_view gathered, Step &step)
{
    keepViews();
    if (m_isGiven || m_dataLines == 0)
        m_data.clear();
    const bool isLine = m_rest == Line::Data;
    if (isLine && m_dataLines > 0)
        m_data += '\n';
    m_data.append(gathered);
    m_isOversized = true;
    m_isGiven = true;
    step.kind = Kind::Piece;
    step.data = m_data;
    return !m_data.empty();
}

bool SseReader::endBlock(Step &step)
{
    const bool isEvent = m_dataLines > 0;
    if (isEvent) {
        step.kind = m_isOversized ? Kind::Oversized : Kind::Event;
        step.begin = m_begin;
        step.end = m_position;
        if (!m_isOversized) {
            step.type = m_typeView;
            step.data = m_isView ? m_view : std::string_view(m_data);
        }
    }
    m_begin = m_position;
    m_dataLines = 0;
    m_typeView = {};
    m_isView = false;
    m_isOversized = false;
    m_isGiven = false;
    m_isBlank = false;
    return isEvent;
}

/// Passes the rest of the line with its end.
void SseReader::endLine(std::string_view &input, Part part)
{
    const std::size_t size = part.bytes.size() + part.endLength;
    m_isAfterCr = part.endLength == 1 && size == input.size() && input.back() == '\r';
    advance(input, size);
}

void SseReader::takeMark(std::string_view &input)
{
    while (!input.empty() && m_markBytes < byteOrderMark.size()) {
        if (input.front() != byteOrderMark[m_markBytes]) {
            m_line = byteOrderMark.substr(0, m_markBytes);
            m_markBytes = byteOrderMark.size();
            return;
        }
        ++m_markBytes;
        advance(input, 1);
        if (m_markBytes == byteOrderMark.size())
            m_begin = m_position;
    }
}

void SseReader::advance(std::string_view &input, std::size_t count)
{
    input.remove_prefix(count);
    m_position += count;
}

void SseReader::keepViews()
{
    if (m_isView)
        m_data.assign(m_view);
    m_isView = false;
    if (m_typeView.data() != m_type.data()) {
        m_type.assign(m_typeView);
        m_typeView = m_type;
    }
}

std::size_t SseReader::gatheredSize() const
{
    const std::size_t data = m_dataLines == 0 ? 0 : m_isView ? m_view.size() : m_data.size();
    return data + m_typeView.size();
}

} // namespace gatehouse::http
