// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/usage/pricetable.h"

#include <memory>
#include <string_view>

namespace gatehouse {

/// The table that the program brings along: resources/prices.yaml, as it is.
[[nodiscard]] std::string_view builtInPriceText();

/// The built-in prices and the draft's `kind: Prices`. What is wrong with these is reported, and such a
/// row left out. The version is the date of the built-in table; with documents of the draft their digest
/// stands behind it.
[[nodiscard]] std::shared_ptr<const PriceTable> compilePrices(const Draft &draft,
                                                              Diagnostics &diagnostics);

} // namespace gatehouse
