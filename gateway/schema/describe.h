// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/field.h"

#include <string>
#include <string_view>

namespace gatehouse {

/// The JSON Schema (draft 2020-12) of a record, as indented JSON.
[[nodiscard]] std::string jsonSchema(const RecordType &type, std::string_view title);

/// A Markdown table of the fields, nested ones with their path: `limits.head`, `keys[].id`.
[[nodiscard]] std::string markdown(const RecordType &type, std::string_view title);

} // namespace gatehouse
