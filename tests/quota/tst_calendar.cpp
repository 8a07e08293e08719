// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/calendar.h"

#include <QDateTime>
#include <QTest>

#include <atomic>
#include <chrono>
#include <thread>

using namespace gatehouse::quota;
using namespace std::chrono_literals;

namespace {

WallTime wallTime(const QString &text)
{
    return WallTime(
        std::chrono::seconds(QDateTime::fromString(text, Qt::ISODate).toSecsSinceEpoch()));
}

} // namespace

class TestCalendar : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    static void windows_followTheZone_data()
    {
        QTest::addColumn<QByteArray>("zone");
        QTest::addColumn<int>("period");
        QTest::addColumn<QString>("at");
        QTest::addColumn<QString>("begin");
        QTest::addColumn<QString>("end");
        const auto row = [](const char *name,
                            const char *zone,
                            Period period,
                            const char *at,
                            const char *begin,
                            const char *end) {
            QTest::newRow(name) << QByteArray(zone) << static_cast<int>(period)
                                << QString::fromLatin1(at) << QString::fromLatin1(begin)
                                << QString::fromLatin1(end);
        };
        row("day",
            "UTC",
            Period::Day,
            "2026-11-24T12:00:00Z",
            "2026-11-24T00:00:00Z",
            "2026-11-25T00:00:00Z");
        row("first second",
            "UTC",
            Period::Day,
            "2026-11-24T00:00:00Z",
            "2026-11-24T00:00:00Z",
            "2026-11-25T00:00:00Z");
        row("last second",
            "UTC",
            Period::Day,
            "2026-11-24T23:59:59Z",
            "2026-11-24T00:00:00Z",
            "2026-11-25T00:00:00Z");
        row("day elsewhere",
            "America/Los_Angeles",
            Period::Day,
            "2026-11-24T07:59:59Z",
            "2026-11-23T08:00:00Z",
            "2026-11-24T08:00:00Z");
        row("23 hours",
            "Europe/Berlin",
            Period::Day,
            "2026-03-29T12:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z");
        row("25 hours",
            "Europe/Berlin",
            Period::Day,
            "2026-10-25T12:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z");
        row("week",
            "UTC",
            Period::Week,
            "2026-11-29T23:59:59Z",
            "2026-11-23T00:00:00Z",
            "2026-11-30T00:00:00Z");
        row("month",
            "UTC",
            Period::Month,
            "2026-12-31T23:59:59Z",
            "2026-12-01T00:00:00Z",
            "2027-01-01T00:00:00Z");
        row("leap year",
            "UTC",
            Period::Month,
            "2028-02-29T12:00:00Z",
            "2028-02-01T00:00:00Z",
            "2028-03-01T00:00:00Z");
    }
    static void windows_followTheZone()
    {
        QFETCH(const QByteArray, zone);
        QFETCH(const int, period);
        QFETCH(const QString, at);
        QFETCH(const QString, begin);
        QFETCH(const QString, end);
        const Calendar calendar(zone.toStdString());
        const auto kind = static_cast<Period>(period);
        const Calendar::Span span = calendar.at(kind, wallTime(at));
        QCOMPARE(span.begin.time_since_epoch().count(), wallTime(begin).time_since_epoch().count());
        QCOMPARE(span.end.time_since_epoch().count(), wallTime(end).time_since_epoch().count());
        QCOMPARE(calendar.at(kind, span.end - 1s).number, span.number);
        QCOMPARE(calendar.at(kind, span.end).number, span.number + 1);
        QCOMPARE(calendar.at(kind, span.begin - 1s).number, span.number - 1);
    }

    static void total_isOne()
    {
        const Calendar calendar("local");
        QCOMPARE(
            calendar.at(Period::Total, wallTime(QStringLiteral("2026-11-24T12:00:00Z"))).number,
            calendar.at(Period::Total, WallTime(-5s)).number);
    }

    static void threads_readOneWindow()
    {
        const Calendar calendar("UTC");
        const WallTime from = wallTime(QStringLiteral("2026-01-01T00:00:00Z"));
        std::atomic<int> wrong = 0;
        const auto run = [&] {
            for (int i = 0; i < 200'000; ++i) {
                const WallTime now = from + std::chrono::hours(i % 2000);
                const Calendar::Span span = calendar.at(Period::Day, now);
                if (now < span.begin || now >= span.end
                    || span.begin != from + std::chrono::hours(i % 2000 / 24 * 24))
                    ++wrong;
            }
        };
        std::thread other(run);
        run();
        other.join();
        QCOMPARE(wrong.load(), 0);
    }

    static void window_movesOnlyOn()
    {
        CalendarWindow window;
        QVERIFY(window.take(60, 100, 10).isGranted);
        QVERIFY(!window.take(41, 100, 10).isGranted);
        QVERIFY(window.take(40, 100, 10).isGranted);
        QVERIFY(!window.take(1, 100, 9).isGranted); // set back: the same window
        const Grant next = window.take(100, 100, 11);
        QVERIFY(next.isGranted);
        QVERIFY(!window.take(1, 100, 10).isGranted);
        QVERIFY(!window.take(1, 100, 5).isGranted); // put right: what is counted stays
        QVERIFY(!window.take(1, 100, 5).isGranted);
        QVERIFY(window.take(100, 100, 6).isGranted);
        window.giveBack(next, 100); // of another window
        QCOMPARE(window.used(6), std::int64_t(100));
    }

    static void window_countsBeyondTheLimit_andGivesBack()
    {
        CalendarWindow window;
        const Grant grant = window.take(50, 100, 3);
        window.add(70, 3);
        QCOMPARE(window.used(3), std::int64_t(120));
        window.giveBack(grant, 50);
        QCOMPARE(window.used(3), std::int64_t(70));
        window.giveBack(grant, 500);
        QCOMPARE(window.used(3), std::int64_t(0));
        window.add(largestAmount, 3);
        window.add(largestAmount, 3);
        QCOMPARE(window.used(3), largestAmount);
        QCOMPARE(window.used(4), std::int64_t(0));
    }

    static void threads_takeExactlyTheLimit()
    {
        CalendarSet set(2);
        const auto limits = std::to_array<CalendarSet::Limit>({{1'000'000, 5}, {30'000, 6}});
        std::atomic<std::int64_t> granted = 0;
        const auto run = [&] {
            for (int i = 0; i < 30'000; ++i) {
                CalendarSet::Grants grants;
                if (!set.take(3, limits, grants).isGranted)
                    continue;
                if (i % 3 == 0)
                    set.giveBack(3, grants);
                else
                    granted += 3;
            }
        };
        std::thread other(run);
        run();
        other.join();
        QCOMPARE(granted.load(), std::int64_t(30'000));
    }

    static void heldClock_believesAfterTenMinutes()
    {
        HeldClock clock;
        std::chrono::system_clock::time_point wall{1'800'000'000s};
        Time steady{100h};
        const WallTime begin = clock.now(wall, steady);
        wall += 24h;
        QCOMPARE((clock.now(wall, steady) - begin).count(), 0);
        for (int minute = 1; minute < 10; ++minute) {
            QCOMPARE((clock.now(wall + std::chrono::minutes(minute),
                                steady + std::chrono::minutes(minute))
                      - begin)
                         .count(),
                     minute * 60);
        }
        QCOMPARE((clock.now(wall + 10min, steady + 10min) - begin).count(), 24 * 3600 + 600);
    }

    static void heldClock_setToAndFro_isNotBelieved()
    {
        HeldClock clock;
        const std::chrono::system_clock::time_point wall{1'800'000'000s};
        Time steady{100h};
        const WallTime begin = clock.now(wall, steady);
        for (int i = 0; i < 100; ++i) {
            steady += 5min;
            const auto real = wall + std::chrono::minutes(5 * (i + 1));
            const WallTime now = clock.now(i % 2 == 0 ? real + 24h : real - 24h, steady);
            QCOMPARE((now - begin).count(), 300 * (i + 1));
        }
    }

    static void heldClock_followsSmallCorrections()
    {
        HeldClock clock;
        const std::chrono::system_clock::time_point wall{1'800'000'000s};
        const Time steady{100h};
        const WallTime begin = clock.now(wall, steady);
        QCOMPARE((clock.now(wall + 90s, steady) - begin).count(), 90);
        QCOMPARE((clock.now(wall + 30s, steady) - begin).count(), 30);
    }
};

QTEST_APPLESS_MAIN(TestCalendar)
#include "tst_calendar.moc"
