// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace gatehouse::json {

/// Finds where the tokens of a JSON text begin. The only place that sees simdjson, of which it uses
/// the first of two stages: the second one, and its on-demand reader, do not say where values end.
class Structurals
{
public:
    Structurals();
    ~Structurals();
    Structurals(Structurals &&) noexcept;
    Structurals &operator=(Structurals &&) noexcept;
    Structurals(const Structurals &) = delete;
    Structurals &operator=(const Structurals &) = delete;

    /// Offsets of the brackets, colons and commas outside strings, of opening quotes, and of the first
    /// byte of whatever else follows white space or one of these (perhaps of more that no JSON text
    /// has); the last one is the length of the text. Between two of them there is one token, then
    /// white space only. A string is closed, and has neither a bare control character nor bytes that
    /// are not UTF-8. None where that cannot be, and for white space alone. \a text has Tape::padding
    /// bytes behind it.
    [[nodiscard]] std::optional<std::span<const std::uint32_t>> find(std::string_view text);

    /// Bytes allocated.
    [[nodiscard]] std::size_t capacity() const;

private:
    struct Indexer;
    std::unique_ptr<Indexer> m_indexer;
};

} // namespace gatehouse::json
