// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/config/priceformats.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace gatehouse {

namespace {

constexpr double picoPerUsd = 1e12; ///< of one token, which is 10^-6 USD of a million
constexpr auto tokenModes
    = std::to_array<std::string_view>({"chat", "completion", "responses", "embedding"});

std::optional<Money> priceAt(const json::Value &entry, const std::string &name)
{
    const auto value = entry.find(name);
    return value ? importedPrice(*value, picoPerUsd) : std::optional<Money>();
}

/// The prices of one step: those whose names end with \a suffix.
template<typename Spec>
bool readPrices(const json::Value &entry, const std::string &suffix, Spec &spec)
{
    const auto input = priceAt(entry, "input_cost_per_token" + suffix);
    const auto output = priceAt(entry, "output_cost_per_token" + suffix);
    if (!input)
        return false;
    spec.input = *input;
    spec.output = output.value_or(Money{});
    spec.cacheRead = priceAt(entry, "cache_read_input_token_cost" + suffix);
    spec.cacheWrite5m = priceAt(entry, "cache_creation_input_token_cost" + suffix);
    spec.cacheWrite1h = priceAt(entry, "cache_creation_input_token_cost_above_1hr" + suffix);
    return output.has_value();
}

/// `input_cost_per_token_above_200k_tokens`: the numbers of thousands there are.
std::set<std::int64_t> stepsOf(const json::Value &entry)
{
    constexpr std::string_view beginning = "input_cost_per_token_above_";
    constexpr std::string_view end = "k_tokens";
    constexpr std::int64_t most = 1'000'000;
    std::set<std::int64_t> steps;
    for (const json::Member member : entry.members()) {
        std::string_view name = member.name;
        if (!name.starts_with(beginning) || !name.ends_with(end))
            continue;
        name = name.substr(beginning.size(), name.size() - beginning.size() - end.size());
        std::int64_t thousands = 0;
        const auto [rest, problem]
            = std::from_chars(name.data(), name.data() + name.size(), thousands);
        if (problem == std::errc() && rest == name.data() + name.size() && thousands > 0
            && thousands < most)
            steps.insert(thousands);
    }
    return steps;
}

/// `tiered_pricing`: a list of ranges with prices each.
bool readTiers(const json::Value &tiers, ModelPriceSpec &spec)
{
    bool hasFirst = false;
    for (const json::Value tier : tiers.elements()) {
        const auto range = tier.find("range");
        const auto from = range ? range->at(0) : std::optional<json::Value>();
        const auto above = from ? from->integer() : std::optional<std::int64_t>();
        LongContextSpec step;
        if (!above || !readPrices(tier, "", step))
            return false;
        if (*above == 0) {
            hasFirst = true;
            spec.input = step.input;
            spec.output = step.output;
            spec.cacheRead = step.cacheRead;
            spec.cacheWrite5m = step.cacheWrite5m;
            spec.cacheWrite1h = step.cacheWrite1h;
        } else {
            step.above = *above;
            spec.longContext.push_back(step);
        }
    }
    return hasFirst;
}

bool hasOtherPrices(const json::Value &entry)
{
    for (const json::Member member : entry.members()) {
        const bool isToken = member.name.find("_token") != std::string_view::npos
                             && member.name.find("audio") == std::string_view::npos
                             && member.name.find("image") == std::string_view::npos;
        if (member.name.find("cost_per_") != std::string_view::npos && !isToken
            && member.value.number().value_or(0) > 0)
            return true;
    }
    return entry.find("search_context_cost_per_query").has_value();
}

/// Why the entry is not taken; empty where it is, and \a spec filled.
std::string readEntry(const json::Value &entry, std::string_view mode, ModelPriceSpec &spec)
{
    if (std::ranges::find(tokenModes, mode) == tokenModes.end())
        return "billed by other things than text tokens (images, audio, queries, …)";
    if (const auto tiers = entry.find("tiered_pricing"); tiers && tiers->isArray())
        return readTiers(*tiers, spec) ? "" : "tiers of another form than known";
    if (!readPrices(entry, "", spec)
        && (mode != "embedding" || !entry.find("input_cost_per_token")))
        return "no price for input or output tokens";
    if (spec.input == Money{} && spec.output == Money{} && hasOtherPrices(entry))
        return "billed by other things than text tokens (images, audio, queries, …)";
    for (const std::int64_t thousands : stepsOf(entry)) {
        LongContextSpec step{.above = thousands * 1000};
        if (!readPrices(entry, "_above_" + std::to_string(thousands) + "k_tokens", step))
            step.output = spec.output;
        spec.longContext.push_back(step);
    }
    return {};
}

/// The model's name without that of the provider before it.
std::string modelOf(std::string_view key, std::string_view provider)
{
    constexpr std::string_view vertex = "vertex_ai";
    const std::string prefix = std::string(provider.starts_with(vertex) ? vertex : provider) + "/";
    if (key.starts_with(prefix))
        key.remove_prefix(prefix.size());
    return std::string(key);
}

} // namespace

void readLiteLlmPrices(const json::Value &root, ImportedPrices &prices)
{
    prices.format = "LiteLLM";
    for (const json::Member member : root.members()) {
        if (member.name == "sample_spec")
            continue;
        const auto provider = member.value.find("litellm_provider");
        const auto mode = member.value.find("mode");
        if (!provider || !provider->text() || !mode || !mode->text()) {
            ++prices.skipped["no provider or mode"];
            continue;
        }
        ModelPriceSpec spec;
        const std::string reason = readEntry(member.value, *mode->text(), spec);
        if (!reason.empty()) {
            ++prices.skipped[reason];
            continue;
        }
        if (hasOtherPrices(member.value))
            ++prices.notes["further prices (images, audio, searches, …) left out"];
        addImported(
            prices, *provider->text(), modelOf(member.name, *provider->text()), std::move(spec));
    }
}

} // namespace gatehouse
