// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/services.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse {

std::string_view FetchResponse::header(std::string_view name) const
{
    const auto found = std::ranges::find_if(
        headers, [name](const Header &header) { return equalsIgnoreCase(header.name, name); });
    return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

} // namespace gatehouse
