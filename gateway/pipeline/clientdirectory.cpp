// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/clientdirectory.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace gatehouse {

bool ClientEntry::mayUseRoute(std::string_view route) const
{
    return routes.empty() || std::ranges::find(routes, route) != routes.end();
}

std::size_t ClientDirectory::Hasher::operator()(const KeyHash &hash) const
{
    // A keyed hash is uniform already.
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
        value = value << 8 | hash[i];
    return value;
}

void ClientDirectory::add(std::shared_ptr<const ClientEntry> client)
{
    std::string name = client->name;
    m_clients.insert_or_assign(std::move(name), std::move(client));
}

void ClientDirectory::addKey(const KeyHash &hash, KeyEntry entry)
{
    m_keys.try_emplace(hash, std::move(entry));
}

const KeyEntry *ClientDirectory::findKey(const KeyHash &hash) const
{
    // The look-up goes by a keyed hash, which nobody without the hash key can steer.
    const auto found = m_keys.find(hash);
    if (found == m_keys.end() || CRYPTO_memcmp(found->first.data(), hash.data(), hash.size()) != 0)
        return nullptr;
    return &found->second;
}

const ClientEntry *ClientDirectory::findClient(std::string_view name) const
{
    const auto found = m_clients.find(name);
    return found == m_clients.end() ? nullptr : found->second.get();
}

} // namespace gatehouse
