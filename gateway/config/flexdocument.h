// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/document.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

inline constexpr std::string_view flexApi = "gateway.mulesoft.com/";

/// A MuleSoft document as it was read. Its file is never written.
struct FlexDocument
{
    std::string file;
    std::shared_ptr<const Node> node;
};

using FlexLabels = std::map<std::string, std::string>;

/// What one MuleSoft document calls another.
struct FlexName
{
    std::string space = "default"; ///< metadata.namespace
    std::string name = {};

    bool operator==(const FlexName &) const = default;
    /// "name", or "space/name" outside the default namespace.
    [[nodiscard]] std::string text() const;
};

/// A policy as it is used: a PolicyBinding's, or one of an ApiInstance's own. Nodes are the document's.
struct FlexPolicyUse
{
    std::string file = {};
    std::string policyRef = {};
    Place place = {}; ///< of policyRef.name
    const Node *config = nullptr;
    const Node *rules = nullptr;
    std::int64_t order = 50;
    bool allowsOnError = false; ///< label gatehouse/onError: allow

    [[nodiscard]] bool hasConfigOf(const FlexPolicyUse &other) const;
};

struct FlexService
{
    FlexName name = {};
    std::string file = {};
    std::string address = {};
    Place place = {}; ///< of the address
    FlexLabels labels = {};
};

struct FlexRoute
{
    Place place = {};
    const Node *rules = nullptr;
    std::string destinationPath = {};
};

/// A service within an ApiInstance and its routes, at least one.
struct FlexInlineService
{
    FlexService service = {};
    std::vector<FlexRoute> routes = {};
};

struct FlexInstance
{
    FlexName name = {};
    Place namePlace = {};
    std::string file = {};
    FlexLabels labels = {};
    std::string address = {};
    Place addressPlace = {};
    std::vector<FlexInlineService> services = {};
    std::vector<FlexPolicyUse> policies = {};
};

struct FlexBinding
{
    enum class Target : std::uint8_t { Instance, Service, Selector };

    FlexName name = {};
    Place namePlace = {};
    FlexPolicyUse policy = {};
    Target target = Target::Instance;
    FlexName targetName = {};
    Place targetPlace = {};
    FlexLabels selector = {}; ///< all of them; none selects every ApiInstance

    [[nodiscard]] bool selects(const FlexInstance &instance) const;
};

/// All MuleSoft documents of a directory. Nodes in it belong to the documents it was read from.
struct FlexResources
{
    std::vector<FlexInstance> instances = {};
    std::vector<FlexService> services = {};
    std::vector<FlexBinding> bindings = {};

    [[nodiscard]] const FlexInstance *findInstance(const FlexName &name) const;
    /// A Service document's, or one within an ApiInstance, which is called `<instance>-<service>`.
    [[nodiscard]] const FlexService *findService(const FlexName &name) const;
};

/// Reads documents whose apiVersion begins with flexApi. What is missing or of a wrong type is an error;
/// unknown kinds and fields, and common slips that are read as meant, are warnings.
/// Source: MuleSoft, "Declarative Configuration Reference Guide" (gateway/1.8).
[[nodiscard]] FlexResources readFlexDocuments(std::span<const FlexDocument> documents,
                                              Diagnostics &diagnostics);

} // namespace gatehouse
