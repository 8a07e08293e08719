// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/calendarwindow.h"

#include <algorithm>

namespace gatehouse::quota {

namespace {

constexpr unsigned amountBits = 44;

struct Open
{
    WindowNumber number = 0;
    std::int64_t amount = 0;
};

Open unpack(std::uint64_t word)
{
    return {static_cast<WindowNumber>(word >> amountBits),
            static_cast<std::int64_t>(word & static_cast<std::uint64_t>(largestAmount))};
}

std::uint64_t pack(Open open)
{
    return std::uint64_t{open.number} << amountBits | static_cast<std::uint64_t>(open.amount);
}

/// What is open when the clock says \a number.
Open at(std::uint64_t word, WindowNumber number)
{
    const Open open = unpack(word);
    if (number > open.number)
        return {number, 0};
    return {open.number - number > 1 ? number : open.number, open.amount};
}

} // namespace

Grant CalendarWindow::take(std::int64_t amount, std::int64_t limit, WindowNumber number)
{
    std::uint64_t before = m_word.load();
    for (;;) {
        Open open = at(before, number);
        if (amount > limit - open.amount) {
            if (unpack(before).number > open.number // opened again: kept, so that it can end
                && !m_word.compare_exchange_strong(before, pack(open)))
                continue;
            return {.used = open.amount, .part = open.number};
        }
        open.amount += amount;
        if (m_word.compare_exchange_weak(before, pack(open)))
            return {.isGranted = true, .used = open.amount, .part = open.number};
    }
}

void CalendarWindow::add(std::int64_t amount, WindowNumber number)
{
    std::uint64_t before = m_word.load();
    Open open;
    do {
        open = at(before, number);
        open.amount += std::min(amount, largestAmount - open.amount);
    } while (!m_word.compare_exchange_weak(before, pack(open)));
}

void CalendarWindow::giveBack(const Grant &grant, std::int64_t amount)
{
    std::uint64_t before = m_word.load();
    Open open;
    do {
        open = unpack(before);
        if (open.number != grant.part)
            return;
        open.amount -= std::min(amount, open.amount);
    } while (!m_word.compare_exchange_weak(before, pack(open)));
}

std::int64_t CalendarWindow::used(WindowNumber number) const
{
    return at(m_word.load(), number).amount;
}

CalendarSet::Standing
CalendarSet::take(std::int64_t amount, std::span<const Limit> limits, Grants &grants)
{
    Standing standing{.isGranted = true};
    double most = -1;
    for (std::size_t i = 0; i < m_count; ++i) {
        const Limit &limit = limits[i];
        const Grant grant = grants.of[i] = m_windows[i].take(amount, limit.amount, limit.number);
        const std::int64_t remaining = std::max<std::int64_t>(limit.amount - grant.used, 0);
        if (!grant.isGranted) {
            for (std::size_t before = 0; before < i; ++before)
                m_windows[before].giveBack(grants.of[before], amount);
            return {.limit = i, .remaining = remaining, .used = grant.used};
        }
        const double part = static_cast<double>(grant.used)
                            / static_cast<double>(std::max<std::int64_t>(limit.amount, 1));
        if (part > most) {
            most = part;
            standing.limit = i;
            standing.remaining = remaining;
            standing.used = grant.used;
        }
    }
    return standing;
}

void CalendarSet::add(std::int64_t amount, std::span<const Limit> limits)
{
    for (std::size_t i = 0; i < m_count; ++i)
        m_windows[i].add(amount, limits[i].number);
}

void CalendarSet::giveBack(std::int64_t amount, const Grants &grants)
{
    for (std::size_t i = 0; i < m_count; ++i)
        m_windows[i].giveBack(grants.of[i], amount);
}

void CalendarSet::reset()
{
    for (std::size_t i = 0; i < m_count; ++i)
        m_windows[i].reset();
}

} // namespace gatehouse::quota
