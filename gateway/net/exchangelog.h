// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/exchange.h"
#include "gateway/usage/pricetable.h"

namespace gatehouse::net {

/// Logs what policies decided about an exchange that is over, other than to pass (gatehouse.policy), and what its
/// answer used and cost (gatehouse.usage), where these categories are at info. None of it is a secret.
void logExchange(const Exchange &exchange, const PriceTable &prices);

} // namespace gatehouse::net
