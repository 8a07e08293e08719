// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/runtime.h"

#include <algorithm>

namespace gatehouse::net {

namespace {

std::string poolKeyOf(const ProviderEntry &provider)
{
    const Origin &origin = provider.origin;
    std::string key = origin.tls ? "https://" : "http://";
    key += origin.host + ' ' + std::to_string(origin.port);
    if (origin.tls)
        key += (provider.insecure ? " insecure " : " verified ") + provider.caPem;
    return key;
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

} // namespace

Result<std::shared_ptr<const Runtime>> Runtime::build(std::shared_ptr<const Snapshot> snapshot,
                                                      const Runtime *previous)
{
    auto runtime = std::make_shared<Runtime>();
    runtime->snapshot = std::move(snapshot);
    for (const ListenerEntry &listener : runtime->snapshot->listeners) {
        if (!listener.tls)
            continue;
        auto tls = reusable(previous, listener);
        if (!tls) {
            auto made = TlsContext::forListener(*listener.tls);
            if (!made)
                return Unexpected(Error{made.error().code,
                                        "listener " + listener.name + ": " + made.error().context});
            tls = std::move(made).value();
        }
        runtime->listenerTls.emplace(listener.name, std::move(tls));
    }
    for (const RouteEntry &route : runtime->snapshot->routes) {
        const ProviderEntry &provider = *route.provider;
        if (runtime->providers.contains(&provider))
            continue;
        ProviderTarget target{poolKeyOf(provider), nullptr};
        if (provider.origin.tls) {
            target.tls = reusable(previous, target.poolKey);
            if (!target.tls)
                target.tls = reusable(runtime.get(), target.poolKey);
        }
        if (provider.origin.tls && !target.tls) {
            auto made = TlsContext::forProvider(provider.caPem, provider.insecure);
            if (!made)
                return Unexpected(Error{made.error().code,
                                        "provider " + provider.name + ": " + made.error().context});
            target.tls = std::move(made).value();
        }
        runtime->providers.emplace(&provider, std::move(target));
    }
    return std::shared_ptr<const Runtime>(std::move(runtime));
}

const TlsContext *Runtime::tlsOf(const std::string &listener) const
{
    const auto found = listenerTls.find(listener);
    return found == listenerTls.end() ? nullptr : found->second.get();
}

} // namespace gatehouse::net
