// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/runtime.h"

#include "gateway/secrets/digest.h"

#include <algorithm>

namespace gatehouse::net {

namespace {

std::string poolKeyOf(const ProviderEntry &provider)
{
    const Origin &origin = provider.origin;
    std::string key = origin.tls ? "https://" : "http://";
    key += origin.host + ' ' + std::to_string(origin.port);
    if (!origin.tls)
        return key;
    key += provider.insecure ? " insecure " : " verified ";
    // Looked up at each request: the digest, not all of a bundle.
    const Sha256 authorities = sha256(provider.caPem);
    return key.append(authorities.begin(), authorities.end());
}

bool isSame(const ListenerTls &a, const ListenerTls &b)
{
    return a.certificatePem == b.certificatePem && a.keyPem.reveal() == b.keyPem.reveal()
           && a.clientCaPem == b.clientCaPem;
}

std::shared_ptr<const TlsContext> reusable(const Runtime *previous, const ListenerEntry &listener)
{
    if (previous == nullptr)
        return nullptr;
    const auto &before = previous->snapshot->listeners;
    const auto found = std::find_if(before.begin(), before.end(), [&](const ListenerEntry &entry) {
        return entry.name == listener.name && entry.tls && isSame(*entry.tls, *listener.tls);
    });
    return found == before.end() ? nullptr : previous->listenerTls.at(listener.name);
}

std::shared_ptr<const TlsContext> reusable(const Runtime *previous, const std::string &poolKey)
{
    if (previous == nullptr)
        return nullptr;
    for (const auto &[entry, target] : previous->providers) {
        if (target.poolKey == poolKey)
            return target.tls;
    }
    return nullptr;
}

Result<void> named(const std::string &what, const Error &error)
{
    return Unexpected(Error{error.code, what + ": " + error.context});
}

Result<void>
addListenerTls(Runtime &runtime, const ListenerEntry &listener, const Runtime *previous)
{
    auto tls = reusable(previous, listener);
    if (!tls) {
        auto made = TlsContext::forListener(*listener.tls);
        if (!made)
            return named("listener " + listener.name, made.error());
        tls = std::move(made).value();
    }
    runtime.listenerTls.emplace(listener.name, std::move(tls));
    return {};
}

Result<void> addProvider(Runtime &runtime, const ProviderEntry &provider, const Runtime *previous)
{
    ProviderTarget target{poolKeyOf(provider), nullptr};
    if (provider.origin.tls) {
        target.tls = reusable(previous, target.poolKey);
        if (!target.tls)
            target.tls = reusable(&runtime, target.poolKey);
        if (!target.tls) {
            auto made = TlsContext::forProvider(provider.caPem, provider.insecure);
            if (!made)
                return named("provider " + provider.name, made.error());
            target.tls = std::move(made).value();
        }
    }
    runtime.providers.emplace(&provider, std::move(target));
    return {};
}

} // namespace

Result<std::shared_ptr<const Runtime>> Runtime::build(std::shared_ptr<const Snapshot> snapshot,
                                                      const Runtime *previous)
{
    auto runtime = std::make_shared<Runtime>();
    runtime->snapshot = std::move(snapshot);
    for (const ListenerEntry &listener : runtime->snapshot->listeners) {
        if (!listener.tls)
            continue;
        if (auto result = addListenerTls(*runtime, listener, previous); !result)
            return Unexpected(std::move(result).error());
    }
    for (const RouteEntry &route : runtime->snapshot->routes) {
        for (const auto &provider : route.providers) {
            if (runtime->providers.contains(provider.get()))
                continue;
            if (auto result = addProvider(*runtime, *provider, previous); !result)
                return Unexpected(std::move(result).error());
        }
    }
    // Kept once it is there: a policy of the snapshot before may still be asking.
    const bool wasUsed = previous != nullptr && previous->endpointTls;
    if (runtime->snapshot->usesEndpoints || wasUsed) {
        auto made = wasUsed ? Result<std::shared_ptr<const TlsContext>>(previous->endpointTls)
                            : TlsContext::forProvider({}, false);
        if (!made)
            return Unexpected(std::move(made).error());
        runtime->endpointTls = std::move(made).value();
    }
    return std::shared_ptr<const Runtime>(std::move(runtime));
}

ProviderTarget Runtime::endpointTarget(const Origin &origin) const
{
    return {"endpoint " + origin.authority + (origin.tls ? " tls" : " plain"),
            origin.tls ? endpointTls : nullptr};
}

bool Runtime::hasListener(const std::string &listener) const
{
    const auto &listeners = snapshot->listeners;
    return std::any_of(listeners.begin(), listeners.end(), [&](const ListenerEntry &entry) {
        return entry.name == listener;
    });
}

const TlsContext *Runtime::tlsOf(const std::string &listener) const
{
    const auto found = listenerTls.find(listener);
    return found == listenerTls.end() ? nullptr : found->second.get();
}

} // namespace gatehouse::net
