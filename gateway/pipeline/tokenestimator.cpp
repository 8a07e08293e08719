// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/tokenestimator.h"

#include <bit>
#include <chrono>
#include <cmath>
#include <memory>

namespace gatehouse {

namespace {

constexpr double unknownInput = 0.5;   // tokens a byte
constexpr double unknownWritten = 0.5; // likewise
constexpr double unknownOutput = 4096; // tokens an answer

std::uint64_t pack(float mean, float deviation)
{
    return std::uint64_t{std::bit_cast<std::uint32_t>(mean)} << 32
           | std::bit_cast<std::uint32_t>(deviation);
}

float meanOf(std::uint64_t word)
{
    return std::bit_cast<float>(static_cast<std::uint32_t>(word >> 32));
}

float deviationOf(std::uint64_t word)
{
    return std::bit_cast<float>(static_cast<std::uint32_t>(word));
}

std::uint64_t roundedUp(double tokens)
{
    return static_cast<std::uint64_t>(std::ceil(tokens));
}

} // namespace

void LearnedRatio::learn(double ratio)
{
    const auto seen = static_cast<float>(ratio);
    if (!(seen > 0))
        return;
    std::uint64_t before = m_word.load(std::memory_order_relaxed);
    std::uint64_t after = 0;
    do {
        const float mean = meanOf(before);
        const float deviation = deviationOf(before);
        after = before == 0 ? pack(seen, seen / 2)
                            : pack(mean + (seen - mean) / 8,
                                   deviation + (std::abs(seen - mean) - deviation) / 4);
    } while (!m_word.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

double LearnedRatio::upperBound(double unknown) const
{
    const std::uint64_t word = m_word.load(std::memory_order_relaxed);
    if (word == 0)
        return unknown;
    return 1.1 * double{meanOf(word)} + 4 * double{deviationOf(word)};
}

void TokenEstimator::Cell::reset()
{
    for (LearnedRatio &ratio : input)
        ratio.reset();
    output.reset();
    written.reset();
}

TokenEstimator::TokenEstimator()
    : m_cells(std::chrono::hours(24), [] { return std::make_unique<Cell>(); })
{}

/// Less than 1, 4, 16, 64, 256 KiB, or more.
std::size_t TokenEstimator::sizeOf(std::uint64_t bytes)
{
    std::size_t size = 0;
    for (std::uint64_t end = 1024; size + 1 < sizes && bytes >= end; end *= 4)
        ++size;
    return size;
}

std::string TokenEstimator::keyOf(std::string_view client, std::string_view model)
{
    return std::string(client) + '\n' + std::string(model);
}

std::uint64_t TokenEstimator::input(std::string_view key, std::uint64_t bytes, quota::Time now)
{
    const double ratio = m_cells.use(key, now, [bytes](const Cell &cell) {
        return cell.input[sizeOf(bytes)].upperBound(unknownInput);
    });
    return roundedUp(ratio * static_cast<double>(bytes));
}

std::uint64_t TokenEstimator::output(std::string_view key, quota::Time now)
{
    return roundedUp(m_cells.use(
        key, now, [](const Cell &cell) { return cell.output.upperBound(unknownOutput); }));
}

std::uint64_t
TokenEstimator::outputSoFar(std::string_view key, std::uint64_t bytes, quota::Time now)
{
    const double ratio = m_cells.use(
        key, now, [](const Cell &cell) { return cell.written.upperBound(unknownWritten); });
    return roundedUp(ratio * static_cast<double>(bytes));
}

void TokenEstimator::learn(std::string_view key,
                           std::uint64_t bodyBytes,
                           std::uint64_t textBytes,
                           const Usage &usage,
                           quota::Time now)
{
    m_cells.use(key, now, [&](Cell &cell) {
        if (const Usage::Tokens input = usage.totalInput(); input && bodyBytes > 0)
            cell.input[sizeOf(bodyBytes)].learn(static_cast<double>(*input)
                                                / static_cast<double>(bodyBytes));
        if (!usage.output)
            return;
        cell.output.learn(static_cast<double>(*usage.output));
        if (textBytes > 0)
            cell.written.learn(static_cast<double>(*usage.output) / static_cast<double>(textBytes));
    });
}

} // namespace gatehouse
