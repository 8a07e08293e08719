// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/document.h"
#include "gateway/schema/field.h"

#include <string>
#include <string_view>

class QJsonArray;
class QJsonObject;
class QJsonValue;

namespace gatehouse {

/// The JSON Schema of a record (draft 2020-12), to be a part of a greater one.
[[nodiscard]] QJsonObject recordSchema(const RecordType &type);
/// The same as a document, indented.
[[nodiscard]] std::string jsonSchema(const RecordType &type, std::string_view title);

/// What a form needs to know of each field, in the table's order: key, label, help, kind, unit, min and
/// max where there are such, choices, default, required, secret, multiline, and the fields of what is nested.
[[nodiscard]] QJsonArray formFields(const RecordType &type);

/// The value that YAML would read; numbers and truth values as such unless quoted.
[[nodiscard]] QJsonValue toJson(const Node &node);

/// A Markdown table of the fields, nested ones with their path: `limits.head`, `keys[].id`.
[[nodiscard]] std::string markdownTable(const RecordType &type);
/// The same under a heading.
[[nodiscard]] std::string markdown(const RecordType &type, std::string_view title);

} // namespace gatehouse
