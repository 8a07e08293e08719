// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/quota/counterfile.h"
#include "gateway/quota/keyed.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace gatehouse::quota {

/// A cell for each key, in a file where there is one; else as Keyed. Any thread. A key for which the
/// file has no room is counted in memory.
template<KeyedCell C>
class KeptCounters
{
public:
    /// A cell in \a memory, or in its own where that is null.
    using Make = std::function<std::unique_ptr<C>(std::byte *memory)>;

    /// \a file may be null. What it has counted was used last at \a now, as far as anybody knows.
    KeptCounters(Duration idleAfter,
                 std::shared_ptr<CounterFile> file,
                 Make make,
                 Time now = std::chrono::steady_clock::now(),
                 std::chrono::system_clock::time_point wall = std::chrono::system_clock::now())
        : m_file(std::move(file))
        , m_keys(m_file ? Keys(idleAfter,
                               m_file->key(),
                               [file = m_file.get(), make] {
                                   return std::make_unique<Cell>(file->newSlot(), make);
                               })
                        : Keys(idleAfter, [make] { return std::make_unique<Cell>(nullptr, make); }))
    {
        if (!m_file)
            return;
        const Time time = m_file->timeAt(now, wall);
        m_file->forEach([&](CounterFile::Slot &slot) {
            m_keys.restore(slot.hash(), std::make_unique<Cell>(&slot, make), time);
        });
    }

    /// What \a action(cell, time) returns; the time is the one to count by.
    template<typename Action>
    auto
    use(std::string_view key, Time now, std::chrono::system_clock::time_point wall, Action action)
    {
        const Time time = m_file ? m_file->timeAt(now, wall) : now;
        return m_keys.use(key, time, [&](Cell &cell) { return action(cell.counters(), time); });
    }

private:
    class Cell
    {
    public:
        Cell(CounterFile::Slot *slot, const Make &make)
            : m_slot(slot)
            , m_counters(make(slot == nullptr ? nullptr : slot->cell()))
        {}
        [[nodiscard]] C &counters() { return *m_counters; }
        [[nodiscard]] bool isFree() const { return m_counters->isFree(); }
        void reset()
        {
            if (m_slot != nullptr)
                m_slot->unname();
            m_counters->reset();
        }
        void name(const Hash128 &hash)
        {
            if (m_slot != nullptr)
                m_slot->name(hash);
        }

    private:
        CounterFile::Slot *m_slot; ///< null: in memory
        std::unique_ptr<C> m_counters;
    };
    using Keys = Keyed<Cell>;

    std::shared_ptr<CounterFile> m_file;
    Keys m_keys;
};

} // namespace gatehouse::quota
