// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/rules.h"
#include "tests/http/messages.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

/// The rules for requests that are about framing and the connection.
class TestMessageRules : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void framing_fields_passOrAreRefused_data();
    void framing_fields_passOrAreRefused();
    void framing_rulesAlone_refuseWhatBeastWould();
    void connection_options_decideOrAreRefused_data();
    void connection_options_decideOrAreRefused();
    void upgrade_fields_areAWebsocketOrNot_data();
    void upgrade_fields_areAWebsocketOrNot();
    void expect_fields_areKnownOrRefused_data();
    void expect_fields_areKnownOrRefused();
};

void TestMessageRules::framing_fields_passOrAreRefused_data()
{
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<int>("framing"); // -1: refused
    QTest::addColumn<quint64>("length");
    const auto row
        = [](const char *name, const QByteArray &lines, Framing framing, quint64 length = 0) {
              QTest::newRow(name) << lines << static_cast<int>(framing) << length;
          };
    row("neither", "A: b\r\n", Framing::None);
    row("length", "Content-Length: 12\r\n", Framing::Length, 12);
    row("length 0", "content-length:0\r\n", Framing::Length, 0);
    row("leading zeros", "Content-Length: 007\r\n", Framing::Length, 7);
    row("18 digits",
        "Content-Length: 999999999999999999\r\n",
        Framing::Length,
        999'999'999'999'999'999U);
    row("chunked", "Transfer-Encoding: chunked\r\n", Framing::Chunked);
    row("chunked in any case", "TRANSFER-ENCODING: ChUnKeD \r\n", Framing::Chunked);
    const auto refused = [](const char *name, const QByteArray &lines) {
        QTest::newRow(name) << lines << -1 << quint64(0);
    };
    const QByteArray length("Content-Length: ");
    refused("length twice", "Content-Length: 1\r\nContent-Length: 1\r\n");
    refused("two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n");
    refused("list of equal lengths", length + "1, 1\r\n");
    refused("list of lengths", length + "1,2\r\n");
    refused("list with an empty element", length + "1,\r\n");
    refused("no digits", length + "\r\n");
    refused("plus", length + "+1\r\n");
    refused("minus", length + "-1\r\n");
    refused("hexadecimal", length + "0x1\r\n");
    refused("hexadecimal digits", length + "a\r\n");
    refused("point", length + "1.0\r\n");
    refused("exponent", length + "1e1\r\n");
    refused("blank inside", length + "1 1\r\n");
    refused("quoted", length + "\"1\"\r\n");
    refused("19 digits", length + "1000000000000000000\r\n");
    refused("19 digits, small", length + "0000000000000000001\r\n");
    refused("beyond 64 bits", length + "18446744073709551617\r\n");
    const QByteArray coding("Transfer-Encoding: ");
    refused("empty coding", coding + "\r\n");
    refused("another coding", coding + "gzip\r\n");
    refused("identity", coding + "identity\r\n");
    refused("chunked last", coding + "gzip, chunked\r\n");
    refused("chunked first", coding + "chunked, gzip\r\n");
    refused("chunked twice", coding + "chunked, chunked\r\n");
    refused("chunked in two fields", coding + "chunked\r\n" + coding + "chunked\r\n");
    refused("coding in two fields", coding + "gzip\r\n" + coding + "chunked\r\n");
    refused("comma behind", coding + "chunked,\r\n");
    refused("comma before", coding + ", chunked\r\n");
    refused("parameter", coding + "chunked;a=b\r\n");
    refused("quoted coding", coding + "\"chunked\"\r\n");
    refused("vertical tab", coding + "\vchunked\r\n");
    refused("longer word", coding + "xchunked\r\n");
    refused("length and coding", length + "1\r\n" + coding + "chunked\r\n");
    refused("coding and length", coding + "chunked\r\n" + length + "1\r\n");
    refused("another coding and length", coding + "identity\r\n" + length + "1\r\n");
    refused("length 0 and coding", length + "0\r\n" + coding + "chunked\r\n");
}

void TestMessageRules::framing_fields_passOrAreRefused()
{
    QFETCH(QByteArray, lines);
    QFETCH(int, framing);
    QFETCH(quint64, length);
    for (const char *version : {"1.1", "1.0"}) {
        // HTTP/1.0 has no chunks: RFC 9112 §6.1.
        const bool passes
            = framing >= 0
              && (framing != static_cast<int>(Framing::Chunked) || QByteArray(version) == "1.1");
        RequestHead request;
        const std::string head = requestWith(view(lines), "POST / HTTP/" + std::string(version));
        QCOMPARE(outcomeOfRequest(head, request), QByteArray(passes ? "ok" : "request"));
        if (!passes)
            continue;
        QCOMPARE(static_cast<int>(request.framing), framing);
        QCOMPARE(request.contentLength, length);
    }
}

void TestMessageRules::framing_rulesAlone_refuseWhatBeastWould()
{
    const Field length{FieldId::ContentLength, "Content-Length", "1"};
    const Field coding{FieldId::TransferEncoding, "Transfer-Encoding", "chunked"};
    const auto passes = [](const std::vector<Field> &fields) {
        RequestHead request;
        request.method = "POST";
        request.target = "/";
        request.fields = fields;
        request.fields.push_back({FieldId::Host, "Host", "h"});
        ResponseHead response;
        response.status = 200;
        response.fields = fields;
        const bool isAccepted = applyRequestRules(request).has_value();
        if (applyResponseRules(response, "GET").has_value() != isAccepted)
            qFatal("requests and responses differ");
        return isAccepted;
    };
    QVERIFY(passes({length}) && passes({coding}));
    QVERIFY(!passes({length, coding}));
    QVERIFY(!passes({coding, length}));
    QVERIFY(!passes({coding, coding}));
    QVERIFY(!passes({length, length}));
}

void TestMessageRules::connection_options_decideOrAreRefused_data()
{
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<int>("kept11"); // -1: refused
    QTest::addColumn<int>("kept10");
    const auto row = [](const char *name, const QByteArray &lines, int kept11, int kept10) {
        QTest::newRow(name) << lines << kept11 << kept10;
    };
    row("none", "", 1, 0);
    row("close", "Connection: close\r\n", 0, 0);
    row("close in any case", "connection: CLOSE\r\n", 0, 0);
    row("keep-alive", "Connection: keep-alive\r\n", 1, 1);
    row("keep-alive in any case", "Connection: Keep-Alive\r\n", 1, 1);
    row("both", "Connection: keep-alive, close\r\n", 0, 0);
    row("both in two fields", "Connection: close\r\nConnection: keep-alive\r\n", 0, 0);
    row("among others", "Connection: a ,\tclose,b\r\n", 0, 0);
    row("empty elements", "Connection: ,, close ,\r\n", 0, 0);
    row("longer words", "Connection: xclose, keep-alives\r\n", 1, 0);
    row("Proxy-Connection counts for nothing", "Proxy-Connection: close\r\n", 1, 0);
    row("32 options", "Connection: close" + QByteArray(31, ',') + "\r\n", 0, 0);
    row("33 options", "Connection: close" + QByteArray(32, ',') + "\r\n", -1, -1);
    row("33 options in two fields",
        "Connection: a" + QByteArray(31, ',') + "\r\nConnection: close\r\n",
        -1,
        -1);
    row("not a token", "Connection: a b\r\n", -1, -1);
    row("quoted", "Connection: \"close\"\r\n", -1, -1);
    row("parameter", "Connection: close;a=b\r\n", -1, -1);
    row("not a token in the second field", "Connection: close\r\nConnection: @\r\n", -1, -1);
    for (const char *name : {"Host",
                             "Content-Length",
                             "content-type",
                             "Content-Encoding",
                             "Authorization",
                             "X-Api-Key",
                             "x-goog-api-key",
                             "api-key",
                             "Origin",
                             "COOKIE"}) {
        row(name, QByteArray("Connection: ") + name + "\r\n", -1, -1);
        QTest::addRow("%s among others", name)
            << QByteArray("Connection: close\r\nConnection: a, ") + name + ", b\r\n"
            << -1 << -1;
    }
}

void TestMessageRules::connection_options_decideOrAreRefused()
{
    QFETCH(QByteArray, lines);
    QFETCH(int, kept11);
    QFETCH(int, kept10);
    RequestHead request;
    const std::string new11 = requestWith(view(lines));
    QCOMPARE(outcomeOfRequest(new11, request), QByteArray(kept11 < 0 ? "request" : "ok"));
    if (kept11 >= 0)
        QCOMPARE(int(request.keepAlive), kept11);
    const std::string old10 = requestWith(view(lines), "POST / HTTP/1.0");
    QCOMPARE(outcomeOfRequest(old10, request), QByteArray(kept10 < 0 ? "request" : "ok"));
    if (kept10 >= 0)
        QCOMPARE(int(request.keepAlive), kept10);
}

void TestMessageRules::upgrade_fields_areAWebsocketOrNot_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<QByteArray>("expected");
    QTest::addColumn<bool>("isWebsocket");
    const auto row = [](const char *name,
                        const char *line,
                        const char *lines,
                        const char *expected,
                        bool isWebsocket) {
        QTest::newRow(name) << QByteArray(line) << QByteArray(lines) << QByteArray(expected)
                            << isWebsocket;
    };
    const char *get = "GET / HTTP/1.1";
    row("websocket", get, "Connection: Upgrade\r\nUpgrade: websocket\r\n", "ok", true);
    row("any case", get, "connection: UPGRADE\r\nupgrade: WebSocket\r\n", "ok", true);
    row("other order",
        get,
        "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n",
        "ok",
        true);
    row("not named by Connection", get, "Upgrade: websocket\r\n", "ok", false);
    row("no Upgrade field", get, "Connection: Upgrade\r\n", "ok", false);
    row("HTTP/2", get, "Connection: Upgrade\r\nUpgrade: h2c\r\n", "ok", false);
    row("list", get, "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n", "ok", false);
    row("with a version", get, "Connection: Upgrade\r\nUpgrade: websocket/13\r\n", "ok", false);
    row("HTTP/1.0", "GET / HTTP/1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "ok", false);
    const char *post = "POST / HTTP/1.1";
    const char *refused = "request:upgrade";
    row("POST", post, "Connection: Upgrade\r\nUpgrade: websocket\r\n", refused, true);
    row("POST to HTTP/2", post, "Connection: Upgrade\r\nUpgrade: h2c\r\n", "ok", false);
    row("length",
        get,
        "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n",
        refused,
        true);
    row("chunked",
        get,
        "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n",
        refused,
        true);
}

void TestMessageRules::upgrade_fields_areAWebsocketOrNot()
{
    QFETCH(QByteArray, line);
    QFETCH(QByteArray, lines);
    QFETCH(QByteArray, expected);
    QFETCH(bool, isWebsocket);
    RequestHead request;
    const std::string head = requestWith(view(lines), view(line));
    QCOMPARE(outcomeOfRequest(head, request), expected);
    QCOMPARE(request.upgradeWebsocket, isWebsocket);
}

void TestMessageRules::expect_fields_areKnownOrRefused_data()
{
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<bool>("passes");
    QTest::addColumn<bool>("isExpected");
    const auto row = [](const char *name, const QByteArray &lines, bool passes, bool isExpected) {
        QTest::newRow(name) << lines << passes << isExpected;
    };
    const QByteArray expect("Expect: 100-continue\r\n");
    row("with a length", expect + "Content-Length: 1\r\n", true, true);
    row("behind the length", "Content-Length: 1\r\n" + expect, true, true);
    row("with chunks", expect + "Transfer-Encoding: chunked\r\n", true, true);
    row("any case", "eXPECT: 100-Continue\r\nContent-Length: 1\r\n", true, true);
    row("twice the same", expect + expect + "Content-Length: 1\r\n", true, true);
    row("no body", expect, true, false);
    row("empty body", expect + "Content-Length: 0\r\n", true, false);
    row("unknown", "Expect: 200-ok\r\nContent-Length: 1\r\n", false, false);
    row("empty", "Expect:\r\nContent-Length: 1\r\n", false, false);
    row("list", "Expect: 100-continue, a\r\nContent-Length: 1\r\n", false, false);
    row("unknown second", expect + "Expect: a\r\n", false, false);
    row("unknown first", "Expect: a\r\n" + expect, false, false);
    row("longer", "Expect: 100-continues\r\n", false, false);
}

void TestMessageRules::expect_fields_areKnownOrRefused()
{
    QFETCH(QByteArray, lines);
    QFETCH(bool, passes);
    QFETCH(bool, isExpected);
    for (const char *version : {"1.1", "1.0"}) {
        RequestHead request;
        const std::string head = requestWith(view(lines), "POST / HTTP/" + std::string(version));
        const bool hasChunks = lines.contains("chunked") && QByteArray(version) == "1.0";
        QCOMPARE(outcomeOfRequest(head, request),
                 QByteArray(hasChunks ? "request"
                            : passes  ? "ok"
                                      : "request:expectation"));
        // RFC 9110 §10.1.1: ignored in HTTP/1.0.
        if (passes && !hasChunks)
            QCOMPARE(request.expectContinue, isExpected && QByteArray(version) == "1.1");
    }
}

QTEST_APPLESS_MAIN(TestMessageRules)
#include "tst_messagerules.moc"
