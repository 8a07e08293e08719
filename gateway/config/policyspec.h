// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/rules.h"
#include "gateway/schema/field.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace gatehouse {

// What each field means and may hold is in the tables of policyspec.cpp.

/// What a policy is bound to: all that is set has to match; nothing set is everything.
struct TargetSpec
{
    std::string route;
    std::string client;
    std::map<std::string, std::string> labels;

    bool operator==(const TargetSpec &) const = default;
    static std::span<const Field> fields();
};

struct PolicySpec
{
    static constexpr std::int64_t orderOfType = -1; ///< order is not set: the type's own

    std::string type;
    TargetSpec target;
    bool enabled = true;
    std::string mode = "enforce";
    std::string onError = "refuse";
    std::int64_t order = orderOfType;
    std::vector<RuleSpec> rules;
    Node config = Node::map(); ///< decoded by the type
    /// Why a foreign document's policy cannot be loaded: it refuses all that it applies to. No field.
    std::string unloaded;

    bool operator==(const PolicySpec &) const = default;
    static std::span<const Field> fields();
};

} // namespace gatehouse
