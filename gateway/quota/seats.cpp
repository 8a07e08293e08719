// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/seats.h"

#include <algorithm>
#include <utility>

namespace gatehouse::quota {

bool Seats::takeSeat(std::int64_t max)
{
    std::int64_t taken = m_taken.load();
    while (taken < max) {
        if (m_taken.compare_exchange_weak(taken, taken + 1))
            return true;
    }
    return false;
}

bool Seats::take(std::int64_t max)
{
    return m_waiting.load() == 0 && takeSeat(max);
}

Seats::Place
Seats::takeOrWait(std::int64_t max, std::int64_t queue, const std::shared_ptr<Waiter> &waiter)
{
    if (take(max))
        return Place::Seat;
    const std::lock_guard lock(m_mutex);
    if (m_waiting.load() >= queue)
        return m_queue.empty() && takeSeat(max) ? Place::Seat : Place::None;
    // First the place, then another look: who gives a seat back looks at the queue after that.
    m_queue.push_back(waiter);
    ++m_waiting;
    if (m_queue.size() == 1 && takeSeat(max)) {
        m_queue.clear();
        --m_waiting;
        return Place::Seat;
    }
    return Place::Queue;
}

void Seats::giveBack(std::int64_t max)
{
    --m_taken;
    while (m_waiting.load() > 0) {
        std::shared_ptr<Waiter> next;
        {
            const std::lock_guard lock(m_mutex);
            if (m_queue.empty() || !takeSeat(max))
                return;
            next = std::move(m_queue.front());
            m_queue.pop_front();
            --m_waiting;
        }
        next->seated();
    }
}

bool Seats::leave(const std::shared_ptr<Waiter> &waiter)
{
    const std::lock_guard lock(m_mutex);
    const auto found = std::ranges::find(m_queue, waiter);
    if (found == m_queue.end())
        return false;
    m_queue.erase(found);
    --m_waiting;
    return true;
}

} // namespace gatehouse::quota
