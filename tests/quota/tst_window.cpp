// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/pacer.h"
#include "gateway/quota/siphash.h"
#include "gateway/quota/window.h"
#include "gateway/quota/windowset.h"

#include <QRandomGenerator>
#include <QTest>

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

using namespace gatehouse::quota;
using namespace std::chrono_literals;

namespace {

const Time start{1000h};

/// What each of two threads was granted, one each time, until the clock is at the end.
template<typename Window>
std::int64_t grantsOfThreads(Window &window, const Limit &limit, Time from, Time to, Duration step)
{
    std::atomic<std::int64_t> granted = 0;
    const auto run = [&] {
        for (Time now = from; now < to; now += step) {
            if (window.take(1, limit, now).isGranted)
                ++granted;
        }
    };
    std::thread other(run);
    run();
    other.join();
    return granted;
}

} // namespace

class TestWindow : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sliding_atTheLimit_grantsNoMore()
    {
        SlidingWindow window;
        const Limit limit{3, 1min};
        for (int i = 1; i <= 3; ++i) {
            const Grant grant = window.take(1, limit, start + i * 1s);
            QVERIFY(grant.isGranted);
            QCOMPARE(grant.used, std::int64_t(i));
        }
        QVERIFY(!window.take(1, limit, start + 4s).isGranted);
        QVERIFY(!window.take(1, limit, start + 1s + 1min).isGranted); // the first is just within
        const auto wait = window.waitFor(1, limit, start + 4s);
        QVERIFY(wait && *wait <= 57s + 1min / 32 + 1s);
        QVERIFY(!window.take(1, limit, start + 4s + *wait - 1ns).isGranted);
        QVERIFY(window.take(1, limit, start + 4s + *wait).isGranted);
        QVERIFY(!window.take(4, limit, start + 1h).isGranted);
        QVERIFY(!window.waitFor(4, limit, start));
        QVERIFY(window.take(3, limit, start + 1h).isGranted);
    }

    /// Against the plain list of all grants: never more than the limit in any stretch of the window, and
    /// nothing refused that the last window and a part of it had room for.
    void sliding_anyTimes_keepsTheLimitInEveryStretch()
    {
        QRandomGenerator random(1);
        for (int round = 0; round < 200; ++round) {
            SlidingWindow window;
            const Limit limit{random.bounded(1, 20), Duration(random.bounded(1, 5'000'000))};
            std::deque<Time> granted;
            Time now = start + Duration(random.bounded(1'000'000'000));
            for (int i = 0; i < 2'000; ++i) {
                const qint64 longest = limit.per.count() / (1 + random.bounded(40));
                now += Duration(random.bounded(longest + 1));
                const auto since = [&](Duration length) {
                    return std::ranges::count_if(granted,
                                                 [&](Time at) { return at > now - length; });
                };
                const bool hasRoom
                    = since(limit.per + limit.per / 32 + Duration(33)) < limit.amount;
                if (window.take(1, limit, now).isGranted) {
                    granted.push_back(now);
                    QVERIFY(since(limit.per) <= limit.amount);
                } else {
                    QVERIFY(!hasRoom);
                }
            }
        }
    }

    void sliding_idleForAges_startsAnew()
    {
        SlidingWindow window;
        const Limit limit{2, 1s};
        QVERIFY(window.take(2, limit, start).isGranted);
        for (const Duration pause : {Duration(100h), Duration(3000h), Duration(9000h)}) {
            QVERIFY(window.take(2, limit, start + pause).isGranted);
            QVERIFY(!window.take(1, limit, start + pause).isGranted);
            window.reset();
        }
    }

    void sliding_givenBack_isFree()
    {
        SlidingWindow window;
        const Limit limit{10, 1min};
        const Grant grant = window.take(8, limit, start);
        QVERIFY(!window.take(3, limit, start).isGranted);
        window.giveBack(grant, 5);
        QCOMPARE(window.used(), std::int64_t(3));
        QVERIFY(window.take(7, limit, start).isGranted);
        // Too old: it came back by itself.
        QVERIFY(window.take(10, limit, start + 2min).isGranted);
        window.giveBack(grant, 3);
        QCOMPARE(window.used(), std::int64_t(10));
    }

    void sliding_added_countsOverTheLimit()
    {
        SlidingWindow window;
        const Limit limit{10, 1min};
        window.add(25, limit, start);
        QVERIFY(!window.take(1, limit, start).isGranted);
        QCOMPARE(window.used(), std::int64_t(25));
        QVERIFY(window.take(1, limit, start + 62s).isGranted);
    }

    void sliding_ofThreads_grantsExactlyTheLimit()
    {
        SlidingWindow window;
        const Limit limit{5'000, 1h};
        QCOMPARE(grantsOfThreads(window, limit, start, start + 20ms, 1us), 5'000);
    }

    /// Parts are emptied and counted by both: whatever comes of it, the sum fits the parts in the end.
    void sliding_ofThreadsOverManyWindows_keepsItsSum()
    {
        SlidingWindow window;
        const Limit limit{100, 1ms};
        const auto granted = grantsOfThreads(window, limit, start, start + 300ms, 3us);
        QVERIFY(granted > 20'000);
        QVERIFY2(granted <= 100 * 2 * 301, qPrintable(QString::number(granted)));
        (void)window.take(0, limit, start + 1s);
        QCOMPARE(window.used(), std::int64_t(0));
    }

    void fixed_window_endsAndBeginsWithARequest()
    {
        FixedWindow window;
        const Limit limit{2, 10s};
        QVERIFY(window.take(1, limit, start + 3s).isGranted);
        QVERIFY(window.take(1, limit, start + 12s).isGranted);
        QVERIFY(!window.take(1, limit, start + 12s).isGranted);
        const Duration left = window.left(limit, start + 12s);
        QVERIFY(left > 1s && left <= 1s + 10ms);
        QVERIFY(!window.take(1, limit, start + 13s).isGranted);
        QVERIFY(window.take(2, limit, start + 12s + left).isGranted);
        QCOMPARE(window.used(limit, start + 12s + left), std::int64_t(2));
        QCOMPARE(window.used(limit, start + 1min), std::int64_t(0));
        QCOMPARE(window.left(limit, start + 1min), Duration::zero());
    }

    void fixed_ofThreads_grantsExactlyTheLimit()
    {
        FixedWindow window;
        QCOMPARE(grantsOfThreads(window, {5'000, 1h}, start, start + 20ms, 1us), 5'000);
    }

    void fixed_givenBack_isFree()
    {
        FixedWindow window;
        const Limit limit{2, 10s};
        const Grant grant = window.take(2, limit, start);
        window.giveBack(grant, 1);
        QVERIFY(window.take(1, limit, start).isGranted);
        QVERIFY(!window.take(1, limit, start).isGranted);
        QVERIFY(window.take(2, limit, start + 11s).isGranted);
        window.giveBack(grant, 2); // of the window before
        QCOMPARE(window.used(limit, start + 11s), std::int64_t(2));
    }

    void set_ofLimits_grantsAllOrNothing_data()
    {
        QTest::addColumn<WindowKind>("kind");
        QTest::newRow("sliding") << WindowKind::Sliding;
        QTest::newRow("fixed") << WindowKind::Fixed;
    }
    void set_ofLimits_grantsAllOrNothing()
    {
        QFETCH(WindowKind, kind);
        WindowSet windows(kind, 2);
        const std::vector<Limit> limits{{10, 1s}, {3, 1h}};
        WindowSet::Grants grants;
        for (std::int64_t left = 2; left >= 0; --left) {
            const Standing standing = windows.take(1, limits, start, grants);
            QVERIFY(standing.isGranted);
            QCOMPARE(standing.limit, std::size_t(1));
            QCOMPARE(standing.remaining, std::int64_t(left));
            QVERIFY(standing.wait > 59min);
        }
        for (int i = 0; i < 20; ++i) {
            const Standing refused = windows.take(1, limits, start, grants);
            QVERIFY(!refused.isGranted);
            QCOMPARE(refused.limit, std::size_t(1));
            QCOMPARE(refused.remaining, std::int64_t(0));
        }
        // The refused ones left nothing in the first window: 7 of its 10 are free.
        const std::vector<Limit> raised{{10, 1s}, {100, 1h}};
        QVERIFY(!windows.take(8, raised, start, grants).isGranted);
        QVERIFY(windows.take(7, raised, start, grants).isGranted);
        windows.giveBack(7, grants);
        QVERIFY(windows.take(7, raised, start, grants).isGranted);
        windows.reset();
        QVERIFY(windows.take(3, limits, start, grants).isGranted);
        QVERIFY(!windows.take(200, raised, start, grants).wait);
    }

    void pacer_burst_goesAtTheRate()
    {
        Pacer pacer;
        const Limit limit{10, 1s};
        for (int i = 0; i < 10; ++i)
            QCOMPARE(*pacer.take(limit, 0s, start), Duration::zero());
        QVERIFY(!pacer.take(limit, 99ms, start));
        for (int i = 1; i <= 90; ++i)
            QCOMPARE(*pacer.take(limit, 10s, start), Duration(i * 100ms));
        QVERIFY(!pacer.take(limit, 9s, start));
        QCOMPARE(*pacer.take(limit, 0s, start + 9'100ms), Duration::zero());
        QCOMPARE(*pacer.take(limit, 0s, start + 1h), Duration::zero());
    }

    void pacer_ofThreads_givesEachItsTurn()
    {
        Pacer pacer;
        const Limit limit{1, 1us};
        std::vector<Duration> turns[2];
        const auto run = [&](std::vector<Duration> &mine) {
            for (int i = 0; i < 20'000; ++i)
                mine.push_back(*pacer.take(limit, 1h, start));
        };
        std::thread other([&] { run(turns[1]); });
        run(turns[0]);
        other.join();
        turns[0].insert(turns[0].end(), turns[1].begin(), turns[1].end());
        std::ranges::sort(turns[0]);
        for (int i = 0; i < 40'000; ++i)
            QCOMPARE(turns[0][static_cast<std::size_t>(i)], Duration(i * 1us));
    }

    /// From the reference's vectors: key 00 01 … 0f, input 00 01 … of that length.
    void sipHash_knownInputs_areAsPublished()
    {
        const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
        std::string input;
        QVERIFY((sipHash(input, key) == Hash128{0xe6a825ba047f81a3, 0x930255c71472f66d}));
        input.push_back('\0');
        QVERIFY((sipHash(input, key) == Hash128{0x44af996bd8c187da, 0x45fc229b11597634}));
    }
};

QTEST_APPLESS_MAIN(TestWindow)
#include "tst_window.moc"
