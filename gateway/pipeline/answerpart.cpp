// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/answerpart.h"

#include <algorithm>
#include <utility>

namespace gatehouse {

void AnswerPart::begin(Place place,
                       const AnswerCache::Key &key,
                       Role role,
                       std::shared_ptr<AnswerCache::Waiter> waiter)
{
    m_place = std::move(place);
    m_key = key;
    m_role = role;
    m_waiter = std::move(waiter);
}

void AnswerPart::setTold(bool leads)
{
    m_waiter.reset();
    m_role = leads ? Role::Leads : Role::None;
}

bool AnswerPart::leave()
{
    if (m_role != Role::Waits || !m_place.cache->leave(m_key, m_waiter))
        return false;
    setTold(false);
    return true;
}

void AnswerPart::gather(KeptAnswer answer)
{
    m_answer = std::make_unique<KeptAnswer>(std::move(answer));
}

bool AnswerPart::append(std::string_view bytes)
{
    constexpr std::size_t share = 8;
    constexpr std::size_t least = 4096;
    const std::size_t longest = std::min(m_place.maxBytes / share, longestAnswer);
    const std::size_t needed = m_answer->body.size() + bytes.size();
    if (needed > longest)
        return false;
    if (needed > m_reserved) {
        const std::size_t wanted = std::min(std::max({needed, 2 * m_reserved, least}), longest);
        if (!m_place.cache->reserve(wanted - m_reserved, m_place.maxBytes))
            return false;
        m_reserved = wanted;
        m_answer->body.reserve(wanted);
    }
    m_answer->body += bytes;
    return true;
}

void AnswerPart::keep(std::chrono::steady_clock::time_point now)
{
    m_answer->at = now;
    m_answer->body.shrink_to_fit();
    const bool leads = std::exchange(m_role, Role::None) == Role::Leads;
    m_place.cache->keep(m_key,
                        std::shared_ptr<const KeptAnswer>(std::move(m_answer)),
                        std::exchange(m_reserved, 0),
                        m_place.maxBytes,
                        leads);
}

void AnswerPart::giveUp()
{
    if (m_role == Role::Waits)
        (void)leave(); // else it is told, finds nobody, and passes on what it was told
    m_answer.reset();
    if (m_reserved != 0)
        m_place.cache->release(std::exchange(m_reserved, 0));
    if (std::exchange(m_role, Role::None) == Role::Leads)
        m_place.cache->endLead(m_key);
}

} // namespace gatehouse
