// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/priceimport.h"
#include "gateway/json/value.h"

#include <optional>
#include <string>
#include <string_view>

// What the readers of others' lists share, and the readers.

namespace gatehouse {

/// A million tokens, to the nearest 10^-6 USD; \a factor makes these of the number. None for what is
/// no number, is negative or beyond a dollar a token.
[[nodiscard]] std::optional<Money> importedPrice(const json::Value &value, double factor);

/// Adds a model under our name of the provider, or counts it as skipped.
void addImported(ImportedPrices &prices,
                 std::string_view provider,
                 const std::string &model,
                 ModelPriceSpec spec);

void readGenaiPrices(const json::Value &providers, std::string_view today, ImportedPrices &prices);
void readLiteLlmPrices(const json::Value &root, ImportedPrices &prices);

} // namespace gatehouse
