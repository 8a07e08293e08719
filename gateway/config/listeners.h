// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/config/snapshot.h"

#include <initializer_list>
#include <string>
#include <vector>

namespace gatehouse {

/// A listener, whichever document declares it.
struct DeclaredListener
{
    ListenerSpec spec;
    std::string file = {};
    const Node *node = nullptr; ///< its fields; null where the gateway's default is meant
    Place fallback = {};

    [[nodiscard]] Place place(std::initializer_list<PathStep> path) const
    {
        return node == nullptr ? fallback : placeOf(*node, path);
    }
};

/// The Gateway's listeners and those of MuleSoft's ApiInstances. The default one is not among them
/// where these bring their own, there is no Gateway document and no route needs it.
[[nodiscard]] std::vector<DeclaredListener> declaredListeners(const Draft &draft);

/// Compiles them, with their certificates and keys; what is wrong is reported and left out.
[[nodiscard]] std::vector<ListenerEntry> compileListeners(const Draft &draft,
                                                          Diagnostics &diagnostics);

} // namespace gatehouse
