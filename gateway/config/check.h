// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"

namespace gatehouse {

/// Reports what the resources lack of each other: names that are not there, or are there twice, and
/// listeners that other machines reach without TLS.
void checkReferences(const Draft &draft, Diagnostics &diagnostics);

} // namespace gatehouse
