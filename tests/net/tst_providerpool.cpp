// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

/// One exchange before, so that the connection to the provider is a kept-alive one.
bool warmUp(TestPeer &client, TestPeer &provider, const Listener &listener)
{
    client.send(get("/p/first"));
    provider = listener.accept();
    provider.readMessage();
    provider.send(ok("first"));
    return client.readMessage().body == "first";
}

} // namespace

class TestProviderPool : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<unsigned>("workers");
        QTest::newRow("one worker") << 1U;
        QTest::newRow("three workers") << 3U;
    }

    void keptAlive_nextRequests_useTheSameConnection()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        TestPeer provider;
        QVERIFY(warmUp(client, provider, setup.provider));
        for (int i = 0; i < 20; ++i) {
            const QByteArray body = payload(i * 1000);
            client.send(post("/p/x", body));
            QVERIFY(provider.readMessage().body == body);
            provider.send(i % 2 == 0 ? ok(body) : chunkedHead + chunk("x" + body) + lastChunk);
            QVERIFY(client.readMessage().body.endsWith(body));
        }
        QVERIFY(!setup.provider.hasCaller());
    }

    void answer_thatRulesOutReuse_isFollowedByANewConnection_data()
    {
        QTest::addColumn<QByteArray>("answer");
        QTest::newRow("Connection: close") << ok("x", "Connection: close\r\n");
        QTest::newRow("HTTP/1.0") << ok("x").replace("HTTP/1.1", "HTTP/1.0");
        QTest::newRow("bytes behind it") << ok("x") + "HTTP/1.1 200 OK\r\n";
        QTest::newRow("bytes behind the last chunk") << chunkedHead + chunk("x") + lastChunk + "x";
    }
    void answer_thatRulesOutReuse_isFollowedByANewConnection()
    {
        QFETCH_GLOBAL(unsigned, workers);
        QFETCH(QByteArray, answer);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(answer);
        QCOMPARE(client.readMessage().body, QByteArray("x"));
        QVERIFY(provider.end() != TestPeer::End::TimedOut);
        client.send(get("/p/y"));
        provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().firstLine(), QByteArray("GET /y HTTP/1.1"));
    }

    void idle_closedOrWrittenToByTheProvider_isNotUsed_data()
    {
        QTest::addColumn<QByteArray>("unasked");
        QTest::newRow("closed") << QByteArray();
        QTest::newRow("a timeout answer before it closes")
            << QByteArray("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    }
    void idle_closedOrWrittenToByTheProvider_isNotUsed()
    {
        QFETCH_GLOBAL(unsigned, workers);
        QFETCH(QByteArray, unasked);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        TestPeer provider;
        QVERIFY(warmUp(client, provider, setup.provider));
        provider.send(unasked);
        provider.shutdownWrite();
        client.send(post("/p/x", "body")); // not even a POST notices
        TestPeer next = setup.provider.accept();
        QCOMPARE(next.readMessage().body, QByteArray("body"));
        next.send(ok("fine"));
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
        QVERIFY(provider.readToEnd().isEmpty());
    }

    void stale_requestThatMayRepeat_isSentOnceMore_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<bool>("byReset");
        for (const bool byReset : {false, true}) {
            const char *how = byReset ? "reset" : "FIN";
            const QByteArray key = "Idempotency-Key: 1\r\n";
            QTest::addRow("GET, %s", how) << get("/p/x") << byReset;
            QTest::addRow("POST with its key, %s", how) << post("/p/x", "body", key) << byReset;
            QTest::addRow("large POST with its key, %s", how)
                << post("/p/x", payload(100'000), key) << byReset;
        }
    }
    void stale_requestThatMayRepeat_isSentOnceMore()
    {
        QFETCH_GLOBAL(unsigned, workers);
        QFETCH(QByteArray, request);
        QFETCH(bool, byReset);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        TestPeer provider;
        QVERIFY(warmUp(client, provider, setup.provider));
        client.send(request);
        const Message first = provider.readMessage();
        QVERIFY(!first.head.isEmpty());
        if (byReset)
            provider.reset();
        else
            provider.close();
        TestPeer next = setup.provider.accept();
        const Message again = next.readMessage();
        QCOMPARE(again.head, first.head);
        QVERIFY(again.body == first.body);
        next.send(ok("fine"));
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }

    void stale_secondTryFailsToo_is502()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        TestPeer provider;
        QVERIFY(warmUp(client, provider, setup.provider));
        client.send(get("/p/x"));
        for (int tries = 0; tries < 2; ++tries) {
            provider.readMessage();
            provider.close();
            if (tries == 0)
                provider = setup.provider.accept();
        }
        QCOMPARE(client.readMessage().status(), 502);
        QVERIFY(!setup.provider.hasCaller());
    }

    void stale_requestThatMustNotRepeat_is502_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::newRow("POST") << post("/p/x", "body");
        QTest::newRow("POST without a body") << post("/p/x", "");
        QTest::newRow("PUT") << post("/p/x", "body").replace("POST", "PUT");
        QTest::newRow("DELETE") << get("/p/x").replace("GET", "DELETE");
    }
    void stale_requestThatMustNotRepeat_is502()
    {
        QFETCH_GLOBAL(unsigned, workers);
        QFETCH(QByteArray, request);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        TestPeer provider;
        QVERIFY(warmUp(client, provider, setup.provider));
        client.send(request);
        QVERIFY(!provider.readMessage().head.isEmpty());
        provider.close();
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 502);
        QCOMPARE(got.field("x-gatehouse-reason"), QByteArray("provider:closed"));
        QVERIFY(!setup.provider.hasCaller());
        // The client's connection is none the worse for it.
        client.send(get("/p/y"));
        provider = setup.provider.accept();
        provider.readMessage();
        provider.send(ok("y"));
        QCOMPARE(client.readMessage().body, QByteArray("y"));
    }

    void stale_answerThatHadBegun_isNotRepeated()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        TestPeer provider;
        QVERIFY(warmUp(client, provider, setup.provider));
        client.send(get("/p/x"));
        provider.readMessage();
        provider.send("HTTP/1.1 200 O");
        provider.close();
        QCOMPARE(client.readMessage().status(), 502);
        QVERIFY(!setup.provider.hasCaller());
    }

    void connection_ofACancelledExchange_isNotReused()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer gone = setup.client();
        gone.send(get("/p/secret"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        gone.close();
        QVERIFY(provider.end() != TestPeer::End::TimedOut);
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().firstLine(), QByteArray("GET /x HTTP/1.1"));
        provider.send(ok("mine"));
        QCOMPARE(client.readMessage().body, QByteArray("mine"));
    }
};

QTEST_GUILESS_MAIN(TestProviderPool)
#include "tst_providerpool.moc"
