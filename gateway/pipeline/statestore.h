// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <memory>
#include <string>
#include <typeindex>
#include <utility>

namespace gatehouse {

/// Finds again, when a snapshot is built, what the one before still holds: counters and caches that an
/// edit must not reset. Owns nothing itself: what no snapshot holds any more is gone. Of the thread that builds snapshots.
class StateStore
{
public:
    template<typename T>
    [[nodiscard]] std::shared_ptr<T> obtain(std::string key)
    {
        std::weak_ptr<void> &slot = m_states[{std::type_index(typeid(T)), std::move(key)}];
        auto state = std::static_pointer_cast<T>(slot.lock());
        if (!state) {
            state = std::make_shared<T>();
            slot = state;
        }
        return state;
    }
    /// Forgets the names of what is gone.
    void sweep();

private:
    std::map<std::pair<std::type_index, std::string>, std::weak_ptr<void>> m_states;
};

} // namespace gatehouse
