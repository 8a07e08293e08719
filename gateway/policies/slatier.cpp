// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/money.h"
#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/quota/calendar.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse {

namespace {

constexpr auto unknownPrices = std::to_array<std::string_view>({"refuse", "allow"});

/// What a client of a tier may use; what is not said is not limited.
struct TierSpec
{
    std::int64_t requests = 0;
    std::int64_t tokens = 0;
    std::chrono::milliseconds per{std::chrono::minutes(1)};
    std::optional<Money> amount = {};
    std::string amountPer = "month";

    bool operator==(const TierSpec &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&TierSpec::requests>({.key = "requests",
                                        .label = "Requests",
                                        .help = "So many of a client pass in a window; not said: "
                                                "any number",
                                        .min = 1,
                                        .max = 1'000'000'000}),
            field<&TierSpec::tokens>(
                {.key = "tokens",
                 .label = "Tokens",
                 .help = "So many, input and output, may a client use in a window; not said: any "
                         "number",
                 .min = 1,
                 .max = 1'000'000'000'000}),
            field<&TierSpec::per>({.key = "per",
                                   .label = "Window",
                                   .help = "Length of the window of requests and tokens",
                                   .unit = Unit::Milliseconds,
                                   .min = 1000,
                                   .max = 31LL * 24 * 3600 * 1000}),
            field<&TierSpec::amount>({.key = "amount",
                                      .label = "Amount",
                                      .help = "So much may a client spend: 25 USD; not said: any "
                                              "amount",
                                      .max = 1'000'000'000'000'000}),
            choice<&TierSpec::amountPer>(
                {.key = "amountPer",
                 .label = "Amount in",
                 .help = "day, week (from Monday) and month follow the calendar of the gateway's "
                         "timezone; total never ends",
                 .choices = choicesOf<quota::periodNames>}),
        });
        return rows;
    }
};

struct Config
{
    std::map<std::string, TierSpec> tiers;
    bool exposeHeaders = true;
    bool cutStreams = true;
    std::string unknownPrice = "refuse";

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::tiers>({.key = "tiers",
                                   .label = "Tiers",
                                   .help = "By the tier of the client (Client.spec.tier): "
                                           "standard, where it has no other",
                                   .min = 1,
                                   .max = 64,
                                   .required = true}),
            field<&Config::exposeHeaders>(
                {.key = "exposeHeaders",
                 .label = "Expose headers",
                 .help
                 = "Answers say in x-ratelimit-limit, -remaining and -reset how many requests "
                   "are left"}),
            field<&Config::cutStreams>(
                {.key = "cutStreams",
                 .label = "Cut streams",
                 .help = "As of token-limit and budget: streams end where nothing is left"}),
            choice<&Config::unknownPrice>(
                {.key = "unknownPrice",
                 .label = "Models without a price",
                 .help = "As of budget: refuse with 403 where a tier has an amount, or allow",
                 .choices = choicesOf<unknownPrices>}),
        });
        return rows;
    }
};

/// The policies that hold a tier to what it may use.
struct Tier
{
    struct Part
    {
        std::string_view what; ///< that it counts: the end of the reason
        std::unique_ptr<const Policy> policy;
    };

    std::string name;
    std::vector<Part> parts; ///< in the order in which they are asked
};

/// What the parts keep with an exchange.
class PartStates final : public PolicyState
{
public:
    const Tier *tier = nullptr;
    std::vector<std::unique_ptr<PolicyState>> of;
};

/// Counts by client, so that nothing of a client that changes its tier is forgotten where the windows are
/// the same.
class TierMaker
{
public:
    TierMaker(const Config &config, PolicyContext &context)
        : m_config(config)
        , m_context(context)
    {}

    Tier make(const std::string &name, const TierSpec &spec)
    {
        Tier tier{.name = name, .parts = {}};
        if (spec.requests != 0) {
            Node config = configOf("requests", std::to_string(spec.requests), spec);
            addFlag(config, "exposeHeaders", m_config.exposeHeaders);
            add(tier, "requests", "rate-limit", config);
        }
        if (spec.tokens != 0) {
            Node config = configOf("tokens", std::to_string(spec.tokens), spec);
            addFlag(config, "cutStreams", m_config.cutStreams);
            add(tier, "tokens", "token-limit", config);
        }
        if (spec.amount) {
            Node limit = Node::map();
            limit.append("amount", Node::scalar(formatMoney(*spec.amount), false));
            limit.append("per", Node::scalar(spec.amountPer, false));
            Node config = listOf(std::move(limit));
            addFlag(config, "cutStreams", m_config.cutStreams);
            config.append("unknownPrice", Node::scalar(m_config.unknownPrice, false));
            add(tier, "amount", "budget", config);
        }
        return tier;
    }

private:
    static Node listOf(Node limit)
    {
        Node limits = Node::list();
        limits.items.push_back(std::move(limit));
        Node config = Node::map();
        config.append("limits", std::move(limits));
        return config;
    }
    static Node configOf(std::string_view what, const std::string &number, const TierSpec &spec)
    {
        Node limit = Node::map();
        limit.append(what, Node::scalar(number, false));
        limit.append("per", Node::scalar(formatDuration(spec.per), false));
        return listOf(std::move(limit));
    }
    static void addFlag(Node &config, std::string_view key, bool value)
    {
        config.append(key, Node::scalar(value ? "true" : "false", false));
    }
    void add(Tier &tier, std::string_view what, std::string_view type, const Node &config)
    {
        if (auto policy = findPolicyType(type)->make(&config, m_context))
            tier.parts.push_back({what, std::move(policy)});
    }

    const Config &m_config;
    PolicyContext &m_context;
};

class SlaTier final : public Policy
{
public:
    explicit SlaTier(std::vector<Tier> tiers)
        : m_tiers(std::move(tiers))
    {
        for (const Tier &tier : m_tiers) {
            for (const Tier::Part &part : tier.parts)
                m_phases |= part.policy->phases();
        }
    }

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        std::vector<Tier> tiers;
        TierMaker maker(config, context);
        for (const auto &[name, spec] : config.tiers)
            tiers.push_back(maker.make(name, spec));
        return std::make_unique<SlaTier>(std::move(tiers));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return m_phases | static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] bool readsBody(const Exchange &exchange) const override
    {
        const Tier *tier = exchange.client() == nullptr ? nullptr : find(exchange.client()->tier);
        const auto reads = [&exchange](const Tier::Part &part) {
            constexpr auto body = static_cast<std::uint8_t>(PolicyPhase::RequestBody);
            return (part.policy->phases() & body) != 0 && part.policy->readsBody(exchange);
        };
        return tier != nullptr && std::ranges::any_of(tier->parts, reads);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const ClientEntry *client = exchange.client();
        if (client == nullptr)
            return refusal("client", "Who has no virtual key has no tier, and uses nothing here");
        const Tier *tier = find(client->tier);
        if (tier == nullptr)
            return refusal("unknown",
                           "The tier " + inQuotes(client->tier) + " of client "
                               + inQuotes(client->name) + " uses nothing here");
        PartStates &states = exchange.state<PartStates>();
        states.tier = tier;
        states.of.resize(tier->parts.size());
        return ask(exchange, &Policy::onRequestHead);
    }
    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override
    {
        return ask(exchange, &Policy::onRequestBody);
    }

    void onResponseHead(Exchange &exchange) const override
    {
        forEach(exchange, [&exchange](const Tier::Part &part) {
            part.policy->onResponseHead(exchange);
            return false;
        });
    }

    [[nodiscard]] std::optional<Reply> onResponseBody(Exchange &exchange,
                                                      std::string_view bytes) const override
    {
        std::optional<Reply> cut;
        forEach(exchange, [&](const Tier::Part &part) {
            cut = part.policy->onResponseBody(exchange, bytes);
            if (cut)
                *cut = named(std::move(*cut), part);
            return cut.has_value();
        });
        return cut;
    }

    void onEnd(Exchange &exchange) const override
    {
        forEach(exchange, [&exchange](const Tier::Part &part) {
            part.policy->onEnd(exchange);
            return false;
        });
    }

private:
    [[nodiscard]] static Reply refusal(std::string_view detail, std::string message)
    {
        return {.status = 403,
                .reason = std::string("sla-tier:").append(detail),
                .message = std::move(message)};
    }

    [[nodiscard]] const Tier *find(std::string_view name) const
    {
        const auto tier = std::ranges::find(m_tiers, name, &Tier::name);
        return tier == m_tiers.end() ? nullptr : &*tier;
    }

    /// The parts of the client's tier, until \a call says that it is enough.
    template<typename Call>
    static void forEach(Exchange &exchange, Call call)
    {
        if (exchange.findState<PartStates>() == nullptr)
            return;
        PartStates &states = exchange.state<PartStates>();
        for (std::size_t i = 0; i < states.of.size(); ++i) {
            const Tier::Part &part = states.tier->parts[i];
            if (exchange.withPart(states.of[i], [&] { return call(part); }))
                return;
        }
    }

    static Verdict ask(Exchange &exchange, Verdict (Policy::*hook)(Exchange &) const)
    {
        Verdict verdict = Continue{};
        forEach(exchange, [&](const Tier::Part &part) {
            verdict = (part.policy.get()->*hook)(exchange);
            if (Reply *reply = std::get_if<Reply>(&verdict))
                *reply = named(std::move(*reply), part);
            return !std::holds_alternative<Continue>(verdict);
        });
        return verdict;
    }

    /// rate-limit → sla-tier:requests, budget:unknown-price → sla-tier:amount:unknown-price.
    static Reply named(Reply reply, const Tier::Part &part)
    {
        const std::size_t detail = std::min(reply.reason.find(':'), reply.reason.size());
        reply.reason = std::string("sla-tier:").append(part.what) + reply.reason.substr(detail);
        return reply;
    }

    std::vector<Tier> m_tiers;
    std::uint8_t m_phases = 0;
};

} // namespace

PolicyType slaTierPolicy()
{
    return describe<Config, SlaTier>(
        {.id = "sla-tier",
         .title = "SLA tiers",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Gives each client what its tier may use: requests and tokens in a window, and "
           "money in a window of the calendar, as rate-limit, token-limit and budget count "
           "them. Refuses with 429 what is over it, and with 403 clients of a tier that is "
           "not named and requests without a client",
         .defaultOrder = 58,
         .example = "tiers:\n"
                    "  standard: {requests: 60, tokens: 100000, per: 1m, amount: 5 USD, amountPer: "
                    "day}\n"
                    "  gold: {requests: 600, tokens: 1000000, per: 1m}\n"});
}

} // namespace gatehouse
