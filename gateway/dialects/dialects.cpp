// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"

#include <algorithm>
#include <array>

namespace gatehouse {

#define X(name) const Dialect &name##Dialect();
#include "gateway/dialects/list.def"
#undef X

std::span<const Dialect *const> dialects()
{
    static const auto table = std::to_array<const Dialect *>({
#define X(name) &name##Dialect(),
#include "gateway/dialects/list.def"
#undef X
    });
    return table;
}

const Dialect *findDialect(std::string_view name)
{
    const auto found = std::ranges::find(dialects(), name, &Dialect::name);
    return found == dialects().end() ? nullptr : *found;
}

} // namespace gatehouse
