// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/match/glob.h"
#include "gateway/secrets/virtualkey.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gatehouse {

struct ClientEntry
{
    std::string name;
    std::map<std::string, std::string> labels = {};
    std::vector<std::string> routes = {};     ///< empty: all
    std::vector<Glob> models = {};            ///< empty: all
    std::vector<std::string> modelNames = {}; ///< what they were made of
    std::string tier = {};

    [[nodiscard]] bool mayUseRoute(std::string_view route) const;
};

struct KeyEntry
{
    std::shared_ptr<const ClientEntry> client;
    std::string id;
    std::optional<std::chrono::system_clock::time_point> expires;
};

/// The clients of a snapshot and their keys. Immutable once built; any thread.
class ClientDirectory
{
public:
    void add(std::shared_ptr<const ClientEntry> client);
    /// \a entry's client is one that was added. A hash that is there already stays as it is.
    void addKey(const KeyHash &hash, KeyEntry entry);

    /// Null where there is none. The comparison that decides takes the same time whatever differs.
    [[nodiscard]] const KeyEntry *findKey(const KeyHash &hash) const;
    [[nodiscard]] const ClientEntry *findClient(std::string_view name) const;
    [[nodiscard]] std::size_t keyCount() const { return m_keys.size(); }

private:
    struct Hasher
    {
        std::size_t operator()(const KeyHash &hash) const;
    };

    std::unordered_map<KeyHash, KeyEntry, Hasher> m_keys;
    std::map<std::string, std::shared_ptr<const ClientEntry>, std::less<>> m_clients;
};

} // namespace gatehouse
