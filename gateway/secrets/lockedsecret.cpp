// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/lockedsecret.h"

#include "gateway/secrets/secretarena.h"

#include <utility>

namespace gatehouse {

LockedSecret::LockedSecret(std::shared_ptr<SecretArena> arena, std::span<char> bytes)
    : m_arena(std::move(arena))
    , m_bytes(bytes)
{}

LockedSecret::~LockedSecret()
{
    m_arena->release(m_bytes);
}

std::shared_ptr<const LockedSecret> LockedSecret::framed(std::string_view before,
                                                         std::string_view after) const
{
    return m_arena->store({before, reveal(), after});
}

} // namespace gatehouse
