// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/flexdocument.h"
#include "gateway/schema/decode.h"

#include <initializer_list>

namespace gatehouse {

/// Reads the maps of one MuleSoft document. Absent and empty values are the same; a key in another
/// case (`Kind:`) is read as meant, with a warning.
class FlexReader
{
public:
    FlexReader(const std::string &file, Diagnostics &diagnostics)
        : m_reporter(file, diagnostics)
    {}

    void error(Place place, std::string message) { m_reporter.error(place, std::move(message)); }
    void warning(Place place, std::string message)
    {
        m_reporter.warning(place, std::move(message));
    }

    /// Null where it is absent or empty.
    [[nodiscard]] const Node *field(const Node &map, std::string_view key);
    [[nodiscard]] std::string text(const Node &map, std::string_view key);
    [[nodiscard]] std::string requiredText(const Node &map, std::string_view key);
    [[nodiscard]] std::int64_t
    integer(const Node &value, std::string_view key, std::int64_t fallback);
    [[nodiscard]] const Node *map(const Node &map, std::string_view key);
    [[nodiscard]] const Node *requiredMap(const Node &map, std::string_view key);
    /// The maps of a list; what else is in it is reported.
    [[nodiscard]] std::vector<const Node *> maps(const Node &map, std::string_view key);
    [[nodiscard]] FlexLabels texts(const Node &map, std::string_view key);
    /// `name` and `namespace`; the name is empty, and reported, where it is missing.
    [[nodiscard]] FlexName name(const Node &map, std::string_view defaultSpace);

    void warnUnknown(const Node &map, std::initializer_list<std::string_view> known);

private:
    Reporter m_reporter;
};

/// Where \a key stands in \a map, in its own case or else in another; past the end where it does not.
[[nodiscard]] std::size_t indexOf(const Node &map, std::string_view key);

} // namespace gatehouse
