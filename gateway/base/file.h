// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <cstddef>
#include <filesystem>
#include <string>

namespace gatehouse {

/// The bytes of a regular file of at most \a limit bytes, read without a buffer that would keep a
/// secret. SystemFailure with the path and the reason in its context.
[[nodiscard]] Result<std::string> readFile(const std::filesystem::path &path, std::size_t limit);

/// True where the file's mode lets its group or others read it.
[[nodiscard]] bool isReadableByOthers(const std::filesystem::path &path);

} // namespace gatehouse
