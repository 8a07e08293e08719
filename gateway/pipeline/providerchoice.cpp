// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/providerchoice.h"

#include "gateway/quota/siphash.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace gatehouse {

namespace {

/// One request of so many goes by weight where latency decides: what was slow may have become fast.
constexpr std::uint64_t requestsPerTrial = 16;

/// Multiples of the golden ratio's fraction are spread evenly however many there are, so that any run
/// of requests has the shares of the weights to within one or two (Knuth, TAOCP vol. 3, 6.4).
std::uint64_t evenlySpread(std::uint64_t turn)
{
    return turn * 0x9E3779B97F4A7C15U;
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
std::uint64_t mixed(std::uint64_t value)
{
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
    return value ^ (value >> 31U);
}

/// From 0 up to 1, without 1.
double fractionOf(std::uint64_t value)
{
    constexpr double past = 9007199254740992.0; // 2^53, the bits of a double
    return static_cast<double>(value >> 11U) / past;
}

} // namespace

ProviderChoice::ProviderChoice()
    : ProviderChoice({{}}, 0, Balance::Weights)
{}

ProviderChoice::ProviderChoice(std::vector<ProviderOption> options,
                               std::size_t fallbacks,
                               Balance balance)
    : m_options(std::move(options))
    , m_fallbacks(fallbacks)
    , m_balance(balance)
    , m_needsModels(std::ranges::any_of(
          m_options, [](const ProviderOption &option) { return !option.models.empty(); }))
    , m_turn(std::make_shared<std::atomic<std::uint64_t>>(0))
{}

bool ProviderChoice::order(const Asked &asked,
                           std::span<const Standing> standings,
                           std::vector<std::uint8_t> &places) const
{
    places.clear();
    addCandidates(asked.models, places);
    if (places.empty())
        return false;
    const auto isWell = [&](std::uint8_t place) { return standings[place].isWell; };
    const auto unwell = std::stable_partition(places.begin(), places.end(), isWell);
    sort(Places(places.begin(), unwell), asked, standings);
    sort(Places(unwell, places.end()), asked, standings);
    for (std::size_t i = 0; i < m_fallbacks; ++i)
        places.push_back(static_cast<std::uint8_t>(m_options.size() + i));
    std::stable_partition(places.begin(), places.end(), isWell);
    std::stable_partition(places.begin(), places.end(), [&](std::uint8_t place) {
        return standings[place].isPreferred;
    });
    std::erase_if(places, [&](std::uint8_t place) { return standings[place].isAvoided; });
    return true;
}

/// The options that are meant for all of the models, else for one of them, else for what no other is.
void ProviderChoice::addCandidates(std::span<const RequestedModel> models,
                                   std::vector<std::uint8_t> &places) const
{
    const auto addWhere = [&](const auto &isMeant) {
        for (std::size_t i = 0; places.size() < m_options.size() && i < m_options.size(); ++i) {
            if (isMeant(m_options[i]))
                places.push_back(static_cast<std::uint8_t>(i));
        }
        return !places.empty();
    };
    const auto takesOneOf = [&](const ProviderOption &option) {
        return std::ranges::any_of(
            models, [&](const RequestedModel &model) { return model.isAmong(option.models); });
    };
    const auto takesAll = [&](const ProviderOption &option) {
        return !models.empty() && std::ranges::all_of(models, [&](const RequestedModel &model) {
            return model.isAmong(option.models);
        });
    };
    const auto takesOthers = [](const ProviderOption &option) { return option.models.empty(); };
    if (addWhere(takesAll) || addWhere(takesOneOf) || addWhere(takesOthers) || !models.empty())
        return;
    addWhere([](const ProviderOption &) { return true; }); // lists, which every one of them has
}

void ProviderChoice::sort(Places places,
                          const Asked &asked,
                          std::span<const Standing> standings) const
{
    if (places.size() < 2)
        return;
    if (m_balance == Balance::Sticky) {
        sortByClient(places, asked.client);
        return;
    }
    const std::uint64_t turn = m_turn->fetch_add(1, std::memory_order_relaxed) + 1;
    sortByWeight(places, turn);
    if (m_balance == Balance::Weights || turn % requestsPerTrial == 0)
        return;
    // Whoever is not known is asked first: one answer, and it is.
    std::ranges::stable_sort(places, {}, [&](std::uint8_t place) {
        return standings[place].latency.value_or(std::chrono::microseconds(0));
    });
}

/// Draws one after the other, each by its share of what is left.
void ProviderChoice::sortByWeight(Places places, std::uint64_t turn) const
{
    std::uint64_t draw = evenlySpread(turn);
    for (auto first = places.begin(); first != places.end(); ++first) {
        const std::int64_t total
            = std::accumulate(first, places.end(), std::int64_t{0}, [&](auto sum, auto place) {
                  return sum + m_options[place].weight;
              });
        auto left = static_cast<std::int64_t>(fractionOf(draw) * static_cast<double>(total));
        const auto drawn = std::find_if(first, places.end(), [&](std::uint8_t place) {
            left -= m_options[place].weight;
            return left < 0;
        });
        if (drawn == places.end())
            return; // none has a share: in their order
        std::rotate(first, drawn, drawn + 1);
        draw = mixed(draw + turn);
    }
}

/// Rendezvous hashing by weight: where an option goes or comes, only the clients move that were or will
/// be with it. Thaler, Ravishankar: Using Name-Based Mappings to Increase Hit Rates; Schindelhauer,
/// Schomaker: Weighted Distributed Hash Tables.
void ProviderChoice::sortByClient(Places places, std::string_view client) const
{
    const auto cost = [&](std::uint8_t place) {
        const ProviderOption &option = m_options[place];
        if (option.weight == 0)
            return std::numeric_limits<double>::infinity();
        const std::string text = std::string(client) + '\0' + option.name;
        const double drawn = fractionOf(quota::sipHash(text, {})[0]);
        return -std::log1p(-drawn) / static_cast<double>(option.weight);
    };
    std::ranges::stable_sort(places, {}, cost);
}

} // namespace gatehouse
