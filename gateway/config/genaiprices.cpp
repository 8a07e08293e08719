// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/priceformats.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <vector>

namespace gatehouse {

namespace {

constexpr double microPerUsd = 1e6;

/// A price and its steps: a number, or `{base, tiers: [{start, price}]}`.
struct Stepped
{
    std::optional<Money> base = {};
    std::map<std::int64_t, Money> steps = {}; ///< by the tokens above which they hold

    [[nodiscard]] std::optional<Money> above(std::int64_t tokens) const
    {
        const auto next = steps.upper_bound(tokens);
        return next == steps.begin() ? base : std::optional<Money>(std::prev(next)->second);
    }
};

Stepped readStepped(const json::Value &prices, std::string_view name)
{
    Stepped stepped;
    const auto value = prices.find(name);
    if (!value)
        return stepped;
    if (!value->isObject()) {
        stepped.base = importedPrice(*value, microPerUsd);
        return stepped;
    }
    if (const auto base = value->find("base"))
        stepped.base = importedPrice(*base, microPerUsd);
    const auto tiers = value->find("tiers");
    if (!tiers)
        return stepped;
    for (const json::Value tier : tiers->elements()) {
        const auto start = tier.find("start");
        const auto price = tier.find("price");
        const auto tokens = start ? start->integer() : std::optional<std::int64_t>();
        const auto money = price ? importedPrice(*price, microPerUsd) : std::optional<Money>();
        if (tokens && *tokens > 0 && money)
            stepped.steps.emplace(*tokens, *money);
    }
    return stepped;
}

constexpr auto knownPrices = std::to_array<std::string_view>(
    {"input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok"});

bool hasOtherPrices(const json::Value &prices)
{
    for (const json::Member member : prices.members()) {
        if (std::ranges::find(knownPrices, member.name) == knownPrices.end())
            return true;
    }
    return false;
}

/// False where a price for input, or for output of what is no embedding, is missing.
bool readPrices(const json::Value &prices, bool isEmbedding, ModelPriceSpec &spec)
{
    const Stepped input = readStepped(prices, "input_mtok");
    const bool hasNoOutput = isEmbedding && !prices.find("output_mtok");
    const Stepped output = hasNoOutput ? Stepped{Money{}, {}} : readStepped(prices, "output_mtok");
    const Stepped read = readStepped(prices, "cache_read_mtok");
    const Stepped write5m = readStepped(prices, "cache_write_mtok");
    const Stepped write1h = readStepped(prices, "cache_write_1h_mtok");
    if (!input.base || !output.base)
        return false;
    spec.input = *input.base;
    spec.output = *output.base;
    spec.cacheRead = read.base;
    spec.cacheWrite5m = write5m.base;
    spec.cacheWrite1h = write1h.base;
    std::set<std::int64_t> steps;
    for (const Stepped *stepped : {&input, &output, &read, &write5m, &write1h}) {
        for (const auto &[tokens, money] : stepped->steps)
            steps.insert(tokens);
    }
    for (const std::int64_t tokens : steps)
        spec.longContext.push_back({.above = tokens,
                                    .input = *input.above(tokens),
                                    .output = *output.above(tokens),
                                    .cacheRead = read.above(tokens),
                                    .cacheWrite5m = write5m.above(tokens),
                                    .cacheWrite1h = write1h.above(tokens)});
    return true;
}

double inputOf(const json::Value &prices)
{
    const auto money = readStepped(prices, "input_mtok").base;
    return money ? static_cast<double>(money->microUsd) : 0;
}

/// The prices in force: of those with a date the last that has come; of those with hours the dearest.
std::optional<json::Value> pricesInForce(const json::Value &prices, std::string_view today)
{
    if (prices.isObject())
        return prices;
    std::optional<json::Value> found;
    for (const json::Value variant : prices.elements()) {
        const auto inner = variant.find("prices");
        if (!inner)
            continue;
        const auto constraint = variant.find("constraint");
        const auto date
            = constraint ? constraint->find("start_date") : std::optional<json::Value>();
        const bool isPlain = !constraint || constraint->kind() == json::Kind::Null;
        if (isPlain || (date && date->text() && *date->text() <= today))
            found = inner;
        else if (constraint->find("start_time") && (!found || inputOf(*inner) > inputOf(*found)))
            found = inner;
    }
    return found;
}

/// The names that a matcher says exactly; false where others are left. A beginning would take the names of
/// later models too, before a row that is made for them.
bool readMatch(const json::Value &match, std::vector<std::string> &names)
{
    bool isWhole = true;
    for (const json::Member member : match.members()) {
        const auto text = member.value.text();
        if (member.name == "equals" && text) {
            names.emplace_back(*text);
        } else if (member.name == "or") {
            for (const json::Value part : member.value.elements())
                isWhole = readMatch(part, names) && isWhole;
        } else {
            isWhole = false;
        }
    }
    return isWhole;
}

void readModel(const json::Value &model,
               std::string_view provider,
               std::string_view today,
               ImportedPrices &prices)
{
    const auto id = model.find("id");
    const auto list = model.find("prices");
    if (!id || !id->text() || !list) {
        ++prices.skipped["no id or prices"];
        return;
    }
    const std::string name(*id->text());
    const auto inForce = pricesInForce(*list, today);
    ModelPriceSpec spec;
    const bool isEmbedding = name.find("embed") != std::string::npos;
    if (!inForce || !readPrices(*inForce, isEmbedding, spec)) {
        ++prices.skipped[inForce && hasOtherPrices(*inForce)
                             ? "billed by other things than text tokens (images, audio, queries, …)"
                             : "no price for input or output tokens"];
        return;
    }
    if (hasOtherPrices(*inForce))
        ++prices.notes["further prices (images, audio, searches, …) left out"];
    if (const auto match = model.find("match"); match && !readMatch(*match, spec.aliases))
        ++prices.notes["patterns of names left out"];
    std::erase(spec.aliases, name);
    addImported(prices, provider, name, std::move(spec));
}

} // namespace

void readGenaiPrices(const json::Value &providers, std::string_view today, ImportedPrices &prices)
{
    prices.format = "genai-prices";
    for (const json::Value provider : providers.elements()) {
        const auto id = provider.find("id");
        const auto models = provider.find("models");
        if (!id || !id->text() || !models)
            continue;
        for (const json::Value model : models->elements())
            readModel(model, *id->text(), today, prices);
    }
}

} // namespace gatehouse
