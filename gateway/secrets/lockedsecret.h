// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <span>
#include <string_view>

namespace gatehouse {

class SecretArena;

/// A secret in the pages of a SecretArena: never swapped, never in a core file, wiped with its last
/// owner. Immutable, so any thread may read it. There is no copy and no stream operator.
class LockedSecret
{
public:
    ~LockedSecret();
    LockedSecret(const LockedSecret &) = delete;
    LockedSecret(LockedSecret &&) = delete;
    LockedSecret &operator=(const LockedSecret &) = delete;
    LockedSecret &operator=(LockedSecret &&) = delete;

    /// The bytes themselves; valid as long as this is. Wipe what you copy them into.
    [[nodiscard]] std::string_view reveal() const { return {m_bytes.data(), m_bytes.size()}; }

    /// A new secret of the same arena: \a before, these bytes, \a after.
    [[nodiscard]] std::shared_ptr<const LockedSecret> framed(std::string_view before,
                                                             std::string_view after) const;

private:
    friend class SecretArena;
    LockedSecret(std::shared_ptr<SecretArena> arena, std::span<char> bytes);

    std::shared_ptr<SecretArena> m_arena; ///< before m_bytes: it holds them
    std::span<char> m_bytes;
};

} // namespace gatehouse
