// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/flexconfig.h"
#include "gateway/pipeline/policy.h"
#include "gateway/pipeline/policycontext.h"
#include "gateway/schema/field.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace gatehouse {

enum class PolicyCategory : std::uint8_t {
    Security,
    Compliance,
    Transformation,
    QualityOfService,
    Troubleshooting
};
[[nodiscard]] std::string_view categoryName(PolicyCategory category);

/// MuleSoft's counterpart of a policy type.
struct FlexCounterpart
{
    std::string_view policyRef = {}; ///< "ip-allowlist-flex"; empty: there is none
    /// The native config that means the same, or null after config.refuse() said what cannot be.
    std::optional<Node> (*translate)(FlexConfig &config) = nullptr;
};

/// What is said of a type by its author.
struct PolicyInfo
{
    std::string_view id;    ///< as in `spec.type`: "ip-allow"
    std::string_view title; ///< "IP allowlist"
    PolicyCategory category = PolicyCategory::Security;
    /// What it does, when it refuses and with what; one or two sentences for the form and the docs.
    std::string_view summary;
    int defaultOrder = 50;
    /// Up to two: ip-allowlist-flex, say. Empty refs are none.
    std::span<const FlexCounterpart> flex = {};
    /// YAML of a `config` that shows what the type is for; stands in the documentation. Validated by
    /// tests/policies/tst_conformance.cpp, so it needs no file, secret or service that is there.
    std::string_view example = {};
};

/// A type of policy: one .cpp in policies/, one row of policies/list.def. Everything that is shown,
/// read, written or made of it comes from here.
struct PolicyType
{
    PolicyInfo info;
    const RecordType *config = nullptr;
    /// Decodes a config map (null: all defaults), reporting through the context, and makes the policy;
    /// null where an error was reported.
    std::unique_ptr<const Policy> (*make)(const Node *config, PolicyContext &context) = nullptr;
};

/// The config of a policy: a plain struct with a table of fields.
template<typename C>
concept PolicyConfig = Record<C>;

/// The PolicyType of a config struct and a class with a `static std::unique_ptr<const Policy>
/// make(C config, PolicyContext &)`, which reports what is wrong with context.problem() and returns null
/// then. Config that did not decode never gets there.
template<PolicyConfig C, class P>
PolicyType describe(const PolicyInfo &info)
{
    return {info,
            &recordType<C>(),
            [](const Node *node, PolicyContext &context) -> std::unique_ptr<const Policy> {
                C config{};
                if (!context.decode(node, {&config, &recordType<C>()}))
                    return nullptr;
                return P::make(std::move(config), context);
            }};
}

/// All types in the order of list.def, which is the order of policies with equal `order`.
[[nodiscard]] std::span<const PolicyType> policyTypes();
/// Null where there is none of that id.
[[nodiscard]] const PolicyType *findPolicyType(std::string_view id);

} // namespace gatehouse
