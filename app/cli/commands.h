// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStringList>

namespace gatehouse {

// The commands of `gatehouse`. Each gets the words after its own name, prints to std::cout and
// std::cerr, and returns an ExitCode.

[[nodiscard]] int runServe(const QStringList &args);
[[nodiscard]] int runCheck(const QStringList &args);
[[nodiscard]] int runClient(const QStringList &args);
[[nodiscard]] int runPolicies(const QStringList &args);
[[nodiscard]] int runPrices(const QStringList &args);
[[nodiscard]] int runProve(const QStringList &args);
[[nodiscard]] int runSecret(const QStringList &args);

/// \a words: as argv has them after "exec", a null pointer at their end; the command among them is run
/// with its bytes as they are.
[[nodiscard]] int runExec(char *const *words);

} // namespace gatehouse
