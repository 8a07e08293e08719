// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/tokenestimator.h"

#include <QTest>

#include <atomic>
#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <thread>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

const quota::Time now{1000h};

Usage used(std::uint64_t input, std::uint64_t output)
{
    Usage usage;
    usage.input = input;
    usage.output = output;
    return usage;
}

} // namespace

class TestTokenEstimator : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void unknown_isTwoBytesAToken()
    {
        TokenEstimator estimator;
        QCOMPARE(estimator.input("a\nm", 2001, now), std::uint64_t(1001));
        QCOMPARE(estimator.output("a\nm", now), std::uint64_t(4096));
        QCOMPARE(estimator.outputSoFar("a\nm", 100, now), std::uint64_t(50));
        QCOMPARE(estimator.input("a\nm", 0, now), std::uint64_t(0));
    }

    void learned_isApart_byClientModelAndSize()
    {
        TokenEstimator estimator;
        for (int i = 0; i < 40; ++i)
            estimator.learn(TokenEstimator::keyOf("a", "m"), 2000, 400, used(200, 100), now);
        const auto near = [](std::uint64_t value, std::uint64_t wanted) {
            return value >= wanted && value <= wanted + wanted / 8;
        };
        QVERIFY(near(estimator.input("a\nm", 2000, now), 220));
        QVERIFY(near(estimator.output("a\nm", now), 110));
        QVERIFY(near(estimator.outputSoFar("a\nm", 400, now), 110));
        QCOMPARE(estimator.input("a\nm", 5000, now), std::uint64_t(2500)); // of another size
        QCOMPARE(estimator.input("b\nm", 2000, now), std::uint64_t(1000));
        QCOMPARE(estimator.input("a\nn", 2000, now), std::uint64_t(1000));
    }

    void whatIsNotTold_isNotLearned()
    {
        TokenEstimator estimator;
        estimator.learn("a\nm", 2000, 0, Usage{}, now);
        estimator.learn("a\nm", 0, 0, used(5, 0), now);
        QCOMPARE(estimator.input("a\nm", 2000, now), std::uint64_t(1000));
        QCOMPARE(estimator.output("a\nm", now), std::uint64_t(4096));
    }

    /// Requests of an agent: a prompt that grows, of text and code of 3 to 5 bytes a token.
    void error_isAsStated()
    {
        std::mt19937 random(20261124);
        std::lognormal_distribution<double> sizes(9, 1.2);
        std::normal_distribution<double> bytesPerToken(4, 0.35);
        TokenEstimator estimator;
        int known = 0;
        int below = 0;
        double excess = 0;
        std::array<int, 6> seen{};
        for (int i = 0; i < 20'000; ++i) {
            const auto bytes = static_cast<std::uint64_t>(sizes(random)) + 300;
            const auto tokens = static_cast<std::uint64_t>(
                static_cast<double>(bytes) / std::max(3.0, bytesPerToken(random)) + 7);
            const auto size = static_cast<std::size_t>(std::clamp(
                std::ceil(std::log2(static_cast<double>(bytes + 1) / 1024) / 2), 0.0, 5.0));
            const std::uint64_t estimate = estimator.input("a\nm", bytes, now);
            if (seen[size] >= 3) {
                ++known;
                below += estimate < tokens ? 1 : 0;
                excess += static_cast<double>(estimate) / static_cast<double>(tokens) - 1;
            }
            ++seen[size];
            estimator.learn("a\nm", bytes, 0, used(tokens, 1), now);
        }
        const double belowShare = double(below) / known;
        const double meanExcess = excess / known;
        qInfo("below the truth %.3f %%, %.0f %% above it on average",
              100 * belowShare,
              100 * meanExcess);
        QVERIFY(belowShare < 0.01);
        QVERIFY(meanExcess < 0.5);
    }

    void threads_learnTogether()
    {
        TokenEstimator estimator;
        const auto run = [&] {
            for (int i = 0; i < 20'000; ++i)
                estimator.learn("a\nm", 2000, 400, used(500, 100), now);
        };
        std::thread other(run);
        run();
        other.join();
        QVERIFY(estimator.input("a\nm", 2000, now) >= 500);
        QVERIFY(estimator.input("a\nm", 2000, now) <= 600);
    }
};

QTEST_APPLESS_MAIN(TestTokenEstimator)
#include "tst_tokenestimator.moc"
