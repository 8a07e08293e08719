// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/options.h"

namespace gatehouse {

// The parts of `gatehouse prices`; see prices.cpp for its --help.

[[nodiscard]] int importPriceFile(const CommandLine &line);

} // namespace gatehouse
