// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/config/pricespec.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace gatehouse {

/// What was made of somebody else's list of prices.
struct ImportedPrices
{
    std::string format; ///< "genai-prices" or "LiteLLM"
    /// By provider, under the name that it has as a preset where it is one, and by model.
    std::map<std::string, std::map<std::string, ModelPriceSpec>> providers = {};
    std::map<std::string, std::size_t> skipped = {}; ///< how many models, by the reason
    std::map<std::string, std::size_t> notes = {};   ///< how many models lost something, by what

    [[nodiscard]] std::size_t modelCount() const;
};

/// Reads the data.json of genai-prices or LiteLLM's model_prices_and_context_window.json. Prices are
/// taken as of \a today, `2026-11-23`; where they depend on the hour, the dearest. What is not billed by the token is skipped.
/// The error says what is wrong with the text.
[[nodiscard]] Result<ImportedPrices, std::string> importPrices(std::string_view json,
                                                               std::string_view today);

/// As documents, one a provider, each `imported: true`.
[[nodiscard]] std::string toYaml(const ImportedPrices &prices);

} // namespace gatehouse
