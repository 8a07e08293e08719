// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/providerpool.h"

#include <algorithm>

namespace gatehouse::net {

ProviderConnection *ProviderPool::takeIdle(const ProviderTarget &target, ProviderUser &user)
{
    PoolSlot &slot = m_slots[target.poolKey];
    while (!slot.idle.empty()) {
        ProviderConnection *connection = slot.idle.back();
        slot.idle.pop_back();
        if (connection->reuse(user))
            return connection;
        remove(m_context, slot, *connection);
    }
    return nullptr;
}

ProviderConnection &ProviderPool::add(const ProviderTarget &target)
{
    PoolSlot &slot = m_slots[target.poolKey];
    auto connection = std::make_unique<ProviderConnection>(m_context, slot);
    ProviderConnection &added = *connection;
    slot.all.emplace(&added, std::move(connection));
    return added;
}

void ProviderPool::putBack(PoolSlot &slot, ProviderConnection &connection)
{
    slot.idle.push_back(&connection);
}

void ProviderPool::remove(WorkerContext &context, PoolSlot &slot, ProviderConnection &connection)
{
    std::erase(slot.idle, &connection);
    auto node = slot.all.extract(&connection);
    if (!node.empty())
        context.bury(std::move(node.mapped()));
}

} // namespace gatehouse::net
