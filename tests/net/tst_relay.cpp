// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QTest>

#include <array>
#include <thread>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

constexpr qsizetype big = 8 * 1024 * 1024;

QByteArray requestIdOf(const Message &message)
{
    return message.field("x-gatehouse-request-id");
}

} // namespace

/// Exchanges from a client to a provider that the test plays, through a whole gateway.
class TestRelay : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<unsigned>("workers");
        QTest::newRow("one worker") << 1U;
        QTest::newRow("three workers") << 3U;
    }

    void answer_everyFraming_arrivesWhole_data()
    {
        QTest::addColumn<QByteArray>("method");
        QTest::addColumn<QByteArray>("answer");
        QTest::addColumn<bool>("thenCloses");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("trailers");
        const auto row = [](const char *name,
                            const char *method,
                            const QByteArray &answer,
                            const QByteArray &body,
                            bool thenCloses = false,
                            const QByteArray &trailers = {}) {
            QTest::newRow(name) << QByteArray(method) << answer << thenCloses << body << trailers;
        };
        const QByteArray large = payload(300'000);
        row("length", "GET", ok("hello"), "hello");
        row("length 0", "GET", ok(""), "");
        row("large", "POST", ok(large), large);
        row("chunked", "GET", chunkedHead + chunk("a") + chunk("bc") + lastChunk, "abc");
        row("chunked and large", "GET", chunkedHead + chunk(large) + lastChunk, large);
        row("chunked and empty", "GET", chunkedHead + lastChunk, "");
        row("trailers",
            "GET",
            chunkedHead + chunk("a") + "0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
            "a",
            false,
            "X-Sum: 1\r\nX-More: 2\r\n");
        row("until close", "GET", "HTTP/1.1 200 OK\r\n\r\n" + large, large, true);
        row("until close, 1.0", "GET", "HTTP/1.0 200 OK\r\n\r\nold", "old", true);
        row("HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "");
        row("HEAD chunked", "HEAD", chunkedHead, "");
        row("204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "");
        row("304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "");
        row("error", "GET", "HTTP/1.1 429 Slow\r\nContent-Length: 2\r\n\r\nno", "no");
        row("interim before", "GET", "HTTP/1.1 100 Continue\r\n\r\n" + ok("late"), "late");
    }
    void answer_everyFraming_arrivesWhole()
    {
        QFETCH_GLOBAL(unsigned, workers);
        QFETCH(QByteArray, method);
        QFETCH(QByteArray, answer);
        QFETCH(bool, thenCloses);
        QFETCH(QByteArray, body);
        QFETCH(QByteArray, trailers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        QByteArray request = method == "POST" ? post("/p/x", payload(200'000)) : get("/p/x");
        if (method == "HEAD")
            request.replace(0, 3, "HEAD");
        client.send(request);
        TestPeer provider = setup.provider.accept();
        const Message asked = provider.readMessage();
        QCOMPARE(asked.firstLine(), method + " /x HTTP/1.1");
        QVERIFY(method != "POST" || asked.body == payload(200'000));
        provider.send(answer);
        if (thenCloses)
            provider.close();
        const Message got = client.readMessage(method == "HEAD");
        QVERIFY(got.isComplete);
        QVERIFY(got.body == body);
        QCOMPARE(got.trailers, trailers);
        QCOMPARE(requestIdOf(got).size(), 20);
        // The connection serves another one.
        client.send(get("/p/y"));
        if (thenCloses)
            provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().firstLine(), QByteArray("GET /y HTTP/1.1"));
        provider.send(ok("next"));
        QCOMPARE(client.readMessage().body, QByteArray("next"));
    }

    void answer_byteByByte_arrivesWhole()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        const QByteArray answer = chunkedHead + chunk("one") + chunk("two") + lastChunk;
        for (const char byte : answer)
            QVERIFY(provider.send(QByteArray(1, byte)));
        QCOMPARE(client.readMessage().body, QByteArray("onetwo"));
    }

    void request_byteByByte_arrivesWhole()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        const QByteArray head = "POST /p/x HTTP/1.1\r\nHost: localhost\r\n";
        const QByteArray request = head + "Transfer-Encoding: chunked\r\n\r\n" + chunk("one")
                                   + chunk("two") + "0\r\nX-T: 1\r\n\r\n";
        for (const char byte : request)
            QVERIFY(client.send(QByteArray(1, byte)));
        TestPeer provider = setup.provider.accept();
        const Message asked = provider.readMessage();
        QCOMPARE(asked.body, QByteArray("onetwo"));
        QCOMPARE(asked.trailers, QByteArray("X-T: 1\r\n"));
        provider.send(ok("thanks"));
        QCOMPARE(client.readMessage().body, QByteArray("thanks"));
    }

    void stream_eachPiece_isPassedOnAtOnce()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(chunkedHead);
        QVERIFY(!client.readUntil("\r\n\r\n").isEmpty());
        for (int i = 0; i < 20; ++i) {
            const QByteArray piece = "data: " + QByteArray::number(i) + "\n\n";
            provider.send(chunk(piece));
            QCOMPARE(client.read(chunk(piece).size()), chunk(piece));
        }
    }

    void streamsAndSmallAnswers_interleaved_neverMix()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        constexpr std::size_t streams = 12;
        std::array<TestPeer, streams> clients;
        std::array<TestPeer, streams> providers;
        for (std::size_t i = 0; i < streams; ++i) {
            clients[i] = setup.client();
            clients[i].send(get("/p/" + QByteArray::number(i)));
            providers[i] = setup.provider.accept();
            QCOMPARE(providers[i].readMessage().firstLine(),
                     "GET /" + QByteArray::number(i) + " HTTP/1.1");
        }
        const auto piece = [](std::size_t stream, int round) {
            // Some are cut in the middle of a chunk, some larger than a batch of pieces.
            const QByteArray mark = QByteArray::number(stream) + ":" + QByteArray::number(round);
            QByteArray bytes;
            for (std::size_t part = 0; part <= 20 * (stream % 4); ++part)
                bytes += chunk(mark + "," + QByteArray::number(part) + ";");
            return bytes;
        };
        std::array<QByteArray, streams> expected;
        TestPeer small = setup.client();
        TestPeer smallProvider;
        for (int round = 0; round < 30; ++round) {
            QByteArray held;
            for (std::size_t i = 0; i < streams; ++i) {
                const QByteArray bytes
                    = (round == 0 ? chunkedHead : QByteArray()) + piece(i, round);
                const qsizetype cut = bytes.size() / 2;
                providers[i].send(bytes.left(cut));
                if (i % 3 == 0) { // an answer of another connection in between
                    const QByteArray body = "small " + QByteArray::number(round);
                    small.send(i % 2 == 0 ? get("/p/small") : post("/p/small", body));
                    if (!smallProvider.isConnected())
                        smallProvider = setup.provider.accept();
                    QVERIFY(!smallProvider.readMessage().head.isEmpty());
                    smallProvider.send(ok(body));
                    QCOMPARE(small.readMessage().body, body);
                }
                providers[i].send(bytes.mid(cut));
                for (std::size_t part = 0; part <= 20 * (i % 4); ++part)
                    expected[i] += QByteArray::number(i) + ":" + QByteArray::number(round) + ","
                                   + QByteArray::number(part) + ";";
            }
        }
        for (std::size_t i = 0; i < streams; ++i) {
            providers[i].send(lastChunk);
            const Message got = clients[i].readMessage();
            QVERIFY(got.isComplete);
            QCOMPARE(got.body, expected[i]);
        }
    }

    void answer_beforeTheRequestIsComplete_isPassedOnAndClosed()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        const QByteArray body = payload(1000);
        const QByteArray request = post("/p/x", body);
        client.send(request.left(request.size() - 500));
        TestPeer provider = setup.provider.accept();
        provider.readUntil("\r\n\r\n");
        provider.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 413);
        QCOMPARE(got.body, QByteArray("big"));
        QCOMPARE(got.field("Connection"), QByteArray("close"));
        client.send(body.right(500)); // is read and dropped, so that no reset overtakes the answer
        QCOMPARE(client.end(), TestPeer::End::Fin);
        QVERIFY(provider.end() != TestPeer::End::TimedOut);
    }

    void provider_goneBeforeAnswering_is502_data()
    {
        QTest::addColumn<bool>("byReset");
        QTest::newRow("FIN") << false;
        QTest::newRow("reset") << true;
    }
    void provider_goneBeforeAnswering_is502()
    {
        QFETCH_GLOBAL(unsigned, workers);
        QFETCH(bool, byReset);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        if (byReset)
            provider.reset();
        else
            provider.close();
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 502);
        QCOMPARE(got.field("x-gatehouse-reason"), QByteArray("provider:closed"));
    }

    void provider_goneInMidBody_cutsTheClientOff_data()
    {
        QTest::addColumn<QByteArray>("begun");
        QTest::addColumn<bool>("byReset");
        const QByteArray head = "HTTP/1.1 200 OK\r\n";
        QTest::newRow("length") << head + "Content-Length: 10\r\n\r\nhalf" << false;
        QTest::newRow("chunked") << chunkedHead + "a\r\nhalf" << false;
        QTest::newRow("between chunks") << chunkedHead + chunk("half") << false;
        QTest::newRow("reset of one until close") << head + "\r\nhalf" << true;
    }
    void provider_goneInMidBody_cutsTheClientOff()
    {
        QFETCH_GLOBAL(unsigned, workers);
        QFETCH(QByteArray, begun);
        QFETCH(bool, byReset);
        GatewaySetup setup(workers);
        for (const bool toHttp10 : {false, true}) {
            TestPeer client = setup.client();
            QByteArray request = get("/p/x");
            client.send(toHttp10 ? request.replace("HTTP/1.1", "HTTP/1.0") : request);
            TestPeer provider = setup.provider.accept();
            provider.readMessage();
            provider.send(begun);
            QVERIFY(!client.readUntil("half").isEmpty());
            if (byReset)
                provider.reset();
            else
                provider.close();
            const TestPeer::End end = client.end();
            // Without a length or chunks, only a reset says that something is missing.
            const bool needsReset = toHttp10 && !begun.contains("Content-Length");
            QCOMPARE(end, needsReset ? TestPeer::End::Reset : TestPeer::End::Fin);
        }
    }

    void provider_malformedChunk_cutsTheClientOff()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(chunkedHead + chunk("good") + "zz\r\nbad\r\n");
        const Message got = client.readMessage();
        QVERIFY(!got.isComplete);
        QVERIFY(got.body.startsWith("good") && !got.body.contains("bad"));
        QCOMPARE(client.end(), TestPeer::End::Fin);
        QVERIFY(provider.end() != TestPeer::End::TimedOut);
    }

    void client_gone_cancelsTheProvider_data()
    {
        QTest::addColumn<bool>("isStreaming");
        QTest::addColumn<bool>("byReset");
        QTest::newRow("FIN while waiting") << false << false;
        QTest::newRow("reset while waiting") << false << true;
        QTest::newRow("FIN while streaming") << true << false;
        QTest::newRow("reset while streaming") << true << true;
    }
    void client_gone_cancelsTheProvider()
    {
        QFETCH_GLOBAL(unsigned, workers);
        QFETCH(bool, isStreaming);
        QFETCH(bool, byReset);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(post("/p/x", "body"));
        TestPeer provider = setup.provider.accept();
        QVERIFY(!provider.readMessage().head.isEmpty());
        if (isStreaming) {
            provider.send(chunkedHead + chunk("a"));
            client.readUntil("a\r\n");
        }
        if (byReset)
            client.reset();
        else
            client.close();
        QVERIFY(provider.end() != TestPeer::End::TimedOut);
    }

    void backPressure_ofTheClient_holdsTheProvider()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client(4096);
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        const QByteArray body = payload(4 * big);
        provider.send(ok(body).left(ok(body).size() - body.size()));
        const qsizetype taken = provider.sendWhileTaken(body);
        QVERIFY2(taken < body.size(), "the gateway took all of it into memory");
        auto sending = std::thread([&] { provider.send(body.mid(taken)); });
        const Message got = client.readMessage();
        sending.join();
        QVERIFY(got.isComplete);
        QVERIFY(got.body == body);
    }

    void backPressure_ofTheProvider_holdsTheClient()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        const QByteArray body = payload(4 * big);
        client.send(post("/p/x", body).left(post("/p/x", body).size() - body.size()));
        TestPeer provider = setup.provider.accept(4096);
        provider.readUntil("\r\n\r\n");
        const qsizetype taken = client.sendWhileTaken(body);
        QVERIFY2(taken < body.size(), "the gateway took all of it into memory");
        auto sending = std::thread([&] { client.send(body.mid(taken)); });
        QVERIFY(provider.read(body.size()) == body);
        sending.join();
        provider.send(ok("all"));
        QCOMPARE(client.readMessage().body, QByteArray("all"));
    }
};

QTEST_GUILESS_MAIN(TestRelay)
#include "tst_relay.moc"
