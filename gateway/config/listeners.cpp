// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/listeners.h"

#include "gateway/config/address.h"
#include "gateway/config/pem.h"
#include "gateway/schema/decode.h"

#include <algorithm>
#include <filesystem>

namespace gatehouse {

namespace {

bool isDefaultOpened(const Draft &draft)
{
    return draft.listeners.empty() || !draft.gateways.empty()
           || std::ranges::any_of(draft.routes, [](const Resource<RouteSpec> &route) {
                  return route.spec.listener == ListenerSpec{}.name;
              });
}

const Node *itemOf(const Node *list, std::size_t index)
{
    const bool isThere
        = list != nullptr && list->kind == Node::Kind::List && index < list->items.size();
    return isThere ? &list->items[index] : nullptr;
}

std::shared_ptr<const ListenerTls> compileTls(const DeclaredListener &listener,
                                              const std::filesystem::path &directory,
                                              Reporter &reporter)
{
    const TlsSpec &spec = listener.spec.tls;
    const auto report = [&](std::string_view key, const Error &error) {
        reporter.error(listener.place({"tls", key}), error.context);
    };
    auto tls = std::make_shared<ListenerTls>();
    auto certificate = readCertificates(spec.certificate, directory);
    if (!certificate) {
        report("certificate", certificate.error());
        return nullptr;
    }
    tls->certificatePem = std::move(*certificate);
    auto key = readPrivateKey(spec.key, directory, tls->certificatePem);
    if (!key)
        report("key", key.error());
    else
        tls->keyPem = Secret(std::move(*key));
    if (spec.clientCa.empty())
        return tls;
    auto clientCa = readCertificates(spec.clientCa, directory);
    if (!clientCa)
        report("clientCa", clientCa.error());
    else
        tls->clientCaPem = std::move(*clientCa);
    return tls;
}

} // namespace

std::vector<DeclaredListener> declaredListeners(const Draft &draft)
{
    std::vector<DeclaredListener> listeners;
    if (!draft.gateways.empty()) {
        const Resource<GatewaySpec> &gateway = draft.gateways.front();
        const Node *spec = gateway.document->find("spec");
        const Node *list = spec == nullptr ? nullptr : spec->find("listeners");
        for (std::size_t i = 0; i < gateway.spec.listeners.size(); ++i)
            listeners.push_back({gateway.spec.listeners[i],
                                 gateway.file,
                                 itemOf(list, i),
                                 gateway.place({"listeners"})});
    } else if (isDefaultOpened(draft)) {
        listeners.push_back({.spec = {}});
    }
    for (const Resource<ListenerSpec> &listener : draft.listeners)
        listeners.push_back(
            {listener.spec, listener.file, listener.document->find("spec"), listener.namePlace()});
    return listeners;
}

std::vector<ListenerEntry> compileListeners(const Draft &draft, Diagnostics &diagnostics)
{
    std::vector<ListenerEntry> entries;
    for (const DeclaredListener &listener : declaredListeners(draft)) {
        const auto address = parseListenAddress(listener.spec.address);
        if (!address)
            continue; // reported as it was read
        Reporter reporter(listener.file, diagnostics);
        ListenerEntry entry{listener.spec.name, address->ip, address->port, nullptr};
        if (!listener.spec.tls.certificate.empty())
            entry.tls = compileTls(listener, draft.directory, reporter);
        entries.push_back(std::move(entry));
    }
    return entries;
}

} // namespace gatehouse
