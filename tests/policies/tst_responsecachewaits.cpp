// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/cachetest.h"

#include <QTest>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

class TestResponseCacheWaits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sameAtOnce_waitForTheFirst_overWorkers()
    {
        CacheTest cache;
        FakeServices other;
        const auto first = cache.another();
        QCOMPARE(first->result(), "pass");
        std::vector<std::unique_ptr<TestRequest>> waiting;
        for (int i = 0; i < 10; ++i)
            waiting.push_back(cache.another(i % 2 == 0 ? nullptr : &other));
        for (const auto &request : waiting)
            QVERIFY(request->isPaused());
        cache.knownClient = &ben;
        const auto stranger = cache.another();
        QCOMPARE(stranger->result(), "pass"); // nor does another client wait
        CacheTest::give(*first);
        for (const auto &request : waiting)
            QVERIFY(request->isPaused()); // until their worker has its turn
        cache.services.run();
        other.run();
        for (const auto &request : waiting)
            QCOMPARE(request->result(), hit);
    }

    void firstFails_oneOthersTurn_data()
    {
        QTest::addColumn<int>("how");
        QTest::newRow("an error") << 0;
        QTest::newRow("cut") << 1;
        QTest::newRow("no answer, its client is gone") << 2;
        QTest::newRow("must not be kept") << 3;
        QTest::newRow("too long") << 4;
    }
    void firstFails_oneOthersTurn()
    {
        QFETCH(const int, how);
        CacheTest cache("{maxBytes: 64KiB}");
        FakeServices other;
        const auto first = cache.another();
        const auto second = cache.another(&other);
        const auto third = cache.another();
        if (how == 0)
            CacheTest::give(
                *first, jsonType, "{}", {.isSent = true, .status = 500, .isWhole = true});
        else if (how == 1)
            CacheTest::give(*first, jsonType, "{}", {.isSent = true, .status = 200});
        else if (how == 2)
            first->exchange.end();
        else if (how == 3)
            CacheTest::give(*first, jsonType + "Set-Cookie: a=b\r\n");
        else
            CacheTest::give(*first, jsonType, std::string(9000, ' '));
        cache.services.run();
        other.run();
        QCOMPARE(second->result(), "pass");
        QVERIFY(third->isPaused());
        CacheTest::give(*second);
        cache.services.run();
        QCOMPARE(third->result(), hit);
    }

    void tooOldToKeep_itsTurnIsPassedOn_atTheHead()
    {
        CacheTest cache;
        const auto first = cache.another();
        const auto second = cache.another();
        first->exchange.answerSoFar().status = 200;
        (void)first->respond(jsonType + "Cache-Control: no-store\r\n");
        cache.services.run();
        QCOMPARE(second->result(), "pass"); // long before the first one's end
    }

    void waiterIsGone_theNextOneHasTheTurn()
    {
        CacheTest cache;
        FakeServices other;
        const auto first = cache.another();
        const auto second = cache.another(&other);
        const auto third = cache.another();
        const auto fourth = cache.another();
        third->exchange.end(); // before
        first->exchange.end();
        second->exchange.end(); // while it is told
        QVERIFY(fourth->isPaused());
        other.run();
        cache.services.run();
        QCOMPARE(fourth->result(), "pass");
        CacheTest::give(*fourth);
        QCOMPARE(cache.another()->result(), hit);
    }

    void longWait_goesItsOwnWay()
    {
        CacheTest cache;
        const auto first = cache.another();
        const auto second = cache.another();
        QCOMPARE(second->exchange.longestPause(), std::optional<std::chrono::milliseconds>(10min));
        cache.services.advance(5min - 1ms);
        QVERIFY(second->isPaused());
        cache.services.advance(1ms);
        QCOMPARE(second->result(), "pass");
        CacheTest::give(*second);
        const auto third = cache.another();
        QVERIFY(third->isPaused()); // the second had nothing to do with the cache any more
        CacheTest::give(*first);
        cache.services.run();
        QCOMPARE(third->result(), hit);
    }

    void noCache_doesNotWait()
    {
        CacheTest cache;
        const auto first = cache.another();
        const auto second = cache.start("Cache-Control: no-cache\r\n", nullptr, question);
        QCOMPARE(second->result(), "pass");
        const auto third = cache.another();
        CacheTest::give(*second);
        cache.services.run();
        QVERIFY(third->isPaused()); // for the first one
        QCOMPARE(cache.another()->result(), hit);
        first->exchange.end();
        cache.services.run();
        QCOMPARE(third->result(), "pass");
    }
};

QTEST_GUILESS_MAIN(TestResponseCacheWaits)
#include "tst_responsecachewaits.moc"
