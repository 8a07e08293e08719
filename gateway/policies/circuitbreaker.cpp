// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/quota/breaker.h"
#include "gateway/quota/keyed.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace gatehouse {

namespace {

using quota::Breaker;
using std::chrono::milliseconds;

constexpr std::chrono::hours longestTime{1};

struct Config
{
    Fraction failureRate{500'000};
    std::int64_t minRequests = 20;
    milliseconds window{30'000};
    milliseconds open{15'000};

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::failureRate>(
                {.key = "failureRate",
                 .label = "Failure rate",
                 .help
                 = "From so great a part of a provider's answers on it is left alone. "
                   "Failures are: no connection, 500 and above, no answer in time, and, beside "
                   "its beginning, an answer that breaks off. 429 is none",
                 .min = 10'000,
                 .max = 1'000'000}),
            field<&Config::minRequests>({.key = "minRequests",
                                         .label = "Least requests",
                                         .help = "In the window; fewer say nothing",
                                         .min = 1,
                                         .max = 100'000}),
            field<&Config::window>({.key = "window",
                                    .label = "Window",
                                    .help = "The time over which is counted, in tenths of it",
                                    .unit = Unit::Milliseconds,
                                    .min = 1'000,
                                    .max = milliseconds(longestTime).count()}),
            field<&Config::open>({.key = "open",
                                  .label = "Open",
                                  .help = "So long the provider is left alone; then one request at "
                                          "a time is sent, until one is answered",
                                  .unit = Unit::Milliseconds,
                                  .min = 100,
                                  .max = milliseconds(longestTime).count()}),
        });
        return rows;
    }
};

/// What outlives a reload, by the provider's name; shared by all workers.
struct Breakers
{
    quota::Keyed<Breaker, 64> providers{2 * longestTime,
                                        [] { return std::make_unique<Breaker>(); }};
};

bool isFailure(const Attempt &attempt)
{
    constexpr int firstFailure = 500;
    return attempt.error.has_value() || attempt.status >= firstFailure;
}

/// The provider to which the exchange is the probe; empty: it is none.
class Probe final : public PolicyState
{
public:
    std::string provider;
};

class CircuitBreaker final : public Policy
{
public:
    CircuitBreaker(const Config &config, std::shared_ptr<Breakers> breakers)
        : m_setting{config.failureRate.value(), config.minRequests, config.window, config.open}
        , m_breakers(std::move(breakers))
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        return std::make_unique<CircuitBreaker>(config, context.state<Breakers>("providers"));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>((PolicyPhase::RequestHead | PolicyPhase::Attempt)
                                         | static_cast<std::uint8_t>(PolicyPhase::End));
    }

    /// Those that the route chooses among may be asked, and one of them as a probe; those behind them only
    /// where they are well, or where nobody else is left.
    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const quota::Time now = exchange.services().now();
        const RouteInfo &route = exchange.route();
        bool isFound = false;
        std::optional<quota::Duration> wait;
        for (std::size_t i = 0; i < route.providerNames.size(); ++i) {
            const std::string &name = route.providerNames[i];
            const bool mayProbe
                = (i < route.optionCount || !isFound) && exchange.findState<Probe>() == nullptr;
            const Breaker::Admission admission
                = m_breakers->providers.use(name, now, [mayProbe, now](Breaker &breaker) {
                      if (mayProbe)
                          return breaker.admit(now);
                      return Breaker::Admission{
                          breaker.isClosed() ? Breaker::Way::Closed : Breaker::Way::Open, {}};
                  });
            if (admission.way == Breaker::Way::Open) {
                exchange.avoid(name);
                if (!isFound)
                    wait = std::min(wait.value_or(admission.wait), admission.wait);
                continue;
            }
            isFound = true;
            if (admission.way == Breaker::Way::Probe) {
                exchange.state<Probe>().provider = name;
                exchange.prefer(name);
            }
        }
        if (isFound || !wait)
            return Continue{};
        return refusal(exchange, *wait);
    }

    void onAttempt(Exchange &exchange) const override
    {
        const quota::Time now = exchange.services().now();
        const Attempt &attempt = exchange.attempts().back();
        const bool isProbe = endProbe(exchange, attempt.provider, isFailure(attempt));
        if (isProbe)
            return;
        m_breakers->providers.use(attempt.provider, now, [&](Breaker &breaker) {
            breaker.record(m_setting, isFailure(attempt), now);
        });
    }

    void onEnd(Exchange &exchange) const override
    {
        if (const Probe *probe = exchange.findState<Probe>())
            endProbe(exchange, probe->provider, std::nullopt); // nothing came of it
    }

private:
    /// False where the exchange has no probe of \a provider, any more.
    bool endProbe(Exchange &exchange, std::string_view provider, std::optional<bool> failed) const
    {
        const Probe *probe = exchange.findState<Probe>();
        if (probe == nullptr || probe->provider.empty() || probe->provider != provider)
            return false;
        const quota::Time now = exchange.services().now();
        m_breakers->providers.use(probe->provider, now, [&](Breaker &breaker) {
            breaker.endProbe(m_setting, failed, now);
        });
        exchange.state<Probe>().provider.clear();
        return true;
    }

    [[nodiscard]] static Reply refusal(const Exchange &exchange, quota::Duration wait)
    {
        const auto seconds = std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count());
        const auto &names = exchange.route().providerNames;
        return {.status = 503,
                .reason = "circuit-breaker",
                .message
                = (names.size() == 1
                       ? "The provider " + inQuotes(names.front()) + " failed too often and is"
                       : std::string("The providers of this route failed too often "
                                     "and are"))
                  + " left alone; try again in " + seconds + " s",
                .retryable = true,
                .headers = {{"retry-after", seconds}}};
    }

    Breaker::Setting m_setting;
    std::shared_ptr<Breakers> m_breakers;
};

} // namespace

PolicyType circuitBreakerPolicy()
{
    return describe<Config, CircuitBreaker>(
        {.id = "circuit-breaker",
         .title = "Circuit breaker",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Leaves a provider alone that fails too often: its requests go to the route's "
           "fallbacks, or are refused with 503 where none is left. After a while one request at a "
           "time is "
           "sent to see whether it is back. Counted by provider, over all of the policy's routes "
           "and clients",
         .defaultOrder = 60,
         .example = "failureRate: 0.25\n"
                    "minRequests: 10\n"
                    "window: 1m\n"
                    "open: 15s\n"});
}

} // namespace gatehouse
