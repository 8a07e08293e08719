// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/memberscanner.h"

#include "gateway/base/findbyte.h"
#include "gateway/base/text.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace gatehouse::json {

namespace {

bool isSpace(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Of numbers and literals.
bool isOfScalar(char c)
{
    return isAlphanumeric(c) || c == '-' || c == '+' || c == '.';
}

} // namespace

MemberPlaces::MemberPlaces(std::span<const std::string_view> pointers)
{
    assert(pointers.size() <= most);
    for (std::size_t i = 0; i < pointers.size(); ++i) {
        const std::vector<std::string_view> steps = split(pointers[i].substr(1), '/');
        assert(steps.size() <= mostSteps);
        m_all |= Set(1) << i;
        m_ends[steps.size()] |= Set(1) << i;
        m_steps.emplace_back();
        std::ranges::copy(steps, m_steps.back().begin());
        for (std::size_t depth = 0; depth < steps.size(); ++depth) {
            if (steps[depth] == "*")
                m_anyElement[depth] |= Set(1) << i;
            m_longestName = std::max(m_longestName, steps[depth].size());
        }
    }
}

MemberPlaces::Set MemberPlaces::named(Set within, std::size_t depth, std::string_view name) const
{
    Set found = 0;
    for (; within != 0 && name.size() <= m_longestName; within &= within - 1) {
        const auto index = static_cast<std::size_t>(std::countr_zero(within));
        if (m_steps[index][depth] == name)
            found |= Set(1) << index;
    }
    return found & ~m_anyElement[depth];
}

MemberScanner::Step MemberScanner::next(std::string_view &input)
{
    Cursor at = input.data();
    const Cursor end = at + input.size();
    m_from = at;
    m_hasValue = false;
    if (m_state == State::TextDone)
        restart();
    while (at != end && !m_hasValue && m_state != State::Broken && m_state != State::TextDone)
        at = take(at, end);
    if (m_isCapturing && at == end && !keep(m_from, end))
        m_isCapturing = false;
    input.remove_prefix(static_cast<std::size_t>(at - input.data()));
    if (m_hasValue)
        return {.kind = Kind::Value, .place = m_place, .value = m_given};
    Step step;
    if (m_state == State::TextDone)
        step.kind = Kind::TextEnd;
    else if (m_state == State::Broken)
        step.kind = Kind::Broken;
    return step;
}

void MemberScanner::restart()
{
    m_depth = 0;
    m_nested = 0;
    m_state = State::Text;
    m_isCapturing = false;
    m_isEscaped = false;
}

MemberScanner::Cursor MemberScanner::take(Cursor from, Cursor end)
{
    switch (m_state) {
    case State::Nested:
        return takeNested(from, end);
    case State::NestedString:
    case State::String:
        return takeString(from, end);
    case State::Name:
        return takeName(from, end);
    case State::Scalar:
        return takeScalar(from, end);
    default:
        if (!isSpace(*from))
            takeSign(*from, from);
        return from + 1;
    }
}

void MemberScanner::takeSign(char c, Cursor at)
{
    switch (m_state) {
    case State::Text:
        m_wanted = m_places->m_all;
        beginValue(c, at);
        return;
    case State::FirstElement:
    case State::Value:
        if (c == ']' && m_state == State::FirstElement)
            closeLevel(c);
        else
            beginValue(c, at);
        return;
    case State::FirstName:
    case State::NameQuote:
        m_nameLength = 0;
        if (c == '}' && m_state == State::FirstName)
            closeLevel(c);
        else
            m_state = c == '"' ? State::Name : State::Broken;
        return;
    case State::Colon:
        m_state = c == ':' ? State::Value : State::Broken;
        return;
    default: // AfterValue
        if (c != ',')
            closeLevel(c);
        else if (m_levels[m_depth - 1].isObject)
            m_state = State::NameQuote;
        else
            m_state = State::Value;
    }
}

/// m_wanted has the places at or below this value.
void MemberScanner::beginValue(char c, Cursor at)
{
    const Level *const parent = m_depth > 0 ? &m_levels[m_depth - 1] : nullptr;
    if (parent != nullptr && !parent->isObject)
        m_wanted = parent->places & m_places->m_anyElement[m_depth - 1];
    const Set captured = m_depth > 0 ? m_wanted & m_places->m_ends[m_depth] : 0;
    m_isCapturing = captured != 0;
    if (m_isCapturing) {
        m_place = static_cast<std::size_t>(std::countr_zero(captured));
        m_from = at;
        m_value.clear();
    }
    m_nested = 0;
    m_isEscaped = false;
    if (c == '"') {
        m_state = State::String;
    } else if (c == '{' || c == '[') {
        if (m_wanted != 0 && !m_isCapturing && m_depth < m_levels.size()) {
            m_levels[m_depth++] = {.places = m_wanted, .isObject = c == '{'};
            m_state = c == '{' ? State::FirstName : State::FirstElement;
        } else {
            m_state = State::Nested;
            beginNested(c);
        }
    } else {
        m_state = isOfScalar(c) ? State::Scalar : State::Broken;
    }
}

void MemberScanner::beginNested(char c)
{
    if (m_nested == deepest) {
        m_state = State::Broken;
        return;
    }
    const std::uint64_t bit = std::uint64_t(1) << (m_nested % 64);
    std::uint64_t &word = m_nestedObjects[m_nested++ / 64];
    word = c == '{' ? word | bit : word & ~bit;
}

MemberScanner::Cursor MemberScanner::takeNested(Cursor from, Cursor end)
{
    from = findByte<'"', '{', '}', '[', ']'>(from, end);
    if (from == end)
        return end;
    const char c = *from++;
    if (c == '"') {
        m_state = State::NestedString;
    } else if (c == '{' || c == '[') {
        beginNested(c);
    } else {
        --m_nested;
        const bool isObject = (m_nestedObjects[m_nested / 64] >> (m_nested % 64) & 1) != 0;
        if (isObject != (c == '}'))
            m_state = State::Broken;
        else if (m_nested == 0)
            endValue(from);
    }
    return from;
}

MemberScanner::Cursor MemberScanner::takeString(Cursor from, Cursor end)
{
    if (m_isEscaped) {
        m_isEscaped = false;
        return from + 1;
    }
    from = findByte<'"', '\\'>(from, end);
    if (from == end)
        return end;
    if (*from++ == '\\')
        m_isEscaped = true;
    else if (m_state == State::NestedString)
        m_state = State::Nested;
    else
        endValue(from);
    return from;
}

MemberScanner::Cursor MemberScanner::takeName(Cursor from, Cursor end)
{
    if (m_isEscaped) {
        m_isEscaped = false;
        return from + 1;
    }
    const Cursor to = findByte<'"', '\\'>(from, end);
    const auto length = static_cast<std::size_t>(to - from);
    if (to != end && *to == '"' && m_nameLength == 0) {
        endName({from, length});
        return to + 1;
    }
    if (m_nameLength + length <= m_name.size() && (to == end || *to == '"')) {
        std::copy(from, to, m_name.begin() + static_cast<std::ptrdiff_t>(m_nameLength));
        m_nameLength += length;
    } else {
        m_nameLength = m_name.size() + 1;
    }
    if (to == end)
        return end;
    if (*to == '\\')
        m_isEscaped = true;
    else
        endName(m_nameLength > m_name.size() ? std::string_view()
                                             : std::string_view(m_name.data(), m_nameLength));
    return to + 1;
}

void MemberScanner::endName(std::string_view name)
{
    const std::size_t depth = m_depth - 1;
    m_wanted = m_places->named(m_levels[depth].places, depth, name);
    m_state = State::Colon;
}

MemberScanner::Cursor MemberScanner::takeScalar(Cursor from, Cursor end)
{
    while (from != end && isOfScalar(*from))
        ++from;
    if (from != end) {
        if (isSpace(*from) || *from == ',' || *from == '}' || *from == ']')
            endValue(from);
        else
            m_state = State::Broken;
    }
    return from;
}

/// \a at: one past the value.
void MemberScanner::endValue(Cursor at)
{
    m_state = m_depth > 0 ? State::AfterValue : State::TextDone;
    if (!m_isCapturing)
        return;
    m_isCapturing = false;
    if (m_value.empty()) {
        m_given = {m_from, static_cast<std::size_t>(at - m_from)};
        m_hasValue = m_given.size() <= m_limit;
    } else {
        m_hasValue = keep(m_from, at);
        m_given = m_value;
    }
}

void MemberScanner::closeLevel(char c)
{
    if (c != (m_levels[m_depth - 1].isObject ? '}' : ']')) {
        m_state = State::Broken;
        return;
    }
    --m_depth;
    m_state = m_depth > 0 ? State::AfterValue : State::TextDone;
}

/// False where the value is too long.
bool MemberScanner::keep(Cursor from, Cursor to)
{
    const auto length = static_cast<std::size_t>(to - from);
    if (m_value.size() + length > m_limit)
        return false;
    m_value.append(from, length);
    return true;
}

} // namespace gatehouse::json
