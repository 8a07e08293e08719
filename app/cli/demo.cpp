// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/demo.h"

#include "gateway/config/draft.h"
#include "gateway/config/loader.h"
#include "gateway/demo/simulatedprovider.h"
#include "gateway/secrets/virtualkey.h"

#include <utility>

namespace gatehouse {

Demo::Demo(std::unique_ptr<SimulatedProvider> provider, std::string key)
    : m_provider(std::move(provider))
    , m_key(std::move(key))
{}

Demo::~Demo() = default;

Result<std::unique_ptr<Demo>> Demo::start()
{
    auto key = virtualkey::generate();
    if (!key)
        return Unexpected(std::move(key).error());
    auto provider = SimulatedProvider::start({});
    if (!provider)
        return Unexpected(std::move(provider).error());
    return std::unique_ptr<Demo>(new Demo(std::move(provider).value(), std::move(key).value()));
}

void Demo::addTo(Draft &draft, const std::string &dataDir) const
{
    const auto hashKey = loadOrCreateHashKey(dataDir);
    if (!hashKey) {
        draft.diagnostics.push_back(
            {dataDir, {}, Diagnostic::Severity::Error, hashKey.error().context});
        return;
    }
    const bool hasListener
        = !draft.gateways.empty() && !draft.gateways.front().spec.listeners.empty();
    const std::string listener
        = hasListener ? draft.gateways.front().spec.listeners.front().name : "default";
    const std::string hash = keyHashToText(KeyHasher(*hashKey).hash(m_key));
    const std::string documents
        = "{apiVersion: gatehouse/v1, kind: Provider, metadata: {name: simulated},\n"
          " spec: {dialect: openai, baseUrl: \"http://127.0.0.1:"
          + std::to_string(m_provider->port())
          + "\"}}\n---\n"
            "{apiVersion: gatehouse/v1, kind: Route, metadata: {name: demo},\n"
            " spec: {listener: "
          + listener
          + ", basePath: /demo, provider: simulated}}\n---\n"
            "{apiVersion: gatehouse/v1, kind: Client, metadata: {name: demo},\n"
            " spec: {routes: [demo], keys: [{id: k1, hash: \""
          + hash + "\"}]}}\n";
    addDocuments(draft, documents, "(demo)");
}

std::string Demo::curlLine(const std::string &url) const
{
    return "gatehouse: the provider behind /demo is simulated and reaches no network; try it:\n\n"
           "curl -N "
           + url + "/demo/v1/chat/completions -H 'Authorization: Bearer " + m_key
           + "' -H 'Content-Type: application/json' -d '{\"model\":\"demo-small\",\"stream\":true,"
             "\"messages\":[{\"role\":\"user\",\"content\":\"What is a gatehouse?\"}]}'\n\n";
}

} // namespace gatehouse
