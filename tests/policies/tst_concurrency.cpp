// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policytest.h"

#include <QTest>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::FakeServices;
using test::PolicyTest;
using test::TestRequest;

class TestConcurrency : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void seats_full_refuseUntilOneIsFree()
    {
        PolicyTest policy("concurrency", "max: 2");
        auto first = policy.start({});
        const auto second = policy.start({});
        QVERIFY(first->isPassed() && second->isPassed());
        QCOMPARE(policy.outcomeOf(), "429 concurrency");
        QVERIFY(policy.reply.retryable);
        QCOMPARE(policy.replyFields(), "retry-after: 1\n");
        first.reset();
        QCOMPARE(policy.outcomeOf(), "pass");
        QCOMPARE(policy.start({})->result(), "429 concurrency");
    }

    void seats_areCountedByKey()
    {
        PolicyTest policy("concurrency", "{max: 1, key: \"header:x-team\"}");
        const auto a = policy.start("x-team: a\r\n");
        const auto b = policy.start("x-team: b\r\n");
        QVERIFY(a->isPassed() && b->isPassed());
        QCOMPARE(policy.outcomeOf("x-team: a\r\n"), "429 concurrency");
    }

    void queue_isServedInOrder()
    {
        PolicyTest policy("concurrency", "{max: 1, queue: 2, queueTimeout: 5s}");
        auto first = policy.start({});
        auto second = policy.start({});
        auto third = policy.start({});
        QVERIFY(second->isPaused() && third->isPaused());
        QCOMPARE(policy.outcomeOf(), "429 concurrency");
        first.reset();
        policy.services.run();
        QVERIFY(second->isPassed() && third->isPaused());
        second.reset();
        policy.services.run();
        QVERIFY(third->isPassed());
        policy.services.advance(1h); // no timer of theirs does anything any more
        QVERIFY(third->isPassed());
    }

    void queue_waitTooLong_is503AndTheSeatGoesToTheNext()
    {
        PolicyTest policy("concurrency", "{max: 1, queue: 2, queueTimeout: 5s}");
        auto first = policy.start({});
        const auto second = policy.start({});
        policy.services.advance(3s);
        const auto third = policy.start({});
        policy.services.advance(2s);
        QCOMPARE(second->result(), "503 concurrency:queue");
        QVERIFY(third->isPaused());
        first.reset();
        policy.services.run();
        QVERIFY(third->isPassed());
    }

    void client_gone_leavesTheQueue()
    {
        PolicyTest policy("concurrency", "{max: 1, queue: 1, queueTimeout: 5s}");
        auto first = policy.start({});
        auto second = policy.start({});
        QVERIFY(second->isPaused());
        second.reset();
        const auto third = policy.start({});
        QVERIFY(third->isPaused());
        first.reset();
        policy.services.run();
        QVERIFY(third->isPassed());
    }

    /// Its seat is under way to another worker when the client goes.
    void client_gone_whileItsSeatComes_passesItOn()
    {
        PolicyTest policy("concurrency", "{max: 1, queue: 5, queueTimeout: 5s}");
        FakeServices other;
        auto first = policy.start({});
        auto second = policy.start({}, &other);
        const auto third = policy.start({});
        first.reset(); // posted to the other worker
        QVERIFY(second->isPaused());
        second.reset();
        QVERIFY(third->isPaused());
        other.run();
        policy.services.run();
        QVERIFY(third->isPassed());
    }

    /// The time to wait is over when the seat is under way already.
    void timeout_whileItsSeatComes_isTooLate()
    {
        PolicyTest policy("concurrency", "{max: 1, queue: 5, queueTimeout: 5s}");
        FakeServices other;
        auto first = policy.start({});
        const auto second = policy.start({}, &other);
        first.reset();
        other.advance(5s); // the timer first, then what was posted
        QVERIFY(second->isPassed());
    }

    void refusal_byALaterPolicy_freesTheSeat()
    {
        PolicyTest policy("concurrency", "max: 1");
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(policy.outcomeOf(), "pass");
            policy.exchange.end();
        }
    }

    void observed_full_passesWithoutASeat()
    {
        PolicyTest policy("concurrency", "{max: 1, queue: 5}");
        policy.settings.observes = true;
        auto first = policy.start({});
        const auto second = policy.start({});
        QVERIFY(second->isPassed());
        QCOMPARE(second->decision(), "would-refuse");
        first.reset();
        const auto third = policy.start({});
        QCOMPARE(third->decision(), "pass");
    }

    void reload_keepsTheSeats()
    {
        PolicyTest policy("concurrency", "max: 1");
        auto first = policy.start({});
        QVERIFY(policy.make("max: 2"));
        auto second = policy.start({});
        QVERIFY(second->isPassed());
        QCOMPARE(policy.outcomeOf(), "429 concurrency");
        first.reset();
        second.reset();
        QCOMPARE(policy.outcomeOf(), "pass");
    }

    void workers_atTheSameTime_areNeverTooMany()
    {
        PolicyTest policy("concurrency", "max: 3");
        QVERIFY(policy.make());
        std::atomic<int> passed = 0;
        std::atomic<int> now = 0;
        std::atomic<int> most = 0;
        const auto run = [&](FakeServices &worker) {
            for (int i = 0; i < 2'000; ++i) {
                std::vector<std::unique_ptr<TestRequest>> requests;
                for (int j = 0; j < 3; ++j) {
                    requests.push_back(policy.start({}, &worker));
                    if (!requests.back()->isPassed())
                        continue;
                    ++passed;
                    const int held = ++now;
                    if (held > most)
                        most = held;
                }
                now -= static_cast<int>(std::ranges::count_if(requests, &TestRequest::isPassed));
            }
        };
        FakeServices services[2];
        std::thread other([&] { run(services[1]); });
        run(services[0]);
        other.join();
        QVERIFY(most.load() <= 3);
        QVERIFY(passed.load() >= 6'000);
        const auto after = policy.start({});
        QVERIFY(after->isPassed());
    }

    void config_thatMakesNoSense_isRefused()
    {
        for (const char *config : {"{}",
                                   "max: 0",
                                   "{max: 1, queue: -1}",
                                   "{max: 1, queueTimeout: 0ms}",
                                   "{max: 1, key: x}"}) {
            PolicyTest policy("concurrency", config);
            QVERIFY2(!policy.make(), config);
        }
    }
};

QTEST_APPLESS_MAIN(TestConcurrency)
#include "tst_concurrency.moc"
