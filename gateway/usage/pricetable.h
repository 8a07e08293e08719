// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/money.h"
#include "gateway/usage/usage.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gatehouse {

/// What a million tokens cost in 10^-6 USD, which is what one token costs in 10^-12 USD. None is negative.
/// Where a part of the cache has no price: what is read from it is billed as input, what is written to it
/// for 5 minutes too, and for an hour as for 5 minutes.
struct TokenPrices
{
    using Price = std::optional<std::int64_t>;

    std::int64_t input = 0;
    Price cacheRead = {};
    Price cacheWrite5m = {};
    Price cacheWrite1h = {};
    std::int64_t output = 0; ///< 0 also where there is none, as of embeddings

    bool operator==(const TokenPrices &) const = default;

    [[nodiscard]] std::int64_t read() const { return cacheRead.value_or(input); }
    [[nodiscard]] std::int64_t write5m() const { return cacheWrite5m.value_or(input); }
    [[nodiscard]] std::int64_t write1h() const { return cacheWrite1h.value_or(write5m()); }
};

/// Prices of all tokens, output too, of an exchange with more input than that, caches included.
struct LongContext
{
    std::uint64_t above = 0; ///< tokens: the first that costs so is one more
    TokenPrices prices = {};

    bool operator==(const LongContext &) const = default;
};

/// Any row of an earlier layer that fits comes before those of a later one.
enum class PriceLayer : std::uint8_t { Own, Imported, BuiltIn };

struct PriceRow
{
    std::string provider
        = {}; ///< who is paid: a provider of the configuration or a preset; empty: any
    std::string model = {}; ///< its name, or the beginning of one and `*`
    std::vector<std::string> aliases = {};
    TokenPrices prices = {};
    std::vector<LongContext> longContext = {};
    std::string source = {}; ///< where the price is from, for people
    PriceLayer layer = PriceLayer::Own;

    [[nodiscard]] const TokenPrices &pricesFor(std::uint64_t input) const;
    /// The most that so much input, however it is cached, and at most so much output can cost.
    [[nodiscard]] Money worstCase(std::uint64_t input, std::uint64_t outputCap) const;
};

/// What the built-in rows of one provider are worth to others.
struct PriceProvider
{
    std::string name = {};
    std::vector<std::string> makers = {}; ///< `openai` in `openai/gpt-x`, where such names are sold
    bool isMaker = false;    ///< its own models: who is unknown to the table bills them alike
    bool isReseller = false; ///< bills the models of makers as they do
};

/// Rows of prices; immutable, shared by all threads. \a presets: which built-in rows are those of a
/// provider that has another name.
class PriceTable
{
public:
    PriceTable() = default;
    PriceTable(std::string version,
               std::vector<PriceRow> rows,
               std::vector<PriceProvider> providers = {},
               std::map<std::string, std::string, std::less<>> presets = {});

    /// Changes with every change of a price: for records of what something cost.
    [[nodiscard]] const std::string &version() const { return m_version; }
    [[nodiscard]] std::span<const PriceRow> rows() const { return m_rows; }

    /// The row in force; null where the price is not known. Case does not count, nor does `models/` before a name.
    /// Layer by layer; in each, those of this provider before those of
    /// any; among these the very name or alias, then that without `-latest` or a date (`-2026-11-23`,
    /// `-20261123`, `@20261123`) at its end, then the longest beginning. A provider of which no row is
    /// built in, and a reseller, get the built-in rows of makers last, with the maker's name and a slash
    /// before the model or without.
    [[nodiscard]] const PriceRow *find(std::string_view provider, std::string_view model) const;

    /// What the provider says that it cost, else what the row says, rounded up to 10^-6 USD once. None
    /// where there is no row, or where input or output was not told that has a price. Beyond what Money
    /// holds it is largestMoney.
    [[nodiscard]] std::optional<Money>
    cost(const Usage &usage, std::string_view provider, std::string_view model) const;

    /// An upper bound of what the row makes cost(): for reservations. None where there is no row.
    [[nodiscard]] std::optional<Money> worstCase(std::string_view provider,
                                                 std::string_view model,
                                                 std::uint64_t input,
                                                 std::uint64_t outputCap) const;

private:
    /// The rows of one provider, or of any, built in or not.
    struct Shelf
    {
        std::unordered_map<std::string, std::size_t> names;
        std::vector<std::pair<std::string, std::size_t>> beginnings; ///< longest first
    };

    void put(std::size_t row, std::string_view name);
    [[nodiscard]] const PriceRow *
    look(PriceLayer layer, std::string_view provider, const std::string &model) const;
    [[nodiscard]] const PriceRow *lookAmongMakers(std::string_view provider,
                                                  const std::string &model) const;

    std::string m_version;
    std::vector<PriceRow> m_rows;
    std::vector<PriceProvider> m_providers;
    std::map<std::string, std::string, std::less<>> m_presets;
    std::array<std::map<std::string, Shelf, std::less<>>, 3> m_shelves; ///< by layer and provider
};

} // namespace gatehouse
