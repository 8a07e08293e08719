// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/document.h"
#include "gateway/schema/field.h"

#include <span>
#include <string>
#include <string_view>

namespace gatehouse {

/// Collects what is wrong with one file.
class Reporter
{
public:
    Reporter(std::string file, Diagnostics &diagnostics)
        : m_file(std::move(file))
        , m_diagnostics(diagnostics)
    {}
    void error(Place place, std::string message)
    {
        m_diagnostics.push_back({m_file, place, Diagnostic::Severity::Error, std::move(message)});
    }
    /// Takes over what another reporter collected.
    void report(const Diagnostic &diagnostic) { m_diagnostics.push_back(diagnostic); }
    void warning(Place place, std::string message)
    {
        m_diagnostics.push_back({m_file, place, Diagnostic::Severity::Warning, std::move(message)});
    }

private:
    std::string m_file;
    Diagnostics &m_diagnostics;
};

/// Fills the record from a map. Everything that is wrong is reported with its place, and that field
/// keeps its default: wrong type, range or choice, a missing required field, an unknown key.
void decodeRecord(const Node &node, RecordRef record, Reporter &reporter);

template<Record T>
[[nodiscard]] T decode(const Node &node, Reporter &reporter)
{
    T record{};
    decodeRecord(node, {&record, &recordType<T>()}, reporter);
    return record;
}

/// Reports each key of a map that is not among \a known.
void reportUnknownKeys(const Node &map,
                       std::span<const std::string_view> known,
                       Reporter &reporter);

} // namespace gatehouse
