// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policytest.h"
#include "tests/policies/translated.h"

#include <QTest>

#include <chrono>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::PolicyTest;

/// What the policy asks of the exchange; that the gateway does it is in tests/net/tst_policies.
class TestTimeout : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void limits_areThoseOfTheConfig()
    {
        PolicyTest policy("timeout", "{firstByte: 60s, idle: 30s}");
        QCOMPARE(policy.outcomeOf(), "pass");
        QVERIFY(policy.exchange.timeLimit(Wait::Connect) == 10s);
        QVERIFY(policy.exchange.timeLimit(Wait::FirstByte) == 60s);
        QVERIFY(policy.exchange.timeLimit(Wait::Idle) == 30s);
        QVERIFY(!policy.exchange.timeLimit(Wait::Total));
        QVERIFY(policy.exchange.timedOut(Wait::Total) == nullptr);
        const Reply *refusal = policy.exchange.timedOut(Wait::Idle);
        QVERIFY(refusal != nullptr && refusal->status == 504 && refusal->retryable);
        QCOMPARE(refusal->reason, std::string("timeout:idle"));
        QCOMPARE(policy.decision(), "refuse");
    }

    void exchange_next_hasNone()
    {
        PolicyTest policy("timeout", "total: 1s");
        QCOMPARE(policy.outcomeOf(), "pass");
        QVERIFY(policy.exchange.timeLimit(Wait::Total) == 1s);
        policy.exchange.end();
        QVERIFY(!policy.exchange.timeLimit(Wait::Total));
        QVERIFY(!policy.exchange.observesTimes());
    }

    void observed_waitTooLong_isRecordedOnce()
    {
        PolicyTest policy("timeout", "idle: 1s");
        policy.settings.observes = true;
        QCOMPARE(policy.outcomeOf(), "pass");
        QVERIFY(!policy.exchange.timeLimit(Wait::Idle));
        QVERIFY(policy.exchange.timedOut(Wait::Idle) == nullptr);
        QVERIFY(policy.exchange.observesTimes());
        policy.exchange.checkObservedTime(Wait::Idle, 1s);
        QCOMPARE(policy.decision(), "pass");
        policy.exchange.checkObservedTime(Wait::Idle, 1s + 1ns);
        QCOMPARE(policy.decision(), "would-refuse");
        const std::size_t decisions = policy.exchange.decisions().size();
        policy.exchange.checkObservedTime(Wait::Idle, 1h);
        QCOMPARE(policy.exchange.decisions().size(), decisions);
    }

    void config_thatMakesNoSense_isRefused()
    {
        for (const char *config : {"connect: 0ms", "idle: 25h", "total: -1s", "first: 1s"}) {
            PolicyTest policy("timeout", config);
            QVERIFY2(!policy.make(), config);
        }
    }

    void flex_document_meansTheSame()
    {
        QByteArray problems;
        PolicyTest policy("timeout", test::translated("timeout", "timeout: 20", problems));
        QCOMPARE(problems, "");
        QCOMPARE(policy.outcomeOf(), "pass");
        QVERIFY(policy.exchange.timeLimit(Wait::FirstByte) == 20s);
    }
};

QTEST_APPLESS_MAIN(TestTimeout)
#include "tst_timeout.moc"
