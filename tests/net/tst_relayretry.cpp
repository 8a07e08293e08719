// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/retryafter.h"
#include "tests/support/gatewaysetup.h"

#include <QElapsedTimer>
#include <QTest>

#include <thread>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

namespace {

QByteArray answer(int status, const QByteArray &more = {})
{
    return "HTTP/1.1 " + QByteArray::number(status) + " X\r\nContent-Length: 2\r\n" + more
           + "\r\n{}";
}

class RetrySetup : public GatewaySetup
{
public:
    explicit RetrySetup(const QByteArray &config = "{attempts: 3, backoff: 1ms}")
        : GatewaySetup(1)
    {
        apply(yaml() + policyDocument("retry", config));
    }
    /// The provider's side of the next attempt, by whatever connection it comes.
    Message next(TestPeer &peer, const QByteArray &answer)
    {
        Message request = peer.readMessage();
        peer.send(answer);
        return request;
    }
};

} // namespace

/// Further attempts on the wire; the provider that the test plays is the witness.
class TestRelayRetry : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void errorThatPasses_isTriedAgain_withTheSameBytes()
    {
        RetrySetup setup;
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{\"a\":1}", "x-mine: 1\r\n"));
        TestPeer provider = setup.provider.accept();
        const Message first = setup.next(provider, answer(503));
        const Message second = setup.next(provider, answer(429));
        const Message third = setup.next(provider, ok("fine"));
        QCOMPARE(second.head, first.head);
        QCOMPARE(third.head, first.head);
        QCOMPARE(third.body, QByteArray("{\"a\":1}"));
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 200);
        QCOMPARE(got.body, QByteArray("fine"));
        QVERIFY(got.field("x-should-retry").isEmpty());
    }

    void lastAttempt_isPassedOn_andTellsSdksToLeaveItAtThat()
    {
        RetrySetup setup("{attempts: 2, backoff: 1ms}");
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer provider = setup.provider.accept();
        setup.next(provider, answer(529));
        setup.next(provider, answer(529, "retry-after: 7\r\n"));
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 529);
        QCOMPARE(got.field("x-should-retry"), QByteArray("false"));
        QCOMPARE(got.field("retry-after"), QByteArray("7"));
        QCOMPARE(got.body, QByteArray("{}"));
        client.send(get("/p/next"));
        setup.next(provider, ok("next"));
        QCOMPARE(client.readMessage().body, QByteArray("next"));
    }

    void errorThatIsNotListed_isPassedOnAtOnce_data()
    {
        QTest::addColumn<int>("status");
        QTest::newRow("500") << 500;
        QTest::newRow("400") << 400;
        QTest::newRow("200") << 200;
    }
    void errorThatIsNotListed_isPassedOnAtOnce()
    {
        QFETCH(const int, status);
        RetrySetup setup;
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer provider = setup.provider.accept();
        setup.next(provider, answer(status));
        const Message got = client.readMessage();
        QCOMPARE(got.status(), status);
        QVERIFY(got.field("x-should-retry").isEmpty());
    }

    void answerThatHasBegun_isNeverTriedAgain()
    {
        RetrySetup setup;
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        QVERIFY(!client.readUntil("half").isEmpty());
        provider.close();
        QCOMPARE(client.end(), TestPeer::End::Fin);
        QVERIFY(!setup.provider.hasCaller());
    }

    void requestThatMayHaveBeenDone_isNotSentAgain()
    {
        RetrySetup setup;
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.close();
        QCOMPARE(client.readMessage().field("x-gatehouse-reason"), QByteArray("provider:closed"));
        QVERIFY(!setup.provider.hasCaller());
    }

    void retryAfter_isWaitedFor_orPassedOn()
    {
        RetrySetup setup;
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer provider = setup.provider.accept();
        QElapsedTimer timer;
        timer.start();
        setup.next(provider, answer(429, "retry-after-ms: 80\r\n"));
        setup.next(provider, ok("fine"));
        QVERIFY(timer.elapsed() >= 80);
        QCOMPARE(client.readMessage().status(), 200);
        client.send(post("/p/chat", "{}"));
        setup.next(provider, answer(429, "Retry-After: 3600\r\n"));
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 429);
        QCOMPARE(got.field("retry-after"), QByteArray("3600"));
    }

    void providerThatIsNotThere_isTriedAgain_thenSaidSo()
    {
        RetrySetup setup;
        const QByteArray gone = baseUrl(Listener());
        setup.apply(gatewayDocument(1) + providerDocument(gone) + routeDocument()
                    + policyDocument("retry", "{attempts: 3, backoff: 1ms}"));
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        const Message got = client.readMessage();
        QCOMPARE(got.field("x-gatehouse-reason"), QByteArray("provider:connect"));
        QCOMPARE(got.field("x-should-retry"), QByteArray("false"));
    }

    void clientThatGoes_endsTheAttempts()
    {
        RetrySetup setup("{attempts: 10, backoff: 60s}");
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer provider = setup.provider.accept();
        setup.next(provider, answer(503, "retry-after-ms: 20000\r\n"));
        client.reset();
        TestPeer other = setup.client();
        other.send(get("/p/next"));
        setup.next(provider, ok("next"));
        QCOMPARE(other.readMessage().body, QByteArray("next"));
    }

    void budget_keepsAttemptsInProportion()
    {
        net::RetryBudget budget;
        int taken = 0;
        for (int request = 0; request < 1000; ++request) {
            budget.earn();
            while (budget.mayTake()) {
                budget.take();
                ++taken;
            }
        }
        QCOMPARE(taken, 10 + 200 - 1);
    }

    void retryAfterOfHeads_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<qint64>("milliseconds");
        QTest::newRow("none") << QByteArray() << qint64(0);
        QTest::newRow("seconds") << QByteArray("Retry-After: 7\r\n") << qint64(7000);
        QTest::newRow("a fraction") << QByteArray("Retry-After: 0.5\r\n") << qint64(1000);
        QTest::newRow("milliseconds come first")
            << QByteArray("Retry-After: 7\r\nretry-after-ms: 20\r\n") << qint64(20);
        QTest::newRow("date") << QByteArray("Retry-After: Fri, 15 Jan 2027 08:01:00 GMT\r\n")
                              << qint64(60'000);
        QTest::newRow("date in the past")
            << QByteArray("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n") << qint64(0);
        QTest::newRow("negative") << QByteArray("Retry-After: -5\r\n") << qint64(0);
        QTest::newRow("words") << QByteArray("Retry-After: soon\r\n") << qint64(0);
        QTest::newRow("too long") << QByteArray("Retry-After: 99999999999\r\n")
                                  << qint64(86'400'000);
        QTest::newRow("beyond 64 bits")
            << QByteArray("Retry-After: 99999999999999999999\r\n") << qint64(0);
    }
    void retryAfterOfHeads()
    {
        QFETCH(const QByteArray, fields);
        QFETCH(const qint64, milliseconds);
        const std::string text = "HTTP/1.1 429 X\r\n" + fields.toStdString() + "\r\n";
        http::ResponseHead head;
        QVERIFY(http::parseResponseHead(text, "", head));
        const std::chrono::system_clock::time_point now{1'800'000'000s};
        QCOMPARE(qint64(net::retryAfter(head, now).count()), milliseconds);
    }
};

QTEST_GUILESS_MAIN(TestRelayRetry)
#include "tst_relayretry.moc"
