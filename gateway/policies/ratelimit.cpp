// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/pipeline/counterkey.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/quota/keptcounters.h"
#include "gateway/quota/windowset.h"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse {

namespace {

using quota::WindowKind;
using quota::WindowSet;

struct RequestLimit
{
    std::int64_t requests = 60;
    std::chrono::milliseconds per{std::chrono::minutes(1)};

    bool operator==(const RequestLimit &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&RequestLimit::requests>(
                {.key = "requests",
                 .label = "Requests",
                 .help = "So many pass in a window, the next one does not",
                 .max = 1'000'000'000,
                 .required = true}),
            field<&RequestLimit::per>({.key = "per",
                                       .label = "Window",
                                       .help = "Length of the window",
                                       .unit = Unit::Milliseconds,
                                       .min = 100,
                                       .max = 31LL * 24 * 3600 * 1000,
                                       .required = true}),
        });
        return rows;
    }
};

constexpr auto algorithms = std::to_array<std::string_view>({"sliding", "fixed"});
constexpr auto resetUnits = std::to_array<std::string_view>({"seconds", "milliseconds"});

struct Config
{
    std::vector<RequestLimit> limits;
    std::string key = "client";
    std::string algorithm = "sliding";
    bool exposeHeaders = true;
    std::string resetUnit = "seconds";

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::limits>({.key = "limits",
                                    .label = "Limits",
                                    .help = "All of them hold",
                                    .min = 1,
                                    .max = WindowSet::largest,
                                    .required = true}),
            field<&Config::key>({.key = "key",
                                 .label = "Count by",
                                 .help = CounterKey::help,
                                 .max = 256,
                                 .problem = &CounterKey::problem}),
            choice<&Config::algorithm>(
                {.key = "algorithm",
                 .label = "Window",
                 .help = "sliding: never more than the limit in any stretch of that length; places "
                         "come back up to a thirty-second of it late. fixed: windows follow each "
                         "other, each begins with its first request, and twice the limit can pass "
                         "around the end of one",
                 .choices = [] { return std::span<const std::string_view>(algorithms); }}),
            field<&Config::exposeHeaders>(
                {.key = "exposeHeaders",
                 .label = "Tell clients",
                 .help = "Answers have x-ratelimit-limit, x-ratelimit-remaining and "
                         "x-ratelimit-reset of the limit with the least left"}),
            choice<&Config::resetUnit>(
                {.key = "resetUnit",
                 .label = "Unit of the reset",
                 .help = "Unit of x-ratelimit-reset, rounded up; MuleSoft tells milliseconds",
                 .choices = [] { return std::span<const std::string_view>(resetUnits); }}),
        });
        return rows;
    }
};

/// What outlives a reload.
struct Counters
{
    std::optional<quota::KeptCounters<WindowSet>> keys;
};

/// Windows longer than that outlive the process.
constexpr std::chrono::hours longestForgotten{1};

/// What the answer's fields say.
struct Told final : PolicyState
{
    quota::Standing standing;
};

std::int64_t roundedUp(quota::Duration time, quota::Duration unit)
{
    return (time + unit - quota::Duration(1)) / unit;
}

class RateLimit final : public Policy
{
public:
    RateLimit(const Config &config, std::shared_ptr<Counters> counters)
        : m_key(*CounterKey::parse(config.key))
        , m_exposesHeaders(config.exposeHeaders)
        , m_tellsMilliseconds(config.resetUnit == "milliseconds")
        , m_counters(std::move(counters))
    {
        for (const RequestLimit &limit : config.limits)
            m_limits.push_back({limit.requests, limit.per});
    }

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        // Limits may be raised and lowered under a count that goes on; other windows are other counts.
        std::string shape = config.key + ' ' + config.algorithm;
        std::chrono::milliseconds longest{0};
        for (const RequestLimit &limit : config.limits) {
            shape.append(1, ' ').append(formatDuration(limit.per));
            longest = std::max(longest, limit.per);
        }
        auto counters = context.state<Counters>(shape);
        if (!counters->keys) {
            const auto kind = config.algorithm == "fixed" ? WindowKind::Fixed : WindowKind::Sliding;
            const std::size_t count = config.limits.size();
            auto file = longest > longestForgotten
                            ? context.counterFile(shape, WindowSet::bytesFor(kind, count))
                            : nullptr;
            counters->keys.emplace(2 * longest, std::move(file), [kind, count](std::byte *memory) {
                return std::make_unique<WindowSet>(kind, count, memory);
            });
        }
        return std::make_unique<RateLimit>(config, std::move(counters));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return m_exposesHeaders ? m_key.phase() | PolicyPhase::ResponseHead
                                : static_cast<std::uint8_t>(m_key.phase());
    }
    [[nodiscard]] bool readsBody(const Exchange &exchange) const override
    {
        return m_key.readsBody(exchange);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        return m_key.phase() == PolicyPhase::RequestHead ? count(exchange) : Continue{};
    }
    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override
    {
        return m_key.phase() == PolicyPhase::RequestBody ? count(exchange) : Continue{};
    }

    void onResponseHead(Exchange &exchange) const override
    {
        const Told *told = exchange.findState<Told>();
        if (told == nullptr)
            return;
        for (const Header &header : headersOf(told->standing))
            exchange.setResponseHeader(header.name, header.value);
    }

private:
    [[nodiscard]] Verdict count(Exchange &exchange) const
    {
        auto key = m_key.textOf(exchange);
        if (!key)
            return Reply::of(key.error());
        const Services &services = exchange.services();
        const quota::Standing standing = m_counters->keys->use(
            *key, services.now(), services.wallNow(), [&](WindowSet &windows, quota::Time now) {
                WindowSet::Grants grants;
                return windows.take(1, m_limits, now, grants);
            });
        if (!standing.isGranted)
            return refusal(standing);
        if (m_exposesHeaders)
            exchange.state<Told>().standing = standing;
        return Continue{};
    }

    [[nodiscard]] Reply refusal(const quota::Standing &standing) const
    {
        const quota::Limit &limit = m_limits[standing.limit];
        const auto per = std::chrono::duration_cast<std::chrono::milliseconds>(limit.per);
        Reply reply{.status = 429,
                    .reason = "rate-limit",
                    .message = "More than " + std::to_string(limit.amount)
                               + (limit.amount == 1 ? " request" : " requests") + " in "
                               + formatDuration(per),
                    .retryable = standing.wait.has_value()};
        if (m_exposesHeaders)
            reply.headers = headersOf(standing);
        if (standing.wait) {
            const std::int64_t seconds = roundedUp(*standing.wait, std::chrono::seconds(1));
            reply.message += "; the next one may pass in " + std::to_string(seconds) + " s";
            reply.headers.push_back({"retry-after", std::to_string(seconds)});
        } else {
            reply.message = "No requests are allowed here";
        }
        return reply;
    }

    [[nodiscard]] std::vector<Header> headersOf(const quota::Standing &standing) const
    {
        std::vector<Header> headers{
            {"x-ratelimit-limit", std::to_string(m_limits[standing.limit].amount)},
            {"x-ratelimit-remaining", std::to_string(standing.remaining)}};
        const quota::Duration unit = m_tellsMilliseconds
                                         ? quota::Duration(std::chrono::milliseconds(1))
                                         : quota::Duration(std::chrono::seconds(1));
        if (standing.wait)
            headers.push_back(
                {"x-ratelimit-reset", std::to_string(roundedUp(*standing.wait, unit))});
        return headers;
    }

    CounterKey m_key;
    bool m_exposesHeaders;
    bool m_tellsMilliseconds;
    std::vector<quota::Limit> m_limits;
    std::shared_ptr<Counters> m_counters;
};

std::optional<Node> translate(FlexConfig &config)
{
    Node limits = Node::list();
    for (FlexConfig *limit : config.records("rateLimits")) {
        Node native = Node::map();
        native.append("requests",
                      Node::scalar(std::to_string(limit->integer("maximumRequests", 0)), false));
        native.append(
            "per",
            Node::scalar(std::to_string(limit->integer("timePeriodInMilliseconds", 0)) + "ms",
                         false));
        limits.items.push_back(std::move(native));
    }
    if (limits.items.empty())
        config.refuse("rateLimits", "must have a limit");
    const std::string key = config.text("keySelector", "global");
    if (!CounterKey::parse(key))
        config.refuse("keySelector", CounterKey::problem(key));
    const bool exposes = config.boolean("exposeHeaders", false);
    (void)config.boolean("clusterizable", true); // there is one gateway
    if (config.isRefused())
        return std::nullopt;
    Node native = Node::map();
    native.append("limits", std::move(limits));
    native.append("key", Node::scalar(key, false));
    native.append("algorithm", Node::scalar("fixed", false));
    native.append("exposeHeaders", Node::scalar(exposes ? "true" : "false", false));
    native.append("resetUnit", Node::scalar("milliseconds", false));
    return native;
}

constexpr std::array<FlexCounterpart, 1> counterparts{{{"rate-limiting-flex", &translate}}};

} // namespace

PolicyType rateLimitPolicy()
{
    return describe<Config, RateLimit>(
        {.id = "rate-limit",
         .title = "Rate limit",
         .category = PolicyCategory::QualityOfService,
         .summary = "Lets so many requests pass in a window, counted exactly over all workers, and "
                    "refuses the next ones with 429 and the time to wait. The count goes on over "
                    "changes of the configuration",
         .flex = counterparts,
         .example = "limits:\n"
                    "  - {requests: 60, per: 1m}\n"
                    "  - {requests: 1000, per: 24h}\n"
                    "key: client\n"});
}

} // namespace gatehouse
