// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QTest>

#include <thread>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

QByteArray answer(int status, const QByteArray &more = {})
{
    return "HTTP/1.1 " + QByteArray::number(status) + " X\r\nContent-Length: 2\r\n" + more
           + "\r\n{}";
}

/// A route to the provider p, and to q where p cannot answer; each with a credential and a path of its own.
class FallbackSetup : public GatewaySetup
{
public:
    explicit FallbackSetup(const QByteArray &policies = {})
        : GatewaySetup(1)
    {
        maker.write("p.key", "sk-of-p");
        maker.write("q.key", "sk-of-q");
        use(baseUrl(provider) + "/one", policies, ", credential: 'file:q.key'");
    }
    void use(const QByteArray &first, const QByteArray &policies, const QByteArray &credentialOfQ)
    {
        apply(gatewayDocument(1) + providerDocument(first, ", credential: 'file:p.key'")
              + providerDocument(baseUrl(other) + "/two", credentialOfQ, "q")
              + routeDocument("/p", ", public: true, fallbacks: [q]") + policies);
    }
    Message next(TestPeer &peer, const QByteArray &answer)
    {
        Message request = peer.readMessage();
        peer.send(answer);
        return request;
    }

    Listener other;
};

} // namespace

/// Providers that stand in for one another; those that the test plays are the witnesses.
class TestRelayFallback : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void errorThatPasses_goesToTheNext_withItsCredentialAndPath_data()
    {
        QTest::addColumn<int>("status");
        for (const int status : {429, 502, 503, 504, 529})
            QTest::addRow("%d", status) << status;
    }
    void errorThatPasses_goesToTheNext_withItsCredentialAndPath()
    {
        QFETCH(const int, status);
        FallbackSetup setup;
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{\"a\":1}", "x-mine: 1\r\n"));
        TestPeer p = setup.provider.accept();
        // Whoever else can answer is asked at once.
        const Message first = setup.next(p, answer(status, "Retry-After: 3600\r\n"));
        QVERIFY(first.head.startsWith("POST /one/chat "));
        QVERIFY(first.head.contains("sk-of-p"));
        TestPeer q = setup.other.accept();
        const Message second = setup.next(q, ok("fine"));
        QVERIFY(second.head.startsWith("POST /two/chat "));
        QVERIFY(second.head.contains("sk-of-q"));
        QVERIFY(!second.head.contains("sk-of-p"));
        QCOMPARE(second.field("host"), baseUrl(setup.other).mid(7));
        QCOMPARE(second.field("x-mine"), QByteArray("1"));
        QCOMPARE(second.body, QByteArray("{\"a\":1}"));
        const Message got = client.readMessage();
        QCOMPARE(got.body, QByteArray("fine"));
        QVERIFY(got.field("x-should-retry").isEmpty());
    }

    void clientsOwnCredential_staysWithTheFirst()
    {
        FallbackSetup setup;
        setup.apply(gatewayDocument(1) + providerDocument(baseUrl(setup.provider))
                    + providerDocument(baseUrl(setup.other), ", credential: none", "q")
                    + routeDocument("/p", ", public: true, fallbacks: [q]"));
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}", "Authorization: Bearer sk-mine\r\n"));
        TestPeer p = setup.provider.accept();
        QVERIFY(setup.next(p, answer(503)).head.contains("sk-mine"));
        TestPeer q = setup.other.accept();
        QVERIFY(!setup.next(q, ok("fine")).head.contains("sk-mine"));
        QCOMPARE(client.readMessage().status(), 200);
    }

    void providerThatIsNotThere_isPassedOver()
    {
        FallbackSetup setup;
        setup.use(baseUrl(Listener()), {}, ", credential: 'file:q.key'");
        for (int i = 0; i < 20; ++i) { // all, not one in five: another provider has not failed
            TestPeer client = setup.client();
            client.send(post("/p/chat", "{}"));
            TestPeer q = setup.other.accept();
            setup.next(q, ok("fine", "Connection: close\r\n"));
            QCOMPARE(client.readMessage().status(), 200);
        }
    }

    void lastFailure_isPassedOn_andTellsSdksToLeaveItAtThat()
    {
        FallbackSetup setup;
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer p = setup.provider.accept();
        setup.next(p, answer(503));
        TestPeer q = setup.other.accept();
        setup.next(q, answer(529, "retry-after: 7\r\n"));
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 529);
        QCOMPARE(got.field("x-should-retry"), QByteArray("false"));
        QCOMPARE(got.field("retry-after"), QByteArray("7"));
    }

    void requestThatMayHaveBeenDone_goesNowhereElse_data()
    {
        QTest::addColumn<QByteArray>("answer");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("500") << answer(500);
        QTest::newRow("400") << answer(400);
        QTest::newRow("cut") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    }
    void requestThatMayHaveBeenDone_goesNowhereElse()
    {
        QFETCH(const QByteArray, answer);
        FallbackSetup setup;
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer p = setup.provider.accept();
        setup.next(p, answer);
        p.close();
        QVERIFY(!client.readUntil("\r\n\r\n").isEmpty());
        QVERIFY(!setup.other.hasCaller());
    }

    void longRequest_goesToTheNextWhole_timeAndAgain()
    {
        // More in all than is kept at once of all requests: each makes room for those after it.
        const QByteArray body(20 << 20, 'x');
        FallbackSetup setup;
        TestPeer client = setup.client();
        for (int i = 0; i < 8; ++i) {
            const std::jthread sending([&] { client.send(post("/p/chat", body)); });
            TestPeer p = setup.provider.accept();
            QVERIFY(setup.next(p, answer(503, "Connection: close\r\n")).body == body);
            TestPeer q = setup.other.accept();
            QVERIFY(setup.next(q, ok("fine", "Connection: close\r\n")).body == body);
            QCOMPARE(client.readMessage().body, QByteArray("fine"));
        }
    }

    void tooLongRequest_goesNowhereElse()
    {
        const QByteArray body(33 << 20, 'x');
        FallbackSetup setup;
        TestPeer client = setup.client();
        const std::jthread sending([&] { client.send(post("/p/chat", body)); });
        TestPeer p = setup.provider.accept();
        QVERIFY(setup.next(p, answer(503)).body == body);
        QCOMPARE(client.readMessage().status(), 503);
        QVERIFY(!setup.other.hasCaller());
    }

    void retryPolicy_saysHowOften()
    {
        FallbackSetup setup(policyDocument("retry", "{attempts: 3, backoff: 1ms}"));
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer p = setup.provider.accept();
        setup.next(p, answer(503));
        TestPeer q = setup.other.accept();
        const Message second = setup.next(q, answer(503));
        const Message third = setup.next(q, ok("fine")); // who was asked last
        QCOMPARE(third.head, second.head);
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }

    void nothingThatWasDone_isNotCounted()
    {
        FallbackSetup setup;
        setup.apply(
            gatewayDocument(1) + providerDocument(baseUrl(setup.provider), ", credential: none")
            + providerDocument(baseUrl(Listener()), ", credential: none", "q")
            + routeDocument("/p", ", public: true, fallbacks: [q]")
            + policyDocument("token-limit", "{limits: [{tokens: 100, per: 1h}], count: output}"));
        for (int i = 0; i < 3; ++i) {
            TestPeer client = setup.client();
            client.send(
                post("/p/chat/completions", R"({"model":"m","max_tokens":60,"messages":[]})"));
            TestPeer p = setup.provider.accept();
            setup.next(p, answer(503, "Connection: close\r\n"));
            QCOMPARE(client.readMessage().status(), 502); // q is not there
        }
    }

    void openBreaker_sendsToTheFallback()
    {
        FallbackSetup setup(policyDocument("circuit-breaker", "{minRequests: 1}"));
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer p = setup.provider.accept();
        setup.next(p, answer(500));
        QCOMPARE(client.readMessage().status(), 500);
        client.send(post("/p/chat", "{}"));
        TestPeer q = setup.other.accept();
        setup.next(q, ok("fine"));
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }
};

QTEST_GUILESS_MAIN(TestRelayFallback)
#include "tst_relayfallback.moc"
