// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/json/tape.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gatehouse::json {

/// Looks for names that come twice in one object. Compares and sorts and does not hash, so that no
/// choice of names makes it slow: n log n comparisons. Keeps its memory from object to object.
class NameCheck
{
public:
    /// Offset of the first name that is there already, in the complete object at \a object.
    [[nodiscard]] std::optional<std::size_t> findDuplicate(const Tape &tape, std::uint32_t object);

    /// Bytes allocated.
    [[nodiscard]] std::size_t capacity() const { return m_names.capacity() * sizeof(Name); }

private:
    struct Name
    {
        std::string_view text;
        std::uint32_t offset = 0;
    };

    [[nodiscard]] std::optional<std::size_t> comparePairs() const;
    [[nodiscard]] std::optional<std::size_t> sortAndCompare();

    std::vector<Name> m_names;
};

} // namespace gatehouse::json
