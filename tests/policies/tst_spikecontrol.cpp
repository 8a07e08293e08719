// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policytest.h"
#include "tests/policies/translated.h"

#include <QTest>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::PolicyTest;
using test::TestRequest;

namespace {

using Requests = std::vector<std::unique_ptr<TestRequest>>;

Requests burst(PolicyTest &policy, int size)
{
    Requests requests;
    for (int i = 0; i < size; ++i)
        requests.push_back(policy.start({}));
    return requests;
}

qsizetype passedOf(const Requests &requests)
{
    return std::ranges::count_if(requests, &TestRequest::isPassed);
}

} // namespace

class TestSpikeControl : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void burst_ofTenTimesTheRate_goesAtTheRateAndNothingIsLost()
    {
        PolicyTest policy("spike-control",
                          "{requests: 10, per: 1s, queue: 90, delay: 1s, attempts: 9}");
        const Requests requests = burst(policy, 100);
        QCOMPARE(passedOf(requests), 10);
        QVERIFY(std::ranges::none_of(requests, &TestRequest::isRefused));
        for (int second = 1; second <= 9; ++second) {
            policy.services.advance(1s);
            QCOMPARE(passedOf(requests), 10 + 10 * second);
        }
        policy.services.advance(100ms);
        QCOMPARE(policy.outcomeOf(), "pass");
        QCOMPARE(policy.outcomeOf(), "paused");
    }

    void queue_full_refusesTheNext()
    {
        PolicyTest policy("spike-control", "{requests: 1, per: 1s, queue: 2, delay: 10s}");
        const Requests requests = burst(policy, 4);
        QVERIFY(requests[0]->isPassed());
        QVERIFY(requests[1]->isPaused() && requests[2]->isPaused());
        QCOMPARE(requests[3]->result(), "429 spike-control");
        QVERIFY(requests[3]->reply.retryable);
        QCOMPARE(requests[3]->replyFields(), "retry-after: 1\n");
        policy.services.advance(1s);
        QVERIFY(requests[1]->isPassed() && requests[2]->isPaused());
        QCOMPARE(policy.outcomeOf(), "paused"); // its place is free
    }

    void wait_longerThanTheAttempts_refusesAtOnce()
    {
        PolicyTest policy("spike-control",
                          "{requests: 1, per: 1s, queue: 50, delay: 500ms, attempts: 4}");
        const Requests requests = burst(policy, 4);
        QVERIFY(requests[2]->isPaused());
        QCOMPARE(requests[3]->result(), "429 spike-control");
    }

    void client_gone_leavesItsPlace()
    {
        PolicyTest policy("spike-control", "{requests: 1, per: 1s, queue: 1, delay: 10s}");
        Requests requests = burst(policy, 2);
        QVERIFY(requests[1]->isPaused());
        QCOMPARE(policy.outcomeOf(), "429 spike-control");
        requests.clear();
        QCOMPARE(policy.outcomeOf(), "paused");
        policy.services.advance(10s); // the timer of the one that is gone does nothing
        QVERIFY(policy.isPassed());
    }

    void queue_none_refusesAtOnce()
    {
        PolicyTest policy("spike-control", "{requests: 2, per: 1s}");
        const Requests requests = burst(policy, 3);
        QCOMPARE(passedOf(requests), 2);
        QCOMPARE(requests[2]->result(), "429 spike-control");
    }

    void observed_holdsNothing()
    {
        PolicyTest policy("spike-control", "{requests: 1, per: 1s, queue: 5}");
        policy.settings.observes = true;
        const Requests requests = burst(policy, 3);
        QCOMPARE(passedOf(requests), 3);
        QCOMPARE(requests[2]->decision(), "would-refuse");
    }

    void reload_keepsTheRate()
    {
        PolicyTest policy("spike-control", "{requests: 1, per: 1s}");
        QCOMPARE(policy.outcomeOf(), "pass");
        QVERIFY(policy.make("{requests: 1, per: 1s, queue: 3, delay: 2s}"));
        QCOMPARE(policy.outcomeOf(), "paused");
    }

    void config_thatMakesNoSense_isRefused()
    {
        for (const char *config : {"requests: 0", "per: 0ms", "attempts: 0", "queue: -1"}) {
            PolicyTest policy("spike-control", config);
            QVERIFY2(!policy.make(), config);
        }
    }

    void flex_document_meansTheSame()
    {
        QByteArray problems;
        const QByteArray native
            = test::translated("spike-control",
                               "{maximumRequests: 10, timePeriodInMilliseconds: 1000,"
                               " delayTimeInMillis: 1000, delayAttempts: 1, queuingLimit: 5}",
                               problems);
        QCOMPARE(problems, "");
        PolicyTest policy("spike-control", native);
        const Requests requests = burst(policy, 16);
        QCOMPARE(passedOf(requests), 10);
        QCOMPARE(requests[15]->result(), "429 spike-control");
        policy.services.advance(500ms);
        QCOMPARE(passedOf(requests), 15);
    }
};

QTEST_APPLESS_MAIN(TestSpikeControl)
#include "tst_spikecontrol.moc"
