// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "gateway/http/sse.h"
#include "gateway/json/document.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace gatehouse {

namespace {

/// Of a block of the stream; a longer one passes as it is, so that no more is held back. A chunk that is of
/// interest has a few hundred bytes.
constexpr std::size_t longestBlock = std::size_t(64) << 10;

/// The lines of a block of an event stream, one after the other.
class Lines
{
public:
    explicit Lines(std::string_view block)
        : m_block(block)
    {}
    /// The next line with its end; empty behind the last one.
    [[nodiscard]] std::string_view next();
    /// Of that line, in the block.
    [[nodiscard]] std::size_t offset() const { return m_offset; }

private:
    std::string_view m_block;
    std::size_t m_offset = 0;
    std::size_t m_next = 0;
};

std::string_view Lines::next()
{
    m_offset = m_next;
    const std::string_view rest = m_block.substr(m_offset);
    std::size_t size = rest.find_first_of("\r\n");
    if (size == std::string_view::npos)
        size = rest.size();
    else
        size += rest.substr(size).starts_with("\r\n") ? 2 : 1;
    m_next += size;
    return rest.substr(0, size);
}

std::string_view withoutEnd(std::string_view line)
{
    const std::size_t size = line.find_first_of("\r\n");
    return line.substr(0, size);
}

/// Where in \a block the byte at \a offset of its data is; \a block has that many.
std::size_t placeOf(std::string_view block, std::size_t offset)
{
    constexpr std::string_view field = "data";
    Lines lines(block);
    for (std::string_view line = lines.next(); !line.empty(); line = lines.next()) {
        std::string_view text = withoutEnd(line);
        if (text != field && !text.starts_with("data:"))
            continue;
        std::size_t begin = std::min(text.size(), field.size() + 1);
        begin += text.substr(begin).starts_with(' ') ? 1 : 0;
        const std::size_t size = text.size() - begin;
        if (offset <= size)
            return lines.offset() + begin + offset;
        offset -= size + 1; // and the LF that joins it to the next one
    }
    return block.size();
}

/// The member \a name of \a object with the comma that belongs to it: the rest is as if it had not been there.
json::Range memberRange(const json::Value &object, std::string_view name)
{
    std::optional<std::size_t> begin;
    std::size_t before = object.source().offset + 1;
    std::size_t end = 0;
    for (const json::Member &member : object.members()) {
        const json::Range value = member.value.source();
        if (begin && end != 0)
            return {.offset = *begin, .length = member.nameSource.offset - *begin};
        if (member.name == name) {
            begin = member.nameSource.offset;
            end = value.offset + value.length;
        } else {
            before = value.offset + value.length;
        }
    }
    return {.offset = before, .length = end - before}; // the last one: with the comma before it
}

/// Takes out chunks and members that only come since the usage was asked for. A chunk with usage and choices
/// stays as it is: that is how some tell it unasked (Mistral, xAI, Groq in x_groq), and clients read it.
class OpenAiFilter final : public UsageChunkFilter
{
public:
    void take(std::string_view bytes, std::string &out) override;
    void end(std::string &out) override;

private:
    void takeEvent(const http::SseReader::Step &step, std::string &out);
    void takeChunk(std::string_view block, std::string_view data, std::string &out);
    [[nodiscard]] std::string_view held(std::uint64_t begin, std::uint64_t end) const;
    void passUpTo(std::uint64_t end, std::string &out);
    void forgetPassed();

    http::SseReader m_events{longestBlock};
    json::Document m_document;
    std::string m_held;
    std::uint64_t m_begin = 0;  ///< of m_held in the stream
    std::uint64_t m_passed = 0; ///< the stream up to there was passed on or taken out
};

void OpenAiFilter::take(std::string_view bytes, std::string &out)
{
    m_held.append(bytes);
    for (;;) {
        const http::SseReader::Step step = m_events.next(bytes);
        if (step.kind == http::SseReader::Kind::NeedMore)
            break;
        takeEvent(step, out);
    }
    passUpTo(m_events.blockBegin(), out);
    const std::uint64_t end = m_begin + m_held.size();
    if (end - m_events.blockBegin() > longestBlock)
        passUpTo(end, out);
    forgetPassed();
}

void OpenAiFilter::end(std::string &out)
{
    takeEvent(m_events.finish(), out);
    passUpTo(m_begin + m_held.size(), out);
    forgetPassed();
}

void OpenAiFilter::takeEvent(const http::SseReader::Step &step, std::string &out)
{
    if (step.kind != http::SseReader::Kind::Event || step.end - step.begin > longestBlock)
        return;
    passUpTo(step.begin, out);
    takeChunk(held(step.begin, step.end), step.data, out);
    m_passed = step.end;
}

void OpenAiFilter::takeChunk(std::string_view block, std::string_view data, std::string &out)
{
    constexpr std::string_view name = "\"usage\"";
    if (memmem(data.data(), data.size(), name.data(), name.size()) == nullptr
        || !m_document.parse(data)) {
        out += block;
        return;
    }
    const json::Value chunk = m_document.root();
    const auto usage = chunk.find("usage");
    const auto choices = chunk.find("choices");
    if (!usage || !choices || !choices->isArray()) {
        out += block;
    } else if (usage->isObject() && choices->size() == 0) {
        // What was said to nobody in between, to keep the connection, goes to the next event.
        Lines lines(block);
        for (std::string_view line = lines.next(); !line.empty(); line = lines.next())
            out += line.starts_with(':') ? line : std::string_view();
    } else if (usage->kind() == json::Kind::Null) {
        const json::Range member = memberRange(chunk, "usage");
        const std::size_t begin = placeOf(block, member.offset);
        out += block.substr(0, begin);
        out += block.substr(placeOf(block, member.offset + member.length));
    } else {
        out += block;
    }
}

std::string_view OpenAiFilter::held(std::uint64_t begin, std::uint64_t end) const
{
    return std::string_view(m_held).substr(begin - m_begin, end - begin);
}

void OpenAiFilter::passUpTo(std::uint64_t end, std::string &out)
{
    if (end <= m_passed)
        return;
    out += held(m_passed, end);
    m_passed = end;
}

void OpenAiFilter::forgetPassed()
{
    m_held.erase(0, m_passed - m_begin);
    m_begin = m_passed;
}

} // namespace

std::unique_ptr<UsageChunkFilter> usageChunkFilter()
{
    return std::make_unique<OpenAiFilter>();
}

} // namespace gatehouse
