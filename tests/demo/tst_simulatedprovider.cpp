// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/simulatedprovider.h"
#include "tests/demo/client.h"

#include <QDir>
#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <algorithm>
#include <memory>

#include <malloc.h>

using namespace gatehouse;
using namespace gatehouse::demo;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

constexpr SimulatedSettings fast{.firstToken = 0ms, .tokensPerSecond = 0};

QByteArray post(const QByteArray &path, const QByteArray &body, const QByteArray &fields = {})
{
    return "POST " + path + " HTTP/1.1\r\nHost: demo\r\n" + fields
           + "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body;
}

QByteArray chat(const QByteArray &more = {}, const QByteArray &fields = {})
{
    return post("/v1/chat/completions",
                R"({"model":"demo-small","messages":[{"role":"user","content":"Hi there"}])" + more
                    + "}",
                fields);
}

std::unique_ptr<SimulatedProvider> started(const SimulatedSettings &settings = fast)
{
    auto provider = SimulatedProvider::start(settings);
    return provider ? *std::move(provider) : nullptr;
}

QString errorMessage(const Response &response)
{
    return QJsonDocument::fromJson(response.body)["error"_L1]["message"_L1].toString();
}

} // namespace

class TestSimulatedProvider : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void wholeAnswers_comeOnOneConnection()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        const Response first = client.exchange(chat());
        QCOMPARE(first.status, 200);
        QVERIFY(first.head.contains("\r\nx-gatehouse-simulated: true\r\n"));
        QVERIFY(first.head.contains("\r\nContent-Type: application/json\r\n"));
        QVERIFY(first.body.contains("[simulated] "));
        const Response second = client.exchange(chat());
        QCOMPARE(second.body, first.body);
        QCOMPARE(client.exchange("GET /v1/models?x=1 HTTP/1.1\r\nHost: demo\r\n\r\n").status, 200);
        QCOMPARE(client.exchange("GET /v2 HTTP/1.1\r\nHost: demo\r\n\r\n").status, 404);
    }

    void stream_isChunkedAndKeepsTheConnection()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        for (int i = 0; i < 2; ++i) {
            const Response response = client.exchange(chat(R"(,"stream":true)"));
            QCOMPARE(response.status, 200);
            QVERIFY(response.head.contains("\r\nx-gatehouse-simulated: true\r\n"));
            QVERIFY(response.head.contains("\r\nContent-Type: text/event-stream"));
            QVERIFY(response.head.contains("\r\nTransfer-Encoding: chunked\r\n"));
            QVERIFY(response.body.endsWith("data: [DONE]\n\n"));
        }
    }

    void pipelinedRequests_areAnsweredInOrder()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        QByteArray requests;
        for (int i = 0; i < 500; ++i)
            requests += "GET /v1/models/" + QByteArray::number(i) + " HTTP/1.1\r\nHost: d\r\n\r\n";
        client.send(requests + chat(R"(,"stream":true)") + chat());
        for (int i = 0; i < 500; ++i) {
            const Response response = client.receive();
            QCOMPARE(response.status, 404);
            QVERIFY(response.body.contains(QByteArray("'" + QByteArray::number(i) + "'")));
        }
        QVERIFY(client.receive().body.endsWith("data: [DONE]\n\n"));
        QCOMPARE(client.receive().status, 200);
    }

    void requestInSingleBytes_isUnderstood()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        const QByteArray request
            = "POST /v1/chat/completions HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n"
              "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
        for (const char byte : request) {
            client.socket.write(&byte, 1);
            QVERIFY(client.socket.waitForBytesWritten());
        }
        const Response response = client.receive();
        QCOMPARE(response.status, 400);
        QVERIFY(errorMessage(response).contains("model"_L1));
    }

    void http10Client_getsAnUnframedStream()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        const QByteArray request = chat(R"(,"stream":true)").replace("HTTP/1.1", "HTTP/1.0");
        client.send(request);
        QByteArray all;
        while (client.waitForBytes())
            all += client.socket.readAll();
        QVERIFY(!all.contains("chunked"));
        QVERIFY(all.contains("\r\nConnection: close\r\n"));
        QVERIFY(all.endsWith("\n\ndata: [DONE]\n\n"));
    }

    void connectionClose_isObeyed()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        QCOMPARE(client.exchange(chat({}, "Connection: close\r\n")).status, 200);
        QVERIFY(client.isClosedByPeer());
    }

    void headRequest_getsNoBody()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        client.send("HEAD /x HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
        QVERIFY(client.isClosedByPeer());
        QVERIFY(client.socket.readAll().endsWith("\r\n\r\n"));
    }

    void expectation_isAnsweredBeforeTheBody()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        const QByteArray request = chat({}, "Expect: 100-continue\r\n");
        const qsizetype body = request.indexOf("\r\n\r\n") + 4;
        QCOMPARE(client.exchange(request.left(body)).status, 100);
        QCOMPARE(client.exchange(request.mid(body)).status, 200);
    }

    void tooLargeBodies_areRefused()
    {
        const auto provider = started();
        QVERIFY(provider);
        const QByteArray start = "POST /v1/chat/completions HTTP/1.1\r\nHost: d\r\n";
        Client announced(*provider);
        const Response early = announced.exchange(start + "Content-Length: 33554433\r\n\r\n");
        QCOMPARE(early.status, 413);
        QVERIFY(early.head.contains("\r\nConnection: close\r\n"));
        QVERIFY(errorMessage(early).contains("32 MiB"_L1));
        Client chunked(*provider);
        chunked.send(start + "Transfer-Encoding: chunked\r\n\r\n2000001\r\n");
        chunked.send(QByteArray(0x2000001, ' ') + "\r\n0\r\n\r\n");
        QCOMPARE(chunked.receive().status, 413);
        QVERIFY(chunked.isClosedByPeer());
    }

    void badHttp_isRefused_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<int>("status");
        QTest::newRow("no HTTP") << QByteArray("hello\r\n\r\n") << 400;
        QTest::newRow("bare LF") << QByteArray("GET / HTTP/1.1\nHost: d\n\n") << 400;
        QTest::newRow("two lengths")
            << QByteArray("GET / HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n"
                          "Content-Length: 2\r\n\r\n")
            << 400;
        QTest::newRow("bad chunk")
            << QByteArray("POST / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
            << 400;
        QTest::newRow("endless head")
            << "GET / HTTP/1.1\r\nHost: d\r\nx: " + QByteArray(70'000, 'a') << 431;
        QTest::newRow("long target")
            << "GET /" + QByteArray(9'000, 'a') + " HTTP/1.1\r\nHost: d\r\n\r\n"
            << 414;
    }
    void badHttp_isRefused()
    {
        QFETCH(QByteArray, request);
        QFETCH(int, status);
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        const Response response = client.exchange(request);
        QCOMPARE(response.status, status);
        QVERIFY(!errorMessage(response).isEmpty());
        QVERIFY(response.head.contains("\r\nConnection: close\r\n"));
    }

    void badOverride_isRefusedAndTheConnectionStays()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        const Response response = client.exchange(chat({}, "x-demo-latency: soon\r\n"));
        QCOMPARE(response.status, 400);
        QVERIFY(errorMessage(response).contains("x-demo-latency"_L1));
        QCOMPARE(client.exchange(chat()).status, 200);
    }

    void rateAndLatency_areObeyed()
    {
        const auto provider = started();
        QVERIFY(provider);
        Client client(*provider);
        QElapsedTimer clock;
        clock.start();
        client.send(chat(R"(,"stream":true,"max_tokens":20)",
                         "x-demo-latency: 100ms\r\nx-demo-tokens-per-second: 100\r\n"));
        QVERIFY(client.more());
        QVERIFY(clock.elapsed() >= 95);
        const Response response = client.receive();
        QCOMPARE(response.body.count("data: {"), 22);
        QVERIFY(clock.elapsed() >= 290);
    }

    void wholeAnswer_takesAsLongAsItsTokens()
    {
        const auto provider = started({.firstToken = 50ms, .tokensPerSecond = 100});
        QVERIFY(provider);
        Client client(*provider);
        QElapsedTimer clock;
        clock.start();
        QCOMPARE(client.exchange(chat(R"(,"max_tokens":10)")).status, 200);
        QVERIFY(clock.elapsed() >= 145);
    }

    void longStream_isNotMadeAheadOfItsReader()
    {
        const auto provider = started();
        QVERIFY(provider);
        const auto inUse = [] {
            const auto info = mallinfo2();
            return static_cast<qint64>(info.uordblks + info.hblkhd);
        };
        Client client(*provider);
        client.socket.setReadBufferSize(65'536);
        const qint64 before = inUse();
        client.send(post("/v1/chat/completions",
                         R"({"model":"demo-large","stream":true,"messages":[)"
                         R"({"role":"user","content":")"
                             + QByteArray("many ").repeated(100'000) + R"("}]})"));
        qint64 most = 0;
        qint64 total = 0;
        QByteArray end;
        while (!end.endsWith("0\r\n\r\n") && client.waitForBytes()) {
            const QByteArray read = client.socket.readAll();
            total += read.size();
            end = QByteArray(end + read).right(64);
            most = std::max(most, inUse() - before);
        }
        QVERIFY(end.contains("data: [DONE]\n\n"));
        QVERIFY(total > 20'000'000);
        QVERIFY2(most < 10'000'000, qPrintable(QString::number(most)));
    }

    void clientThatLeaves_takesItsStreamAlong()
    {
        const auto provider = started({.firstToken = 0ms, .tokensPerSecond = 1});
        QVERIFY(provider);
        const QDir descriptors(u"/proc/self/fd"_s);
        const auto count = [&] { return descriptors.entryList(QDir::System | QDir::Files).size(); };
        Client probe(*provider);
        QCOMPARE(probe
                     .exchange(chat(R"(,"stream":true,"max_tokens":1)",
                                    "x-demo-tokens-per-second: 0\r\n"))
                     .status,
                 200);
        const auto before = count();
        {
            Client client(*provider);
            client.send(chat(R"(,"stream":true)"));
            QVERIFY(client.more());
            QVERIFY(count() > before);
        }
        QTRY_COMPARE(count(), before);
    }

    void stop_cutsWhatIsOpen()
    {
        auto provider = started({.firstToken = 0ms, .tokensPerSecond = 1});
        QVERIFY(provider);
        Client idle(*provider);
        QCOMPARE(idle.exchange("GET /v1/models HTTP/1.1\r\nHost: d\r\n\r\n").status, 200);
        Client streaming(*provider);
        streaming.send(chat(R"(,"stream":true)"));
        QVERIFY(streaming.more());
        const std::uint16_t port = provider->port();
        provider.reset();
        QVERIFY(idle.isClosedByPeer());
        QVERIFY(streaming.isClosedByPeer());
        QTcpSocket late;
        late.connectToHost(u"127.0.0.1"_s, port);
        QVERIFY(!late.waitForConnected());
    }

    void stopRightAfterStart_isClean()
    {
        for (int i = 0; i < 50; ++i)
            QVERIFY(started());
    }
};

QTEST_GUILESS_MAIN(TestSimulatedProvider)
#include "tst_simulatedprovider.moc"
