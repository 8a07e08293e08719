// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/options.h"
#include "gateway/base/units.h"
#include "gateway/config/draft.h"

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

// The parts of `gatehouse client`; see client.cpp for its --help.

using ClientResource = Resource<ClientSpec>;

/// Where a file does not read, what it holds is not known: says so.
void warnOfErrors(const Draft &draft);
/// Null where there is none of that name.
[[nodiscard]] const ClientResource *findClient(const Draft &draft, const std::string &name);

/// The time that --expires leads to, if it is there; an exit code where that is none or has passed.
[[nodiscard]] Result<std::optional<Instant>, int> expiryOf(const CommandLine &line);

struct NewKey
{
    std::string text; ///< the virtual key itself
    KeySpec spec;
};
/// A virtual key under the hash key of the data directory.
[[nodiscard]] Result<NewKey>
makeKey(const std::string &id, std::optional<Instant> expires, const std::string &dataDir);

[[nodiscard]] int listClients(const CommandLine &line);
[[nodiscard]] int rotateClient(const CommandLine &line);
[[nodiscard]] int revokeClient(const CommandLine &line);
[[nodiscard]] int removeClient(const CommandLine &line);

} // namespace gatehouse
