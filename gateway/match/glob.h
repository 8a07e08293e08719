// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/match/pattern.h"

#include <string_view>

namespace gatehouse {

/// A text with wildcards, compared with a whole text, case-sensitively and byte by byte: `*` is any
/// run of bytes, the empty one too, `?` is any one byte, all else is itself. Time is linear in the
/// text. Copies share it, any thread.
class Glob
{
public:
    enum class Kind {
        Name, ///< `*` crosses everything: models are named `openai/gpt-x:free`
        Path, ///< `*` and `?` stop at `/`, `**` crosses it
    };

    /// ConfigInvalid with "must …" as its context: where \a text is empty or too long.
    [[nodiscard]] static Result<Glob> parse(std::string_view text, Kind kind);

    [[nodiscard]] bool matches(std::string_view text) const { return m_pattern.matchesWhole(text); }

private:
    explicit Glob(Pattern pattern);

    Pattern m_pattern;
};

} // namespace gatehouse
