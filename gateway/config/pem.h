// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace gatehouse {

/// PEM with at least one certificate that can be read, at most 1 MiB: \a pemOrPath itself, or the file
/// of that name (relative ones in \a directory). ConfigInvalid with the path and what is wrong as its context.
[[nodiscard]] Result<std::string> readCertificates(std::string_view pemOrPath,
                                                   const std::filesystem::path &directory);

/// Likewise an unencrypted private key of the first certificate of \a certificatePem.
[[nodiscard]] Result<std::string> readPrivateKey(std::string_view pemOrPath,
                                                 const std::filesystem::path &directory,
                                                 std::string_view certificatePem);

} // namespace gatehouse
