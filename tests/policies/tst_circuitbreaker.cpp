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
        if (isPassed()) {
            exchange.setProvider(provider);
            exchange.beginAttempt(services.now());
            if (status != 0)
                exchange.noteAnswer(status, services.now());
            if (error)
                exchange.noteFailure(*error, services.now());
        }
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
