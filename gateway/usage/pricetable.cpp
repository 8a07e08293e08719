// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/usage/pricetable.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>

namespace gatehouse {

namespace {

__extension__ using Wide = unsigned __int128;

constexpr Wide picoPerMicro = 1'000'000;
constexpr Wide mostPico = static_cast<Wide>(largestMoney.microUsd) * picoPerMicro;

/// A sum of tokens at their prices, exact. Of five products below 2^127 the sum could leave 128 bits, so
/// it stops at what is beyond any Money.
class Bill
{
public:
    void add(std::uint64_t tokens, std::int64_t price)
    {
        const Wide pico = static_cast<Wide>(tokens) * static_cast<std::uint64_t>(price);
        m_pico = std::min(m_pico + std::min(pico, mostPico), mostPico);
    }
    [[nodiscard]] Money total() const
    {
        return {static_cast<std::int64_t>((m_pico + picoPerMicro - 1) / picoPerMicro)};
    }

private:
    Wide m_pico = 0;
};

std::uint64_t saturatedInput(const Usage &usage)
{
    Wide sum = 0;
    for (const Usage::Tokens &part :
         {usage.input, usage.cacheRead, usage.cacheWrite5m, usage.cacheWrite1h})
        sum += part.value_or(0);
    return static_cast<std::uint64_t>(std::min<Wide>(sum, UINT64_MAX));
}

std::int64_t dearestInput(const TokenPrices &prices)
{
    return std::max({prices.input, prices.read(), prices.write5m(), prices.write1h()});
}

/// Digits as `d`, others as themselves.
bool hasForm(std::string_view text, std::string_view form)
{
    return text.size() == form.size() && std::ranges::equal(text, form, [](char c, char wanted) {
               return wanted == 'd' ? isDigit(c) : c == wanted;
           });
}

bool isDate(std::string_view digits)
{
    const auto number
        = [digits](std::size_t at) { return (digits[at] - '0') * 10 + (digits[at + 1] - '0'); };
    return digits.starts_with("20") && number(4) >= 1 && number(4) <= 12 && number(6) >= 1
           && number(6) <= 31;
}

/// The name without the date or `-latest` at its end; empty where there is neither.
std::string_view undated(std::string_view name)
{
    constexpr std::string_view latest = "-latest";
    if (name.ends_with(latest))
        return name.substr(0, name.size() - latest.size());
    constexpr auto forms
        = std::to_array<std::string_view>({"-dddd-dd-dd", "-dddddddd", "@dddddddd"});
    for (const std::string_view form : forms) {
        if (name.size() < form.size() || !hasForm(name.substr(name.size() - form.size()), form))
            continue;
        std::string digits(name.substr(name.size() - form.size() + 1));
        std::erase(digits, '-');
        if (isDate(digits))
            return name.substr(0, name.size() - form.size());
    }
    return {};
}

std::size_t indexOf(PriceLayer layer)
{
    return static_cast<std::size_t>(layer);
}

std::string normalised(std::string_view model)
{
    constexpr std::string_view geminis = "models/";
    if (model.starts_with(geminis))
        model.remove_prefix(geminis.size());
    return toLowerAscii(model);
}

} // namespace

const TokenPrices &PriceRow::pricesFor(std::uint64_t input) const
{
    const LongContext *found = nullptr;
    for (const LongContext &tier : longContext) {
        if (input > tier.above && (found == nullptr || tier.above >= found->above))
            found = &tier;
    }
    return found == nullptr ? prices : found->prices;
}

Money PriceRow::worstCase(std::uint64_t input, std::uint64_t outputCap) const
{
    std::int64_t inputPrice = dearestInput(prices);
    std::int64_t outputPrice = prices.output;
    for (const LongContext &tier : longContext) {
        if (input <= tier.above)
            continue;
        inputPrice = std::max(inputPrice, dearestInput(tier.prices));
        outputPrice = std::max(outputPrice, tier.prices.output);
    }
    Bill bill;
    bill.add(input, inputPrice);
    bill.add(outputCap, outputPrice);
    return bill.total();
}

PriceTable::PriceTable(std::string version,
                       std::vector<PriceRow> rows,
                       std::vector<PriceProvider> providers,
                       std::map<std::string, std::string, std::less<>> presets)
    : m_version(std::move(version))
    , m_rows(std::move(rows))
    , m_providers(std::move(providers))
    , m_presets(std::move(presets))
{
    for (std::size_t row = 0; row < m_rows.size(); ++row) {
        put(row, m_rows[row].model);
        for (const std::string &alias : m_rows[row].aliases)
            put(row, alias);
    }
    for (auto &shelves : m_shelves) {
        for (auto &[provider, shelf] : shelves)
            std::ranges::stable_sort(shelf.beginnings,
                                     std::ranges::greater(),
                                     [](const auto &entry) { return entry.first.size(); });
    }
}

void PriceTable::put(std::size_t row, std::string_view name)
{
    Shelf &shelf = m_shelves[indexOf(m_rows[row].layer)][m_rows[row].provider];
    std::string key = normalised(name);
    if (key.ends_with('*')) {
        key.pop_back();
        shelf.beginnings.emplace_back(std::move(key), row);
    } else {
        shelf.names.emplace(std::move(key), row); // the first of two stays
    }
}

const PriceRow *
PriceTable::look(PriceLayer layer, std::string_view provider, const std::string &model) const
{
    const auto &shelves = m_shelves[indexOf(layer)];
    const auto shelf = shelves.find(provider);
    if (shelf == shelves.end())
        return nullptr;
    const auto &names = shelf->second.names;
    auto found = names.find(model);
    if (found == names.end()) {
        if (const std::string_view shorter = undated(model); !shorter.empty())
            found = names.find(std::string(shorter));
    }
    if (found != names.end())
        return &m_rows[found->second];
    for (const auto &[beginning, row] : shelf->second.beginnings) {
        if (model.starts_with(beginning))
            return &m_rows[row];
    }
    return nullptr;
}

const PriceRow *PriceTable::lookAmongMakers(std::string_view provider,
                                            const std::string &model) const
{
    const auto self = std::ranges::find(m_providers, provider, &PriceProvider::name);
    if (self != m_providers.end() && !self->isReseller)
        return nullptr;
    const std::size_t slash = model.find('/');
    const bool isQualified = slash != std::string::npos;
    const std::string maker = isQualified ? model.substr(0, slash) : std::string();
    const std::string name = isQualified ? model.substr(slash + 1) : model;
    for (const PriceProvider &other : m_providers) {
        if (!other.isMaker
            || (isQualified && std::ranges::find(other.makers, maker) == other.makers.end()))
            continue;
        if (const PriceRow *row = look(PriceLayer::BuiltIn, other.name, name))
            return row;
    }
    return nullptr;
}

const PriceRow *PriceTable::find(std::string_view provider, std::string_view model) const
{
    const std::string name = normalised(model);
    const auto preset = m_presets.find(provider);
    const std::string_view builtIn = preset == m_presets.end() ? provider : preset->second;
    for (const PriceLayer layer : {PriceLayer::Own, PriceLayer::Imported, PriceLayer::BuiltIn}) {
        for (const std::string_view owner : {provider, builtIn, std::string_view()}) {
            if (layer == PriceLayer::BuiltIn && owner == provider && provider != builtIn)
                continue; // it only has the name of a provider of the table
            if (const PriceRow *row = look(layer, owner, name))
                return row;
        }
    }
    return lookAmongMakers(builtIn, name);
}

std::optional<Money>
PriceTable::cost(const Usage &usage, std::string_view provider, std::string_view model) const
{
    if (usage.reportedMicroUsd && *usage.reportedMicroUsd >= 0)
        return Money{*usage.reportedMicroUsd};
    const PriceRow *row = find(provider, model);
    if (row == nullptr)
        return {};
    const TokenPrices &prices = row->pricesFor(saturatedInput(usage));
    if ((!usage.input && prices.input != 0) || (!usage.output && prices.output != 0))
        return {};
    Bill bill;
    bill.add(usage.input.value_or(0), prices.input);
    bill.add(usage.cacheRead.value_or(0), prices.read());
    bill.add(usage.cacheWrite5m.value_or(0), prices.write5m());
    bill.add(usage.cacheWrite1h.value_or(0), prices.write1h());
    bill.add(usage.output.value_or(0), prices.output);
    return bill.total();
}

std::optional<Money> PriceTable::worstCase(std::string_view provider,
                                           std::string_view model,
                                           std::uint64_t input,
                                           std::uint64_t outputCap) const
{
    const PriceRow *row = find(provider, model);
    return row == nullptr ? std::optional<Money>() : row->worstCase(input, outputCap);
}

} // namespace gatehouse
