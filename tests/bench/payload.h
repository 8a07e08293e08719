// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/bench/wire.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// A chat completion's request in the order in which OpenAI's Python SDK writes it.
inline std::string requestBody(std::size_t size, bool streams)
{
    std::string body = R"({"messages":[{"role":"user","content":")";
    const std::string_view tail
        = streams ? R"("}],"model":"gpt-4o-mini","stream":true})" : R"("}],"model":"gpt-4o-mini"})";
    constexpr std::string_view words = "The quick brown fox jumps over the lazy dog. ";
    while (body.size() + tail.size() < size)
        body += words[body.size() % words.size()];
    return body.append(tail);
}

/// Counts the events of one stream and checks their order.
struct EventCounter
{
    std::uint64_t events = 0;
    bool ended = false;
    bool wrong = false;
    std::string carry; // of a line that has not ended

    /// Calls \a onStamp with the time inside each event.
    template<typename OnStamp>
    void feed(std::string_view part, OnStamp &&onStamp)
    {
        while (!part.empty()) {
            const std::size_t end = part.find('\n');
            if (end == std::string_view::npos) {
                carry.append(part);
                return;
            }
            if (carry.empty()) {
                takeLine(part.substr(0, end), onStamp);
            } else {
                takeLine(carry.append(part.substr(0, end)), onStamp);
                carry.clear();
            }
            part.remove_prefix(end + 1);
        }
    }

    template<typename OnStamp>
    void takeLine(std::string_view line, OnStamp &&onStamp)
    {
        if (line.empty())
            return;
        const std::size_t digits = eventStampDigits + eventNumberDigits;
        if (line.starts_with(eventHead) && line.size() > eventHead.size() + digits) {
            line.remove_prefix(eventHead.size());
            const std::string_view number = line.substr(eventStampDigits, eventNumberDigits);
            wrong = wrong || ended || toNumber<std::uint64_t>(number, 16) != events;
            ++events;
            onStamp(toNumber<std::uint64_t>(line.substr(0, eventStampDigits), 16));
        } else if (line == doneLine) {
            wrong = wrong || ended;
            ended = true;
        } else {
            wrong = true;
        }
    }
};

} // namespace bench
