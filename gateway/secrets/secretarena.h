// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/secrets/lockedsecret.h"

#include <cstddef>
#include <initializer_list>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

namespace gatehouse {

/// Memory for secrets alone: pages of their own between two that cannot be touched, locked against
/// swapping (mlock), left out of core files (MADV_DONTDUMP) and empty in a forked child
/// (MADV_WIPEONFORK). All secrets share few pages, since RLIMIT_MEMLOCK may be as small as 64 KiB; more
/// are taken as needed and given back when they are empty. Any thread.
class SecretArena : public std::enable_shared_from_this<SecretArena>
{
public:
    [[nodiscard]] static std::shared_ptr<SecretArena> make();
    ~SecretArena();
    SecretArena(const SecretArena &) = delete;
    SecretArena(SecretArena &&) = delete;
    SecretArena &operator=(const SecretArena &) = delete;
    SecretArena &operator=(SecretArena &&) = delete;

    /// The \a parts in one piece, which keeps the arena. Throws std::bad_alloc where there is no memory.
    [[nodiscard]] std::shared_ptr<const LockedSecret>
    store(std::initializer_list<std::string_view> parts);

    /// What to tell the user where the system refused to lock a page; else empty.
    [[nodiscard]] std::string warning() const;

private:
    friend class LockedSecret;
    class Region;

    SecretArena();
    [[nodiscard]] std::span<char> allocate(std::size_t size);
    /// Wipes the bytes.
    void release(std::span<char> bytes);

    mutable std::mutex m_mutex;
    std::list<Region> m_regions;
    bool m_isLockRefused = false;
};

} // namespace gatehouse
