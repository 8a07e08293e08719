// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/rules.h"
#include "tests/http/messages.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

class TestResponseHead : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void response_wellFormed_isTakenApart();
    void response_reused_forgetsTheLastOne();
    void response_statusLine_isReadStrictly_data();
    void response_statusLine_isReadStrictly();
    void response_everyByteInTheReason_isTextOrRefused();
    void response_anyStatus_isRefusedOutsideOf100To599();
    void response_framing_followsStatusAndMethod_data();
    void response_framing_followsStatusAndMethod();
    void response_fields_passOrAreRefused_data();
    void response_fields_passOrAreRefused();
    void response_keepAlive_followsVersionAndConnection_data();
    void response_keepAlive_followsVersionAndConnection();
    void trailers_sections_passOrAreRefused_data();
    void trailers_sections_passOrAreRefused();
    void trailers_fields_pointIntoTheSection();
    void mayBeTrailer_everyKnownField_isRefused();
};

void TestResponseHead::response_wellFormed_isTakenApart()
{
    const std::string head = "HTTP/1.1 404 Not  Found \r\nA: b\r\nContent-Length: 7\r\n\r\n";
    ResponseHead response;
    QCOMPARE(outcomeOfResponse(head, response), QByteArray("ok"));
    QCOMPARE(response.status, 404);
    QCOMPARE(response.version, Version::Http11);
    QCOMPARE(response.framing, Framing::Length);
    QCOMPARE(response.contentLength, quint64(7));
    QVERIFY(response.hasContentLength && response.keepAlive);
    QCOMPARE(bytes(response.reason).trimmed(), QByteArray("Not  Found"));
    QCOMPARE(listed(response.fields), QByteArray("A=b|Content-Length=7"));
}

void TestResponseHead::response_reused_forgetsTheLastOne()
{
    ResponseHead response;
    for (const char *lines : {"Content-Length: 3\r\nConnection: close\r\n",
                              "Transfer-Encoding: chunked\r\n",
                              "Connection: Upgrade\r\nUpgrade: websocket\r\n"}) {
        const std::string before = responseWith(lines);
        QCOMPARE(outcomeOfResponse(before, response), QByteArray("ok"));
        const std::string plain = responseWith("", "HTTP/1.1 204 ");
        QCOMPARE(outcomeOfResponse(plain, response), QByteArray("ok"));
        QCOMPARE(response.framing, Framing::None);
        QCOMPARE(response.contentLength, quint64(0));
        QVERIFY(response.keepAlive && !response.hasContentLength && !response.upgradeWebsocket);
        QVERIFY(response.fields.empty() && response.reason.empty());
    }
}

void TestResponseHead::response_statusLine_isReadStrictly_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &line, const char *expected) {
        QTest::newRow(name) << line << QByteArray(expected);
    };
    row("1.1", "HTTP/1.1 200 OK", "ok");
    row("1.0", "HTTP/1.0 200 OK", "ok");
    row("empty reason", "HTTP/1.1 200 ", "ok");
    row("reason in another script", "HTTP/1.1 200 \xe4\xbd\xa0", "ok");
    row("tab in the reason", "HTTP/1.1 200 a\tb", "ok");
    row("no blank behind the status", "HTTP/1.1 200", "provider:response");
    row("1.2", "HTTP/1.2 200 OK", "provider:response");
    row("2.0", "HTTP/2.0 200 OK", "provider:response");
    row("0.9", "HTTP/0.9 200 OK", "provider:response");
    row("another protocol", "ICY 200 OK", "provider:response");
    row("lower case", "http/1.1 200 OK", "provider:response");
    row("two digits", "HTTP/1.1 20 OK", "provider:response");
    row("four digits", "HTTP/1.1 2000 OK", "provider:response");
    row("letter in the status", "HTTP/1.1 2x0 OK", "provider:response");
    row("minus", "HTTP/1.1 -20 OK", "provider:response");
    row("two blanks before the status", "HTTP/1.1  200 OK", "provider:response");
    row("tab before the status", "HTTP/1.1\t200 OK", "provider:response");
    row("tab behind the status", "HTTP/1.1 200\tOK", "provider:response");
    row("blank before", " HTTP/1.1 200 OK", "provider:response");
    row("CR in the reason", "HTTP/1.1 200 O\rK", "provider:response");
    row("a request", "GET / HTTP/1.1", "provider:response");
    row("LF in the reason", "HTTP/1.1 200 O\nK", "malformed");
}

void TestResponseHead::response_statusLine_isReadStrictly()
{
    QFETCH(QByteArray, line);
    QFETCH(QByteArray, expected);
    ResponseHead response;
    const std::string head = responseWith("A: b\r\n", view(line));
    QCOMPARE(outcomeOfResponse(head, response), expected);
}

void TestResponseHead::response_everyByteInTheReason_isTextOrRefused()
{
    for (int byte = 0; byte < 256; ++byte) {
        const bool isText = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
        for (std::size_t at = 0; at < 3; ++at) {
            std::string reason = "OK";
            reason.insert(at, 1, static_cast<char>(byte));
            const std::string head = responseWith("", "HTTP/1.1 200 " + reason);
            ResponseHead response;
            QVERIFY2((outcomeOfResponse(head, response) == "ok") == isText,
                     qPrintable(QStringLiteral("%1 at %2").arg(byte).arg(at)));
        }
    }
}

void TestResponseHead::response_anyStatus_isRefusedOutsideOf100To599()
{
    for (int status = 0; status < 1000; ++status) {
        const QByteArray line = "HTTP/1.1 " + QByteArray::number(status).rightJustified(3, '0');
        ResponseHead response;
        const std::string head = responseWith("", view(line + " x"));
        QCOMPARE(outcomeOfResponse(head, response) == "ok", status >= 100 && status <= 599);
        QCOMPARE(response.status, status);
    }
}

void TestResponseHead::response_framing_followsStatusAndMethod_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<int>("framing"); // -1: refused
    const QByteArray length("Content-Length: 5\r\n");
    const QByteArray chunked("Transfer-Encoding: chunked\r\n");
    const auto row = [](int status, const char *method, const QByteArray &line, int framing) {
        QTest::addRow("%s %d %s", method, status, line.left(7).constData())
            << status << QByteArray(method) << line << framing;
    };
    const auto none = static_cast<int>(Framing::None);
    for (const int status : {200, 201, 205, 206, 301, 400, 500, 599}) {
        row(status, "GET", length, static_cast<int>(Framing::Length));
        row(status, "POST", chunked, static_cast<int>(Framing::Chunked));
        row(status, "POST", "", static_cast<int>(Framing::UntilClose));
        row(status, "HEAD", length, none);
        row(status, "HEAD", chunked, none);
        row(status, "HEAD", "", none);
    }
    for (const char *method : {"GET", "HEAD"}) {
        for (const int status : {100, 101, 103, 199, 204}) {
            row(status, method, length, none);
            row(status, method, chunked, -1);
            row(status, method, "", none);
        }
        row(304, method, length, none);
        row(304, method, chunked, none);
        row(304, method, "", none);
    }
    row(200, "head", length, static_cast<int>(Framing::Length));
}

void TestResponseHead::response_framing_followsStatusAndMethod()
{
    QFETCH(int, status);
    QFETCH(QByteArray, method);
    QFETCH(QByteArray, line);
    QFETCH(int, framing);
    ResponseHead response;
    const std::string head = responseWith(view(line), "HTTP/1.1 " + std::to_string(status) + " x");
    QCOMPARE(outcomeOfResponse(head, response, view(method)),
             QByteArray(framing < 0 ? "provider:response" : "ok"));
    if (framing < 0)
        return;
    QCOMPARE(static_cast<int>(response.framing), framing);
    QCOMPARE(response.keepAlive, response.framing != Framing::UntilClose);
    QCOMPARE(response.hasContentLength, line.startsWith("Content"));
    QCOMPARE(response.contentLength, quint64(response.hasContentLength ? 5 : 0));
}

void TestResponseHead::response_fields_passOrAreRefused_data()
{
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<bool>("passes");
    const auto row = [](const char *name, const char *lines, bool passes) {
        QTest::newRow(name) << QByteArray(lines) << passes;
    };
    row("no Content-Length twice", "Content-Length: 1\r\nContent-Length: 1\r\n", false);
    row("no list of lengths", "Content-Length: 1, 1\r\n", false);
    row("no signed length", "Content-Length: +1\r\n", false);
    row("no 19 digits", "Content-Length: 1000000000000000000\r\n", false);
    row("18 digits", "Content-Length: 999999999999999999\r\n", true);
    row("no length and coding", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", false);
    row("no coding and length", "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", false);
    row("no gzip coding", "Transfer-Encoding: gzip, chunked\r\n", false);
    row("no coding twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", false);
    row("no Connection that names a length", "Connection: content-length\r\n", false);
    row("no Connection that is no token", "Connection: a b\r\n", false);
    row("Host is nothing here", "Host: a\r\nHost: b\r\n", true);
    row("Expect is nothing here", "Expect: x\r\n", true);
}

void TestResponseHead::response_fields_passOrAreRefused()
{
    QFETCH(QByteArray, lines);
    QFETCH(bool, passes);
    ResponseHead response;
    const std::string head = responseWith(view(lines));
    QCOMPARE(outcomeOfResponse(head, response), QByteArray(passes ? "ok" : "provider:response"));
    // Also where the message has no body.
    QCOMPARE(outcomeOfResponse(head, response, "HEAD"),
             QByteArray(passes ? "ok" : "provider:response"));
}

void TestResponseHead::response_keepAlive_followsVersionAndConnection_data()
{
    QTest::addColumn<QByteArray>("version");
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<bool>("isKept");
    const auto row = [](const char *name, const char *version, const char *lines, bool isKept) {
        QTest::newRow(name) << QByteArray(version) << QByteArray(lines) << isKept;
    };
    row("1.1", "1.1", "", true);
    row("1.1 close", "1.1", "Connection: Close\r\n", false);
    row("1.1 close and keep-alive", "1.1", "Connection: keep-alive, close\r\n", false);
    row("1.0", "1.0", "", false);
    row("1.0 keep-alive", "1.0", "Connection: x, Keep-Alive\r\n", true);
    row("1.0 Keep-Alive field", "1.0", "Keep-Alive: timeout=5\r\n", false);
    row("1.0 Proxy-Connection", "1.0", "Proxy-Connection: keep-alive\r\n", false);
}

void TestResponseHead::response_keepAlive_followsVersionAndConnection()
{
    QFETCH(QByteArray, version);
    QFETCH(QByteArray, lines);
    QFETCH(bool, isKept);
    ResponseHead response;
    const std::string head
        = responseWith(view("Content-Length: 1\r\n" + lines), view("HTTP/" + version + " 200 OK"));
    QCOMPARE(outcomeOfResponse(head, response), QByteArray("ok"));
    QCOMPARE(response.keepAlive, isKept);
}

void TestResponseHead::trailers_sections_passOrAreRefused_data()
{
    QTest::addColumn<QByteArray>("section");
    QTest::addColumn<QByteArray>("expected"); // empty: refused
    QTest::addColumn<bool>("passes");
    const auto passes = [](const char *name, const char *section, const char *expected) {
        QTest::newRow(name) << QByteArray(section) << QByteArray(expected) << true;
    };
    const auto refused = [](const char *name, const QByteArray &section) {
        QTest::newRow(name) << section << QByteArray() << false;
    };
    passes("none", "\r\n", "");
    passes("one", "Digest: a\r\n\r\n", "Digest=a");
    passes("several", "A: b\r\nX-Sum:\r\na: c \r\n\r\n", "A=b|X-Sum=|a=c");
    refused("nothing at all", "");
    refused("no empty line", "A: b\r\n");
    refused("something behind", "A: b\r\n\r\nC: d\r\n");
    refused("blank before the colon", "A : b\r\n\r\n");
    refused("fold", "A: b\r\n c\r\n\r\n");
    refused("fold first", " A: b\r\n\r\n");
    refused("control character", "A: b\x01\r\n\r\n");
    refused("bare LF", "A: b\n\r\n");
    refused("no colon", "A\r\n\r\n");
    for (const char *name : {"Content-Length",
                             "Transfer-Encoding",
                             "Host",
                             "Authorization",
                             "X-Api-Key",
                             "Trailer",
                             "Connection",
                             "TE",
                             "Content-Type",
                             "Content-Encoding",
                             "Content-Range",
                             "Cache-Control",
                             "Set-Cookie",
                             "Location",
                             "Max-Forwards",
                             "Range",
                             "Forwarded",
                             "X-Forwarded-For",
                             "x-forwarded-host",
                             "X-Gatehouse-Reason",
                             "Cookie",
                             "Expect"}) {
        refused(name, QByteArray(name) + ": 1\r\n\r\n");
        QTest::addRow("%s behind another", name)
            << QByteArray("A: b\r\n") + QByteArray(name).toUpper() + ": chunked\r\n\r\n"
            << QByteArray() << false;
    }
}

void TestResponseHead::trailers_sections_passOrAreRefused()
{
    QFETCH(QByteArray, section);
    QFETCH(QByteArray, expected);
    QFETCH(bool, passes);
    for (const ErrorCode refusal : {ErrorCode::BadRequest, ErrorCode::ProviderBadResponse}) {
        const auto fields = parseTrailers(view(section), refusal);
        QCOMPARE(fields.has_value(), passes);
        if (passes)
            QCOMPARE(listed(*fields), expected);
        else
            QCOMPARE(fields.error().code, refusal);
    }
}

void TestResponseHead::trailers_fields_pointIntoTheSection()
{
    const std::string section = "Aa: bcd\r\n\r\n";
    const auto fields = parseTrailers(section, ErrorCode::BadRequest);
    QVERIFY(fields);
    QVERIFY(fields->front().name.data() == section.data());
    QVERIFY(fields->front().value.data() == section.data() + 4);
}

void TestResponseHead::mayBeTrailer_everyKnownField_isRefused()
{
    QVERIFY(mayBeTrailer({FieldId::Other, "x-sum", ""}));
    for (int id = 1; id <= static_cast<int>(FieldId::XGoogApiKey); ++id)
        QVERIFY2(!mayBeTrailer({static_cast<FieldId>(id), "x", ""}),
                 qPrintable(QString::number(id)));
}

QTEST_APPLESS_MAIN(TestResponseHead)
#include "tst_responsehead.moc"
