// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/policytype.h"

#include <QJsonArray>
#include <QJsonObject>

#include <span>
#include <string>

// What `gatehouse policies` tells of types; all of it comes from their tables.

namespace gatehouse {

/// The whole document of a policy as its author's example has it; YAML with a newline at its end.
[[nodiscard]] std::string policyExample(const PolicyType &type);

/// For people; also the file resources/help/policies/<type>.md.
[[nodiscard]] std::string policyMarkdown(const PolicyType &type);

/// For forms: id, texts, the rows of `common` and `fields` (formFields), the example.
[[nodiscard]] QJsonObject policyForm(const PolicyType &type);

/// The JSON Schema of a policy's document; of several types: any of theirs, told apart by spec.type.
[[nodiscard]] QJsonObject policySchema(std::span<const PolicyType> types);

} // namespace gatehouse
