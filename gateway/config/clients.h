// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/config/snapshot.h"

#include <memory>
#include <vector>

namespace gatehouse {

using ClientResources = std::vector<Resource<ClientSpec>>;

/// What workers look up. A pattern of models that is none is reported and left out.
[[nodiscard]] ClientDirectory compileClients(const ClientResources &clients,
                                             Diagnostics &diagnostics);

/// \a snapshot with these clients, which were checked before. Nothing is read for it, so that nothing
/// that is broken meanwhile can keep a key valid.
[[nodiscard]] std::shared_ptr<const Snapshot> withClients(const Snapshot &snapshot,
                                                          const ClientResources &clients);

/// For a configuration with faults, which is not put in force: the clients \a inForce get the keys that
/// they have in \a read, and those that are not there any more go. Nobody gets in that way who was not
/// let in before, and nobody may do more than before. Clients in files that could not be read without
/// errors stay as they are. True where something changed.
[[nodiscard]] bool takeKeys(ClientResources &inForce, const Draft &read);

} // namespace gatehouse
