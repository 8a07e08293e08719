// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/answercache.h"

#include <algorithm>
#include <utility>

namespace gatehouse {

std::size_t KeptAnswer::size() const
{
    constexpr std::size_t around = 512; // its places in list and table, and this
    std::size_t bytes = around + contentType.capacity() + body.capacity();
    for (const Header &header : headers)
        bytes += sizeof header + header.name.capacity() + header.value.capacity();
    return bytes;
}

void AnswerCache::drop(Entries::iterator entry, Entries &gone)
{
    m_bytes -= entry->size;
    m_byKey.erase(entry->key);
    gone.splice(gone.end(), m_entries, entry);
}

/// Forgets what was not used for longest.
bool AnswerCache::makeRoom(std::size_t bytes, std::size_t maxBytes, Entries &gone)
{
    while (m_bytes + bytes > maxBytes && !m_entries.empty())
        drop(std::prev(m_entries.end()), gone);
    return m_bytes + bytes <= maxBytes;
}

AnswerCache::Found AnswerCache::find(const Key &key,
                                     TimePoint now,
                                     std::chrono::milliseconds ttl,
                                     const std::function<std::shared_ptr<Waiter>()> &makeWaiter)
{
    using Place = Found::Place;
    Entries gone;
    const std::lock_guard lock(m_mutex);
    if (const auto known = m_byKey.find(key); known != m_byKey.end()) {
        const auto entry = known->second;
        if (now - entry->answer->at < ttl) {
            m_entries.splice(m_entries.begin(), m_entries, entry);
            return {Place::Hit, entry->answer};
        }
        drop(entry, gone);
    }
    const auto [underWay, isFirst] = m_underWay.try_emplace(key);
    if (isFirst)
        return {Place::Lead};
    if (!makeWaiter || m_waiting >= mostWaiting)
        return {Place::Apart};
    underWay->second.push_back(makeWaiter());
    ++m_waiting;
    return {Place::Wait};
}

void AnswerCache::endLead(const Key &key)
{
    std::shared_ptr<Waiter> next;
    {
        const std::lock_guard lock(m_mutex);
        const auto underWay = m_underWay.find(key);
        if (underWay == m_underWay.end())
            return;
        if (underWay->second.empty()) {
            m_underWay.erase(underWay);
            return;
        }
        next = std::move(underWay->second.front());
        underWay->second.pop_front();
        --m_waiting;
    }
    next->told(nullptr);
}

bool AnswerCache::leave(const Key &key, const std::shared_ptr<Waiter> &waiter)
{
    const std::lock_guard lock(m_mutex);
    const auto underWay = m_underWay.find(key);
    if (underWay == m_underWay.end())
        return false;
    Waiters &waiters = underWay->second;
    const auto found = std::ranges::find(waiters, waiter);
    if (found == waiters.end())
        return false;
    waiters.erase(found);
    --m_waiting;
    return true;
}

bool AnswerCache::reserve(std::size_t bytes, std::size_t maxBytes)
{
    Entries gone;
    const std::lock_guard lock(m_mutex);
    if (!makeRoom(bytes, maxBytes, gone))
        return false;
    m_bytes += bytes;
    return true;
}

void AnswerCache::release(std::size_t bytes)
{
    const std::lock_guard lock(m_mutex);
    m_bytes -= bytes;
}

void AnswerCache::keep(const Key &key,
                       const std::shared_ptr<const KeptAnswer> &answer,
                       std::size_t reserved,
                       std::size_t maxBytes,
                       bool isLead)
{
    Waiters waiters;
    {
        Entries gone;
        const std::lock_guard lock(m_mutex);
        m_bytes -= reserved;
        if (const auto known = m_byKey.find(key); known != m_byKey.end())
            drop(known->second, gone);
        const std::size_t size = answer->size();
        if (makeRoom(size, maxBytes, gone)) {
            m_bytes += size;
            m_entries.push_front({key, answer, size});
            m_byKey.emplace(key, m_entries.begin());
        }
        if (const auto underWay = m_underWay.find(key); isLead && underWay != m_underWay.end()) {
            waiters = std::move(underWay->second);
            m_underWay.erase(underWay);
            m_waiting -= waiters.size();
        }
    }
    for (const std::shared_ptr<Waiter> &waiter : waiters)
        waiter->told(answer);
}

std::size_t AnswerCache::bytes() const
{
    const std::lock_guard lock(m_mutex);
    return m_bytes;
}

std::size_t AnswerCache::waiting() const
{
    const std::lock_guard lock(m_mutex);
    return m_waiting;
}

} // namespace gatehouse
