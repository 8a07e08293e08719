// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/eventstream.h"

#include "gateway/demo/tokencount.h"

#include <utility>

namespace gatehouse::demo {

EventStream::EventStream(std::vector<std::string> opening,
                         std::string text,
                         MakeDelta makeDelta,
                         std::vector<std::string> closing)
    : m_opening(std::move(opening))
    , m_text(std::move(text))
    , m_makeDelta(std::move(makeDelta))
    , m_closing(std::move(closing))
{}

std::string EventStream::next()
{
    if (m_opened < m_opening.size())
        return std::move(m_opening[m_opened++]);
    if (m_position < m_text.size()) {
        std::string_view rest = std::string_view(m_text).substr(m_position);
        const std::string_view token = takeToken(rest);
        m_position += token.size();
        ++m_tokensGiven;
        return m_makeDelta(token);
    }
    if (m_closed < m_closing.size())
        return std::move(m_closing[m_closed++]);
    return {};
}

} // namespace gatehouse::demo
