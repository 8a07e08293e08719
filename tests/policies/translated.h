// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/policytype.h"
#include "gateway/schema/yaml.h"

#include <QByteArray>

#include <string_view>

namespace gatehouse::test {

/// A config of a MuleSoft document in the native words, as YAML; what is said of it in \a problems.
/// Empty where it is refused.
inline QByteArray translated(std::string_view type, const QByteArray &flex, QByteArray &problems)
{
    Diagnostics diagnostics;
    const auto documents
        = parseYaml({flex.constData(), static_cast<std::size_t>(flex.size())}, "f", diagnostics);
    Reporter reporter("f", diagnostics);
    FlexConfig config(documents.empty() ? nullptr : &documents.front(), {1, 1}, reporter);
    const auto node = findPolicyType(type)->info.flex.front().translate(config);
    config.warnOfUnknown();
    problems.clear();
    for (const Diagnostic &diagnostic : diagnostics)
        problems += QByteArray::fromStdString(diagnostic.text() + '\n');
    return node ? QByteArray::fromStdString(toYaml(*node)) : QByteArray();
}

/// True where YAML has this line, whether its value stands in quotes or not.
inline bool says(QByteArray yaml, const char *line)
{
    return yaml.replace('"', "").contains(line);
}

} // namespace gatehouse::test
