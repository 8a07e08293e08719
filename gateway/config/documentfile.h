// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/config/draft.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

/// A client as its document, ready for toYaml.
[[nodiscard]] Node encodeClient(const std::string &name,
                                const std::map<std::string, std::string> &labels,
                                const ClientSpec &spec);

/// The text with the document whose root begins at \a line replaced by another's text, or taken out
/// where that is empty. All other bytes stay as they are, comments before the root too.
[[nodiscard]] std::string
replaceDocument(std::string_view text, std::uint32_t line, std::string_view replacement);

/// Writes the file beside its place and renames it there: readers see the old or the new text, whole.
/// A new file gets the mode 0600.
[[nodiscard]] Result<void> writeConfigFile(const std::string &path, std::string_view text);

} // namespace gatehouse
