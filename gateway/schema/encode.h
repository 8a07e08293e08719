// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/document.h"
#include "gateway/schema/field.h"

namespace gatehouse {

/// One field of a record as a node. The record is only read.
[[nodiscard]] Node encodeField(const Field &field, const void *record);

/// A map of the fields that differ from their default and of the required ones, in the table's order.
[[nodiscard]] Node encodeRecord(const void *record, const RecordType &type);

template<Record T>
[[nodiscard]] Node encode(const T &record)
{
    return encodeRecord(&record, recordType<T>());
}

/// A text as a scalar, quoted where YAML would read something else than this text.
[[nodiscard]] Node encodeText(std::string_view text);

} // namespace gatehouse
