// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

inline constexpr std::string_view configApiVersion = "gatehouse/v1";

/// The `*.yaml` and `*.yml` of the directory and of its folders (one level), sorted; no dotfiles.
/// Relative to the directory. Folders that cannot be listed are left out, and told to \a problems if given.
[[nodiscard]] std::vector<std::string> configFiles(const std::string &directory,
                                                   Diagnostics *problems = nullptr);

/// Reads all files of the directory; what is wrong is in the draft's diagnostics, a directory that is
/// not there too. An empty directory is a valid configuration without routes.
[[nodiscard]] Draft loadDraft(const std::string &directory);

/// Adds what the draft's MuleSoft documents mean, once all of them are there.
void addFlexDocuments(Draft &draft);

/// Adds the documents of one text to the draft, MuleSoft's as they are; \a file is what diagnostics
/// call it.
void addDocuments(Draft &draft, std::string_view text, const std::string &file);

} // namespace gatehouse
