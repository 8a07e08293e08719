// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/modelplaces.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// The pointers of ModelPlaces as one tree, so that a body is gone through once. Names are folded
/// (FoldedName).
class BodyPlace
{
public:
    enum class Role : std::uint8_t { Passage, Model, Hidden, Content };

    BodyPlace() = default;
    explicit BodyPlace(const ModelPlaces &places);

    [[nodiscard]] Role role() const { return m_role; }
    /// The member of that folded name; null where nothing is known of it.
    [[nodiscard]] const BodyPlace *member(std::string_view folded) const;
    /// False where none of its members' folded names begins as this name may.
    [[nodiscard]] bool mayHave(std::string_view name) const;
    [[nodiscard]] bool hasMembers() const { return !m_members.empty(); }
    /// The elements, where this is an array; null where nothing is known of them.
    [[nodiscard]] const BodyPlace *element() const { return member("*"); }

private:
    void add(std::string_view pointer, Role role);

    std::string m_name;
    Role m_role = Role::Passage;
    std::vector<BodyPlace> m_members;
    std::string m_firstLetters; ///< of the members' names, in their order: most are told by them
};

} // namespace gatehouse
