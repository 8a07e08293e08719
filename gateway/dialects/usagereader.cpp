// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "gateway/http/sse.h"
#include "gateway/http/websocket.h"
#include "gateway/json/document.h"
#include "gateway/json/memberscanner.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace gatehouse {

namespace {

/// Of a member that is read, and of an event that waits for its end.
constexpr std::size_t longestPart = std::size_t(16) << 10;
/// The first ones name the model, if any does.
constexpr int eventsThatMayNameModel = 8;
constexpr std::uint64_t mostTokens = std::uint64_t(1) << 53;

/// What all dialects look for.
class Places
{
public:
    Places();
    [[nodiscard]] const json::MemberPlaces &members() const { return m_members; }
    void read(std::size_t place, const json::Value &value, AnswerUsage &answer) const;
    [[nodiscard]] bool isLast(std::string_view eventType) const;

private:
    [[nodiscard]] json::MemberPlaces gather();

    std::vector<std::string_view> m_pointers;
    std::vector<std::vector<decltype(UsagePlace::read)>> m_readers; ///< for each pointer
    std::vector<std::string_view> m_lastEvents;
    json::MemberPlaces m_members;
};

Places::Places()
    : m_members(gather())
{}

/// The first dialect's are asked last: openai's readers take all that looks like their family.
json::MemberPlaces Places::gather()
{
    const auto all = dialects();
    for (std::size_t i = all.size(); i > 0; --i) {
        const UsagePlaces places = all[i - 1]->usagePlaces();
        m_lastEvents.insert(m_lastEvents.end(), places.lastEvents.begin(), places.lastEvents.end());
        for (const UsagePlace &place : places.members) {
            const auto found = std::ranges::find(m_pointers, place.pointer);
            const auto index = static_cast<std::size_t>(found - m_pointers.begin());
            if (found == m_pointers.end()) {
                m_pointers.push_back(place.pointer);
                m_readers.emplace_back();
            }
            m_readers[index].push_back(place.read);
        }
    }
    return json::MemberPlaces(m_pointers);
}

void Places::read(std::size_t place, const json::Value &value, AnswerUsage &answer) const
{
    for (const auto reader : m_readers[place]) {
        if (reader(value, answer))
            return;
    }
}

bool Places::isLast(std::string_view eventType) const
{
    return !eventType.empty() && std::ranges::find(m_lastEvents, eventType) != m_lastEvents.end();
}

const Places &allPlaces()
{
    static const Places places;
    return places;
}

/// What readers of all kinds of answers do with a JSON text.
class TextReader : public UsageReader
{
public:
    [[nodiscard]] const Usage &usage() const override { return m_answer.usage; }
    [[nodiscard]] bool isComplete() const override { return m_isComplete; }

protected:
    /// Of the text begun last, where each has usage of its own.
    [[nodiscard]] AnswerUsage &answer() { return m_answer; }
    void setOpen() { m_isComplete = false; }
    void scan(std::string_view bytes);
    void beginText();
    /// A text is complete.
    virtual void endText();
    void setComplete() { m_isComplete = true; }
    /// The text begun last is complete.
    [[nodiscard]] bool isWholeText() const { return m_isWholeText; }

private:
    json::MemberScanner m_scanner{allPlaces().members(), longestPart};
    json::Document m_document;
    AnswerUsage m_answer;
    bool m_isWholeText = false;
    bool m_isComplete = false;
};

void TextReader::scan(std::string_view bytes)
{
    for (;;) {
        const json::MemberScanner::Step step = m_scanner.next(bytes);
        switch (step.kind) {
        case json::MemberScanner::Kind::Value:
            if (step.value != "null" && m_document.parse(step.value))
                allPlaces().read(step.place, m_document.root(), m_answer);
            break;
        case json::MemberScanner::Kind::TextEnd:
            endText();
            break;
        case json::MemberScanner::Kind::NeedMore:
        case json::MemberScanner::Kind::Broken:
            return;
        }
    }
}

/// What a text said of its end counts only if it was whole: the counts may have been behind it.
void TextReader::beginText()
{
    m_scanner.restart();
    m_answer.isFinished = false;
    m_answer.openChoices = 0;
    m_isWholeText = false;
}

void TextReader::endText()
{
    m_isWholeText = true;
    m_isComplete = m_isComplete || (m_answer.isFinished && m_answer.openChoices <= 0);
    m_answer.isFinished = false;
    m_answer.openChoices = 0;
}

/// One JSON text, or many in lines, of which the last one says so.
class JsonReader final : public TextReader
{
public:
    explicit JsonReader(bool isLines)
        : m_isLines(isLines)
    {}
    void take(std::string_view bytes) override { scan(bytes); }

private:
    void endText() override
    {
        if (!m_isLines)
            setComplete();
        TextReader::endText();
    }

    bool m_isLines;
};

/// Whether \a text, an event with JSON, has a member with usage that is not null. Of its bytes alone:
/// `"usage":` cannot stand in a string, where quotes are escaped.
bool mayTellUsage(std::string_view text)
{
    constexpr std::string_view begin = "\"usage";
    for (;;) {
        const void *found = memmem(text.data(), text.size(), begin.data(), begin.size());
        if (found == nullptr)
            return false;
        text.remove_prefix(static_cast<std::size_t>(static_cast<const char *>(found) - text.data())
                           + begin.size());
        std::string_view rest = text;
        if (rest.starts_with("Metadata\""))
            return true;
        if (!rest.starts_with('"'))
            continue;
        rest.remove_prefix(1);
        constexpr std::string_view spaces = " \t\r\n";
        rest.remove_prefix(std::min(rest.find_first_not_of(spaces), rest.size()));
        if (!rest.starts_with(':'))
            continue;
        rest.remove_prefix(1);
        rest.remove_prefix(std::min(rest.find_first_not_of(spaces), rest.size()));
        if (!rest.starts_with("null"))
            return true;
    }
}

/// Events with a JSON text each.
class EventStreamReader final : public TextReader
{
public:
    void take(std::string_view bytes) override
    {
        for (;;) {
            const http::SseReader::Step step = m_events.next(bytes);
            if (step.kind == http::SseReader::Kind::NeedMore)
                return;
            read(step);
        }
    }
    void end() override
    {
        m_isOver = true;
        read(m_events.finish());
    }

private:
    void read(const http::SseReader::Step &step);
    void readWhole(std::string_view data);

    http::SseReader m_events{longestPart};
    int m_eventCount = 0; ///< up to those that may name the model
    bool m_isInPieces = false;
    bool m_isOver = false; ///< the last event may be cut
};

void EventStreamReader::read(const http::SseReader::Step &step)
{
    switch (step.kind) {
    case http::SseReader::Kind::NeedMore:
        return;
    case http::SseReader::Kind::Piece:
        if (!m_isInPieces)
            beginText();
        m_isInPieces = true;
        scan(step.data);
        return;
    case http::SseReader::Kind::Oversized:
        m_isInPieces = false;
        return;
    case http::SseReader::Kind::Event:
        readWhole(step.data);
        if (allPlaces().isLast(step.type) && (!m_isOver || isWholeText()))
            setComplete();
        return;
    }
}

void EventStreamReader::readWhole(std::string_view data)
{
    const bool mayNameModel = m_eventCount < eventsThatMayNameModel && usage().model.empty();
    m_eventCount += mayNameModel ? 1 : 0;
    if (data == "[DONE]") {
        setComplete();
    } else if (mayNameModel || m_isOver || mayTellUsage(data)) {
        beginText();
        scan(data);
    }
}

void addTo(Usage::Tokens &sum, const Usage::Tokens &more)
{
    if (more)
        sum = std::min(sum.value_or(0) + *more, mostTokens);
}

/// Texts with an event each, of which those that end a response tell its usage.
class WebSocketUsageReader final : public TextReader
{
public:
    explicit WebSocketUsageReader(http::WebSocketReader messages)
        : m_messages(std::move(messages))
    {}
    void take(std::string_view bytes) override
    {
        for (;;) {
            const http::WebSocketReader::Step step = m_messages.next(bytes);
            if (step.kind == http::WebSocketReader::Kind::Piece) {
                if (!std::exchange(m_isInText, true)) {
                    answer() = {};
                    beginText();
                }
                scan(step.data);
            } else if (step.kind == http::WebSocketReader::Kind::TextEnd) {
                m_isInText = false;
                addText();
            } else {
                return;
            }
        }
    }
    [[nodiscard]] const Usage &usage() const override { return m_sum; }

private:
    void addText();

    http::WebSocketReader m_messages;
    Usage m_sum;
    bool m_isInText = false;
};

void WebSocketUsageReader::addText()
{
    const Usage &told = answer().usage;
    if (!isWholeText())
        return;
    if (!told.model.empty())
        m_sum.model = told.model;
    if (!told.hasTokens()) {
        if (!told.model.empty()) // a response begins
            setOpen();
        return;
    }
    addTo(m_sum.input, told.input);
    addTo(m_sum.cacheRead, told.cacheRead);
    addTo(m_sum.cacheWrite5m, told.cacheWrite5m);
    addTo(m_sum.cacheWrite1h, told.cacheWrite1h);
    addTo(m_sum.output, told.output);
    addTo(m_sum.reasoning, told.reasoning);
    if (m_sum.output && m_sum.reasoning)
        m_sum.reasoning = std::min(*m_sum.reasoning, *m_sum.output);
    setComplete();
}

} // namespace

Usage::Tokens tokensOf(const json::Value &number)
{
    const std::optional<std::int64_t> count = number.integer();
    if (!count || *count < 0 || static_cast<std::uint64_t>(*count) > mostTokens)
        return {};
    return static_cast<std::uint64_t>(*count);
}

Usage::Tokens tokensOf(const json::Value &object, std::string_view name)
{
    const auto number = object.find(name);
    return number ? tokensOf(*number) : std::nullopt;
}

bool readModel(const json::Value &name, AnswerUsage &answer)
{
    constexpr std::size_t longest = 256;
    const auto text = name.text();
    if (text && !text->empty() && text->size() <= longest)
        answer.usage.model = *text;
    return true;
}

std::unique_ptr<UsageReader> Dialect::usageReader(std::string_view contentType) const
{
    switch (streamKindOf(contentType)) {
    case StreamKind::Events:
        return std::make_unique<EventStreamReader>();
    case StreamKind::Lines:
        return std::make_unique<JsonReader>(true);
    case StreamKind::Text:
        return std::make_unique<JsonReader>(false);
    case StreamKind::Other:
        break;
    }
    return nullptr;
}

std::unique_ptr<UsageReader> Dialect::webSocketUsageReader(std::string_view extensions) const
{
    auto messages = http::WebSocketReader::of(extensions);
    return messages ? std::make_unique<WebSocketUsageReader>(std::move(*messages)) : nullptr;
}

} // namespace gatehouse
