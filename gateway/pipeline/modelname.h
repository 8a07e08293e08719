// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace gatehouse {

/// The name of a member or field as its most lenient reader takes it: letters in lower case, as Go's
/// encoding/json folds them (U+017F is an s, U+212A a k), without the `_` and `-` by which protobuf's and
/// other readers tell one spelling from another.
class FoldedName
{
public:
    explicit FoldedName(std::string_view name);

    /// Of a name longer than 64 bytes only the end.
    [[nodiscard]] std::string_view text() const { return {m_letters.data(), m_size}; }
    /// False where text() is only the end of the name.
    [[nodiscard]] bool isWhole() const { return m_isWhole; }

    /// "model", "baseModel", "analysis_models", "model-id".
    [[nodiscard]] bool isModel() const;
    /// False where FoldedName(name) is no model and neither "tools" nor "plugins": told from its last two
    /// letters, since most names are looked at for nothing.
    [[nodiscard]] static bool mayMatter(std::string_view name);

private:
    std::array<char, 64> m_letters{};
    std::size_t m_size = 0;
    bool m_isWhole;
};

/// True where every reader takes \a model for the same name: without white space at its ends, controls,
/// percent-escapes, what ends a path (`?`, `#`, `\`) and dot segments. At most 256 bytes of UTF-8.
[[nodiscard]] bool isPlainModel(std::string_view model);

} // namespace gatehouse
