// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse {

/// Counts what a model has written by now, in an answer that goes by: the bytes of the JSON strings that are
/// values of members named `content`, `text`, `delta`, `arguments`, `partial_json`, `thinking`,
/// `reasoning_content`, `reasoning`, `refusal` or `response`, in whatever framing they stand (events, lines,
/// one text), cut anywhere. The vendors' streams (provider-apis, section 1) write what a model made in no
/// other members. The Responses API tells at its ends again what its deltas told: there only `delta` counts, once
/// an event's type begins with `response.`. An escape counts as it is written.
class TextMeter
{
public:
    void take(std::string_view bytes);
    [[nodiscard]] std::uint64_t count() const { return m_count; }

private:
    enum class State : std::uint8_t {
        Outside,
        String,      ///< a name, or a value that does not count
        Behind,      ///< a string is over: a name, if a colon comes
        BeforeValue, ///< of a member that counts
        Counted      ///< in a value that does
    };

    void takeOne(char c);
    void endString(char next);

    std::uint64_t m_count = 0;
    std::array<char, 20> m_name = {}; ///< the front of the string
    std::size_t m_nameLength = 0;     ///< of the string, also beyond the array
    State m_state = State::Outside;
    bool m_isEscaped = false; ///< the last byte was a backslash
    bool m_onlyDeltas = false;
};

} // namespace gatehouse
