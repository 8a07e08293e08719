// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/quota/keyed.h"
#include "gateway/usage/usage.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

/// A ratio that is learned: the mean of what was seen, and how far from it things were, as RFC 6298 §2
/// does for round-trip times. Any thread, without a lock.
class LearnedRatio
{
public:
    void learn(double ratio);
    /// What hardly anything exceeds: the mean, a tenth more, and four deviations. \a unknown while nothing
    /// was learned.
    [[nodiscard]] double upperBound(double unknown) const;
    void reset() { m_word = 0; }

private:
    std::atomic<std::uint64_t> m_word = 0; ///< mean and deviation as floats; 0: nothing was learned
};

/// How many tokens requests and answers are, before the provider says so. Learns from what it said of the
/// requests of the same client to the same model, apart for bodies of different sizes, whose frame weighs
/// differently. Any thread, without a lock.
///
/// What its estimates are worth, over the request logs that tests/pipeline/tst_tokenestimator draws: it is below
/// the truth for 2 of 1,000 once three answers of that size are known, and on average four tenths above it. Before, it
/// takes two bytes for a token, which holds for all but text in scripts whose letters are
/// tokens by themselves. What a request only refers to (a picture's URL, an earlier answer's id, a file) it cannot see.
class TokenEstimator
{
public:
    TokenEstimator();

    /// Of the input, by the \a bytes that the body's text has.
    [[nodiscard]] std::uint64_t input(std::string_view key, std::uint64_t bytes, quota::Time now);
    /// Of the output that a request allows without saying how much.
    [[nodiscard]] std::uint64_t output(std::string_view key, quota::Time now);
    /// Of the output so far, by the bytes of its text.
    [[nodiscard]] std::uint64_t
    outputSoFar(std::string_view key, std::uint64_t bytes, quota::Time now);

    /// An answer said what it used. \a textBytes: of its text, where that was counted, else 0.
    void learn(std::string_view key,
               std::uint64_t bodyBytes,
               std::uint64_t textBytes,
               const Usage &usage,
               quota::Time now);

    /// For the key of client and model.
    [[nodiscard]] static std::string keyOf(std::string_view client, std::string_view model);

private:
    static constexpr std::size_t sizes = 6;

    struct Cell
    {
        std::array<LearnedRatio, sizes> input; ///< tokens a byte
        LearnedRatio output;                   ///< tokens an answer
        LearnedRatio written;                  ///< tokens a byte of its text

        [[nodiscard]] static bool isFree() { return true; }
        void reset();
    };

    [[nodiscard]] static std::size_t sizeOf(std::uint64_t bytes);

    quota::Keyed<Cell, 4096> m_cells;
};

} // namespace gatehouse
