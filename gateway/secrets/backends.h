// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/secrets/secretarena.h"
#include "gateway/secrets/secretproblem.h"
#include "gateway/secrets/secretsource.h"

#include <filesystem>
#include <string>

namespace gatehouse {

// The places that answer at once. What is wrong begins with the place: "the environment variable …".

[[nodiscard]] Result<ResolvedSecret, SecretProblem> readEnvironmentSecret(const std::string &name,
                                                                          SecretArena &arena);

/// One line end at the end of the file is no part of the secret.
[[nodiscard]] Result<ResolvedSecret, SecretProblem>
readFileSecret(const std::filesystem::path &path, SecretArena &arena);

} // namespace gatehouse
