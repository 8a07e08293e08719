// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/prove/prove.h"
#include "gateway/prove/sink.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

/// A client and a key of its own for the trial.
using TrialKey = std::pair<std::shared_ptr<const ClientEntry>, std::string>;

/// Of each route: who comes in, what holds there, and whether another way leads past that.
[[nodiscard]] std::vector<RouteProof> proveRoutes(const std::shared_ptr<const Snapshot> &snapshot,
                                                  const std::string &key);

/// Of each client that is limited to some routes or models: whether its key keeps to them.
[[nodiscard]] std::vector<ClientProof> proveClients(const std::shared_ptr<const Snapshot> &snapshot,
                                                    const std::vector<TrialKey> &keys);

} // namespace gatehouse
