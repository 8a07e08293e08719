// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/flex.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

// What the parts of the translation share: one file each for listeners, routes and policies.

namespace gatehouse {

/// MuleSoft's policies keep their order among themselves, behind the gateway's own that find out who
/// asks.
inline constexpr std::int64_t firstFlexOrder = 100;
inline constexpr std::string_view flexApiLabel = "gatehouse/api";
inline constexpr std::string_view flexServiceLabel = "gatehouse/service";

/// A translation under way: what was read, and what has come of it.
class FlexWork
{
public:
    FlexWork(const FlexResources &resources,
             std::span<const PolicyType> types,
             Diagnostics &diagnostics)
        : m_resources(resources)
        , m_types(types)
        , m_diagnostics(diagnostics)
    {}

    [[nodiscard]] const FlexResources &resources() const { return m_resources; }
    /// The type and its counterpart of that policyRef; nulls where there is none.
    [[nodiscard]] std::pair<const PolicyType *, const FlexCounterpart *>
    findType(std::string_view policyRef) const;
    [[nodiscard]] std::string didYouMeanPolicy(std::string_view policyRef) const;

    [[nodiscard]] Reporter reporter(const std::string &file) { return {file, m_diagnostics}; }
    void error(const std::string &file, Place place, std::string message);
    void warning(const std::string &file, Place place, std::string message);

    /// A name that native documents may have, unique among those of the kind.
    [[nodiscard]] std::string uniqueName(std::string_view kind, std::string_view text);

    struct Parts
    {
        std::string_view kind;
        std::string name;
        Place namePlace = {};
        std::string file = {};
        Place place = {};
        Node spec = {};
        FlexLabels labels = {};
        std::string unloaded = {};
    };
    void add(Parts parts);
    void addHost(const std::string &host);
    void keepSecrets(std::vector<FlexSecret> secrets);

    /// A policy's config with its environment variables in their places.
    struct Config
    {
        std::optional<Node> node = {};
        FlexOrigin origin = {};
        std::string problem = {}; ///< a variable that is not set
    };
    [[nodiscard]] Config expanded(const FlexPolicyUse &use);

    /// A policy whose rule is read without a field applies to more; a route would answer more.
    enum class UnknownFields : std::uint8_t { Left, Refused };
    /// `rules` as native documents have them, or why they cannot be (reported already). Null nodes are
    /// no rules.
    [[nodiscard]] Result<Node>
    translateRules(const Node *rules, const std::string &file, UnknownFields unknown);

    /// Names of the listeners that the ApiInstances are served on, and of the routes made for them.
    std::map<const FlexInstance *, std::string> listeners = {};
    [[nodiscard]] FlexTranslation takeResult() { return std::move(m_result); }

private:
    void takeHost(const Node &expression, const std::string &file);
    [[nodiscard]] Result<std::string> translateMethods(const Node &methods);
    [[nodiscard]] Result<Node>
    translateRule(const Node &rule, const std::string &file, UnknownFields unknown);

    const FlexResources &m_resources;
    std::span<const PolicyType> m_types;
    Diagnostics &m_diagnostics;
    std::set<std::string> m_names; ///< "Route openai"
    FlexTranslation m_result;
};

/// The text as native documents allow names to be.
[[nodiscard]] std::string nativeName(std::string_view text);

/// A text node at its place.
[[nodiscard]] Node textAt(std::string_view text, Place place);
/// A number or boolean at its place.
[[nodiscard]] Node plainAt(std::string_view text, Place place);

/// The label's value, or empty.
[[nodiscard]] std::string labelOf(const FlexLabels &labels, std::string_view name);

/// What a policyRef that is no policy here may be bound to: TLS of a port or provider, and routes.
enum class FlexStructure : std::uint8_t { None, OfInstance, OfService };
[[nodiscard]] FlexStructure structureOf(std::string_view policyRef);

/// A policy that applies to an ApiInstance.
struct FlexUse
{
    const FlexPolicyUse *policy = nullptr;
    const FlexBinding *binding = nullptr; ///< null: inline
};
/// Its own and those bound to it, in the order in which MuleSoft runs them: by order, automated ones
/// first, then as they stand.
[[nodiscard]] std::vector<FlexUse> usesOf(const FlexInstance &instance,
                                          const FlexResources &resources);

/// A policy in the place of one that cannot be loaded: it answers 503 where \a target applies.
struct FlexUnloaded
{
    std::string name = {};
    std::string type = {}; ///< or the policyRef
    std::string reason = {};
    std::string file = {};
    Place place = {};
    Node target = {};
    Node rules = {}; ///< Null: all requests
    bool allowsOnError = false;
    std::int64_t order = firstFlexOrder;
};
void addUnloaded(FlexWork &work, FlexUnloaded policy);

void translateListeners(FlexWork &work);
void translateRoutes(FlexWork &work);
void translatePolicies(FlexWork &work);

} // namespace gatehouse
