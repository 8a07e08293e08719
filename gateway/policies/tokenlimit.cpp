// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/units.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/pipeline/reservation.h"
#include "gateway/quota/keptcounters.h"
#include "gateway/quota/windowset.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

namespace {

using quota::WindowKind;
using quota::WindowSet;

struct TokenAmount
{
    std::int64_t tokens = 0;
    std::chrono::milliseconds per{std::chrono::minutes(1)};

    bool operator==(const TokenAmount &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&TokenAmount::tokens>(
                {.key = "tokens",
                 .label = "Tokens",
                 .help = "So many may be used in any stretch of that length",
                 .min = 1,
                 .max = 1'000'000'000'000,
                 .required = true}),
            field<&TokenAmount::per>({.key = "per",
                                      .label = "Window",
                                      .help = "Length of the window",
                                      .unit = Unit::Milliseconds,
                                      .min = 1000,
                                      .max = 31LL * 24 * 3600 * 1000,
                                      .required = true}),
        });
        return rows;
    }
};

/// Windows longer than that outlive the process.
constexpr std::chrono::hours longestForgotten{1};
constexpr auto counts = std::to_array<std::string_view>({"total", "input", "output"});

struct Config
{
    std::vector<TokenAmount> limits;
    std::string key = "client";
    std::string count = "total";
    bool cutStreams = true;

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
            choice<&Config::count>(
                {.key = "count",
                 .label = "Tokens of",
                 .help = "total: input and output; input counts with what is read from a cache, "
                         "output with the reasoning",
                 .choices = [] { return std::span<const std::string_view>(counts); }}),
            field<&Config::cutStreams>(
                {.key = "cutStreams",
                 .label = "Cut streams",
                 .help = "A stream that does not say how much it may write takes its tokens as it "
                         "grows, and ends with an error where none are left; else it takes what "
                         "such answers have used, and may use more"}),
        });
        return rows;
    }
};

/// What outlives a reload, and its limits of now.
class TokenBook final : public QuotaBook
{
public:
    struct Counters
    {
        std::optional<quota::KeptCounters<WindowSet>> keys;
    };

private:
    template<typename Action>
    auto use(std::string_view key, const Services &services, Action action)
    {
        return m_counters->keys->use(key, services.now(), services.wallNow(), action);
    }

public:
    TokenBook(std::shared_ptr<Counters> counters, std::vector<quota::Limit> limits)
        : m_counters(std::move(counters))
        , m_limits(std::move(limits))
    {}

    [[nodiscard]] quota::Standing
    take(std::string_view key, std::int64_t amount, const Services &services, Piece &piece) override
    {
        return use(key, services, [&](WindowSet &windows, quota::Time now) {
            return windows.take(amount, m_limits, now, piece.grants);
        });
    }
    void giveBack(std::string_view key,
                  std::int64_t amount,
                  const Services &services,
                  const Piece &piece) override
    {
        use(key, services, [&](WindowSet &windows, quota::Time) {
            windows.giveBack(amount, piece.grants);
        });
    }
    void add(std::string_view key, std::int64_t amount, const Services &services) override
    {
        use(key, services, [&](WindowSet &windows, quota::Time now) {
            windows.add(amount, m_limits, now);
        });
    }
    [[nodiscard]] std::string textOf(std::size_t limit) const
    {
        const auto per = std::chrono::duration_cast<std::chrono::milliseconds>(m_limits[limit].per);
        return std::to_string(m_limits[limit].amount) + " tokens in " + formatDuration(per);
    }

private:
    std::shared_ptr<Counters> m_counters;
    std::vector<quota::Limit> m_limits;
};

class TokenLimit final : public ReservingPolicy
{
public:
    enum class Count : std::uint8_t { Total, Input, Output };

    TokenLimit(Setting setting, Count count, std::shared_ptr<const TokenBook> book)
        : ReservingPolicy(std::move(setting))
        , m_count(count)
        , m_book(std::move(book))
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        std::string shape = config.key + ' ' + config.count;
        std::chrono::milliseconds longest{0};
        std::vector<quota::Limit> limits;
        std::vector<std::int64_t> amounts;
        for (const TokenAmount &limit : config.limits) {
            shape.append(1, ' ').append(formatDuration(limit.per));
            longest = std::max(longest, limit.per);
            limits.push_back({limit.tokens, limit.per});
            amounts.push_back(limit.tokens);
        }
        auto counters = context.state<TokenBook::Counters>(shape);
        if (!counters->keys) {
            const std::size_t size = limits.size();
            auto file
                = longest > longestForgotten
                      ? context.counterFile(shape, WindowSet::bytesFor(WindowKind::Sliding, size))
                      : nullptr;
            counters->keys.emplace(2 * longest, std::move(file), [size](std::byte *memory) {
                return std::make_unique<WindowSet>(WindowKind::Sliding, size, memory);
            });
        }
        const auto count = config.count == "input"    ? Count::Input
                           : config.count == "output" ? Count::Output
                                                      : Count::Total;
        auto book = std::make_shared<TokenBook>(std::move(counters), std::move(limits));
        return std::make_unique<TokenLimit>(
            Setting{.type = "token-limit",
                    .key = *CounterKey::parse(config.key),
                    .cutsStreams = config.cutStreams && count != Count::Input,
                    .limits = std::move(amounts),
                    .book = book,
                    .estimator = context.state<TokenEstimator>("estimator")},
            count,
            book);
    }

protected:
    [[nodiscard]] Result<std::int64_t, Reply> amountOf(const Exchange &,
                                                       const RequestBound &,
                                                       std::uint64_t input,
                                                       std::uint64_t output) const override
    {
        const std::uint64_t amount
            = (m_count != Count::Output ? input : 0) + (m_count != Count::Input ? output : 0);
        return static_cast<std::int64_t>(
            std::min(amount, static_cast<std::uint64_t>(quota::largestAmount)));
    }
    [[nodiscard]] std::optional<std::int64_t> usedBy(const Exchange &exchange,
                                                     const RequestBound &) const override
    {
        const Usage &usage = exchange.answer().usage;
        const Usage::Tokens input = usage.totalInput();
        if ((m_count != Count::Output && !input) || (m_count == Count::Output && !usage.output))
            return std::nullopt;
        const std::uint64_t amount = (m_count != Count::Output ? *input : 0)
                                     + (m_count != Count::Input ? usage.output.value_or(0) : 0);
        return static_cast<std::int64_t>(
            std::min(amount, static_cast<std::uint64_t>(quota::largestAmount)));
    }
    [[nodiscard]] std::string written(std::int64_t amount) const override
    {
        return std::to_string(amount) + (amount == 1 ? " token" : " tokens");
    }
    [[nodiscard]] std::string limitText(std::size_t limit) const override
    {
        return m_book->textOf(limit);
    }

private:
    Count m_count;
    std::shared_ptr<const TokenBook> m_book;
};

} // namespace

PolicyType tokenLimitPolicy()
{
    return describe<Config, TokenLimit>(
        {.id = "token-limit",
         .title = "Token limit",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Lets so many tokens be used in a window. A request takes the most that it can use "
           "before it is sent, its input by an estimate that learns and the output that it allows, "
           "and gives back what the provider says it did not use; so many requests at once use no "
           "more than the limit. Refuses with 429 what finds too few left, cuts streams that come "
           "to the end of them, and refuses with 403 what uses tokens unseen, such as WebSockets",
         .defaultOrder = 58,
         .example = "limits:\n"
                    "  - {tokens: 100000, per: 1m}\n"
                    "  - {tokens: 5000000, per: 24h}\n"
                    "key: client\n"});
}

} // namespace gatehouse
