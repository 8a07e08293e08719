// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/clients.h"

#include "gateway/schema/decode.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace gatehouse {

namespace {

std::vector<Glob> compileModels(const Resource<ClientSpec> &client, Diagnostics &diagnostics)
{
    std::vector<Glob> globs;
    for (std::size_t i = 0; i < client.spec.models.size(); ++i) {
        auto glob = Glob::parse(client.spec.models[i], Glob::Kind::Name);
        if (glob)
            globs.push_back(std::move(*glob));
        else
            Reporter(client.file, diagnostics)
                .error(client.place({"models", i}), "models " + glob.error().context);
    }
    return globs;
}

/// Those, and the directory where that could not be read.
std::set<std::string> placesWithErrors(const Draft &draft)
{
    std::set<std::string> places;
    for (const Diagnostic &diagnostic : draft.diagnostics) {
        if (diagnostic.severity == Diagnostic::Severity::Error)
            places.insert(diagnostic.file);
    }
    return places;
}

} // namespace

ClientDirectory compileClients(const ClientResources &clients, Diagnostics &diagnostics)
{
    ClientDirectory directory;
    for (const Resource<ClientSpec> &client : clients) {
        const auto entry = std::make_shared<const ClientEntry>(
            ClientEntry{.name = client.name,
                        .labels = client.labels,
                        .routes = client.spec.routes,
                        .models = compileModels(client, diagnostics),
                        .modelNames = client.spec.models,
                        .tier = client.spec.tier});
        directory.add(entry);
        for (const KeySpec &key : client.spec.keys) {
            const auto hash = keyHashFromText(key.hash);
            if (hash && !key.revoked)
                directory.addKey(*hash, {entry, key.id, parseInstant(key.expires)});
        }
    }
    return directory;
}

std::shared_ptr<const Snapshot> withClients(const Snapshot &snapshot,
                                            const ClientResources &clients)
{
    Diagnostics none;
    auto changed = std::make_shared<Snapshot>(snapshot);
    changed->clients = compileClients(clients, none);
    return changed;
}

bool takeKeys(ClientResources &inForce, const Draft &read)
{
    const std::set<std::string> faulty = placesWithErrors(read);
    if (faulty.contains(read.directory))
        return false;
    // A key goes to no other client than before: that one may be allowed more.
    std::map<std::string, std::string> owners;
    for (const Resource<ClientSpec> &client : inForce) {
        for (const KeySpec &key : client.spec.keys)
            owners.try_emplace(key.hash, client.name);
    }
    const std::size_t removed = std::erase_if(inForce, [&](const Resource<ClientSpec> &client) {
        return !faulty.contains(client.file)
               && std::ranges::find(read.clients, client.name, &Resource<ClientSpec>::name)
                      == read.clients.end();
    });
    bool isChanged = removed != 0;
    for (Resource<ClientSpec> &client : inForce) {
        const auto now = std::ranges::find(read.clients, client.name, &Resource<ClientSpec>::name);
        if (now == read.clients.end() || faulty.contains(now->file))
            continue;
        std::vector<KeySpec> keys = now->spec.keys;
        std::erase_if(keys, [&](const KeySpec &key) {
            return owners.try_emplace(key.hash, client.name).first->second != client.name;
        });
        isChanged = isChanged || keys != client.spec.keys;
        client.spec.keys = std::move(keys);
    }
    return isChanged;
}

} // namespace gatehouse
