// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <array>
#include <chrono>
#include <cstdint>

namespace gatehouse::net {

using TimePoint = std::chrono::steady_clock::time_point;

class Deadlines;

/// A moment by which something has to have happened. Setting and moving one costs a few
/// instructions, so that every exchange can afford several. Lives in its worker's thread.
class Deadline
{
public:
    Deadline() = default;
    Q_DISABLE_COPY_MOVE(Deadline)
    /// Unlinks itself; the Deadlines it was set in must still live.
    virtual ~Deadline();

    void clear();
    [[nodiscard]] bool isSet() const { return m_next != nullptr; }

protected:
    /// The time is over; the deadline is cleared already and may be set again or destroyed.
    virtual void expired() = 0;

private:
    friend class Deadlines;
    void unlink();

    Deadline *m_next = nullptr; ///< ring of its slot; null while not set
    Deadline *m_previous = nullptr;
    TimePoint m_due{};
    std::int64_t m_tick = 0; ///< when it is looked at next; not later than m_due's tick
};

/// A wheel of deadlines with ticks of 64 ms, so that they expire up to that much late, never early.
class Deadlines
{
public:
    static constexpr std::chrono::milliseconds tick{64};

    explicit Deadlines(TimePoint now);

    /// Sets or moves \a deadline. Moving it later is free: it is looked at where it was and put back.
    void set(Deadline &deadline, TimePoint due);
    /// Expires what is due at \a now.
    void advance(TimePoint now);
    [[nodiscard]] bool isEmpty() const;

private:
    friend class Deadline;
    static constexpr std::size_t slotCount = 512;

    struct Head final : Deadline
    {
        Head();
        void expired() override {}
    };

    [[nodiscard]] std::int64_t tickOf(TimePoint time) const;
    void link(Deadline &deadline, std::int64_t atTick);
    void expireSlot(std::size_t slot, TimePoint now);

    std::array<Head, slotCount> m_slots;
    TimePoint m_start;
    std::int64_t m_done = 0; ///< ticks that were looked at
};

} // namespace gatehouse::net
