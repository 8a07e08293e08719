// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/deadlines.h"

#include <QTest>

#include <functional>
#include <memory>
#include <random>
#include <vector>

using namespace gatehouse::net;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds tick = Deadlines::tick;
constexpr milliseconds oneRound = tick * 512;
const TimePoint start{std::chrono::hours(1)};

class Probe final : public Deadline
{
public:
    int expirations = 0;
    std::function<void()> onExpired;

private:
    void expired() override
    {
        ++expirations;
        if (onExpired)
            onExpired();
    }
};

/// Advances in steps from \a from, which is not looked at, until \a probe expires; that time, or
/// start where it did not by \a to.
TimePoint
expiryOf(Deadlines &deadlines, const Probe &probe, TimePoint from, TimePoint to, milliseconds step)
{
    for (TimePoint at = from + step; at <= to; at += step) {
        deadlines.advance(at);
        if (probe.expirations != 0)
            return at;
    }
    return start;
}

} // namespace

class TestDeadlines : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void set_anyTime_expiresOnceNeverEarlyAndATickLateAtMost_data()
    {
        QTest::addColumn<int>("after");
        for (const int after : {0, 1, 63, 64, 65, 127, 128, 1000, 32'767, 32'768, 32'769, 100'000})
            QTest::addRow("%d ms", after) << after;
    }
    void set_anyTime_expiresOnceNeverEarlyAndATickLateAtMost()
    {
        QFETCH(int, after);
        for (const milliseconds begun : {milliseconds(0), milliseconds(1), tick, tick * 1000}) {
            Deadlines deadlines(start);
            deadlines.advance(start + begun);
            Probe probe;
            const TimePoint due = start + begun + milliseconds(after);
            deadlines.set(probe, due);
            QVERIFY(probe.isSet());
            const TimePoint end = due + 3 * tick;
            const TimePoint at = expiryOf(deadlines, probe, start + begun, end, milliseconds(1));
            QVERIFY2(at >= due, "early, or not at all");
            QVERIFY(at - due <= tick);
            QVERIFY(!probe.isSet());
            QVERIFY(deadlines.isEmpty());
            deadlines.advance(end + 2 * oneRound);
            QCOMPARE(probe.expirations, 1);
        }
    }

    void set_fractionOfAMillisecond_isNotEarly()
    {
        Deadlines deadlines(start);
        Probe probe;
        deadlines.set(probe, start + tick - std::chrono::nanoseconds(1));
        deadlines.advance(start + tick - std::chrono::nanoseconds(2));
        QCOMPARE(probe.expirations, 0);
        deadlines.advance(start + 2 * tick);
        QCOMPARE(probe.expirations, 1);
    }

    void set_timeInThePast_expiresAtTheNextTick()
    {
        Deadlines deadlines(start);
        deadlines.advance(start + 100 * tick);
        Probe probe;
        deadlines.set(probe, start);
        QCOMPARE(probe.expirations, 0);
        deadlines.advance(start + 101 * tick);
        QCOMPARE(probe.expirations, 1);
    }

    void set_movedLater_expiresThenOnly()
    {
        Deadlines deadlines(start);
        Probe probe;
        deadlines.set(probe, start + 5 * tick);
        const TimePoint due = start + 3 * oneRound;
        deadlines.set(probe, due);
        const TimePoint at = expiryOf(deadlines, probe, start, due + 2 * tick, tick);
        QVERIFY(at >= due && at - due <= tick);
        QCOMPARE(probe.expirations, 1);
    }

    void set_movedEarlier_expiresThen()
    {
        Deadlines deadlines(start);
        Probe probe;
        deadlines.set(probe, start + 3 * oneRound);
        deadlines.set(probe, start + 5 * tick);
        const TimePoint at = expiryOf(deadlines, probe, start, start + oneRound, tick);
        QVERIFY(at >= start + 5 * tick && at <= start + 6 * tick);
        deadlines.advance(start + 4 * oneRound);
        QCOMPARE(probe.expirations, 1);
    }

    void set_movedLaterThenEarlier_expiresAtTheLast()
    {
        Deadlines deadlines(start);
        Probe probe;
        deadlines.set(probe, start + 10 * tick);
        deadlines.set(probe, start + 50 * tick);
        deadlines.set(probe, start + 20 * tick);
        const TimePoint at = expiryOf(deadlines, probe, start, start + oneRound, tick);
        QVERIFY(at >= start + 20 * tick && at <= start + 21 * tick);
    }

    void clear_setDeadline_neverExpires()
    {
        Deadlines deadlines(start);
        Probe probe;
        deadlines.set(probe, start + tick);
        probe.clear();
        QVERIFY(!probe.isSet());
        QVERIFY(deadlines.isEmpty());
        deadlines.advance(start + oneRound);
        QCOMPARE(probe.expirations, 0);
        probe.clear();
    }

    void destructor_setDeadline_leavesTheOthers()
    {
        Deadlines deadlines(start);
        Probe before;
        Probe after;
        deadlines.set(before, start + tick);
        {
            Probe gone;
            deadlines.set(gone, start + tick);
            deadlines.set(after, start + tick);
        }
        deadlines.advance(start + 2 * tick);
        QCOMPARE(before.expirations, 1);
        QCOMPARE(after.expirations, 1);
    }

    void expired_destroysOthersOfItsTick_noneOfThemIsTold()
    {
        Deadlines deadlines(start);
        std::vector<std::unique_ptr<Probe>> others;
        Probe first;
        first.onExpired = [&others] { others.clear(); };
        deadlines.set(first, start + tick);
        for (int i = 0; i < 10; ++i) {
            deadlines.set(*others.emplace_back(std::make_unique<Probe>()), start + tick);
            others.back()->onExpired = [] { QFAIL("told though it was destroyed"); };
        }
        Probe last;
        deadlines.set(last, start + tick);
        deadlines.advance(start + 2 * tick);
        QCOMPARE(first.expirations, 1);
        QCOMPARE(last.expirations, 1);
        QVERIFY(deadlines.isEmpty());
    }

    void expired_destroysItself_isSound()
    {
        Deadlines deadlines(start);
        auto probe = std::make_unique<Probe>();
        bool isGone = false;
        probe->onExpired = [&] {
            isGone = true;
            std::exchange(probe, nullptr).reset();
        };
        Probe other;
        deadlines.set(*probe, start + tick);
        deadlines.set(other, start + tick);
        deadlines.advance(start + 2 * tick);
        QVERIFY(isGone);
        QCOMPARE(other.expirations, 1);
    }

    void expired_setsItselfAgain_expiresAgainAtItsTime_data()
    {
        QTest::addColumn<int>("ticks");
        for (const int ticks : {1, 2, 511, 512, 513, 1024})
            QTest::addRow("%d ticks on", ticks) << ticks;
    }
    void expired_setsItselfAgain_expiresAgainAtItsTime()
    {
        QFETCH(int, ticks);
        Deadlines deadlines(start);
        Probe probe;
        TimePoint now = start;
        std::vector<TimePoint> times;
        probe.onExpired = [&] {
            times.push_back(now);
            deadlines.set(probe, now + ticks * tick);
        };
        deadlines.set(probe, start + tick);
        for (int i = 0; i < 5 * (ticks + 1); ++i)
            deadlines.advance(now += tick);
        QCOMPARE(times.size(), std::size_t(5));
        for (std::size_t i = 1; i < times.size(); ++i) {
            const auto late = times[i] - times[i - 1] - ticks * tick;
            QVERIFY(late >= milliseconds(0) && late <= tick);
        }
    }

    void expired_movesAnotherOfItsTick_isObeyed()
    {
        Deadlines deadlines(start);
        Probe mover;
        Probe moved;
        Probe cleared;
        mover.onExpired = [&] {
            deadlines.set(moved, start + 10 * tick);
            cleared.clear();
        };
        deadlines.set(mover, start + tick);
        deadlines.set(moved, start + tick);
        deadlines.set(cleared, start + tick);
        deadlines.advance(start + 2 * tick);
        QCOMPARE(mover.expirations, 1);
        QCOMPARE(moved.expirations, 0);
        deadlines.advance(start + 9 * tick);
        QCOMPARE(moved.expirations, 0);
        deadlines.advance(start + 11 * tick);
        QCOMPARE(moved.expirations, 1);
        QCOMPARE(cleared.expirations, 0);
    }

    void advance_afterALongPause_expiresAllThatIsDueAndNothingElse()
    {
        Deadlines deadlines(start);
        std::vector<std::unique_ptr<Probe>> due;
        for (int i = 0; i < 2000; ++i)
            deadlines.set(*due.emplace_back(std::make_unique<Probe>()), start + i * tick);
        Probe later;
        const TimePoint wakeUp = start + std::chrono::hours(8);
        deadlines.set(later, wakeUp + 5 * tick);
        deadlines.advance(wakeUp);
        for (const auto &probe : due)
            QCOMPARE(probe->expirations, 1);
        QCOMPARE(later.expirations, 0);
        deadlines.advance(wakeUp + 7 * tick);
        QCOMPARE(later.expirations, 1);
    }

    void advance_timeThatStandsStill_doesNothing()
    {
        Deadlines deadlines(start);
        Probe probe;
        deadlines.advance(start + 10 * tick);
        deadlines.set(probe, start + 11 * tick);
        deadlines.advance(start + 10 * tick);
        deadlines.advance(start + 9 * tick);
        QCOMPARE(probe.expirations, 0);
        deadlines.advance(start + 12 * tick);
        QCOMPARE(probe.expirations, 1);
    }

    void set_tenThousandAtRandomAndMoved_allKeepToTheirTime()
    {
        std::mt19937 random(7);
        std::uniform_int_distribution<int> anyTime(0, 100'000);
        Deadlines deadlines(start);
        struct Expected
        {
            Probe probe;
            TimePoint due;
            TimePoint at;
        };
        TimePoint now = start;
        std::vector<std::unique_ptr<Expected>> all;
        for (int i = 0; i < 10'000; ++i) {
            Expected &expected = *all.emplace_back(std::make_unique<Expected>());
            expected.probe.onExpired = [&expected, &now] { expected.at = now; };
            for (int moves = 0; moves <= i % 4; ++moves) {
                expected.due = start + milliseconds(anyTime(random));
                deadlines.set(expected.probe, expected.due);
            }
        }
        while (now < start + milliseconds(101'000))
            deadlines.advance(now += milliseconds(16));
        for (const auto &expected : all) {
            QCOMPARE(expected->probe.expirations, 1);
            QVERIFY(expected->at >= expected->due);
            QVERIFY(expected->at - expected->due <= tick + milliseconds(16));
        }
    }
};

QTEST_GUILESS_MAIN(TestDeadlines)
#include "tst_deadlines.moc"
