// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/policytype.h"

#include <algorithm>
#include <vector>

namespace gatehouse {

#define X(name) PolicyType name##Policy();
#include "gateway/policies/list.def"
#undef X

std::span<const PolicyType> policyTypes()
{
#define X(name) name##Policy(),
    static const std::vector<PolicyType> types{
#include "gateway/policies/list.def"
    };
#undef X
    return types;
}

const PolicyType *findPolicyType(std::string_view id)
{
    const auto types = policyTypes();
    const auto found
        = std::ranges::find(types, id, [](const PolicyType &type) { return type.info.id; });
    return found == types.end() ? nullptr : &*found;
}

} // namespace gatehouse
