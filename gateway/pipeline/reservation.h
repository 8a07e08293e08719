// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/counterkey.h"
#include "gateway/pipeline/policy.h"
#include "gateway/pipeline/requestedmodels.h"
#include "gateway/pipeline/tokenestimator.h"
#include "gateway/quota/windowset.h"
#include "gateway/usage/textmeter.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// What a request may use, as far as can be said before it is sent.
struct RequestBound
{
    std::vector<std::string> models = {}; ///< that it may use; empty: it names none
    std::string estimatorKey = {};
    std::uint64_t bytes = 0;      ///< of its text
    std::uint64_t input = 0;      ///< tokens, by the estimate
    std::uint64_t leastInput = 0; ///< tokens that it has in any case
    OutputCap output = {};
};

/// Where amounts are counted by a key. Shared by all workers and kept over reloads; any thread.
class QuotaBook
{
public:
    /// A part of what was taken, to be given back in part.
    struct Piece
    {
        std::int64_t amount = 0;
        quota::WindowSet::Grants grants = {};
    };

    QuotaBook() = default;
    virtual ~QuotaBook() = default;
    QuotaBook(const QuotaBook &) = delete;
    QuotaBook(QuotaBook &&) = delete;
    QuotaBook &operator=(const QuotaBook &) = delete;
    QuotaBook &operator=(QuotaBook &&) = delete;

    /// Takes \a amount of each limit, or nothing.
    [[nodiscard]] virtual quota::Standing
    take(std::string_view key, std::int64_t amount, const Services &services, Piece &piece)
        = 0;
    /// Gives back \a amount of \a piece, where that still counts.
    virtual void giveBack(std::string_view key,
                          std::int64_t amount,
                          const Services &services,
                          const Piece &piece)
        = 0;
    /// Counts what was used beyond what was taken.
    virtual void add(std::string_view key, std::int64_t amount, const Services &services) = 0;
};

/// A policy that takes the most that a request can use before it is sent, and gives back what it did
/// not: what many requests that run at once use together is never above the limit.
///
/// The most is the input, by TokenEstimator, and the output that the request allows. A stream that does
/// not say how much, or allows more than the limit, takes its output step by step as it grows, ahead
/// of what has come, and is cut where there is no more. What a request took stays taken where the provider never
/// said what it used: a cut answer, a client that went.
class ReservingPolicy : public Policy
{
public:
    struct Setting
    {
        std::string type;
        CounterKey key;
        bool cutsStreams = true;
        std::vector<std::int64_t> limits; ///< amounts, in the book's order
        std::shared_ptr<QuotaBook> book;
        std::shared_ptr<TokenEstimator> estimator;
    };

    explicit ReservingPolicy(Setting setting)
        : m_setting(std::move(setting))
    {}

    [[nodiscard]] std::uint8_t phases() const override;
    [[nodiscard]] bool readsBody(const Exchange &exchange) const override;
    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override;
    [[nodiscard]] std::optional<Reply> onResponseBody(Exchange &exchange,
                                                      std::string_view bytes) const override;
    void onEnd(Exchange &exchange) const override;

protected:
    /// The most that \a bound costs with so much input and output; an error's reply where it cannot be said.
    [[nodiscard]] virtual Result<std::int64_t, Reply> amountOf(const Exchange &exchange,
                                                               const RequestBound &bound,
                                                               std::uint64_t input,
                                                               std::uint64_t output) const = 0;
    /// What the answer used, where its usage says so.
    [[nodiscard]] virtual std::optional<std::int64_t> usedBy(const Exchange &exchange,
                                                             const RequestBound &bound) const = 0;
    /// "12 tokens", "0.50 USD".
    [[nodiscard]] virtual std::string written(std::int64_t amount) const = 0;
    /// "10000 tokens in 1m", "25 USD a day".
    [[nodiscard]] virtual std::string limitText(std::size_t limit) const = 0;
    /// What is to be said of a request for which something was taken; noteFor() gives it again.
    [[nodiscard]] virtual std::string noteOf(const quota::Standing &) const { return {}; }
    [[nodiscard]] static std::string noteFor(const Exchange &exchange);

    [[nodiscard]] const Setting &setting() const { return m_setting; }

private:
    struct Reservation;

    [[nodiscard]] Result<RequestBound, Reply> boundOf(Exchange &exchange) const;
    [[nodiscard]] Verdict reserve(Exchange &exchange, Reservation &reservation) const;
    [[nodiscard]] quota::Standing
    takeMore(Exchange &exchange, Reservation &reservation, std::int64_t amount) const;
    void giveBack(Exchange &exchange, Reservation &reservation, std::int64_t amount) const;
    [[nodiscard]] Reply refusal(const RequestBound &bound,
                                std::int64_t amount,
                                const quota::Standing &standing,
                                std::string_view advice) const;
    [[nodiscard]] std::int64_t smallestLimit() const;

    Setting m_setting;
};

/// The bytes of a JSON text without long strings that are no text (pictures, sound in base64), for which
/// each is taken for as many as a large picture has tokens.
[[nodiscard]] std::uint64_t textBytesOf(std::string_view json);

} // namespace gatehouse
