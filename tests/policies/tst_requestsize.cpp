// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policytest.h"

#include <QTest>

using namespace gatehouse;
using test::PolicyTest;
using Outcome = Pipeline::Outcome;

namespace {

const std::string post = "POST /p/chat/completions HTTP/1.1\r\n";

} // namespace

class TestRequestSize : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void body_atTheLimit_passes()
    {
        PolicyTest policy("request-size", "max: 10");
        QCOMPARE(policy.send(post, std::string(10, 'x')), Outcome::Passed);
        QCOMPARE(policy.send(post, std::string(11, 'x')), Outcome::Refused);
        QCOMPARE(policy.refusal(), std::string("413 request-size"));
        QVERIFY(!policy.reply.retryable);
        QVERIFY(QString::fromStdString(policy.reply.message).contains(QLatin1String("10")));
        QCOMPARE(policy.send("GET /p/models HTTP/1.1\r\n"), Outcome::Passed);
    }

    void body_withoutItsLength_isRefusedWhenItCrosses()
    {
        PolicyTest policy("request-size", "max: 3");
        QCOMPARE(policy.send(post + "Transfer-Encoding: chunked\r\nX-Content-Length: 9\r\n"),
                 Outcome::Passed);
        for (std::uint64_t size = 0; size <= 3; ++size)
            QVERIFY(policy.exchange.checkBodySize(size) == nullptr);
        const Reply *refusal = policy.exchange.checkBodySize(4);
        QVERIFY(refusal != nullptr);
        QCOMPARE(refusal->status, 413);
    }

    void body_isNotGathered()
    {
        PolicyTest policy("request-size");
        QCOMPARE(policy.send(post, "{}"), Outcome::Passed);
        QVERIFY(policy.exchange.body().isEmpty());
    }

    void limit_default_is32MiB()
    {
        PolicyTest policy("request-size");
        QCOMPARE(policy.send(post + "Transfer-Encoding: chunked\r\nX-Content-Length: 9\r\n"),
                 Outcome::Passed);
        constexpr std::uint64_t limit = std::uint64_t{32} << 20;
        QVERIFY(policy.exchange.checkBodySize(limit) == nullptr);
        QVERIFY(policy.exchange.checkBodySize(limit + 1) != nullptr);
    }

    void limit_ofNothing_letsRequestsWithoutABodyPass()
    {
        PolicyTest policy("request-size", "max: 0");
        QCOMPARE(policy.send("GET /p/models HTTP/1.1\r\n"), Outcome::Passed);
        QCOMPARE(policy.send(post, "x"), Outcome::Refused);
    }

    void observed_longBody_passesAndIsRecorded()
    {
        PolicyTest policy("request-size", "max: 1");
        policy.settings.observes = true;
        QCOMPARE(policy.send(post, "xx"), Outcome::Passed);
        const auto &decisions = policy.exchange.decisions();
        QVERIFY(std::ranges::any_of(decisions, [](const Decision &decision) {
            return decision.kind == Decision::Kind::WouldRefuse
                   && decision.detail == "request-size";
        }));
    }

    void config_thatIsNoSize_isRefused()
    {
        for (const char *config : {"max: -1", "max: many", "max: 10 MB", "maximum: 1"}) {
            PolicyTest policy("request-size", config);
            QVERIFY2(!policy.make(), config);
        }
    }
};

QTEST_APPLESS_MAIN(TestRequestSize)
#include "tst_requestsize.moc"
