// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/names.h"

#include <algorithm>
#include <cstring>

namespace gatehouse::json {

std::optional<std::size_t> NameCheck::findDuplicate(const Tape &tape, std::uint32_t object)
{
    constexpr std::size_t fewNames = 12; // up to here pairs are faster
    m_names.clear();
    const std::uint32_t end = tape.behind(object);
    for (std::uint32_t name = object + 1; name != end; name = tape.behind(name + 1)) {
        const Node &node = tape.nodes[name];
        m_names.push_back({tape.stringOf(node), node.offset});
    }
    return m_names.size() <= fewNames ? comparePairs() : sortAndCompare();
}

std::optional<std::size_t> NameCheck::comparePairs() const
{
    for (auto later = m_names.begin(); later != m_names.end(); ++later) {
        const auto isSame = [&](const Name &name) { return name.text == later->text; };
        if (std::any_of(m_names.begin(), later, isSame))
            return later->offset;
    }
    return {};
}

std::optional<std::size_t> NameCheck::sortAndCompare()
{
    // By length first, which is at hand; any order will do.
    std::ranges::sort(m_names, [](const Name &a, const Name &b) {
        if (a.text.size() != b.text.size())
            return a.text.size() < b.text.size();
        const int order = std::memcmp(a.text.data(), b.text.data(), a.text.size());
        return order != 0 ? order < 0 : a.offset < b.offset;
    });
    std::optional<std::size_t> first;
    for (std::size_t i = 1; i < m_names.size(); ++i) {
        if (m_names[i].text == m_names[i - 1].text)
            first = std::min<std::size_t>(first.value_or(m_names[i].offset), m_names[i].offset);
    }
    return first;
}

} // namespace gatehouse::json
