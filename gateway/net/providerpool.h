// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/providerconnection.h"
#include "gateway/net/runtime.h"
#include "gateway/net/tls.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace gatehouse::net {

/// The connections of one worker to one origin with one trust.
struct PoolSlot
{
    TlsSessionStore sessions; ///< outlives the connections, which keep their sessions there
    std::unordered_map<ProviderConnection *, std::unique_ptr<ProviderConnection>> all;
    std::vector<ProviderConnection *> idle; ///< the one used last at the back
};

/// Kept-alive provider connections of one worker.
class ProviderPool
{
public:
    static constexpr std::size_t maxIdle = 128; ///< for each origin
    static constexpr std::chrono::seconds idleTime{60};

    explicit ProviderPool(WorkerContext &context)
        : m_context(context)
    {}

    /// An idle connection for \a user, or null.
    [[nodiscard]] ProviderConnection *takeIdle(const ProviderTarget &target, ProviderUser &user);
    /// A new connection; call open() on it.
    [[nodiscard]] ProviderConnection &add(const ProviderTarget &target);

    /// From ProviderConnection only: keeps the connection, or has it destroyed.
    static void putBack(PoolSlot &slot, ProviderConnection &connection);
    static void remove(WorkerContext &context, PoolSlot &slot, ProviderConnection &connection);

private:
    WorkerContext &m_context;
    std::unordered_map<std::string, PoolSlot> m_slots;
};

} // namespace gatehouse::net
