// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::demo {

/// The server-sent events of one answer, each made when it is asked for, so that a long answer is
/// never in memory as events. Events are in wire form, with their empty line.
class EventStream
{
public:
    using MakeDelta = std::function<std::string(std::string_view token)>;

    /// \a makeDelta is called once for each token of \a text, in order.
    EventStream(std::vector<std::string> opening,
                std::string text,
                MakeDelta makeDelta,
                std::vector<std::string> closing);

    /// Empty where there are no more.
    [[nodiscard]] std::string next();
    /// How many of the events given so far carried a token.
    [[nodiscard]] std::size_t tokensGiven() const { return m_tokensGiven; }

private:
    std::vector<std::string> m_opening;
    std::string m_text;
    MakeDelta m_makeDelta;
    std::vector<std::string> m_closing;
    std::size_t m_opened = 0;
    std::size_t m_position = 0; ///< in m_text
    std::size_t m_closed = 0;
    std::size_t m_tokensGiven = 0;
};

} // namespace gatehouse::demo
