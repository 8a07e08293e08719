// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/quota/pacer.h"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

struct Config
{
    std::int64_t requests = 10;
    milliseconds per{1'000};
    milliseconds delay{1'000};
    std::int64_t attempts = 1;
    std::int64_t queue = 0;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::requests>({.key = "requests",
                                      .label = "Requests",
                                      .help = "So many may come at once; the rate is this many per "
                                              "the time below",
                                      .min = 1,
                                      .max = 1'000'000}),
            field<&Config::per>({.key = "per",
                                 .label = "Per",
                                 .help = "The time over which they are spread",
                                 .unit = Unit::Milliseconds,
                                 .min = 1,
                                 .max = 24 * 3600 * 1000}),
            field<&Config::delay>({.key = "delay",
                                   .label = "Wait",
                                   .help = "Times attempts: the longest that a request is held",
                                   .unit = Unit::Milliseconds,
                                   .min = 1,
                                   .max = 600 * 1000}),
            field<&Config::attempts>({.key = "attempts",
                                      .label = "Attempts",
                                      .help = "How often the wait may pass",
                                      .min = 1,
                                      .max = 1000}),
            field<&Config::queue>({.key = "queue",
                                   .label = "Held at once",
                                   .help
                                   = "So many requests may be held at the same time, each until "
                                     "its turn; 0 refuses at once what is above the rate",
                                   .max = 100'000}),
        });
        return rows;
    }
};

/// What outlives a reload; shared by all workers.
struct Spike
{
    quota::Pacer pacer;
    std::atomic<std::int64_t> held = 0;
};

/// A place among the held requests, for as long as it waits.
class Held final : public PolicyState
{
public:
    Held() = default;
    ~Held() override { leave(); }
    Held(const Held &) = delete;
    Held(Held &&) = delete;
    Held &operator=(const Held &) = delete;
    Held &operator=(Held &&) = delete;

    /// Takes the place that the caller counted.
    void enter(std::shared_ptr<Spike> spike) { m_spike = std::move(spike); }
    void leave()
    {
        if (const auto spike = std::exchange(m_spike, nullptr))
            --spike->held;
    }

private:
    std::shared_ptr<Spike> m_spike;
};

class SpikeControl final : public Policy
{
public:
    SpikeControl(const Config &config, std::shared_ptr<Spike> spike)
        : m_limit{config.requests, config.per}
        , m_patience(config.delay * config.attempts)
        , m_queue(config.queue)
        , m_spike(std::move(spike))
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        return std::make_unique<SpikeControl>(config, context.state<Spike>("spike"));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const quota::Time now = exchange.services().now();
        if (m_spike->pacer.take(m_limit, quota::Duration::zero(), now))
            return Continue{};
        if (exchange.isObserved() || !enterQueue())
            return refusal();
        const auto wait = m_spike->pacer.take(m_limit, m_patience, now);
        if (!wait) {
            --m_spike->held;
            return refusal();
        }
        Held &held = exchange.state<Held>();
        held.enter(m_spike);
        exchange.services().after(std::chrono::ceil<milliseconds>(*wait),
                                  [resume = exchange.pause(), &held] {
                                      if (!resume.isAwaited())
                                          return; // it is gone, and its state with it
                                      held.leave();
                                      resume(Continue{});
                                  });
        return Pause{};
    }

private:
    [[nodiscard]] bool enterQueue() const
    {
        std::int64_t held = m_spike->held.load();
        while (held < m_queue) {
            if (m_spike->held.compare_exchange_weak(held, held + 1))
                return true;
        }
        return false;
    }

    [[nodiscard]] Reply refusal() const
    {
        const auto per = std::chrono::duration_cast<milliseconds>(m_limit.per);
        const auto step = std::chrono::ceil<std::chrono::seconds>(m_limit.per / m_limit.amount);
        return {.status = 429,
                .reason = "spike-control",
                .message = "Requests come faster than " + std::to_string(m_limit.amount) + " in "
                           + formatDuration(per)
                           + (m_queue > 0 ? ", and as many wait already as may" : ""),
                .retryable = true,
                .headers = {{"retry-after", std::to_string(step.count())}}};
    }

    quota::Limit m_limit;
    quota::Duration m_patience;
    std::int64_t m_queue;
    std::shared_ptr<Spike> m_spike;
};

std::optional<Node> translate(FlexConfig &config)
{
    const auto append = [&](Node &native,
                            std::string_view key,
                            std::string_view theirs,
                            std::int64_t fallback,
                            const char *unit) {
        native.append(key,
                      Node::scalar(std::to_string(config.integer(theirs, fallback)) + unit, false));
    };
    Node native = Node::map();
    append(native, "requests", "maximumRequests", 1, "");
    append(native, "per", "timePeriodInMilliseconds", 1000, "ms");
    append(native, "delay", "delayTimeInMillis", 1000, "ms");
    append(native, "attempts", "delayAttempts", 1, "");
    append(native, "queue", "queuingLimit", 0, "");
    if (config.boolean("exposeHeaders", false))
        config.warn("exposeHeaders", "answers do not tell how much of the rate is left");
    return config.isRefused() ? std::nullopt : std::optional(std::move(native));
}

constexpr std::array<FlexCounterpart, 1> counterparts{{{"spike-control-flex", &translate}}};

} // namespace

PolicyType spikeControlPolicy()
{
    return describe<Config, SpikeControl>(
        {.id = "spike-control",
         .title = "Spike control",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Smooths bursts: so many requests go at once, the next ones are held and go one "
           "by one at the rate. Refuses with 429 what would wait for too long, or finds the "
           "queue full",
         .defaultOrder = 55,
         .flex = counterparts,
         .example = "requests: 10\n"
                    "per: 1s\n"
                    "queue: 50\n"
                    "delay: 1s\n"
                    "attempts: 5\n"});
}

} // namespace gatehouse
