// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/usage/textmeter.h"

#include <algorithm>

namespace gatehouse {

namespace {

constexpr auto written = std::to_array<std::string_view>({"content",
                                                          "text",
                                                          "delta",
                                                          "arguments",
                                                          "partial_json",
                                                          "thinking",
                                                          "reasoning_content",
                                                          "reasoning",
                                                          "refusal",
                                                          "response"});

} // namespace

void TextMeter::take(std::string_view bytes)
{
    while (!bytes.empty()) {
        // What is long is a value: its bytes up to a quote or a backslash at once.
        if (m_state == State::Counted && !m_isEscaped) {
            const auto *const end = std::ranges::find_if(bytes, [](char c) {
                return c == '"' || c == '\\'; // find_first_of() takes ten times as long
            });
            const auto plain = static_cast<std::size_t>(end - bytes.begin());
            m_count += plain;
            bytes.remove_prefix(plain);
            if (bytes.empty())
                return;
        }
        takeOne(bytes.front());
        bytes.remove_prefix(1);
    }
}

void TextMeter::takeOne(char c)
{
    switch (m_state) {
    case State::Outside:
        break;
    case State::Behind:
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            return;
        endString(c);
        break;
    case State::BeforeValue:
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            return;
        m_state = c == '"' ? State::Counted : State::Outside;
        m_isEscaped = false;
        return; // a name cannot follow at once
    case State::String:
    case State::Counted:
        if (c == '"' && !m_isEscaped) {
            m_state = m_state == State::Counted ? State::Outside : State::Behind;
            return;
        }
        m_isEscaped = c == '\\' && !m_isEscaped;
        if (m_state == State::Counted) {
            ++m_count;
            return;
        }
        if (m_nameLength < m_name.size())
            m_name[m_nameLength] = c;
        ++m_nameLength;
        return;
    }
    if (c == '"') {
        m_state = State::String;
        m_nameLength = 0;
        m_isEscaped = false;
    }
}

/// A string that did not count is over, and this comes behind it: a colon behind a name.
void TextMeter::endString(char next)
{
    const std::string_view front(m_name.data(), std::min(m_nameLength, m_name.size()));
    m_state = State::Outside;
    if (next != ':') {
        m_onlyDeltas = m_onlyDeltas || front.starts_with("response.");
        return;
    }
    const bool counts = m_onlyDeltas ? front == "delta"
                                     : m_nameLength <= m_name.size()
                                           && std::ranges::find(written, front) != written.end();
    if (counts)
        m_state = State::BeforeValue;
}

} // namespace gatehouse
