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
    /// \a directory: the data directory, for what is to outlive the process; empty: nothing is.
    explicit StateStore(std::string directory = {})
        : m_directory(std::move(directory))
    {}

    [[nodiscard]] const std::string &directory() const { return m_directory; }
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
    std::string m_directory;
    std::map<std::pair<std::type_index, std::string>, std::weak_ptr<void>> m_states;
};

} // namespace gatehouse
