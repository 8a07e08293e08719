// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

namespace gatehouse::quota {

/// So many at the same time, and a queue for the next. Any thread; a lock only where somebody waits.
class Seats
{
public:
    /// Who waits. Of whoever made it; the call comes once, in the thread that gave a seat back, without a lock.
    struct Waiter
    {
        std::function<void()> seated; ///< a seat is theirs: to be given back some time
    };

    Seats() = default;
    Seats(const Seats &) = delete;
    Seats(Seats &&) = delete;
    Seats &operator=(const Seats &) = delete;
    Seats &operator=(Seats &&) = delete;
    ~Seats() = default;

    /// Takes a seat where fewer than \a max are taken and nobody waits.
    [[nodiscard]] bool take(std::int64_t max);
    /// Takes a seat, or a place in the queue where fewer than \a queue wait.
    enum class Place : std::uint8_t { Seat, Queue, None };
    [[nodiscard]] Place
    takeOrWait(std::int64_t max, std::int64_t queue, const std::shared_ptr<Waiter> &waiter);
    /// A seat is free; who waits for longest has it, while fewer than \a max are taken.
    void giveBack(std::int64_t max);
    /// True where it still waited: it will not be called. False: it has a seat, or is about to be told.
    [[nodiscard]] bool leave(const std::shared_ptr<Waiter> &waiter);

    [[nodiscard]] std::int64_t taken() const { return m_taken.load(); }

    // Of a cell (keyed.h)
    [[nodiscard]] bool isFree() const { return m_taken == 0 && m_waiting == 0; }
    void reset() {} // free is as new

private:
    [[nodiscard]] bool takeSeat(std::int64_t max);

    std::atomic<std::int64_t> m_taken = 0;
    std::atomic<std::int64_t> m_waiting = 0; ///< size of m_queue
    std::mutex m_mutex;
    std::list<std::shared_ptr<Waiter>> m_queue;
};

} // namespace gatehouse::quota
