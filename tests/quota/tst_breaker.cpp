// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/breaker.h"

#include <QTest>

#include <atomic>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using gatehouse::quota::Breaker;
using gatehouse::quota::Time;

namespace {

constexpr Breaker::Setting setting{
    .failureRate = 0.5, .minRequests = 4, .window = 10s, .open = 15s};
const Time start = Time{} + 1000s;

void fail(Breaker &breaker, int times, Time now)
{
    for (int i = 0; i < times; ++i)
        breaker.record(setting, true, now);
}

} // namespace

class TestBreaker : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void enoughFailures_openIt_data()
    {
        QTest::addColumn<int>("good");
        QTest::addColumn<int>("failed");
        QTest::addColumn<bool>("opens");
        QTest::newRow("too few requests") << 0 << 3 << false;
        QTest::newRow("as many as it needs") << 0 << 4 << true;
        QTest::newRow("just the rate") << 4 << 4 << true;
        QTest::newRow("just below the rate") << 5 << 4 << false;
    }
    void enoughFailures_openIt()
    {
        QFETCH(const int, good);
        QFETCH(const int, failed);
        QFETCH(const bool, opens);
        Breaker breaker;
        for (int i = 0; i < good; ++i)
            breaker.record(setting, false, start);
        fail(breaker, failed, start);
        QCOMPARE(breaker.isClosed(), !opens);
    }

    void failuresOutsideTheWindow_areForgotten()
    {
        Breaker breaker;
        fail(breaker, 3, start);
        fail(breaker, 3, start + 10s);
        QVERIFY(breaker.isClosed());
        fail(breaker, 1, start + 19s);
        QVERIFY(!breaker.isClosed());
    }

    void halfOpen_letsOneProbeThrough()
    {
        Breaker breaker;
        fail(breaker, 4, start);
        QVERIFY(breaker.admit(start).way == Breaker::Way::Open);
        QVERIFY(breaker.admit(start).wait == 15s);
        QVERIFY(breaker.admit(start + 15s - 1ns).way == Breaker::Way::Open);
        QVERIFY(breaker.admit(start + 15s).way == Breaker::Way::Probe);
        QVERIFY(breaker.admit(start + 15s).way == Breaker::Way::Open);
    }

    void probe_decides()
    {
        Breaker breaker;
        fail(breaker, 4, start);
        QVERIFY(breaker.admit(start + 15s).way == Breaker::Way::Probe);
        breaker.endProbe(setting, std::nullopt, start + 16s); // nothing came of it
        QVERIFY(breaker.admit(start + 16s).way == Breaker::Way::Probe);
        breaker.endProbe(setting, true, start + 16s);
        QVERIFY(breaker.admit(start + 31s - 1ns).way == Breaker::Way::Open);
        QVERIFY(breaker.admit(start + 31s).way == Breaker::Way::Probe);
        breaker.endProbe(setting, false, start + 31s);
        QVERIFY(breaker.admit(start + 31s).way == Breaker::Way::Closed);
        fail(breaker, 3, start + 31s); // begins anew
        QVERIFY(breaker.isClosed());
    }

    void lateResults_sayNothing_whileItIsOpen()
    {
        Breaker breaker;
        fail(breaker, 4, start);
        fail(breaker, 100, start + 14s);
        QVERIFY(breaker.admit(start + 15s).way == Breaker::Way::Probe);
    }

    void threads_getOneProbe()
    {
        Breaker breaker;
        fail(breaker, 4, start);
        std::atomic<int> probes = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                for (int j = 0; j < 1000; ++j)
                    probes += breaker.admit(start + 15s).way == Breaker::Way::Probe ? 1 : 0;
            });
        }
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(probes.load(), 1);
    }
};

QTEST_APPLESS_MAIN(TestBreaker)
#include "tst_breaker.moc"
