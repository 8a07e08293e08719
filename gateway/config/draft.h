// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/flexdocument.h"
#include "gateway/config/pricespec.h"
#include "gateway/config/resources.h"
#include "gateway/schema/document.h"
#include "gateway/secrets/secret.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse {

/// A document of the configuration and where it stands.
template<Record Spec>
struct Resource
{
    std::string name = {};
    std::map<std::string, std::string> labels = {};
    Spec spec = {};
    std::string file = {};
    std::shared_ptr<const Node> document = {};
    bool isForeign = false; ///< translated from a MuleSoft document, whose places it has

    /// Where a part of spec stands, or what is nearest to it.
    [[nodiscard]] Place place(std::initializer_list<PathStep> path) const
    {
        const Node *specNode = document->find("spec");
        return placeOf(specNode == nullptr ? *document : *specNode, path);
    }
    [[nodiscard]] Place namePlace() const { return placeOf(*document, {"metadata", "name"}); }
};

/// Configuration as it was read, valid or not. A resource with a mistake in its spec is here with that
/// field's default, so that those who name it are not blamed too.
struct Draft
{
    std::string directory;
    std::vector<Resource<GatewaySpec>> gateways = {};
    std::vector<Resource<ProviderSpec>> providers = {};
    std::vector<Resource<RouteSpec>> routes = {};
    std::vector<Resource<ClientSpec>> clients = {};
    std::vector<Resource<PolicySpec>> policies = {};
    std::vector<Resource<PricesSpec>> prices = {};
    std::vector<FlexDocument> flexDocuments = {};       ///< as they were read
    std::vector<Resource<ListenerSpec>> listeners = {}; ///< of these, besides the Gateway's
    std::vector<std::string> hosts = {};                ///< likewise
    /// Secrets that stand in these documents, by their references.
    std::map<std::string, std::shared_ptr<const Secret>> secrets = {};
    std::string revision = {};    ///< 16 hexadecimal digits over the files' names and bytes
    Diagnostics diagnostics = {}; ///< of reading; checkDraft says what the resources lack

    [[nodiscard]] std::size_t resourceCount() const
    {
        return gateways.size() + providers.size() + routes.size() + clients.size() + policies.size()
               + prices.size();
    }
};

} // namespace gatehouse
