// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/deadlines.h"

#include <algorithm>

namespace gatehouse::net {

Deadline::~Deadline()
{
    unlink();
}

void Deadline::clear()
{
    unlink();
}

void Deadline::unlink()
{
    if (m_next == nullptr)
        return;
    m_next->m_previous = m_previous;
    m_previous->m_next = m_next;
    m_next = m_previous = nullptr;
}

Deadlines::Head::Head()
{
    // An empty ring. The base class unlinks it in its destructor, which leaves it as it is.
    auto &self = static_cast<Deadline &>(*this);
    self.m_next = self.m_previous = &self;
}

Deadlines::Deadlines(TimePoint now)
    : m_start(now)
{}

std::int64_t Deadlines::tickOf(TimePoint time) const
{
    return std::chrono::ceil<std::chrono::milliseconds>(time - m_start) / tick + 1;
}

void Deadlines::link(Deadline &deadline, std::int64_t atTick)
{
    Deadline &head = m_slots[static_cast<std::size_t>(atTick) % slotCount];
    deadline.m_tick = atTick;
    deadline.m_next = &head;
    deadline.m_previous = head.m_previous;
    head.m_previous->m_next = &deadline;
    head.m_previous = &deadline;
}

void Deadlines::set(Deadline &deadline, TimePoint due)
{
    deadline.m_due = due;
    const std::int64_t wanted = std::max(tickOf(due), m_done + 1);
    if (deadline.isSet()) {
        if (wanted >= deadline.m_tick)
            return; // put back when its slot comes by
        deadline.unlink();
    }
    link(deadline, wanted);
}

void Deadlines::expireSlot(std::size_t slot, TimePoint now)
{
    // Taken off first: handlers may set deadlines in this slot again, or destroy others in it.
    Head ring;
    Deadline &from = m_slots[slot];
    Deadline &taken = ring;
    if (from.m_next != &from) {
        taken.m_next = from.m_next;
        taken.m_previous = from.m_previous;
        taken.m_next->m_previous = &taken;
        taken.m_previous->m_next = &taken;
        from.m_next = from.m_previous = &from;
    }
    while (taken.m_next != &taken) {
        Deadline &deadline = *taken.m_next;
        deadline.unlink();
        if (deadline.m_due > now)
            link(deadline, std::max(tickOf(deadline.m_due), m_done + 1));
        else
            deadline.expired();
    }
}

void Deadlines::advance(TimePoint now)
{
    const std::int64_t current = (now - m_start) / tick;
    // After a long sleep one round over all slots is enough.
    const std::int64_t rounds
        = std::min<std::int64_t>(current - m_done, static_cast<std::int64_t>(slotCount));
    const std::int64_t first = current - rounds + 1;
    for (std::int64_t at = first; at <= current; ++at) {
        m_done = at;
        expireSlot(static_cast<std::size_t>(at) % slotCount, now);
    }
}

bool Deadlines::isEmpty() const
{
    return std::all_of(m_slots.begin(), m_slots.end(), [](const Head &head) {
        const Deadline &first = head;
        return first.m_next == &first;
    });
}

} // namespace gatehouse::net
