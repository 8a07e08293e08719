// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/snapshot.h"
#include "gateway/net/tls.h"

#include <memory>
#include <string>
#include <unordered_map>

namespace gatehouse::net {

/// What a worker needs to reach one provider.
struct ProviderTarget
{
    std::string poolKey;                   ///< equal keys share kept-alive connections
    std::shared_ptr<const TlsContext> tls; ///< null: plain
};

/// A snapshot and what the network makes of it. Immutable, shared by all workers.
struct Runtime
{
    std::shared_ptr<const Snapshot> snapshot;
    std::unordered_map<const ProviderEntry *, ProviderTarget> providers;
    std::unordered_map<std::string, std::shared_ptr<const TlsContext>> listenerTls; ///< by name
    std::shared_ptr<const TlsContext> endpointTls; ///< null where no policy asks anybody

    /// How an outside service of a policy is reached.
    [[nodiscard]] ProviderTarget endpointTarget(const Origin &origin) const;

    /// TLS contexts whose settings did not change are taken from \a previous (may be null), so that
    /// sessions stay resumable over a reload. Refuses certificates that cannot be used.
    [[nodiscard]] static Result<std::shared_ptr<const Runtime>>
    build(std::shared_ptr<const Snapshot> snapshot, const Runtime *previous);

    [[nodiscard]] bool hasListener(const std::string &listener) const;
    /// Null where the listener is plain or unknown.
    [[nodiscard]] const TlsContext *tlsOf(const std::string &listener) const;
};

} // namespace gatehouse::net
