// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/quota/siphash.h"
#include "gateway/quota/window.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <random>
#include <string_view>
#include <utility>

namespace gatehouse::quota {

/// What is counted for one key.
template<typename C>
concept KeyedCell = requires(C cell, const C constCell)
{
    /// True where nobody holds anything of it: it may be forgotten when it has not been used for long.
    {
        constCell.isFree()
        } -> std::same_as<bool>;
    cell.reset();
};

/// A cell for each key, made when it is first asked for. Any thread; no lock where the key is known.
///
/// Memory: 1.4 KiB for each group that has keys, and what 2,097,152 cells take at the most (those of
/// windows 0.3 KiB for each limit). A cell is given to another key only when it is idle, so nothing that
/// counts is forgotten. Keys live in one of \a Groups groups of 32; those that find their group full of
/// cells in use share one cell, and with it a limit: they may be refused early, never late. At a million
/// keys in use that is one in some hundred thousand.
template<KeyedCell C, std::size_t Groups = std::size_t{1} << 16>
class Keyed
{
public:
    using Make = std::function<std::unique_ptr<C>()>;

    /// A cell that is free is idle \a idleAfter its last use, but not before a minute: a thread that sleeps
    /// within use() for longer than that may count what another forgets.
    Keyed(Duration idleAfter, Make make)
        : Keyed(idleAfter, randomKey(), std::move(make))
    {}
    /// With a key that outlives this, so that what restore() gets is found again.
    Keyed(Duration idleAfter, const SipKey &key, Make make)
        : m_idleAfter(std::max<Duration>(idleAfter, std::chrono::minutes(1)))
        , m_make(std::move(make))
        , m_key(key)
        , m_groups(static_cast<Group **>(std::calloc(Groups, sizeof(Group *))))
        , m_shared(m_make())
    {
        if (!m_groups)
            throw std::bad_alloc();
    }
    ~Keyed()
    {
        for (std::size_t i = 0; i < Groups; ++i)
            delete m_groups[i];
    }
    Keyed(const Keyed &) = delete;
    Keyed(Keyed &&) = delete;
    Keyed &operator=(const Keyed &) = delete;
    Keyed &operator=(Keyed &&) = delete;

    /// What \a action(cell) returns of the cell of \a key, which stays the key's while it is not free.
    template<typename Action>
    auto use(std::string_view key, Time now, Action action)
    {
        const Hash128 hash = sipHash(key, m_key);
        for (;;) {
            Slot *slot = find(hash, now);
            if (slot == nullptr)
                return action(*m_shared);
            // Either who takes idle cells away sees that this one is in use, or we see that it is gone.
            slot->lastUse = now.time_since_epoch().count();
            if (slot->isOf(hash))
                return action(*slot->cell);
        }
    }
    /// \a cell, which counted before, is that of the key of this hash. Before the first use(), of one thread. Does
    /// nothing where the group is full.
    void restore(const Hash128 &hash, std::unique_ptr<C> cell, Time now)
    {
        Group *&group = m_groups[hash[0] % Groups];
        if (group == nullptr)
            group = new Group;
        const std::size_t count = group->count;
        if (count == slotsInGroup)
            return;
        Slot &slot = group->slots[count];
        slot.cell = std::move(cell);
        slot.low = hash[0];
        slot.high = hash[1];
        slot.lastUse = now.time_since_epoch().count();
        slot.isLive = true;
        group->count = count + 1;
        ++m_size;
    }
    /// Cells that were made, in use or not.
    [[nodiscard]] std::size_t size() const { return m_size.load(std::memory_order_relaxed); }

private:
    static constexpr std::size_t slotsInGroup = 32;

    struct Slot
    {
        std::atomic<std::uint64_t> low = 0;
        std::atomic<std::uint64_t> high = 0;
        std::unique_ptr<C> cell = {};          ///< never changed once it is there
        std::atomic<std::int64_t> lastUse = 0; ///< Time in nanoseconds
        std::atomic<bool> isLive = false;

        [[nodiscard]] bool isOf(const Hash128 &hash) const
        {
            return isLive.load() && low.load() == hash[0] && high.load() == hash[1];
        }
    };
    struct Group
    {
        std::array<Slot, slotsInGroup> slots;
        std::atomic<std::size_t> count = 0; ///< slots with a cell: the first ones
        std::mutex mutex;                   ///< for who gives cells to keys
    };

    [[nodiscard]] static SipKey randomKey()
    {
        std::random_device random;
        SipKey key;
        for (std::uint64_t &word : key)
            word = std::uint64_t{random()} << 32 | random();
        return key;
    }

    [[nodiscard]] bool isIdle(const Slot &slot, Time now) const
    {
        return now.time_since_epoch().count() - slot.lastUse.load() > m_idleAfter.count()
               && slot.cell->isFree();
    }

    struct Free
    {
        void operator()(Group **groups) const { std::free(groups); }
    };

    /// Null: the key shares m_shared.
    [[nodiscard]] Slot *find(const Hash128 &hash, Time now)
    {
        const std::atomic_ref<Group *> place(m_groups[hash[0] % Groups]);
        Group *group = place.load(std::memory_order_acquire);
        if (group != nullptr) {
            const std::size_t count = group->count.load(std::memory_order_acquire);
            for (std::size_t i = 0; i < count; ++i) {
                Slot &slot = group->slots[i];
                if (slot.isOf(hash) && !isIdle(slot, now))
                    return &slot;
            }
        } else {
            auto made = std::make_unique<Group>();
            if (place.compare_exchange_strong(group, made.get()))
                group = made.release();
        }
        return assign(*group, hash, now);
    }

    [[nodiscard]] Slot *assign(Group &group, const Hash128 &hash, Time now)
    {
        const std::lock_guard lock(group.mutex);
        const std::size_t count = group.count.load();
        const auto begin = group.slots.begin();
        const auto end = begin + static_cast<std::ptrdiff_t>(count);
        auto slot = std::find_if(begin, end, [&](const Slot &s) { return s.isOf(hash); });
        if (slot != end && !isIdle(*slot, now))
            return &*slot; // another thread was first
        if (slot != end && retire(*slot, now))
            return revive(*slot, hash, now);
        if (slot != end)
            return &*slot;
        for (slot = begin; slot != end; ++slot) {
            if (isIdle(*slot, now) && retire(*slot, now))
                return revive(*slot, hash, now);
        }
        if (count == slotsInGroup)
            return nullptr;
        slot->cell = m_make();
        group.count.store(count + 1, std::memory_order_release);
        m_size.fetch_add(1, std::memory_order_relaxed);
        return revive(*slot, hash, now);
    }
    /// Who uses the cell from now on sees that it was taken away; false, and nothing happened, where
    /// somebody began before.
    [[nodiscard]] bool retire(Slot &slot, Time now)
    {
        slot.isLive = false;
        if (isIdle(slot, now))
            return true;
        slot.isLive = true;
        return false;
    }
    [[nodiscard]] static Slot *revive(Slot &slot, const Hash128 &hash, Time now)
    {
        slot.cell->reset();
        if constexpr (requires { slot.cell->name(hash); })
            slot.cell->name(hash);
        slot.low = hash[0];
        slot.high = hash[1];
        slot.lastUse = now.time_since_epoch().count();
        slot.isLive = true;
        return &slot;
    }

    Duration m_idleAfter;
    Make m_make;
    SipKey m_key;
    std::unique_ptr<Group *[], Free> m_groups; ///< pages of it are there when they are first used
    std::unique_ptr<C> m_shared;
    std::atomic<std::size_t> m_size = 0;
};

} // namespace gatehouse::quota
