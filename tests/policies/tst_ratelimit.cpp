// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "tests/policies/policytest.h"
#include "tests/policies/translated.h"

#include <QTest>

#include <atomic>
#include <chrono>
#include <thread>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::PolicyTest;
using test::says;
using test::translated;
using Outcome = Pipeline::Outcome;

namespace {

const std::string get = "GET /p/models HTTP/1.1\r\n";

/// What the policies add to a provider's answer.
QByteArray answerFields(PolicyTest &policy)
{
    return policy.respond("");
}

} // namespace

class TestRateLimit : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void limit_reached_refusesTheNextUntilTheWindowIsOver()
    {
        PolicyTest policy("rate-limit", "limits: [{requests: 3, per: 1m}]");
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(policy.outcomeOf(), "pass");
            policy.services.advance(10s);
        }
        QCOMPARE(policy.outcomeOf(), "429 rate-limit");
        QVERIFY(policy.reply.retryable);
        QCOMPARE(policy.replyFields(),
                 "x-ratelimit-limit: 3\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 32\n"
                 "retry-after: 32\n");
        policy.services.advance(31s);
        QCOMPARE(policy.outcomeOf(), "429 rate-limit");
        policy.services.advance(1s);
        QCOMPARE(policy.outcomeOf(), "pass");
        QCOMPARE(policy.outcomeOf(), "429 rate-limit"); // only the first came back
    }

    void answer_ofARequestThatPassed_tellsWhatIsLeft()
    {
        PolicyTest policy("rate-limit", "limits: [{requests: 5, per: 1m}, {requests: 2, per: 1h}]");
        QCOMPARE(policy.outcomeOf(), "pass");
        QCOMPARE(answerFields(policy),
                 "x-ratelimit-limit: 2\nx-ratelimit-remaining: 1\nx-ratelimit-reset: 3713\n");
        PolicyTest quiet("rate-limit", "{limits: [{requests: 1, per: 1m}], exposeHeaders: false}");
        QCOMPARE(quiet.outcomeOf(), "pass");
        QCOMPARE(answerFields(quiet), "");
        QCOMPARE(quiet.outcomeOf(), "429 rate-limit");
        QCOMPARE(quiet.replyFields(), "retry-after: 62\n");
    }

    void limit_ofNone_refusesForGood()
    {
        PolicyTest policy("rate-limit", "limits: [{requests: 0, per: 1m}]");
        QCOMPARE(policy.outcomeOf(), "429 rate-limit");
        QVERIFY(!policy.reply.retryable);
        QVERIFY(!policy.replyFields().contains("retry-after"));
    }

    void key_tellsWhatIsCountedApart_data()
    {
        QTest::addColumn<QByteArray>("key");
        QTest::addColumn<QByteArray>("expected");
        // Requests: client a, client b, a from another address, a on another route, a with X: 1, a with X: 2
        QTest::newRow("client") << QByteArray("client") << QByteArray("pp....");
        QTest::newRow("address") << QByteArray("address") << QByteArray("p.p...");
        QTest::newRow("route") << QByteArray("route") << QByteArray("p..p..");
        QTest::newRow("header") << QByteArray("header:X") << QByteArray("pp..pp");
        QTest::newRow("expression")
            << QByteArray("\"#[attributes.headers['x']]\"") << QByteArray("pp..pp");
        QTest::newRow("global") << QByteArray("global") << QByteArray("p.....");
    }
    void key_tellsWhatIsCountedApart()
    {
        QFETCH(QByteArray, key);
        QFETCH(QByteArray, expected);
        PolicyTest policy("rate-limit",
                          QByteArray("{limits: [{requests: 1, per: 1m}], key: " + key + "}"));
        const ClientEntry a{.name = "a"};
        const ClientEntry b{.name = "b"};
        QByteArray got;
        const auto ask = [&](const QByteArray &fields = {}) {
            got += policy.outcomeOf(fields) == "pass" ? 'p' : '.';
        };
        policy.knownClient = &a;
        ask();
        policy.knownClient = &b;
        ask();
        policy.knownClient = &a;
        policy.peer.address = "10.0.0.9";
        ask();
        policy.peer.address = "127.0.0.1";
        policy.route.name = "other";
        ask();
        policy.route.name = "r";
        ask("X: 1\r\n");
        ask("X: 2\r\n");
        QCOMPARE(got, expected);
    }

    void key_model_countsWhatTheRequestAsksFor()
    {
        PolicyTest policy("rate-limit", "{limits: [{requests: 1, per: 1m}], key: model}");
        policy.route.modelFinder
            = std::make_shared<const ModelFinder>(findDialect("openai")->modelPlaces());
        const std::string post = "POST /p/chat/completions HTTP/1.1\r\n";
        QCOMPARE(policy.send(post, R"({"model": "a"})"), Outcome::Passed);
        QCOMPARE(policy.send(post, R"({"model": "b"})"), Outcome::Passed);
        QCOMPARE(policy.send(post, R"({ "model":"\u0061"})"), Outcome::Refused);
        QCOMPARE(policy.refusal(), std::string("429 rate-limit"));
        QCOMPARE(policy.send(post, R"({"model": "c", "model": "d"})"), Outcome::Refused);
        QCOMPARE(policy.refusal(), std::string("400 request:json"));
    }

    void observed_aboveTheLimit_passesAndIsRecorded()
    {
        PolicyTest policy("rate-limit", "limits: [{requests: 1, per: 1m}]");
        policy.settings.observes = true;
        QCOMPARE(policy.outcomeOf(), "pass");
        QCOMPARE(answerFields(policy), "");
        QCOMPARE(policy.outcomeOf(), "pass");
        QCOMPARE(policy.decision(), "would-refuse");
    }

    void reload_keepsTheCountUnlessWindowsChange()
    {
        PolicyTest policy("rate-limit", "limits: [{requests: 1, per: 1m}]");
        QCOMPARE(policy.outcomeOf(), "pass");
        QVERIFY(policy.make("limits: [{requests: 2, per: 60s}]"));
        QCOMPARE(policy.outcomeOf(), "pass");
        QCOMPARE(policy.outcomeOf(), "429 rate-limit");
        QVERIFY(policy.make("limits: [{requests: 2, per: 2m}]"));
        QCOMPARE(policy.outcomeOf(), "pass");
    }

    void clock_set_changesNothing_data()
    {
        QTest::addColumn<qint64>("seconds");
        QTest::newRow("a day ahead") << qint64(1'800'086'400);
        QTest::newRow("a day back") << qint64(1'799'913'600);
        QTest::newRow("1970") << qint64(0);
        QTest::newRow("2038") << qint64(2'147'483'648);
    }
    void clock_set_changesNothing()
    {
        QFETCH(qint64, seconds);
        PolicyTest policy("rate-limit", "limits: [{requests: 1, per: 1m}]");
        QCOMPARE(policy.outcomeOf(), "pass");
        policy.services.wall = Instant(std::chrono::seconds(seconds));
        QCOMPARE(policy.outcomeOf(), "429 rate-limit");
        policy.services.advance(62s);
        QCOMPARE(policy.outcomeOf(), "pass");
    }

    /// Two workers, one policy: exactly the limit passes of what comes at once.
    void workers_atTheSameTime_passExactlyTheLimit()
    {
        for (const char *algorithm : {"sliding", "fixed"}) {
            PolicyTest policy("rate-limit",
                              QByteArray("{limits: [{requests: 700, per: 1h}], algorithm: "
                                         + QByteArray(algorithm) + "}"));
            QVERIFY(policy.make());
            test::FakeServices services[2];
            std::atomic<int> passed = 0;
            const auto run = [&](test::FakeServices &worker) {
                for (int i = 0; i < 1'000; ++i)
                    passed += policy.start({}, &worker)->isPassed();
            };
            std::thread other([&] { run(services[1]); });
            run(services[0]);
            other.join();
            QCOMPARE(passed.load(), 700);
        }
    }

    void config_thatMakesNoSense_isRefused()
    {
        for (const char *config : {"{}",
                                   "limits: []",
                                   "limits: [{requests: -1, per: 1m}]",
                                   "limits: [{requests: 1, per: 99ms}]",
                                   "limits: [{requests: 1}]",
                                   "{limits: [{requests: 1, per: 1m}], key: user}",
                                   "{limits: [{requests: 1, per: 1m}], key: \"header:\"}",
                                   "{limits: [{requests: 1, per: 1m}], key: \"#[payload]\"}",
                                   "{limits: [{requests: 1, per: 1m}], algorithm: leaky}"}) {
            PolicyTest policy("rate-limit", config);
            QVERIFY2(!policy.make(), config);
        }
    }

    void flex_document_meansTheSame()
    {
        QByteArray problems;
        const QByteArray native = translated(
            "rate-limit",
            "{rateLimits: [{maximumRequests: 3, timePeriodInMilliseconds: 6000}],"
            " keySelector: \"#[attributes.headers['x-api-key']]\", exposeHeaders: true,"
            " clusterizable: false}",
            problems);
        QCOMPARE(problems, "");
        QVERIFY(says(native, "per: 6000ms"));
        PolicyTest policy("rate-limit", native);
        for (int i = 0; i < 3; ++i)
            QCOMPARE(policy.outcomeOf("x-api-key: k\r\n"), "pass");
        QCOMPARE(policy.outcomeOf("x-api-key: k\r\n"), "429 rate-limit");
        QVERIFY(policy.replyFields().contains("x-ratelimit-reset: 600"));
        QCOMPARE(policy.outcomeOf("x-api-key: other\r\n"), "pass");
        policy.services.advance(6'006ms);
        QCOMPARE(policy.outcomeOf("x-api-key: k\r\n"), "pass");
    }

    void flex_whatCannotBe_isRefused()
    {
        QByteArray problems;
        QCOMPARE(translated("rate-limit", "{maximumRequests: 3}", problems), "");
        QVERIFY(problems.contains("rateLimits: must have a limit"));
        QCOMPARE(translated("rate-limit",
                            "{rateLimits: [{maximumRequests: 3, timePeriodInMilliseconds: 6000}],"
                            " keySelector: \"#[payload.user]\"}",
                            problems),
                 "");
        QVERIFY(problems.contains("keySelector: must be"));
    }
};

QTEST_APPLESS_MAIN(TestRateLimit)
#include "tst_ratelimit.moc"
