// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/repeats.h"

#include <QTest>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

using namespace gatehouse::quota;
using namespace std::chrono_literals;

namespace {

constexpr Limit limit{3, 10s};
const Time start{1000h};

} // namespace

class TestRepeats : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void things_oneAfterTheOther_areCounted()
    {
        Repeats repeats;
        for (int i = 1; i <= 3; ++i) {
            const auto count = repeats.take("a", limit, start + std::chrono::seconds(i));
            QVERIFY(count.isGranted);
            QCOMPARE(count.times, i);
            repeats.end(count.ticket, true);
        }
        const auto fourth = repeats.take("a", limit, start + 5s);
        QVERIFY(!fourth.isGranted);
        QCOMPARE(fourth.times, 4);
        QVERIFY(fourth.wait == 6s);
        QVERIFY(repeats.take("b", limit, start + 5s).isGranted);
        QVERIFY(!repeats.take("a", limit, start + 11s - 1ns).isGranted);
        QVERIFY(repeats.take("a", limit, start + 11s).isGranted);
    }

    void things_atOnce_countOnce()
    {
        Repeats repeats;
        const auto first = repeats.take("a", limit, start);
        for (int i = 0; i < 100; ++i)
            QCOMPARE(repeats.take("a", limit, start).times, 1);
        repeats.end(first.ticket, true);
        QCOMPARE(repeats.take("a", limit, start).times, 2);
    }

    void overlapping_withoutEnd_areCountedAllTheSame()
    {
        Repeats repeats;
        auto held = repeats.take("a", limit, start);
        int granted = 1;
        for (int i = 0; i < 10; ++i) { // always one under way, as two agents in turn would have
            const auto next = repeats.take("a", limit, start);
            repeats.end(held.ticket, true);
            granted += next.isGranted ? 1 : 0;
            held = next.isGranted ? next : held;
        }
        QVERIFY2(granted <= 6, qPrintable(QString::number(granted)));
        QVERIFY(!repeats.take("a", limit, start).isGranted);
    }

    void failed_isNotCounted_unlessOneWithItSucceeded()
    {
        Repeats repeats;
        for (int i = 0; i < 20; ++i)
            repeats.end(repeats.take("a", limit, start).ticket, false);
        const auto first = repeats.take("a", limit, start);
        const auto second = repeats.take("a", limit, start);
        QCOMPARE(first.times, 1);
        repeats.end(first.ticket, true);
        repeats.end(second.ticket, false);
        QCOMPARE(repeats.take("a", limit, start).times, 2);
    }

    void limit_lowered_holdsAtOnce()
    {
        Repeats repeats;
        for (int i = 0; i < 3; ++i)
            repeats.end(repeats.take("a", limit, start + std::chrono::seconds(i)).ticket, true);
        const auto count = repeats.take("a", {1, 10s}, start + 5s);
        QVERIFY(!count.isGranted);
        QVERIFY(count.wait == 7s); // until the last one is over
    }

    void things_tooMany_forgetTheOldest()
    {
        Repeats repeats;
        for (std::size_t i = 0; i < 3 * Repeats::most; ++i) {
            repeats.end(repeats.take("kept", limit, start).ticket, i == 0);
            repeats.end(repeats.take(std::to_string(i), limit, start).ticket, true);
        }
        QVERIFY(repeats.size() <= Repeats::most);
        QCOMPARE(repeats.take("kept", limit, start).times, 2);
        QCOMPARE(repeats.take("0", limit, start).times, 1);
    }

    void threads_passTheLimitTogether()
    {
        Repeats repeats;
        std::atomic<int> granted = 0;
        const auto run = [&] {
            for (int i = 0; i < 2000; ++i) {
                const auto count = repeats.take("a", {500, 1h}, start);
                if (count.isGranted) {
                    repeats.end(count.ticket, true);
                    ++granted;
                }
            }
        };
        std::thread other(run);
        run();
        other.join();
        QVERIFY(granted >= 500);
        QVERIFY(!repeats.take("a", {500, 1h}, start).isGranted);
    }
};

QTEST_APPLESS_MAIN(TestRepeats)
#include "tst_repeats.moc"
