// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/units.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/pipeline/requestedmodels.h"
#include "gateway/quota/repeats.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

/// The wait of the first repetition that is slowed; each further one waits twice as long, up to the longest,
/// which is well below the time that a policy may take (policyTimeout, 10 s).
constexpr milliseconds firstWait{500};
constexpr milliseconds longestWait{4'000};

constexpr auto similarities = std::to_array<std::string_view>({"exact", "prefix"});

struct Config
{
    std::int64_t repeats = 8;
    milliseconds within{std::chrono::minutes(5)};
    std::string similarity = "exact";

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::repeats>(
                {.key = "repeats",
                 .label = "Repetitions",
                 .help
                 = "The same turn passes so often, the next one is refused; from half of them "
                   "on each waits, 0.5 s to 4 s. What is sent again before the first one has "
                   "ended counts with it",
                 .min = 1,
                 .max = 1000}),
            field<&Config::within>({.key = "within",
                                    .label = "Within",
                                    .help = "The time in which they are counted",
                                    .unit = Unit::Milliseconds,
                                    .min = 1000,
                                    .max = 24 * 3600 * 1000}),
            choice<&Config::similarity>(
                {.key = "similarity",
                 .label = "Same is",
                 .help
                 = "exact: the same turn but for ids. prefix: one that begins alike, as long as "
                   "three eighths to three quarters of it; what changes at its end, a time or "
                   "a counter, makes no other",
                 .choices = [] { return std::span<const std::string_view>(similarities); }}),
        });
        return rows;
    }
};

/// What this exchange counted.
struct Counted final : PolicyState
{
    quota::Repeats::Ticket ticket;
};

class LoopGuard final : public Policy
{
public:
    LoopGuard(const Config &config, std::shared_ptr<quota::Repeats> repeats)
        : m_limit{config.repeats, config.within}
        , m_form(config.similarity == "prefix" ? TurnForm::Beginning : TurnForm::Exact)
        , m_repeats(std::move(repeats))
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        // Turns of another form are other turns; limits may change under a count that goes on.
        return std::make_unique<LoopGuard>(config,
                                           context.state<quota::Repeats>(config.similarity));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return PolicyPhase::RequestBody | PolicyPhase::End;
    }
    [[nodiscard]] bool readsBody(const Exchange &exchange) const override
    {
        return exchange.method() == "POST" && exchange.route().modelFinder->readsBody(exchange);
    }

    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override
    {
        if (!readsBody(exchange) || exchange.body().isEmpty())
            return Continue{};
        const std::optional<std::string> turn = turnOf(exchange);
        if (!turn)
            return Continue{};
        const auto count
            = m_repeats->take(keyOf(exchange) + *turn, m_limit, exchange.services().now());
        if (!count.isGranted)
            return refusal(count.wait);
        exchange.state<Counted>().ticket = count.ticket;
        const milliseconds wait = waitOf(count.times);
        if (wait == milliseconds::zero() || exchange.isObserved())
            return Continue{};
        exchange.services().after(wait, [resume = exchange.pause()] { resume(Continue{}); });
        return Pause{};
    }

    /// What got no answer, or an error, may be sent again.
    void onEnd(Exchange &exchange) const override
    {
        if (exchange.findState<Counted>() == nullptr)
            return;
        quota::Repeats::Ticket &ticket = exchange.state<Counted>().ticket;
        if (ticket.round != 0)
            m_repeats->end(std::exchange(ticket, {}), exchange.answer().status / 100 == 2);
    }

private:
    /// None where the request is no conversation, or goes by unread. What cannot be read as JSON is
    /// compared as it came.
    [[nodiscard]] std::optional<std::string> turnOf(Exchange &exchange) const
    {
        RequestBody &body = exchange.body();
        if (const auto json = body.json())
            return exchange.route().lastTurn(exchange.decodedPath(), (*json)->root(), m_form);
        if (body.bytes().empty())
            return std::nullopt;
        const auto text = body.decoded();
        return std::string(text ? *text : body.bytes());
    }

    /// Of all but the turn; client, route, model and endpoint are apart.
    [[nodiscard]] static std::string keyOf(Exchange &exchange)
    {
        std::string key = exchange.client() != nullptr ? exchange.client()->name : std::string();
        key.append(1, '\0').append(exchange.route().name);
        key.append(1, '\0').append(exchange.decodedPath());
        if (const auto &found = exchange.requestedModels()) {
            for (const RequestedModel &model : found->models)
                key.append(1, '\0').append(model.name);
        }
        return key.append(2, '\0');
    }

    [[nodiscard]] milliseconds waitOf(std::int64_t times) const
    {
        const std::int64_t first = std::max<std::int64_t>(m_limit.amount / 2, 1);
        if (times <= first)
            return milliseconds::zero();
        constexpr std::int64_t steps = 3; // from firstWait to longestWait
        return std::min(firstWait * (1 << std::min(times - first - 1, steps)), longestWait);
    }

    [[nodiscard]] Reply refusal(quota::Duration wait) const
    {
        const auto per = std::chrono::duration_cast<milliseconds>(m_limit.per);
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
        return {.status = 429,
                .reason = "loop-guard",
                .message = "The same last turn was sent "
                           + (m_limit.amount == 1 ? std::string("once already")
                                                  : std::to_string(m_limit.amount) + " times")
                           + " in " + formatDuration(per)
                           + ", so this looks like a loop. Stop the agent, or have it do something "
                             "else; the same may pass again in "
                           + std::to_string(seconds) + " s"};
    }

    quota::Limit m_limit;
    TurnForm m_form;
    std::shared_ptr<quota::Repeats> m_repeats;
};

} // namespace

PolicyType loopGuardPolicy()
{
    return describe<Config, LoopGuard>(
        {.id = "loop-guard",
         .title = "Loop guard",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Slows an agent that sends the same thing again and again, then refuses it with 429. "
           "What "
           "is compared is the last turn of a conversation: what the model said last and all that "
           "follows, without ids, apart for each client, route, endpoint and model. A conversation "
           "that grows is no loop, nor is what failed, and requests without output (embeddings) "
           "are "
           "let pass",
         .defaultOrder = 57,
         .example = "repeats: 4\n"
                    "within: 2m\n"
                    "similarity: prefix\n"});
}

} // namespace gatehouse
