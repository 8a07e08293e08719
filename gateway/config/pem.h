// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace gatehouse {

/// A PEM file with at least one certificate that can be read, at most 1 MiB. ConfigInvalid with the
/// path and what is wrong as its context.
[[nodiscard]] Result<std::string> readCertificates(const std::filesystem::path &path);

/// A PEM file with an unencrypted private key of the first certificate of \a certificatePem.
[[nodiscard]] Result<std::string> readPrivateKey(const std::filesystem::path &path,
                                                 std::string_view certificatePem);

} // namespace gatehouse
