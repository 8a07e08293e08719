// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policytest.h"

#include <QTest>

#include <chrono>
#include <optional>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::PolicyTest;

namespace {

class CircuitBreaker : public PolicyTest
{
public:
    explicit CircuitBreaker(std::vector<std::string> providers = {"a"})
        : PolicyTest("circuit-breaker", "{minRequests: 2, window: 10s, open: 15s}")
    {
        route.providerNames = std::move(providers);
    }
    /// What becomes of a request whose attempt at \a provider ends so; status 0 and no error: the client
    /// goes before.
    QByteArray ask(std::string_view provider, int status, std::optional<ErrorCode> error = {})
    {
        send("POST /p/v1 HTTP/1.1\r\n");
        const QByteArray said = result();
        if (isPassed())
            attempt(provider, status, error);
        finish({});
        return said;
    }
};

} // namespace

class TestCircuitBreaker : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void failure_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<int>("error");
        QTest::addColumn<bool>("counts");
        const auto code = [](ErrorCode error) { return static_cast<int>(error); };
        QTest::newRow("500") << 500 << -1 << true;
        QTest::newRow("529") << 529 << -1 << true;
        QTest::newRow("499") << 499 << -1 << false;
        QTest::newRow("429") << 429 << -1 << false;
        QTest::newRow("200") << 200 << -1 << false;
        QTest::newRow("no connection") << 0 << code(ErrorCode::ProviderUnreachable) << true;
        QTest::newRow("cut") << 200 << code(ErrorCode::ProviderClosed) << true;
        QTest::newRow("client gone") << 0 << -1 << false;
    }
    void failure()
    {
        QFETCH(const int, status);
        QFETCH(const int, error);
        QFETCH(const bool, counts);
        CircuitBreaker breaker;
        for (int i = 0; i < 4; ++i)
            breaker.ask("a",
                        status,
                        error < 0 ? std::nullopt : std::optional(static_cast<ErrorCode>(error)));
        QCOMPARE(breaker.ask("a", 200), counts ? "503 circuit-breaker" : "pass");
    }

    void refusal_saysForHowLong()
    {
        CircuitBreaker breaker;
        breaker.ask("a", 500);
        breaker.ask("a", 500);
        QCOMPARE(breaker.ask("a", 200), "503 circuit-breaker");
        QCOMPARE(breaker.replyFields(), "retry-after: 15\n");
        QVERIFY(breaker.reply.retryable);
        breaker.services.advance(15s);
        QCOMPARE(breaker.ask("a", 200), "pass"); // the probe
        QCOMPARE(breaker.ask("a", 200), "pass");
    }

    void probeWhoseClientGoes_isFollowedByAnother()
    {
        CircuitBreaker breaker;
        breaker.ask("a", 500);
        breaker.ask("a", 500);
        breaker.services.advance(15s);
        QCOMPARE(breaker.ask("a", 0), "pass");
        QCOMPARE(breaker.ask("a", 500), "pass"); // which opens it again
        QCOMPARE(breaker.ask("a", 200), "503 circuit-breaker");
    }

    void results_countBeforeTheAnswersEnd()
    {
        CircuitBreaker breaker;
        std::vector<std::unique_ptr<test::TestRequest>> streams;
        for (const int status : {500, 500}) {
            streams.push_back(breaker.start({}));
            streams.back()->attempt("a", status);
        }
        QCOMPARE(breaker.ask("a", 200), "503 circuit-breaker");
        breaker.services.advance(15s);
        const auto probe = breaker.start({});
        QCOMPARE(breaker.ask("a", 200), "503 circuit-breaker"); // one at a time
        probe->attempt("a", 200);
        // It streams on, and others are let through.
        QCOMPARE(breaker.ask("a", 200), "pass");
        QCOMPARE(breaker.ask("a", 200), "pass");
    }

    void oneOfSeveral_isProbedThoughTheOtherIsWell()
    {
        CircuitBreaker breaker({"a", "b"});
        breaker.route.optionCount = 2;
        breaker.ask("b", 500);
        breaker.ask("b", 500);
        breaker.services.advance(15s);
        breaker.send("POST /p/v1 HTTP/1.1\r\n");
        QVERIFY(breaker.exchange.isPreferred("b"));
        QVERIFY(!breaker.exchange.isAvoided("b"));
        const auto second = breaker.start({});
        QVERIFY(second->exchange.isAvoided("b"));
        QVERIFY(!second->exchange.isPreferred("b"));
        // The first goes to a all the same, for its model: another is the probe.
        breaker.attempt("a", 200);
        breaker.finish({});
        breaker.send("POST /p/v1 HTTP/1.1\r\n");
        QVERIFY(breaker.exchange.isPreferred("b"));
        breaker.finish({});
    }

    void fallback_isAskedInstead()
    {
        CircuitBreaker breaker({"a", "b"});
        breaker.ask("a", 500);
        breaker.ask("a", 500);
        breaker.send("POST /p/v1 HTTP/1.1\r\n");
        QVERIFY(breaker.isPassed());
        QVERIFY(breaker.exchange.isAvoided("a"));
        QVERIFY(!breaker.exchange.isAvoided("b"));
        breaker.finish({});
        breaker.ask("b", 500);
        breaker.ask("b", 500);
        QCOMPARE(breaker.ask("b", 200), "503 circuit-breaker");
    }

    void observing_refusesNothing_andAvoidsNobody()
    {
        CircuitBreaker breaker({"a", "b"});
        QVERIFY(breaker.make("{minRequests: 2, window: 10s, open: 15s}", true));
        breaker.ask("a", 500);
        breaker.ask("a", 500);
        breaker.send("POST /p/v1 HTTP/1.1\r\n");
        QVERIFY(breaker.isPassed());
        QVERIFY(!breaker.exchange.isAvoided("a"));
        breaker.finish({});
    }

    void reload_keepsWhatIsKnown()
    {
        CircuitBreaker breaker;
        breaker.ask("a", 500);
        breaker.ask("a", 500);
        QVERIFY(breaker.make("{minRequests: 50}"));
        QCOMPARE(breaker.ask("a", 200), "503 circuit-breaker");
    }
};

QTEST_APPLESS_MAIN(TestCircuitBreaker)
#include "tst_circuitbreaker.moc"
