// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/policytype.h"

#include <array>
#include <atomic>
#include <utility>

namespace gatehouse {

namespace {

struct AbortSpec
{
    std::int64_t status = 503;
    std::int64_t percent = 0;

    bool operator==(const AbortSpec &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&AbortSpec::status>({.key = "status",
                                       .label = "Status",
                                       .help = "Status of the refusal",
                                       .min = 400,
                                       .max = 599,
                                       .required = true}),
            field<&AbortSpec::percent>(
                {.key = "percent",
                 .label = "Share",
                 .help = "How many of each hundred requests are refused; exactly so many, spread "
                         "over the hundred",
                 .unit = Unit::Percent,
                 .max = 100,
                 .required = true}),
        });
        return rows;
    }
};

struct Config
{
    std::chrono::milliseconds delay{0};
    AbortSpec abort;
    ByteSize cutAfter;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::delay>({.key = "delay",
                                   .label = "Delay",
                                   .help = "How long each request is held before it goes on or is "
                                           "refused",
                                   .unit = Unit::Milliseconds,
                                   .max = std::int64_t{10} * 60 * 1000}),
            field<&Config::abort>({.key = "abort",
                                   .label = "Refusals",
                                   .help = "Requests that are refused as if the provider had"}),
            field<&Config::cutAfter>(
                {.key = "cutAfter",
                 .label = "Cut answers after",
                 .help = "The connection is cut after so many bytes of an answer's body; 0 lets "
                         "answers come whole",
                 .unit = Unit::Bytes}),
        });
        return rows;
    }
};

/// Chooses exactly `percent` of each hundred requests, of all workers together and in an order that
/// is the same every time. The steps of 61, the golden section of 100, keep the chosen ones apart
/// without a beat that a client's retries could fall in with.
class Share
{
public:
    [[nodiscard]] bool takesNext(std::int64_t percent)
    {
        const std::uint64_t turn = m_turn.fetch_add(1, std::memory_order_relaxed);
        return static_cast<std::int64_t>(turn % 100 * 61 % 100) < percent;
    }

private:
    std::atomic<std::uint64_t> m_turn = 0;
};

class FaultInjection final : public Policy
{
public:
    FaultInjection(const Config &config, std::shared_ptr<Share> aborted)
        : m_config(config)
        , m_aborted(std::move(aborted))
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        return std::make_unique<FaultInjection>(config, context.state<Share>("abort"));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        // After those that look at bodies: faults stand for the provider's.
        return static_cast<std::uint8_t>(PolicyPhase::RequestBody);
    }
    [[nodiscard]] bool readsBody(const Exchange &) const override { return false; }

    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override
    {
        Verdict verdict = Continue{};
        if (m_config.abort.percent > 0 && m_aborted->takesNext(m_config.abort.percent))
            verdict = Reply{.status = static_cast<int>(m_config.abort.status),
                            .reason = "fault-injection:abort",
                            .message = "A policy of type fault-injection refuses this request on "
                                       "purpose",
                            .retryable = true};
        else if (m_config.cutAfter.bytes > 0)
            exchange.cutResponseAfter(m_config.cutAfter.bytes);
        if (m_config.delay.count() == 0 || exchange.isObserved())
            return verdict;
        exchange.services().after(
            m_config.delay,
            [resume = exchange.pause(), verdict = std::move(verdict)] { resume(verdict); });
        return Pause{};
    }

private:
    Config m_config;
    std::shared_ptr<Share> m_aborted;
};

} // namespace

PolicyType faultInjectionPolicy()
{
    return describe<Config, FaultInjection>(
        {.id = "fault-injection",
         .title = "Fault injection",
         .category = PolicyCategory::Troubleshooting,
         .summary
         = "Delays requests, refuses a share of them, or cuts answers short, to see how "
           "clients take it. Only requests that other policies let pass are counted; refuses "
           "with the status that it is given",
         .defaultOrder = 80,
         .example = "delay: 200ms\n"
                    "abort: {status: 529, percent: 5}\n"});
}

} // namespace gatehouse
