// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace gatehouse {

struct PatternOptions
{
    bool ignoreCase = false;
};

/// A regular expression over bytes in RE2's syntax, as in MuleSoft's rules. Time grows linearly with
/// the text whatever the pattern, memory is bounded. Immutable: copies share it, any thread.
class Pattern
{
public:
    /// ConfigInvalid with "must be …" and the faulty part as its context. \a text is ASCII; other
    /// bytes are written `\xHH`. `.` stands for any byte, line breaks too: with UTF-8 or with lines a
    /// stray byte in a path would make a rule for `.*` pass it by.
    [[nodiscard]] static Result<Pattern> compile(std::string_view text,
                                                 PatternOptions options = {});

    [[nodiscard]] bool matchesWhole(std::string_view text) const;
    [[nodiscard]] bool isFoundIn(std::string_view text) const;

    /// The groups of a match of the whole text, as parts of it, empty where a group took no part;
    /// nullopt where it does not match.
    [[nodiscard]] std::optional<std::vector<std::string_view>> groups(std::string_view text) const;

    /// What MuleSoft's `rules.path` makes of a path: its groups in a row, the text itself where the
    /// pattern has none; nullopt where it does not match as a whole.
    /// Source: MuleSoft, "Declarative Configuration Reference Guide", spec.rules[#].path.
    [[nodiscard]] std::optional<std::string> rewritten(std::string_view text) const;

private:
    explicit Pattern(std::shared_ptr<const re2::RE2> compiled);

    std::shared_ptr<const re2::RE2> m_compiled;
};

} // namespace gatehouse
