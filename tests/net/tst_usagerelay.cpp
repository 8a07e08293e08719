// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QTest>

#include <zlib.h>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

constexpr const char *streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

const QByteArray content = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
const QByteArray contentAsked
    = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n";
const QByteArray usageChunk
    = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";
const QByteArray done = "data: [DONE]\n\n";

QByteArray gzipped(const QByteArray &bytes)
{
    z_stream stream{};
    deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
    QByteArray out(
        static_cast<qsizetype>(deflateBound(&stream, static_cast<uLong>(bytes.size()))) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.constData()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef *>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(static_cast<qsizetype>(stream.total_out));
    deflateEnd(&stream);
    return out;
}

/// A gateway whose route asks streams for their usage.
class AskingSetup : public GatewaySetup
{
public:
    AskingSetup()
        : GatewaySetup(1)
    {
        apply(QByteArray(yaml()).replace("usage: observe", "usage: inject"));
    }
};

} // namespace

/// How the usage of streams is asked for, and what clients see of it: nothing.
class TestUsageRelay : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void stream_isAsked_andTheClientSeesNothingOfIt_data()
    {
        QTest::addColumn<bool>("isCoded");
        QTest::addColumn<bool>("isLong");
        QTest::newRow("plain") << false << false;
        QTest::newRow("coded all the same") << true << false;
        QTest::newRow("with a length") << false << true;
    }
    void stream_isAsked_andTheClientSeesNothingOfIt()
    {
        QFETCH(const bool, isCoded);
        QFETCH(const bool, isLong);
        AskingSetup setup;
        TestPeer client = setup.client();
        client.send(post("/p/chat/completions",
                         "{\"model\":\"m\", \"stream\":true}",
                         "Accept-Encoding: gzip, br\r\n"));
        TestPeer provider = setup.provider.accept();
        const Message request = provider.readMessage();
        QVERIFY(request.body.contains("\"include_usage\":true"));
        QVERIFY(request.body.contains("\"model\":\"m\", "));
        QCOMPARE(request.field("content-length"), QByteArray::number(request.body.size()));
        QCOMPARE(request.field("accept-encoding"), QByteArray("identity"));
        QByteArray body = contentAsked + usageChunk + done;
        QByteArray head = streamHead;
        if (isCoded) {
            body = gzipped(body);
            head += "Content-Encoding: gzip\r\n";
        }
        if (isLong)
            provider.send(head + "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n"
                          + body);
        else
            provider.send(head + "Transfer-Encoding: chunked\r\n\r\n" + chunk(body.left(20))
                          + chunk(body.mid(20)) + lastChunk);
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 200);
        QCOMPARE(got.body, content + done);
        QVERIFY(got.field("content-encoding").isEmpty());
        QVERIFY(got.field("content-length").isEmpty());
        // The connection serves on.
        client.send(get("/p/x"));
        provider.readMessage();
        provider.send(ok("next"));
        QCOMPARE(client.readMessage().body, QByteArray("next"));
    }

    void untouched_goesByteForByte_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("fields");
        QTest::newRow("asks itself")
            << QByteArray("/p/chat/completions")
            << QByteArray("{\"stream\":true,\"stream_options\":{\"include_usage\":true}}")
            << QByteArray();
        QTest::newRow("no stream") << QByteArray("/p/chat/completions")
                                   << QByteArray("{\"stream\":false}") << QByteArray();
        QTest::newRow("another endpoint")
            << QByteArray("/p/responses") << QByteArray("{\"stream\":true}") << QByteArray();
        QTest::newRow("no JSON") << QByteArray("/p/chat/completions")
                                 << QByteArray("\"stream\": true") << QByteArray();
        QTest::newRow("coded request")
            << QByteArray("/p/chat/completions") << QByteArray("{\"stream\":true}")
            << QByteArray("Content-Encoding: gzip\r\n");
    }
    void untouched_goesByteForByte()
    {
        QFETCH(const QByteArray, path);
        QFETCH(const QByteArray, body);
        QFETCH(const QByteArray, fields);
        AskingSetup setup;
        TestPeer client = setup.client();
        client.send(post(path, body, fields));
        TestPeer provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().body, body);
        const QByteArray answer = contentAsked + usageChunk + done;
        provider.send(QByteArray(streamHead) + "Transfer-Encoding: chunked\r\n\r\n" + chunk(answer)
                      + lastChunk);
        QCOMPARE(client.readMessage().body, answer);
    }

    void observe_changesNoByte()
    {
        GatewaySetup setup(1);
        TestPeer client = setup.client();
        const QByteArray body = "{\"model\":\"m\", \"stream\":true}";
        client.send(post("/p/chat/completions", body));
        TestPeer provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().body, body);
    }

    void policies_seeWhatTheClientSees_data()
    {
        QTest::addColumn<bool>("isCoded");
        QTest::addColumn<QByteArray>("end");
        QTest::newRow("plain") << false << done;
        QTest::newRow("coded all the same") << true << done;
        QTest::newRow("held back to its end") << false << QByteArray("data: [DONE]");
    }
    /// A cache gives again what it saw.
    void policies_seeWhatTheClientSees()
    {
        QFETCH(const bool, isCoded);
        QFETCH(const QByteArray, end);
        AskingSetup setup;
        setup.apply(QByteArray(setup.yaml()).replace("usage: observe", "usage: inject")
                    + policyDocument("response-cache", "{key: [body]}"));
        TestPeer client = setup.client();
        const QByteArray request
            = post("/p/chat/completions", "{\"model\":\"m\", \"stream\":true}");
        client.send(request);
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        const QByteArray body = contentAsked + usageChunk + end;
        provider.send(QByteArray(streamHead) + (isCoded ? "Content-Encoding: gzip\r\n" : "")
                      + "Transfer-Encoding: chunked\r\n\r\n" + chunk(isCoded ? gzipped(body) : body)
                      + lastChunk);
        const Message first = client.readMessage();
        QCOMPARE(first.body, content + end);
        QCOMPARE(first.field("x-gatehouse-cache"), QByteArray("miss"));
        client.send(request);
        const Message second = client.readMessage();
        QCOMPARE(second.field("x-gatehouse-cache"), QByteArray("hit"));
        QCOMPARE(second.field("content-type"), QByteArray("text/event-stream"));
        QCOMPARE(second.field("transfer-encoding"), QByteArray("chunked"));
        QVERIFY(second.field("content-encoding").isEmpty());
        QCOMPARE(second.body, first.body);
    }

    void streamThatAPolicyCuts_endsWithTheDialectsError()
    {
        GatewaySetup setup(1);
        setup.apply(
            setup.yaml()
            + policyDocument("token-limit", "{limits: [{tokens: 1000, per: 1h}], count: output}"));
        TestPeer client = setup.client();
        client.send(post("/p/chat/completions", "{\"model\":\"m\",\"stream\":true}"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        const QByteArray event = "data: {\"choices\":[{\"delta\":{\"content\":\""
                                 + QByteArray(900, 'x') + "\"}}]}\n\n";
        provider.send(QByteArray(streamHead) + "Transfer-Encoding: chunked\r\n\r\n" + chunk(event));
        QVERIFY(!client.readUntil("}\n\n").isEmpty());
        provider.send(chunk(event));
        provider.send(chunk(event));
        const QByteArray rest = client.readUntil("0\r\n\r\n");
        QVERIFY2(rest.contains("data: {\"error\":{") && rest.contains("token-limit:cut"),
                 rest.constData());
        QVERIFY(provider.end() != TestPeer::End::Open);
    }
};

QTEST_GUILESS_MAIN(TestUsageRelay)
#include "tst_usagerelay.moc"
