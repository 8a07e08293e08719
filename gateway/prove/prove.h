// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gatehouse {

/// What trials of one policy on one route have shown.
struct Proof
{
    enum class Standing : std::uint8_t {
        Proven,    ///< everything that it was to stop was stopped
        NotProven, ///< it does not hold, or not here, or nobody can tell; `reasons` says why
        Bypassable ///< `probe` got through
    };

    std::string policy;
    std::string type;
    std::string route; ///< empty: it holds on none
    Standing standing = Standing::NotProven;
    std::vector<std::string> reasons = {};
    std::string probe = {}; ///< a command that gets through, or empty
    int probes = 0;         ///< requests that were tried
};

/// A route as a whole.
struct RouteProof
{
    std::string route;
    std::string basePath;
    Proof::Standing standing = Proof::Standing::Proven;
    bool isOpen = false;                    ///< reached without a key
    std::vector<std::string> policies = {}; ///< that hold for all clients, without client-key
    std::vector<std::string> reasons = {};
    std::string probe = {};
};

/// What the keys of a client reach.
struct ClientProof
{
    std::string client;
    Proof::Standing standing = Proof::Standing::NotProven;
    std::vector<std::string> reasons = {};
    std::string probe = {};
    int probes = 0;
};

struct ProofReport
{
    std::vector<Proof> proofs;
    std::vector<RouteProof> routes;   ///< empty where one policy was asked for
    std::vector<ClientProof> clients; ///< the same
    Diagnostics diagnostics;          ///< where these have errors nothing was tried
};

/// Tries every policy of \a draft on every route where it is in force, and client-key on all routes:
/// requests go through the guard and the policies to a sink (prove/sink.h). No secret is read, nothing is connected
/// or written, and no counter but the trial's own moves. \a policy: only the one of that name; empty: all.
[[nodiscard]] ProofReport prove(const Draft &draft, const std::string &policy);

} // namespace gatehouse
