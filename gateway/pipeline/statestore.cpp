// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/statestore.h"

namespace gatehouse {

void StateStore::sweep()
{
    std::erase_if(m_states, [](const auto &entry) { return entry.second.expired(); });
}

} // namespace gatehouse
