// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/config/snapshot.h"
#include "gateway/pipeline/statestore.h"
#include "gateway/schema/document.h"
#include "gateway/secrets/secretsource.h"

namespace gatehouse {

/// Compiles the draft's policies and gives each route of \a snapshot its pipeline, client-key among
/// them whether configured or not. What is wrong is reported with its place. \a states is where policies
/// find what they keep beyond a reload.
void compilePolicies(const Draft &draft,
                     SecretSource &secrets,
                     StateStore &states,
                     Snapshot &snapshot,
                     Diagnostics &diagnostics);

} // namespace gatehouse
