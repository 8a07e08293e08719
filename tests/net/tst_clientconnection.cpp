// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QTest>

#include <thread>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

const QByteArray upgrade = get("/p/ws",
                               "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                               "Sec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
const QByteArray switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                             "Upgrade: websocket\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

QByteArray reasonOf(const Message &message)
{
    return message.field("x-gatehouse-reason");
}

} // namespace

class TestClientConnection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<unsigned>("workers");
        QTest::newRow("one worker") << 1U;
        QTest::newRow("three workers") << 3U;
    }

    void pipelined_requestsOfAllKinds_areAnsweredInOrder()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        const QByteArray big = payload(300'000);
        QByteArray all;
        for (int round = 0; round < 5; ++round) {
            all += get("/p/get") + post("/p/post", big) + get("/nowhere")
                   + "POST /p/chunked HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked"
                     "\r\n\r\n"
                   + chunk("ab") + lastChunk + get("/p/head").replace(0, 3, "HEAD");
        }
        std::thread sending([&] { client.send(all); });
        TestPeer provider = setup.provider.accept();
        for (int round = 0; round < 5; ++round) {
            for (const char *path : {"get", "post", "nowhere", "chunked", "head"}) {
                if (QByteArray(path) == "nowhere") {
                    QCOMPARE(client.readMessage().status(), 404);
                    continue;
                }
                const Message asked = provider.readMessage();
                QVERIFY2(asked.firstLine().contains(path), asked.firstLine().constData());
                QVERIFY(QByteArray(path) != "post" || asked.body == big);
                provider.send(QByteArray(path) == "head" ? chunkedHead
                                                         : chunkedHead + chunk(path) + lastChunk);
                const Message got = client.readMessage(QByteArray(path) == "head");
                QVERIFY(got.isComplete);
                QVERIFY(QByteArray(path) == "head" || got.body == path);
            }
        }
        sending.join();
    }

    void pipelined_splitAnywhere_isReadTheSame()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        const QByteArray all = post("/p/1", "one") + get("/nowhere") + post("/p/2", "two");
        TestPeer client = setup.client();
        TestPeer provider;
        for (qsizetype cut = 1; cut < all.size(); cut += 3) {
            client.send(all.left(cut));
            client.send(all.mid(cut));
            if (!provider.isConnected())
                provider = setup.provider.accept();
            QCOMPARE(provider.readMessage().body, QByteArray("one"));
            provider.send(ok("1"));
            QCOMPARE(client.readMessage().body, QByteArray("1"));
            QCOMPARE(client.readMessage().status(), 404);
            QCOMPARE(provider.readMessage().body, QByteArray("two"));
            provider.send(ok("2"));
            QCOMPARE(client.readMessage().body, QByteArray("2"));
        }
    }

    void pipelined_byAClientThatTakesNoAnswers_isHeldBack()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client(4096);
        constexpr int requests = 400'000; // answers of some 120 MB
        const QByteArray flood = get("/nowhere").repeated(requests);
        const qsizetype taken = client.sendWhileTaken(flood);
        QVERIFY2(taken < flood.size(), "the gateway keeps answers without a limit");
        const int whole = static_cast<int>(taken / get("/nowhere").size());
        for (int i = 0; i < std::min(whole, 1000); ++i)
            QCOMPARE(client.readMessage().status(), 404);
    }

    void expect_whenTheProviderIsReached_isAnswered100()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        const QByteArray request = post("/p/x", "body", "Expect: 100-continue\r\n");
        client.send(request.left(request.size() - 4));
        QCOMPARE(client.readUntil("\r\n\r\n"), QByteArray("HTTP/1.1 100 Continue\r\n\r\n"));
        client.send("body");
        TestPeer provider = setup.provider.accept();
        const Message asked = provider.readMessage();
        QCOMPARE(asked.body, QByteArray("body"));
        QVERIFY(asked.field("Expect").isNull());
        provider.send(ok("done"));
        QCOMPARE(client.readMessage().body, QByteArray("done"));
    }

    void expect_ofARefusedRequest_getsTheRefusalOnly()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        const QByteArray request = post("/nowhere", "body", "Expect: 100-continue\r\n");
        client.send(request.left(request.size() - 4));
        QCOMPARE(client.readMessage().status(), 404);
        QCOMPARE(client.end(), TestPeer::End::Fin);
    }

    void refusal_behindABigBody_isNotOvertakenByAReset()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers, "body: 1MiB");
        for (int i = 0; i < 5; ++i) {
            TestPeer client = setup.client();
            client.send(post("/p/x", payload(4 << 20)));
            const Message got = client.readMessage();
            QCOMPARE(got.status(), 413);
            QCOMPARE(reasonOf(got), QByteArray("request:body-size"));
            QCOMPARE(client.end(), TestPeer::End::Fin);
        }
    }

    void refusal_inTheBodysFirstBytes_lingersShortly()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers, "bodyTimeout: 1h");
        TestPeer client = setup.client();
        client.send("POST /p/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "nonsense\r\n");
        QCOMPARE(client.readMessage().status(), 400);
        QCOMPARE(client.end(), TestPeer::End::Fin);
        // Its end of the connection goes too, well before the body's hour is over.
        QTRY_VERIFY_WITH_TIMEOUT(!client.send("more"), 10'000);
    }

    void timeouts_ofEachPart_endIt_data()
    {
        QTest::addColumn<QByteArray>("limits");
        QTest::addColumn<QByteArray>("sent");
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("reason");
        QTest::newRow("nothing ever")
            << QByteArray("headTimeout: 50ms") << QByteArray() << 0 << QByteArray();
        QTest::newRow("half a head") << QByteArray("headTimeout: 50ms") << QByteArray("GET /p")
                                     << 408 << QByteArray("request:timeout");
        QTest::newRow("half a body")
            << QByteArray("bodyTimeout: 50ms") << post("/p/x", "body").chopped(2) << 408
            << QByteArray("request:timeout");
        QTest::newRow("no answer") << QByteArray("firstByteTimeout: 50ms") << get("/p/x") << 504
                                   << QByteArray("provider:first-byte-timeout");
    }
    void timeouts_ofEachPart_endIt()
    {
        QFETCH_GLOBAL(unsigned, workers);
        QFETCH(QByteArray, limits);
        QFETCH(QByteArray, sent);
        QFETCH(int, status);
        QFETCH(QByteArray, reason);
        GatewaySetup setup(workers, limits);
        TestPeer client = setup.client();
        client.send(sent);
        const Message got = client.readMessage();
        QCOMPARE(got.status(), status);
        QCOMPARE(reasonOf(got), reason);
        if (status != 504)
            QCOMPARE(client.end(), TestPeer::End::Fin);
    }

    void timeouts_ofIdleConnectionAndStalledStream_endIt()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers, "idleTimeout: 50ms, streamTimeout: 50ms");
        TestPeer idle = setup.client();
        idle.send(get("/nowhere"));
        QCOMPARE(idle.readMessage().status(), 404);
        QCOMPARE(idle.end(), TestPeer::End::Fin);
        TestPeer stalled = setup.client();
        stalled.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(chunkedHead + chunk("a"));
        const Message got = stalled.readMessage();
        QVERIFY(!got.isComplete);
        QCOMPARE(got.body, QByteArray("a"));
    }

    void tunnel_websocket_carriesBytesBothWays()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(upgrade);
        TestPeer provider = setup.provider.accept();
        const Message asked = provider.readMessage();
        QCOMPARE(asked.field("Upgrade"), QByteArray("websocket"));
        provider.send(switching + "first frame");
        QCOMPARE(client.readMessage().status(), 101);
        QCOMPARE(client.read(11), QByteArray("first frame"));
        const QByteArray there = payload(2'000'000);
        const QByteArray back = payload(3'000'000);
        std::thread sendingThere([&] { client.send(there); });
        std::thread sendingBack([&] { provider.send(back); });
        std::thread readingThere([&] { QVERIFY(provider.read(there.size()) == there); });
        QVERIFY(client.read(back.size()) == back);
        for (std::thread *thread : {&sendingThere, &sendingBack, &readingThere})
            thread->join();
    }

    void tunnel_bytesBehindTheRequest_arriveAfterThe101()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(upgrade + "early");
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(switching);
        QCOMPARE(provider.read(5), QByteArray("early"));
    }

    void tunnel_oneEndCloses_closesTheOther()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        for (const bool clientCloses : {true, false}) {
            TestPeer client = setup.client();
            client.send(upgrade);
            TestPeer provider = setup.provider.accept();
            provider.readMessage();
            provider.send(switching);
            QCOMPARE(client.readMessage().status(), 101);
            TestPeer &first = clientCloses ? client : provider;
            TestPeer &other = clientCloses ? provider : client;
            first.send("goodbye");
            first.close();
            QCOMPARE(other.readToEnd(), QByteArray("goodbye"));
        }
    }

    void tunnel_refusedByTheProvider_isAnOrdinaryAnswer()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(upgrade);
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno");
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 426);
        QCOMPARE(got.body, QByteArray("no"));
    }

    void switching_thatNobodyAskedFor_is502()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(switching + "smuggled");
        QCOMPARE(client.readMessage().status(), 502);
    }
};

QTEST_GUILESS_MAIN(TestClientConnection)
#include "tst_clientconnection.moc"
