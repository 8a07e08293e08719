// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/match/glob.h"
#include "gateway/pipeline/requestedmodels.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// One of the providers that the requests of a route are spread over.
struct ProviderOption
{
    std::string name;
    std::int64_t weight = 1; ///< its share, 0 … 1000; 0: asked only where no other can be
    /// Which models it is asked for; none: those that no other option names.
    std::vector<Glob> models = {};
};

/// Whom a route asks for a request, and whom then. Any thread, without a lock; copies share their turn.
class ProviderChoice
{
public:
    enum class Balance : std::uint8_t {
        Weights,      ///< each gets its share of the requests
        LeastLatency, ///< the one that begins to answer soonest; a few requests by weight
        Sticky        ///< each client stays with one, so that what that one caches is of use
    };

    /// What is known of a provider by now.
    struct Standing
    {
        bool isPreferred = false; ///< it is to be tried, as a probe
        bool isAvoided = false;   ///< a policy leaves it alone: it is not asked
        bool isWell = true;       ///< else asked after all that are
        std::optional<std::chrono::microseconds> latency = {}; ///< to the head of an answer
    };

    /// What the request says.
    struct Asked
    {
        std::span<const RequestedModel> models = {}; ///< empty: none, or they cannot be seen
        std::string_view client = {};                ///< who asks, for Sticky
    };

    /// The one provider of most routes.
    ProviderChoice();
    /// \a options and \a fallbacks together are at most 255.
    ProviderChoice(std::vector<ProviderOption> options, std::size_t fallbacks, Balance balance);

    /// The request's models have to be known: its body is to be read.
    [[nodiscard]] bool needsModels() const { return m_needsModels; }

    /// Fills \a places with whom to ask, the best first, as places in \a standings, which has one for each
    /// option and then for each fallback. False where no option is meant for the models.
    [[nodiscard]] bool order(const Asked &asked,
                             std::span<const Standing> standings,
                             std::vector<std::uint8_t> &places) const;

private:
    using Places = std::span<std::uint8_t>;

    void addCandidates(std::span<const RequestedModel> models,
                       std::vector<std::uint8_t> &places) const;
    void sort(Places places, const Asked &asked, std::span<const Standing> standings) const;
    void sortByWeight(Places places, std::uint64_t turn) const;
    void sortByClient(Places places, std::string_view client) const;

    std::vector<ProviderOption> m_options;
    std::size_t m_fallbacks = 0;
    Balance m_balance = Balance::Weights;
    bool m_needsModels = false;
    std::shared_ptr<std::atomic<std::uint64_t>> m_turn; ///< requests so far
};

} // namespace gatehouse
