// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/money.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/pipeline/reservation.h"
#include "gateway/quota/calendar.h"
#include "gateway/quota/keptcounters.h"
#include "gateway/usage/pricetable.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

namespace {

using quota::Calendar;
using quota::CalendarSet;
using quota::Period;

constexpr auto unknownPrices = std::to_array<std::string_view>({"refuse", "allow"});

struct MoneyAmount
{
    Money amount;
    std::string per = "month";

    bool operator==(const MoneyAmount &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&MoneyAmount::amount>({.key = "amount",
                                         .label = "Amount",
                                         .help = "So much may be spent in a window: 25 USD",
                                         .max = quota::largestAmount,
                                         .required = true}),
            choice<&MoneyAmount::per>(
                {.key = "per",
                 .label = "Window",
                 .help = "day, week (from Monday) and month follow the calendar of the gateway's "
                         "timezone; total never ends",
                 .choices = choicesOf<quota::periodNames>}),
        });
        return rows;
    }
};

struct Config
{
    std::vector<MoneyAmount> limits;
    std::string key = "client";
    Fraction warnAt{800'000};
    bool cutStreams = true;
    std::string unknownPrice = "refuse";

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::limits>({.key = "limits",
                                    .label = "Limits",
                                    .help = "All of them hold",
                                    .min = 1,
                                    .max = CalendarSet::largest,
                                    .required = true}),
            field<&Config::key>({.key = "key",
                                 .label = "Count by",
                                 .help = CounterKey::help,
                                 .max = 256,
                                 .problem = &CounterKey::problem}),
            field<&Config::warnAt>(
                {.key = "warnAt",
                 .label = "Warn from",
                 .help = "Answers say in x-gatehouse-budget how much is spent once so great a part "
                         "of a limit is; 1 says nothing",
                 .max = 1'000'000}),
            field<&Config::cutStreams>(
                {.key = "cutStreams",
                 .label = "Cut streams",
                 .help = "A stream that does not say how much it may write takes its money as it "
                         "grows, and ends with an error where none is left; else it takes what "
                         "such answers have cost, and may cost more"}),
            choice<&Config::unknownPrice>(
                {.key = "unknownPrice",
                 .label = "Models without a price",
                 .help = "refuse: with 403, since what they cost cannot be told. allow: they pass, "
                         "and count as far as the provider says what they cost",
                 .choices = [] { return std::span<const std::string_view>(unknownPrices); }}),
        });
        return rows;
    }
};

struct Window
{
    std::int64_t microUsd = 0;
    Period period = Period::Total;
    std::string text; ///< "25 USD a day"
};

/// What outlives a reload.
struct Ledger
{
    std::optional<quota::KeptCounters<CalendarSet>> keys;
    quota::HeldClock clock;
};

class MoneyBook final : public QuotaBook
{
public:
    MoneyBook(std::shared_ptr<Ledger> ledger, std::vector<Window> windows, std::string_view zone)
        : m_ledger(std::move(ledger))
        , m_windows(std::move(windows))
        , m_calendar(zone)
    {}

    [[nodiscard]] quota::Standing
    take(std::string_view key, std::int64_t amount, const Services &services, Piece &piece) override
    {
        const quota::WallTime wall = m_ledger->clock.now(services.wallNow(), services.now());
        const Limits limits = limitsAt(wall);
        CalendarSet::Grants grants;
        const CalendarSet::Standing standing = m_ledger->keys->use(
            key, services.now(), services.wallNow(), [&](CalendarSet &set, quota::Time) {
                return set.take(amount, limits.span(), grants);
            });
        piece.grants = grants.of;
        quota::Standing told{.isGranted = standing.isGranted,
                             .limit = standing.limit,
                             .remaining = standing.remaining};
        const Window &window = m_windows[standing.limit];
        if (window.period != Period::Total && amount <= window.microUsd)
            told.wait = m_calendar.at(window.period, wall).end - wall;
        return told;
    }
    void giveBack(std::string_view key,
                  std::int64_t amount,
                  const Services &services,
                  const Piece &piece) override
    {
        m_ledger->keys->use(
            key, services.now(), services.wallNow(), [&](CalendarSet &set, quota::Time) {
                set.giveBack(amount, CalendarSet::Grants{piece.grants});
            });
    }
    void add(std::string_view key, std::int64_t amount, const Services &services) override
    {
        const Limits limits = limitsAt(m_ledger->clock.now(services.wallNow(), services.now()));
        m_ledger->keys->use(key,
                            services.now(),
                            services.wallNow(),
                            [&](CalendarSet &set, quota::Time) { set.add(amount, limits.span()); });
    }
    [[nodiscard]] const Window &window(std::size_t i) const { return m_windows[i]; }

private:
    struct Limits
    {
        std::array<CalendarSet::Limit, CalendarSet::largest> of;
        std::size_t count = 0;

        [[nodiscard]] std::span<const CalendarSet::Limit> span() const
        {
            return std::span(of).first(count);
        }
    };

    [[nodiscard]] Limits limitsAt(quota::WallTime wall) const
    {
        Limits limits;
        for (const Window &window : m_windows)
            limits.of[limits.count++]
                = {window.microUsd, m_calendar.at(window.period, wall).number};
        return limits;
    }

    std::shared_ptr<Ledger> m_ledger;
    std::vector<Window> m_windows;
    Calendar m_calendar;
};

class Budget final : public ReservingPolicy
{
public:
    Budget(Setting setting,
           const Config &config,
           std::shared_ptr<const MoneyBook> book,
           std::shared_ptr<const PriceTable> prices)
        : ReservingPolicy(std::move(setting))
        , m_warnAt(config.warnAt.value())
        , m_allowsUnknown(config.unknownPrice == "allow")
        , m_book(std::move(book))
        , m_prices(std::move(prices))
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        std::string shape = config.key;
        std::vector<Window> windows;
        std::vector<std::int64_t> amounts;
        for (const MoneyAmount &limit : config.limits) {
            shape.append(1, ' ').append(limit.per);
            const auto *name = std::ranges::find(quota::periodNames, limit.per);
            const auto period = name - quota::periodNames.begin();
            windows.push_back({limit.amount.microUsd,
                               static_cast<Period>(period),
                               formatMoney(limit.amount)
                                   + (limit.per == "total" ? " in total" : " a " + limit.per)});
            amounts.push_back(limit.amount.microUsd);
        }
        auto ledger = context.state<Ledger>(shape);
        if (!ledger->keys) {
            const std::size_t count = windows.size();
            ledger->keys.emplace(std::chrono::hours(24 * 62),
                                 context.counterFile(shape, CalendarSet::bytesFor(count)),
                                 [count](std::byte *memory) {
                                     return std::make_unique<CalendarSet>(count, memory);
                                 });
        }
        auto book = std::make_shared<MoneyBook>(
            std::move(ledger), std::move(windows), context.timezone());
        return std::make_unique<Budget>(
            Setting{.type = "budget",
                    .key = *CounterKey::parse(config.key),
                    .cutsStreams = config.cutStreams,
                    .limits = std::move(amounts),
                    .book = book,
                    .estimator = context.state<TokenEstimator>("estimator")},
            config,
            book,
            context.prices());
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        const std::uint8_t phases = ReservingPolicy::phases();
        const auto head = static_cast<std::uint8_t>(PolicyPhase::ResponseHead);
        return m_warnAt < 1 ? static_cast<std::uint8_t>(phases | head) : phases;
    }

    void onResponseHead(Exchange &exchange) const override
    {
        if (const std::string note = noteFor(exchange); !note.empty())
            exchange.setResponseHeader("x-gatehouse-budget", note);
    }

protected:
    [[nodiscard]] Result<std::int64_t, Reply> amountOf(const Exchange &exchange,
                                                       const RequestBound &bound,
                                                       std::uint64_t input,
                                                       std::uint64_t output) const override
    {
        std::int64_t most = 0;
        const auto add = [&](std::string_view provider, const std::string &model) {
            const auto cost = m_prices->worstCase(provider, model, input, output);
            if (cost)
                most = std::max(most, cost->microUsd);
            return cost.has_value();
        };
        for (const std::string &provider : exchange.route().providerNames) {
            for (const std::string &model : bound.models) {
                if (!add(provider, model) && !m_allowsUnknown)
                    return Unexpected(unknown("What the model " + model + " costs at " + provider
                                              + " is not known"));
            }
        }
        if (bound.models.empty() && !m_allowsUnknown)
            return Unexpected(
                unknown("This request names no model, so what it costs is not known"));
        return std::min(most, quota::largestAmount);
    }
    [[nodiscard]] std::optional<std::int64_t> usedBy(const Exchange &exchange,
                                                     const RequestBound &bound) const override
    {
        const Usage &usage = exchange.answer().usage;
        auto cost = m_prices->cost(usage, exchange.provider(), usage.model);
        for (const std::string &model : bound.models) {
            if (!cost)
                cost = m_prices->cost(usage, exchange.provider(), model);
        }
        return cost ? std::optional(cost->microUsd) : std::nullopt;
    }
    [[nodiscard]] std::string written(std::int64_t amount) const override
    {
        return formatMoney({amount});
    }
    [[nodiscard]] std::string limitText(std::size_t limit) const override
    {
        return m_book->window(limit).text;
    }
    [[nodiscard]] std::string noteOf(const quota::Standing &standing) const override
    {
        const Window &window = m_book->window(standing.limit);
        const std::int64_t used = window.microUsd - standing.remaining;
        if (static_cast<double>(used) < m_warnAt * static_cast<double>(window.microUsd))
            return {};
        return formatMoney({used}) + " of " + window.text;
    }

private:
    [[nodiscard]] static Reply unknown(std::string message)
    {
        message += ". Give it a price (kind: Prices), or let it pass with unknownPrice: allow";
        return {.status = 403, .reason = "budget:unknown-price", .message = std::move(message)};
    }

    double m_warnAt;
    bool m_allowsUnknown;
    std::shared_ptr<const MoneyBook> m_book;
    std::shared_ptr<const PriceTable> m_prices;
};

} // namespace

PolicyType budgetPolicy()
{
    return describe<Config, Budget>(
        {.id = "budget",
         .title = "Budget",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Lets so much money be spent in a window of the calendar. A request takes the most that "
           "it can cost before it is sent, by the price table, its estimated input and the output "
           "that it allows, and gives back what it did not cost; so many requests at once spend no "
           "more than the limit. Refuses with 429 what finds too little left, cuts streams that "
           "come to the end of it, and refuses with 403 models without a price and what costs "
           "unseen, such as WebSockets. A clock that is set back gives no money back",
         .defaultOrder = 59,
         .example = "limits:\n"
                    "  - {amount: 5 USD, per: day}\n"
                    "  - {amount: 50 USD, per: month}\n"
                    "key: client\n"});
}

} // namespace gatehouse
