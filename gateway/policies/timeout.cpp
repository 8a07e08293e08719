// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/units.h"
#include "gateway/pipeline/policytype.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t longest = 24LL * 3600 * 1000;

struct Config
{
    milliseconds connect{10'000};
    milliseconds firstByte{300'000};
    milliseconds idle{120'000};
    milliseconds total{0};

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::connect>({.key = "connect",
                                     .label = "Connection",
                                     .help = "For a connection to the provider: name, TCP and TLS",
                                     .unit = Unit::Milliseconds,
                                     .min = 1,
                                     .max = longest}),
            field<&Config::firstByte>(
                {.key = "firstByte",
                 .label = "First byte",
                 .help = "From the last byte of the request to the first one of the answer. Models "
                         "that think before they speak need minutes where they do not stream",
                 .unit = Unit::Milliseconds,
                 .min = 1,
                 .max = longest}),
            field<&Config::idle>(
                {.key = "idle",
                 .label = "Between bytes",
                 .help = "Between two pieces of an answer; not of a WebSocket, which may "
                         "be silent",
                 .unit = Unit::Milliseconds,
                 .min = 1,
                 .max = longest}),
            field<&Config::total>({.key = "total",
                                   .label = "Altogether",
                                   .help
                                   = "From the request's head to the last byte of the answer, of a "
                                     "WebSocket too; 0: as long as it takes",
                                   .unit = Unit::Milliseconds,
                                   .max = longest}),
        });
        return rows;
    }
};

struct Limit
{
    Wait wait;
    milliseconds longest;
    Reply refusal;
};

Limit limitOf(Wait wait, milliseconds time, const char *detail, const std::string &what)
{
    return {wait,
            time,
            {.status = 504,
             .reason = std::string("timeout:") + detail,
             .message = what + " within " + formatDuration(time) + ", which a policy allows it",
             .retryable = true}};
}

/// Ends exchanges that wait for their provider for longer than anybody wants to.
class Timeout final : public Policy
{
public:
    explicit Timeout(const Config &config)
        : m_limits{limitOf(Wait::Connect,
                           config.connect,
                           "connect",
                           "The provider did not accept the connection"),
                   limitOf(Wait::FirstByte,
                           config.firstByte,
                           "first-byte",
                           "The provider did not begin to answer"),
                   limitOf(Wait::Idle, config.idle, "idle", "No more of the answer came"),
                   limitOf(Wait::Total, config.total, "total", "The answer was not complete")}
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &)
    {
        return std::make_unique<Timeout>(config);
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        for (const Limit &limit : m_limits) {
            if (limit.longest.count() > 0)
                exchange.limitTime(limit.wait, limit.longest, limit.refusal);
        }
        return Continue{};
    }

private:
    std::array<Limit, 4> m_limits;
};

std::optional<Node> translate(FlexConfig &config)
{
    Node native = Node::map();
    native.append("firstByte",
                  Node::scalar(std::to_string(config.integer("timeout", 15)) + "s", false));
    return config.isRefused() ? std::nullopt : std::optional(std::move(native));
}

constexpr std::array<FlexCounterpart, 1> counterparts{{{"response-timeout-flex", &translate}}};

} // namespace

PolicyType timeoutPolicy()
{
    return describe<Config, Timeout>(
        {.id = "timeout",
         .title = "Timeout",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Ends requests whose provider takes longer than this with 504, in place of the "
           "limits of the gateway; an answer that has begun is broken off. The shortest of "
           "several holds",
         .flex = counterparts,
         .example = "firstByte: 60s\n"
                    "idle: 30s\n"
                    "total: 10m\n"});
}

} // namespace gatehouse
