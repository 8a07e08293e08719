// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/bodyplace.h"

#include "gateway/base/text.h"
#include "gateway/pipeline/modelname.h"

#include <algorithm>

namespace gatehouse {

BodyPlace::BodyPlace(const ModelPlaces &places)
{
    for (const std::string_view pointer : places.content)
        add(pointer, Role::Content);
    for (const std::string_view pointer : places.hidden)
        add(pointer, Role::Hidden);
    for (const std::string_view pointer : places.pointers)
        add(pointer, Role::Model);
}

void BodyPlace::add(std::string_view pointer, Role role)
{
    BodyPlace *place = this;
    for (const std::string_view step : split(pointer.substr(1), '/')) {
        const FoldedName name(step);
        auto next = std::ranges::find(place->m_members, name.text(), &BodyPlace::m_name);
        if (next == place->m_members.end()) {
            BodyPlace member;
            member.m_name = name.text();
            place->m_firstLetters += member.m_name.front();
            next = place->m_members.insert(next, std::move(member));
        }
        place = &*next;
    }
    place->m_role = role;
}

bool BodyPlace::mayHave(std::string_view name) const
{
    if (name.empty())
        return false;
    const char first = toLowerAscii(name.front());
    const bool isFolded = first == '_' || first == '-' || static_cast<unsigned char>(first) >= 0x80;
    return isFolded || m_firstLetters.find(first) != std::string::npos;
}

const BodyPlace *BodyPlace::member(std::string_view folded) const
{
    if (folded.empty())
        return nullptr;
    for (std::size_t at = m_firstLetters.find(folded.front()); at != std::string::npos;
         at = m_firstLetters.find(folded.front(), at + 1)) {
        if (m_members[at].m_name == folded)
            return &m_members[at];
    }
    return nullptr;
}

} // namespace gatehouse
