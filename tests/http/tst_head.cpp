// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/head.h"
#include "tests/http/messages.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

class TestHead : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void request_wellFormed_isTakenApart();
    void request_reused_forgetsTheLastOne();
    void request_firstLine_isReadStrictly_data();
    void request_firstLine_isReadStrictly();
    void request_target_holdsToTheByte();
    void request_fieldLine_isReadStrictly_data();
    void request_fieldLine_isReadStrictly();
    void request_foldedWithoutScanner_isRefused_data();
    void request_foldedWithoutScanner_isRefused();
    void request_everyByteInAFieldName_isATokenOrRefused();
    void request_everyByteInAFieldValue_isTextOrRefused();
    void request_everyByteInTheFirstLine_isRefusedWhereItIsNotText();
    void request_truncatedAnywhere_isRefused();
    void request_knownFields_haveTheirIdInAnyCase();
    void connectionNames_anyField_isLookedAt();
};

void TestHead::request_wellFormed_isTakenApart()
{
    const std::string head = "POST /v1/x?a=b HTTP/1.1\r\nHost: Example.com:8080\r\n"
                             "X-A:  one \t two \t\r\nx-a:\r\nContent-Length:12\r\n\r\n";
    RequestHead request;
    QCOMPARE(outcomeOfRequest(head, request), QByteArray("ok"));
    QCOMPARE(bytes(request.method), QByteArray("POST"));
    QCOMPARE(bytes(request.target), QByteArray("/v1/x?a=b"));
    QCOMPARE(bytes(request.path), QByteArray("/v1/x"));
    QCOMPARE(bytes(request.query), QByteArray("?a=b"));
    QCOMPARE(bytes(request.host), QByteArray("Example.com"));
    QCOMPARE(request.version, Version::Http11);
    QCOMPARE(request.framing, Framing::Length);
    QCOMPARE(request.contentLength, quint64(12));
    QVERIFY(request.keepAlive);
    QVERIFY(!request.upgradeWebsocket && !request.expectContinue);
    QCOMPARE(listed(request.fields),
             QByteArray("Host=Example.com:8080|X-A=one \t two|x-a=|Content-Length=12"));
    for (const Field &field : request.fields) {
        QVERIFY(field.name.data() > head.data() && field.name.data() < head.data() + head.size());
        QVERIFY(field.value.data() > head.data() && field.value.data() < head.data() + head.size());
    }
}

void TestHead::request_reused_forgetsTheLastOne()
{
    RequestHead request;
    const std::string first = requestWith("Expect: 100-continue\r\nConnection: close\r\n"
                                          "Transfer-Encoding: chunked\r\n",
                                          "POST /a?b HTTP/1.1");
    const std::string upgrade
        = requestWith("Connection: Upgrade\r\nUpgrade: websocket\r\n", "GET /a HTTP/1.1");
    const std::string length = requestWith("Content-Length: 3\r\n", "PUT /a HTTP/1.0");
    for (const std::string &before : {first, upgrade, length}) {
        QCOMPARE(outcomeOfRequest(before, request), QByteArray("ok"));
        const std::string plain = requestWith("", "GET / HTTP/1.1");
        QCOMPARE(outcomeOfRequest(plain, request), QByteArray("ok"));
        QCOMPARE(request.framing, Framing::None);
        QCOMPARE(request.contentLength, quint64(0));
        QCOMPARE(request.version, Version::Http11);
        QVERIFY(request.keepAlive && !request.expectContinue && !request.upgradeWebsocket);
        QCOMPARE(listed(request.fields), QByteArray("Host=h"));
        QVERIFY(request.query.empty());
    }
}

void TestHead::request_firstLine_isReadStrictly_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &line, const char *expected) {
        QTest::newRow(name) << line << QByteArray(expected);
    };
    row("1.1", "GET / HTTP/1.1", "ok");
    row("1.0", "GET / HTTP/1.0", "ok");
    row("any method of token characters", "m!#$%&'*+-.^_`|~9 / HTTP/1.1", "ok");
    row("method of 32 characters", QByteArray(32, 'M') + " / HTTP/1.1", "ok");
    row("method of 33 characters", QByteArray(33, 'M') + " / HTTP/1.1", "request");
    row("1.2", "GET / HTTP/1.2", "request:version");
    row("0.9", "GET / HTTP/0.9", "request:version");
    row("2.0", "GET / HTTP/2.0", "request:version");
    row("9.9", "GET / HTTP/9.9", "request:version");
    row("HTTP/2's preface", "PRI * HTTP/2.0", "request:version");
    row("2 without a point", "GET / HTTP/2", "request");
    row("two digits behind the point", "GET / HTTP/1.10", "request");
    row("two digits before the point", "GET / HTTP/11.1", "request");
    row("letter for a digit", "GET / HTTP/1.x", "request");
    row("lower case", "GET / http/1.1", "request");
    row("lower case of another version", "GET / http/2.0", "request");
    row("another protocol", "GET / ICY/1.1", "request");
    row("no version", "GET /", "request");
    row("no target", "GET HTTP/1.1", "request");
    row("method only", "GET", "request");
    row("empty target", "GET  HTTP/1.1", "request");
    row("blank before", " GET / HTTP/1.1", "request");
    row("blank behind", "GET / HTTP/1.1 ", "request");
    row("two blanks behind the method", "GET  / HTTP/1.1", "request");
    row("two blanks behind the target", "GET /  HTTP/1.1", "request");
    row("tab for a blank", "GET\t/\tHTTP/1.1", "request");
    row("CR in it", "GET / HTTP/1.1\rX: y", "request");
    row("CR before the end", "GET / HTTP/1.1\r", "request");
    row("no method", " / HTTP/1.1", "request");
    row("delimiter in the method", "GE:T / HTTP/1.1", "request");
    row("a response", "HTTP/1.1 200 OK", "request");
    row("TLS", "\x16\x03\x01 / HTTP/1.1", "request");
}

void TestHead::request_firstLine_isReadStrictly()
{
    QFETCH(QByteArray, line);
    QFETCH(QByteArray, expected);
    RequestHead request;
    const std::string head = requestWith("", view(line));
    QCOMPARE(outcomeOfRequest(head, request), expected);
}

void TestHead::request_target_holdsToTheByte()
{
    RequestHead request;
    for (const auto size : {targetLimit - 1, targetLimit, targetLimit + 1, targetLimit * 3}) {
        const std::string target = "/" + std::string(size - 1, 'a');
        const QByteArray expected = size <= targetLimit ? "ok" : "request:target-size";
        for (const char *method : {"GET ", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF "}) {
            const std::string head = requestWith("", method + target + " HTTP/1.1");
            QCOMPARE(outcomeOfRequest(head, request), expected);
        }
    }
    // Too long to be anything, whatever it is.
    const std::string endless(targetLimit + 65, 'x');
    QCOMPARE(outcomeOf(parseRequestHead(endless, targetLimit, request)),
             QByteArray("request:target-size"));
}

void TestHead::request_fieldLine_isReadStrictly_data()
{
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &lines, const char *expected) {
        QTest::newRow(name) << lines << QByteArray(expected);
    };
    row("no blank behind the colon", "A:b\r\n", "ok");
    row("empty value", "A:\r\n", "ok");
    row("blanks for a value", "A: \t \r\n", "ok");
    row("colon in the value", "A: b:c\r\n", "ok");
    row("a long value", "A: " + QByteArray(60'000, 'b') + "\r\n", "ok");
    row("a long name", QByteArray(60'000, 'a') + ": b\r\n", "ok");
    row("blank before the colon", "A : b\r\n", "request");
    row("tab before the colon", "A\t: b\r\n", "request");
    row("no colon", "A\r\n", "request");
    row("no name", ": b\r\n", "request");
    row("blank in the name", "A B: c\r\n", "request");
    row("CR in the value", "A: b\rc\r\n", "request");
    row("CR CR LF", "A: b\r\r\n", "request");
    row("CR in the name", "A\rB: c\r\n", "request");
    row("CR before the empty line", "A: b\r\n\r\r\n", "request");
    row("bare LF", "A: b\nC: d\r\n", "malformed");
    row("bare LF at the end", "A: b\r\n\n", "malformed");
    row("LF in the name", "A\nB: c\r\n", "malformed");
    row("fold with a blank", "A: b\r\n c\r\n", "malformed");
    row("fold with a tab", "A: b\r\n\tc\r\n", "malformed");
    row("fold of blanks only", "A: b\r\n \r\n", "malformed");
    row("empty line in the middle", "A: b\r\n\r\nC: d\r\n", "bytes behind the head");
}

void TestHead::request_fieldLine_isReadStrictly()
{
    QFETCH(QByteArray, lines);
    QFETCH(QByteArray, expected);
    RequestHead request;
    const std::string last = requestWith(view(lines));
    QCOMPARE(outcomeOfRequest(last, request), expected);
    const std::string first
        = "POST / HTTP/1.1\r\n" + std::string(view(lines)) + "Host: h\r\nZ: z\r\n\r\n";
    QCOMPARE(outcomeOfRequest(first, request), expected);
}

void TestHead::request_foldedWithoutScanner_isRefused_data()
{
    QTest::addColumn<QByteArray>("lines");
    QTest::newRow("value goes on") << QByteArray("A: b\r\n c\r\n");
    QTest::newRow("blanks go on") << QByteArray("A: b\r\n \r\n");
    QTest::newRow("value begins there") << QByteArray("A:\r\n b\r\n");
    QTest::newRow("value begins there with a tab") << QByteArray("A: \r\n\tb\r\n");
    QTest::newRow("no value at all") << QByteArray("A:\r\n \r\n");
}

void TestHead::request_foldedWithoutScanner_isRefused()
{
    QFETCH(QByteArray, lines);
    RequestHead request;
    const std::string head = requestWith(view(lines));
    QCOMPARE(outcomeOf(parseRequestHead(head, targetLimit, request)), QByteArray("request"));
    ResponseHead response;
    const std::string answer = responseWith(view(lines));
    QCOMPARE(outcomeOf(parseResponseHead(answer, "GET", response)),
             QByteArray("provider:response"));
    const std::string section(view(lines + "\r\n"));
    QVERIFY(!parseTrailers(section, ErrorCode::BadRequest));
}

void TestHead::request_everyByteInAFieldName_isATokenOrRefused()
{
    const QByteArray delimiters("\"(),/:;<=>?@[\\]{} ");
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool isToken = byte > 0x20 && byte < 0x7f && !delimiters.contains(c);
        for (std::size_t at = 0; at < 4; ++at) {
            std::string name = "Abc";
            name.insert(at, 1, c);
            RequestHead request;
            const std::string head = requestWith(name + ": x\r\n");
            // A colon behind the first character ends the name early, which is well-formed.
            const bool isAccepted = isToken || (c == ':' && at > 0);
            QVERIFY2((outcomeOfRequest(head, request) == "ok") == isAccepted,
                     qPrintable(QStringLiteral("%1 at %2").arg(byte).arg(at)));
        }
    }
}

void TestHead::request_everyByteInAFieldValue_isTextOrRefused()
{
    for (int byte = 0; byte < 256; ++byte) {
        const bool isText = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
        for (std::size_t at = 0; at < 4; ++at) {
            std::string value = "abc";
            value.insert(at, 1, static_cast<char>(byte));
            RequestHead request;
            const std::string head = requestWith("X-A: " + value + "\r\n");
            QVERIFY2((outcomeOfRequest(head, request) == "ok") == isText,
                     qPrintable(QStringLiteral("%1 at %2").arg(byte).arg(at)));
            const bool isBlank = byte == '\t' || byte == ' ';
            if (isText && !(isBlank && (at == 0 || at == 3)))
                QCOMPARE(bytes(request.fields.back().value), bytes(value));
        }
    }
}

void TestHead::request_everyByteInTheFirstLine_isRefusedWhereItIsNotText()
{
    const std::string line = "GET /a HTTP/1.1";
    for (int byte = 0; byte < 256; ++byte) {
        if (byte > 0x20 && byte < 0x7f)
            continue;
        for (std::size_t at = 0; at <= line.size(); ++at) {
            std::string changed = line;
            changed.insert(at, 1, static_cast<char>(byte));
            RequestHead request;
            QVERIFY2(outcomeOfRequest(requestWith("", changed), request) != "ok",
                     qPrintable(QStringLiteral("%1 at %2").arg(byte).arg(at)));
        }
    }
}

void TestHead::request_truncatedAnywhere_isRefused()
{
    const std::string head = requestWith("A: b\r\nContent-Length: 3\r\n");
    for (std::size_t size = 0; size < head.size(); ++size) {
        // A copy of that size, so that reading past it is seen by AddressSanitizer.
        const std::vector<char> cut(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(size));
        RequestHead request;
        QVERIFY(!parseRequestHead({cut.data(), cut.size()}, targetLimit, request));
        ResponseHead response;
        QVERIFY(!parseResponseHead({cut.data(), cut.size()}, "GET", response));
    }
}

void TestHead::request_knownFields_haveTheirIdInAnyCase()
{
    const std::vector<std::pair<const char *, FieldId>> known{
        {"Api-Key", FieldId::ApiKey},
        {"Authorization", FieldId::Authorization},
        {"Connection", FieldId::Connection},
        {"Content-Encoding", FieldId::ContentEncoding},
        {"Content-Type", FieldId::ContentType},
        {"Cookie", FieldId::Cookie},
        {"X-Gatehouse-Reason", FieldId::GatehouseReason},
        {"X-Gatehouse-Request-Id", FieldId::GatehouseRequestId},
        {"Keep-Alive", FieldId::KeepAlive},
        {"Origin", FieldId::Origin},
        {"Proxy-Authenticate", FieldId::ProxyAuthenticate},
        {"Proxy-Authorization", FieldId::ProxyAuthorization},
        {"Proxy-Connection", FieldId::ProxyConnection},
        {"Sec-Fetch-Site", FieldId::SecFetchSite},
        {"TE", FieldId::Te},
        {"Trailer", FieldId::Trailer},
        {"Upgrade", FieldId::Upgrade},
        {"X-Api-Key", FieldId::XApiKey},
        {"X-Goog-Api-Key", FieldId::XGoogApiKey},
        {"X-Api-Keys", FieldId::Other},
        {"Api_Key", FieldId::Other},
        {"Accept", FieldId::Other},
        {"X-Gatehouse-Reasons", FieldId::Other}};
    for (const auto &[name, id] : known) {
        for (const QByteArray &spelled :
             {QByteArray(name), QByteArray(name).toLower(), QByteArray(name).toUpper()}) {
            RequestHead request;
            const std::string head = requestWith(view(spelled + ": x\r\n"));
            QCOMPARE(outcomeOfRequest(head, request), QByteArray("ok"));
            QCOMPARE(request.fields.back().id, id);
            QCOMPARE(bytes(request.fields.back().name), spelled);
        }
    }
}

void TestHead::connectionNames_anyField_isLookedAt()
{
    RequestHead request;
    const std::string head
        = requestWith("Connection: a, B-c\r\nX: y\r\nconnection: ,d ,\r\nAccept: z\r\n");
    QCOMPARE(outcomeOfRequest(head, request), QByteArray("ok"));
    for (const char *name : {"a", "A", "b-C", "d"})
        QVERIFY2(request.connectionNames(name), name);
    for (const char *name : {"b", "c", "x", "y", "z", "B-c, d"})
        QVERIFY2(!request.connectionNames(name), name);
    QCOMPARE(bytes(request.find(FieldId::Connection)->value), QByteArray("a, B-c"));
    QVERIFY(request.find(FieldId::Cookie) == nullptr);
}

QTEST_APPLESS_MAIN(TestHead)
#include "tst_head.moc"
