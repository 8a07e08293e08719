// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/secrets/secretarena.h"

#include <memory>
#include <string_view>

namespace gatehouse {

/// The secret on standard input, without one line end at its end: to the end of a file or a pipe, one
/// line from a terminal, where \a prompt is shown and what is typed is not. ConfigInvalid with "the
/// secret …" where it is none, SystemFailure where it cannot be read.
[[nodiscard]] Result<std::shared_ptr<const LockedSecret>> readSecretInput(std::string_view prompt,
                                                                          SecretArena &arena);

} // namespace gatehouse
