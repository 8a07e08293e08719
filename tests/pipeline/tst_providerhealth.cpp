// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/providerhealth.h"

#include <QTest>

#include <atomic>
#include <thread>
#include <vector>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

constexpr ProviderHealth::Time begin{1000h};
constexpr ProviderHealth::Ejection threeInARow{.failures = 3, .time = 30s, .longest = 100s};

} // namespace

class TestProviderHealth : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void failuresInARow_eject()
    {
        ProviderHealth health;
        QVERIFY(health.isWell(begin));
        QVERIFY(!health.noteFailure(threeInARow, begin));
        QVERIFY(!health.noteFailure(threeInARow, begin));
        QVERIFY(health.isWell(begin));
        QCOMPARE(health.noteFailure(threeInARow, begin), std::optional(30'000ms));
        QVERIFY(!health.isWell(begin));
        QVERIFY(!health.isWell(begin + 30s - 1ns));
        QVERIFY(health.isWell(begin + 30s));
    }

    void success_endsTheRow()
    {
        ProviderHealth health;
        for (int i = 0; i < 5; ++i) {
            QVERIFY(!health.noteFailure(threeInARow, begin));
            QVERIFY(!health.noteFailure(threeInARow, begin));
            health.noteSuccess(begin);
        }
        QVERIFY(health.isWell(begin));
    }

    void nextFailure_ejectsForTwiceAsLong()
    {
        ProviderHealth health;
        auto now = begin;
        for (int i = 0; i < 3; ++i)
            (void)health.noteFailure(threeInARow, now);
        for (const auto time : {60'000ms, 100'000ms, 100'000ms}) {
            // What fails meanwhile was sent before, or to somebody of whom it is known.
            QVERIFY(!health.noteFailure(threeInARow, now));
            now += 101s;
            QVERIFY(health.isWell(now));
            QCOMPARE(health.noteFailure(threeInARow, now), std::optional(time));
        }
        now += 101s;
        health.noteSuccess(now);
        QVERIFY(!health.noteFailure(threeInARow, now));
        QVERIFY(!health.noteFailure(threeInARow, now));
        QCOMPARE(health.noteFailure(threeInARow, now), std::optional(30'000ms));
    }

    void lateSuccess_doesNotEndTheEjection()
    {
        ProviderHealth health;
        for (int i = 0; i < 3; ++i)
            (void)health.noteFailure(threeInARow, begin);
        health.noteSuccess(begin + 1s);
        QVERIFY(!health.isWell(begin + 1s));
        QCOMPARE(health.noteFailure(threeInARow, begin + 31s), std::optional(60'000ms));
    }

    void withoutEjection_itIsWell()
    {
        ProviderHealth health;
        for (int i = 0; i < 100; ++i)
            QVERIFY(!health.noteFailure({}, begin));
        QVERIFY(health.isWell(begin));
    }

    void checks_sayWhenItGoesAndComes()
    {
        ProviderHealth health;
        constexpr ProviderHealth::CheckLimits limits{.failures = 3, .successes = 2};
        QVERIFY(!health.noteCheck(limits, true));
        QVERIFY(!health.noteCheck(limits, false));
        QVERIFY(!health.noteCheck(limits, false));
        QVERIFY(!health.noteCheck(limits, true));
        QVERIFY(!health.noteCheck(limits, false));
        QVERIFY(!health.noteCheck(limits, false));
        QVERIFY(health.isWell(begin));
        QVERIFY(health.noteCheck(limits, false));
        QVERIFY(!health.isWell(begin));
        QVERIFY(!health.noteCheck(limits, false));
        QVERIFY(!health.noteCheck(limits, true));
        QVERIFY(!health.noteCheck(limits, false));
        QVERIFY(!health.noteCheck(limits, true));
        QVERIFY(!health.isWell(begin));
        QVERIFY(health.noteCheck(limits, true));
        QVERIFY(health.isWell(begin));
        for (int i = 0; i < 3; ++i)
            (void)health.noteCheck(limits, false);
        QVERIFY(!health.isWell(begin));
        health.forgetChecks();
        QVERIFY(health.isWell(begin));
    }

    void latency_isAMovingAverage()
    {
        ProviderHealth health;
        QVERIFY(!health.latency());
        health.noteLatency(800us);
        QCOMPARE(health.latency(), std::optional(800us));
        health.noteLatency(1600us);
        QCOMPARE(health.latency(), std::optional(900us));
        for (int i = 0; i < 100; ++i)
            health.noteLatency(0us);
        QVERIFY(health.latency() && *health.latency() < 10us);
        for (int i = 0; i < 100; ++i)
            health.noteLatency(1s);
        QVERIFY(*health.latency() > 990ms);
    }

    void threads_ejectOnce()
    {
        for (int round = 0; round < 50; ++round) {
            ProviderHealth health;
            std::atomic<int> ejections = 0;
            {
                std::vector<std::jthread> threads;
                for (int i = 0; i < 4; ++i)
                    threads.emplace_back([&] {
                        for (int j = 0; j < 50; ++j)
                            ejections += health.noteFailure(threeInARow, begin) ? 1 : 0;
                    });
            }
            QCOMPARE(ejections.load(), 1);
            QVERIFY(!health.isWell(begin + 29s));
            QVERIFY(health.isWell(begin + 30s));
        }
    }
};

QTEST_APPLESS_MAIN(TestProviderHealth)
#include "tst_providerhealth.moc"
