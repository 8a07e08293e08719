// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/calendarwindow.h"
#include "gateway/quota/keptcounters.h"
#include "gateway/quota/windowset.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <thread>

#include <unistd.h>

using namespace gatehouse::quota;
using namespace std::chrono_literals;

namespace {

using Wall = std::chrono::system_clock::time_point;

const Time start{1000h};
const Wall wall{1'800'000'000s};

std::shared_ptr<CounterFile>
opened(const QString &path, Time now = start, Wall at = wall, std::string_view shape = "shape")
{
    auto file = CounterFile::open(
        path.toStdString(), WindowSet::bytesFor(WindowKind::Sliding, 1), shape, now, at);
    return file ? std::move(*file) : nullptr;
}

KeptCounters<WindowSet>
countersIn(std::shared_ptr<CounterFile> file, Time now = start, Wall at = wall)
{
    return KeptCounters<WindowSet>(
        48h,
        std::move(file),
        [](std::byte *memory) {
            return std::make_unique<WindowSet>(WindowKind::Sliding, 1, memory);
        },
        now,
        at);
}

/// How many of \a wanted are granted of 100 a day.
int granted(KeptCounters<WindowSet> &counters,
            std::string_view key,
            int wanted,
            Time now = start,
            Wall at = wall)
{
    const auto limits = std::to_array<Limit>({{100, 24h}});
    int count = 0;
    for (int i = 0; i < wanted; ++i)
        count += counters.use(key, now, at, [&](WindowSet &windows, Time time) {
            WindowSet::Grants grants;
            return windows.take(1, limits, time, grants).isGranted ? 1 : 0;
        });
    return count;
}

} // namespace

class TestCounterFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void counts_outliveTheProcess()
    {
        const QString path = m_dir.filePath(QStringLiteral("a"));
        {
            auto counters = countersIn(opened(path));
            QCOMPARE(granted(counters, "x", 60), 60);
            QCOMPARE(granted(counters, "y", 150), 100);
        }
        auto counters = countersIn(opened(path));
        QCOMPARE(granted(counters, "x", 60), 40);
        QCOMPARE(granted(counters, "y", 1), 0);
        QCOMPARE(granted(counters, "z", 200), 100);
        // A day and a thirty-second of it later.
        QCOMPARE(granted(counters, "y", 1, start + 25h, wall + 25h), 1);
    }

    void manyKeys_areFoundAgain()
    {
        const QString path = m_dir.filePath(QStringLiteral("many"));
        {
            auto counters = countersIn(opened(path));
            for (int i = 0; i < 20'000; ++i)
                QCOMPARE(granted(counters, std::to_string(i), 100), 100);
        }
        auto counters = countersIn(opened(path));
        for (int i = 0; i < 20'000; ++i)
            QCOMPARE(granted(counters, std::to_string(i), 1), 0);
    }

    void otherBoot_goesOnByTheWallClock_data()
    {
        QTest::addColumn<int>("hours");
        QTest::addColumn<int>("left");
        QTest::newRow("an hour") << 1 << 0;
        QTest::newRow("a day and an hour") << 25 << 100;
        QTest::newRow("set back by a year") << -8760 << 0;
    }
    void otherBoot_goesOnByTheWallClock()
    {
        QFETCH(const int, hours);
        QFETCH(const int, left);
        const QString path = m_dir.filePath(QStringLiteral("boot%1").arg(hours));
        {
            auto counters = countersIn(opened(path));
            QCOMPARE(granted(counters, "x", 100), 100);
        }
        forgetBoot(path);
        const Time booted{5s}; // the steady clock began again
        const Wall later = wall + std::chrono::hours(hours);
        auto counters = countersIn(opened(path, booted, later), booted, later);
        QCOMPARE(granted(counters, "x", 200, booted, later), left);
    }

    void otherShape_isBegunAnew()
    {
        const QString path = m_dir.filePath(QStringLiteral("shape"));
        {
            auto counters = countersIn(opened(path));
            QCOMPARE(granted(counters, "x", 100), 100);
        }
        auto counters = countersIn(opened(path, start, wall, "another"));
        QCOMPARE(granted(counters, "x", 100), 100);
        QVERIFY(QFile::exists(path + QStringLiteral(".broken")));
    }

    void brokenFile_isBegunAnew_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("one byte") << QByteArray("x");
        QTest::newRow("zeros") << QByteArray(10'000, '\0');
        QTest::newRow("text") << QByteArray(10'000, 'x');
    }
    void brokenFile_isBegunAnew()
    {
        QFETCH(const QByteArray, bytes);
        const QString path = m_dir.filePath(QStringLiteral("broken"));
        QFile::remove(path);
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(bytes);
        file.setPermissions(QFile::ReadOwner | QFile::WriteOwner);
        file.close();
        auto counters = countersIn(opened(path));
        QCOMPARE(granted(counters, "x", 101), 100);
    }

    void anotherProcess_isToldSo()
    {
        const QString path = m_dir.filePath(QStringLiteral("locked"));
        const auto first = opened(path);
        QVERIFY(first);
        const auto second = CounterFile::open(path.toStdString(), 8, "shape", start, wall);
        QVERIFY(!second);
        QVERIFY(QByteArray::fromStdString(second.error()).contains("another gateway"));
    }

    void fileThatOthersMayRead_isRefused()
    {
        const QString path = m_dir.filePath(QStringLiteral("open"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ReadOther);
        file.close();
        QVERIFY(!opened(path));
        QFile::link(path, path + QStringLiteral("link"));
        QVERIFY(!opened(path + QStringLiteral("link")));
    }

    void killedProcess_hasCountedWhatItGranted()
    {
#ifdef __SANITIZE_THREAD__
        QSKIP("ThreadSanitizer knows no threads after a fork");
#endif
        const QString path = m_dir.filePath(QStringLiteral("killed"));
        int total = 0;
        for (int round = 0; round < 20; ++round) {
            int ends[2];
            QCOMPARE(::pipe(ends), 0);
            const pid_t child = ::fork();
            if (child == 0) {
                ::close(ends[0]);
                auto counters = countersIn(opened(path));
                const auto run = [&] {
                    for (;;) {
                        const char c = 'g';
                        if (granted(counters, "x", 1) == 1 && ::write(ends[1], &c, 1) != 1)
                            ::_exit(1);
                        ::usleep(50);
                    }
                };
                std::thread other(run);
                run();
            }
            ::close(ends[1]);
            char bytes[4];
            // Killed in the midst of it, when some were granted, or when none are left.
            const ssize_t got = round < 15 ? ::read(ends[0], bytes, sizeof bytes) : 0;
            if (round >= 15)
                ::usleep(20'000);
            ::kill(child, SIGKILL);
            ::waitpid(child, nullptr, 0);
            total += static_cast<int>(got);
            char rest[256];
            for (ssize_t more = 0; (more = ::read(ends[0], rest, sizeof rest)) > 0;)
                total += static_cast<int>(more);
            ::close(ends[0]);
        }
        QVERIFY2(total <= 100, qPrintable(QString::number(total)));
        QVERIFY2(total >= 100 - 2 * 20, qPrintable(QString::number(total)));
    }

    void calendarSet_livesInGivenMemory()
    {
        alignas(8) std::array<std::byte, 16> memory{};
        QCOMPARE(CalendarSet::bytesFor(2), memory.size());
        const auto limits = std::to_array<CalendarSet::Limit>({{100, 5}, {50, 0}});
        {
            CalendarSet set(2, memory.data());
            CalendarSet::Grants grants;
            QVERIFY(set.take(40, limits, grants).isGranted);
        }
        CalendarSet set(2, memory.data());
        CalendarSet::Grants grants;
        QVERIFY(!set.take(11, limits, grants).isGranted);
        QVERIFY(set.take(10, limits, grants).isGranted);
    }

private:
    /// As after a boot: the id that the file has is another one's.
    static void forgetBoot(const QString &path)
    {
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadWrite));
        file.seek(8 + 8 + 512);
        file.write("another-boot");
    }

    QTemporaryDir m_dir;
};

QTEST_APPLESS_MAIN(TestCounterFile)
#include "tst_counterfile.moc"
