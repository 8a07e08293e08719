// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <vector>

namespace gatehouse {

/// Runs a command in the foreground, with our standard streams, and waits for its end. SIGHUP, SIGINT,
/// SIGQUIT, SIGTERM, SIGUSR1 and SIGUSR2 go on to it; those that the terminal sends reach it anyway.
/// Its exit code, 128 + the signal that ended it, 127 where there is no such program and 126 where it
/// cannot be run (said on std::cerr). \a words end with a null pointer, as argv does.
[[nodiscard]] int runInForeground(char *const *words, std::span<const std::string> environment);

} // namespace gatehouse
