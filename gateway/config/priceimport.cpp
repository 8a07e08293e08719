// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/priceimport.h"

#include "gateway/base/text.h"
#include "gateway/config/loader.h"
#include "gateway/config/priceformats.h"
#include "gateway/config/problems.h"
#include "gateway/config/resources.h"
#include "gateway/json/document.h"
#include "gateway/schema/encode.h"
#include "gateway/schema/yaml.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace gatehouse {

namespace {

/// What others call the providers of our presets and of our own table.
constexpr auto providerNames = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"google", "gemini"},
    {"x-ai", "xai"},
    {"moonshotai", "moonshot"},
    {"azure", "azure-openai"},
    {"cohere-chat", "cohere"},
    {"together-ai", "together"},
    {"fireworks-ai", "fireworks"},
    {"dashscope", "alibaba"},
    {"text-completion-openai", "openai"},
});

} // namespace

std::optional<Money> importedPrice(const json::Value &value, double factor)
{
    constexpr double dearest = 1e12;
    const auto number = value.number();
    if (!number || !(*number >= 0) || *number * factor > dearest)
        return {};
    return Money{std::llround(*number * factor)};
}

void addImported(ImportedPrices &prices,
                 std::string_view provider,
                 const std::string &model,
                 ModelPriceSpec spec)
{
    std::string owner = toLowerAscii(provider);
    std::ranges::replace(owner, '_', '-');
    for (const auto &[theirs, ours] : providerNames) {
        if (owner == theirs) {
            owner = ours;
            break;
        }
    }
    if (!nameProblem("imported-" + owner).empty() || !modelNameProblem(model).empty()) {
        ++prices.skipped["their names cannot be used"];
        return;
    }
    auto &models = prices.providers[owner];
    const bool isSecond = std::ranges::any_of(
        models, [&model](const auto &entry) { return equalsIgnoreCase(entry.first, model); });
    if (isSecond)
        ++prices.skipped["another has the same name"];
    else
        models.emplace(model, std::move(spec));
}

namespace {

/// An alias that another model has, in whatever case, would be a fault of the document.
void dropSecondAliases(ImportedPrices &prices)
{
    for (auto &[provider, models] : prices.providers) {
        std::set<std::string> taken;
        for (const auto &[model, spec] : models)
            taken.insert(toLowerAscii(model));
        for (auto &[model, spec] : models) {
            std::erase_if(spec.aliases, [&taken](const std::string &alias) {
                return !modelNameProblem(alias).empty()
                       || !taken.insert(toLowerAscii(alias)).second;
            });
            constexpr std::size_t mostAliases = 64;
            spec.aliases.resize(std::min(spec.aliases.size(), mostAliases));
        }
    }
}

} // namespace

std::size_t ImportedPrices::modelCount() const
{
    std::size_t count = 0;
    for (const auto &[provider, models] : providers)
        count += models.size();
    return count;
}

Result<ImportedPrices, std::string> importPrices(std::string_view text, std::string_view today)
{
    json::Document document;
    if (const auto parsed = document.parse(text); !parsed)
        return Unexpected("not JSON: " + parsed.error().message());
    ImportedPrices prices;
    const json::Value root = document.root();
    if (root.isArray())
        readGenaiPrices(root, today, prices);
    else if (const auto providers = root.find("providers"); providers && providers->isArray())
        readGenaiPrices(*providers, today, prices);
    else if (root.isObject())
        readLiteLlmPrices(root, prices);
    dropSecondAliases(prices);
    if (prices.providers.empty())
        return Unexpected(
            std::string("no prices found: this must be the data.json of genai-prices or LiteLLM's "
                        "model_prices_and_context_window.json"));
    return prices;
}

std::string toYaml(const ImportedPrices &prices)
{
    std::string text;
    for (const auto &[provider, models] : prices.providers) {
        PricesSpec spec{.provider = provider, .imported = true};
        for (const auto &[model, price] : models)
            spec.models.append(model, encode(price));
        Node document = Node::map();
        document.append("apiVersion", encodeText(configApiVersion));
        document.append("kind", encodeText("Prices"));
        document.append("metadata", encode(Metadata{"imported-" + provider, {}}));
        document.append("spec", encode(spec));
        text.append("---\n").append(toYaml(document));
    }
    return text;
}

} // namespace gatehouse
