// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/rules.h"
#include "tests/http/messages.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

class TestRules : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void host_fields_areExactlyOne_data();
    void host_fields_areExactlyOne();
    void hostOfAuthority_texts_haveAHostOrNone_data();
    void hostOfAuthority_texts_haveAHostOrNone();
    void hostOfAuthority_everyByte_isAHostCharacterOrRefused();
    void target_forms_passOrAreRefused_data();
    void target_forms_passOrAreRefused();
    void path_dotSegments_areRefusedHoweverWritten_data();
    void path_dotSegments_areRefusedHoweverWritten();
    void path_everyByte_isPassedOrRefused();
    void path_everyEscape_isPassedOrRefused();
    void query_everyByte_isPassedOrRefused();
    void method_connectAndTrace_areNotAllowed();
};

void TestRules::host_fields_areExactlyOne_data()
{
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const char *lines, const char *expected) {
        QTest::newRow(name) << QByteArray(lines) << QByteArray(expected);
    };
    row("one", "Host: h\r\n", "ok");
    row("any case, any place", "A: b\r\nhOST:h\r\n", "ok");
    row("none", "A: b\r\n", "request");
    row("empty", "Host:\r\n", "request");
    row("two", "Host: h\r\nHost: i\r\n", "request");
    row("the same twice", "Host: h\r\nA: b\r\nHost: h\r\n", "request");
    row("list", "Host: h, h\r\n", "request");
    row("URL", "Host: http://h\r\n", "request");
}

void TestRules::host_fields_areExactlyOne()
{
    QFETCH(QByteArray, lines);
    QFETCH(QByteArray, expected);
    for (const char *version : {"1.1", "1.0"}) {
        const std::string head
            = "GET / HTTP/" + std::string(version) + "\r\n" + std::string(view(lines)) + "\r\n";
        RequestHead request;
        QCOMPARE(outcomeOfRequest(head, request), expected);
    }
}

void TestRules::hostOfAuthority_texts_haveAHostOrNone_data()
{
    QTest::addColumn<QByteArray>("authority");
    QTest::addColumn<QByteArray>("host"); // empty: refused
    const auto row = [](const char *name, const QByteArray &authority, const QByteArray &host) {
        QTest::newRow(name) << authority << host;
    };
    row("name", "api.Example.com", "api.Example.com");
    row("name and port", "localhost:8080", "localhost");
    row("underscore and hyphen", "a_b-c", "a_b-c");
    row("IPv4", "127.0.0.1:1", "127.0.0.1");
    row("IPv6", "[::1]", "[::1]");
    row("IPv6 and port", "[2001:db8::A]:443", "[2001:db8::A]");
    row("IPv6 that ends in IPv4", "[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]");
    row("lowest port", "h:1", "h");
    row("highest port", "h:65535", "h");
    row("253 characters", QByteArray(253, 'a') + ":80", QByteArray(253, 'a'));
    const auto refused = [](const char *name, const QByteArray &authority) {
        QTest::newRow(name) << authority << QByteArray();
    };
    refused("empty", "");
    refused("254 characters", QByteArray(254, 'a'));
    refused("port only", ":80");
    refused("port 0", "h:0");
    refused("port 65536", "h:65536");
    refused("port beyond 64 bits", "h:18446744073709551617");
    refused("empty port", "h:");
    refused("signed port", "h:+80");
    refused("two ports", "h:80:80");
    refused("blank in the port", "h: 80");
    refused("userinfo", "user@h");
    refused("userinfo with a password", "user:80@h");
    refused("IPv6 without brackets", "::1");
    refused("empty brackets", "[]");
    refused("one character in brackets", "[a]");
    refused("open bracket", "[::1");
    refused("closed bracket only", "::1]");
    refused("zone", "[fe80::1%25lo]");
    refused("name in brackets", "[localhost]");
    refused("something behind brackets", "[::1]a");
    refused("brackets twice", "[::1][::1]");
    refused("empty port behind brackets", "[::1]:");
    refused("encoded", "%6cocalhost");
    refused("NUL", QByteArray("h\0", 2));
    refused("path", "h/");
    refused("blank", "h h");
}

void TestRules::hostOfAuthority_texts_haveAHostOrNone()
{
    QFETCH(QByteArray, authority);
    QFETCH(QByteArray, host);
    const auto found = hostOfAuthority(view(authority));
    QCOMPARE(found.has_value(), !host.isEmpty());
    QCOMPARE(bytes(found.value_or("")), host);
}

void TestRules::hostOfAuthority_everyByte_isAHostCharacterOrRefused()
{
    const QByteArray others("-._0123456789"
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    const QByteArray inBrackets("0123456789abcdefABCDEF:.");
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const auto found = hostOfAuthority("a" + std::string(1, c) + "b");
        QCOMPARE(found.has_value(), others.contains(c));
        QCOMPARE(hostOfAuthority("[:" + std::string(1, c) + ":]").has_value(),
                 inBrackets.contains(c));
    }
}

void TestRules::target_forms_passOrAreRefused_data()
{
    QTest::addColumn<QByteArray>("line"); // Host is h:8080
    QTest::addColumn<QByteArray>("path"); // empty: refused
    QTest::addColumn<QByteArray>("query");
    const auto row
        = [](const char *name, const char *line, const char *path, const char *query = "") {
              QTest::newRow(name) << QByteArray(line) << QByteArray(path) << QByteArray(query);
          };
    row("path", "GET /a/b", "/a/b");
    row("root", "GET /", "/");
    row("query", "GET /a?b=c", "/a", "?b=c");
    row("empty query", "GET /a?", "/a", "?");
    row("query with marks and slashes", "GET /a?b?/../c", "/a", "?b?/../c");
    row("empty segments", "GET //a//b/", "//a//b/");
    row("colon", "GET /models/x:generate", "/models/x:generate");
    row("URL in the path", "GET /http://evil/", "/http://evil/");
    row("parameters", "GET /a;b=c/d", "/a;b=c/d");
    row("absolute", "GET http://h:8080/a?b", "/a", "?b");
    row("absolute in any case", "GET HTTP://H:8080/a", "/a");
    row("absolute https", "GET https://h:8080/", "/");
    row("asterisk of OPTIONS", "OPTIONS *", "*");
    row("path of OPTIONS", "OPTIONS /a", "/a");
    row("asterisk of GET", "GET *", "");
    row("asterisk and more", "OPTIONS *a", "");
    row("asterisk and query", "OPTIONS *?a", "");
    row("authority", "GET h:8080", "");
    row("no slash", "GET a/b", "");
    row("query only", "GET ?a", "");
    row("absolute with another host", "GET http://i:8080/a", "");
    row("absolute with another port", "GET http://h:8081/a", "");
    row("absolute without the port", "GET http://h/a", "");
    row("absolute with userinfo", "GET http://u@h:8080/a", "");
    row("absolute with a longer host", "GET http://h:80800/a", "");
    row("absolute without a host", "GET http:///a", "");
    row("absolute without a path", "GET http://h:8080", "");
    row("absolute with query only", "GET http://h:8080?a", "");
    row("absolute with fragment only", "GET http://h:8080#a", "");
    row("absolute with backslash", "GET http://h:8080\\a", "");
    row("absolute with dots", "GET http://h:8080/a/..", "");
    row("another scheme", "GET ftp://h:8080/a", "");
    row("longer scheme", "GET httpx://h:8080/a", "");
    row("scheme behind a blankless word", "GET xhttp://h:8080/a", "");
    row("no slashes behind the scheme", "GET http:h:8080/a", "");
    row("fragment", "GET /a#b", "");
    row("fragment behind a query", "GET /a?b#c", "");
}

void TestRules::target_forms_passOrAreRefused()
{
    QFETCH(QByteArray, line);
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, query);
    const std::string head = std::string(view(line)) + " HTTP/1.1\r\nHost: h:8080\r\n\r\n";
    RequestHead request;
    QCOMPARE(outcomeOfRequest(head, request), QByteArray(path.isEmpty() ? "request" : "ok"));
    if (path.isEmpty())
        return;
    QCOMPARE(bytes(request.path), path);
    QCOMPARE(bytes(request.query), query);
    QCOMPARE(bytes(request.host), QByteArray("h"));
    QCOMPARE(bytes(request.target), line.mid(line.indexOf(' ') + 1));
}

void TestRules::path_dotSegments_areRefusedHoweverWritten_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<bool>("passes");
    for (const char *dots :
         {".", "..", "%2e", "%2E", "%2e%2e", "%2E%2E", "%2e%2E", ".%2e", "%2E."}) {
        for (const char *frame : {"/@",
                                  "/@/",
                                  "/a/@",
                                  "/a/@/b",
                                  "//@//",
                                  "/@/a/b/c",
                                  "/a%2f@",
                                  "/a%2F@%2fb",
                                  "/@%2f",
                                  "/a%5c@",
                                  "/@%5Cb",
                                  "/a/@;",
                                  "/@;b=c/d"}) {
            const QByteArray path = QByteArray(frame).replace('@', dots);
            QTest::newRow(path.constData()) << path << false;
        }
        for (const char *frame : {"/@a",
                                  "/a@",
                                  "/a/b@/c",
                                  "/@.@",
                                  "/@-",
                                  "/@%61",
                                  "/%61@",
                                  "/@%20",
                                  "/a;@",
                                  "/a;@/b",
                                  "/@,",
                                  "/@:a"}) {
            const QByteArray path = QByteArray(frame).replace('@', dots);
            QTest::newRow(path.constData()) << path << true;
        }
    }
    for (const char *path : {"/...",
                             "/%2e%2e%2e",
                             "/a/....",
                             "/%252e%252e/",
                             "/%2f",
                             "/a%2fb",
                             "/;",
                             "/a%5cb",
                             "/%2f%2f"})
        QTest::newRow(path) << QByteArray(path) << true;
}

void TestRules::path_dotSegments_areRefusedHoweverWritten()
{
    QFETCH(QByteArray, path);
    QFETCH(bool, passes);
    for (const char *query : {"", "?", "?a=/../b"}) {
        const std::string head = requestWith("", view("GET " + path + query + " HTTP/1.1"));
        RequestHead request;
        QCOMPARE(outcomeOfRequest(head, request), QByteArray(passes ? "ok" : "request"));
    }
}

void TestRules::path_everyByte_isPassedOrRefused()
{
    const QByteArray refused("\"#<>\\^`{}% "); // a '%' alone; '?' begins the query
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool passes = byte > 0x20 && byte < 0x7f && !refused.contains(c);
        for (std::size_t at = 1; at < 4; ++at) {
            std::string path = "/xyz";
            path.insert(at, 1, c);
            RequestHead request;
            const std::string head = requestWith("", "GET " + path + " HTTP/1.1");
            QVERIFY2((outcomeOfRequest(head, request) == "ok") == passes,
                     qPrintable(QStringLiteral("%1 at %2").arg(byte).arg(at)));
        }
    }
}

void TestRules::path_everyEscape_isPassedOrRefused()
{
    for (int byte = 0; byte < 256; ++byte) {
        const bool passes = byte >= 0x20 && byte != 0x7f && byte != '.';
        const QByteArray hex = QByteArray::number(byte, 16).rightJustified(2, '0');
        for (const QByteArray &digits : {hex.toLower(), hex.toUpper()}) {
            RequestHead request;
            const std::string head = requestWith("", view("GET /%" + digits + " HTTP/1.1"));
            QCOMPARE(outcomeOfRequest(head, request), QByteArray(passes ? "ok" : "request"));
        }
    }
    for (const char *bad : {"/%",
                            "/a%2",
                            "/%g0",
                            "/%2g",
                            "/%%20",
                            "/%2%30",
                            "/%u0041",
                            "/%-1",
                            "/%+1",
                            "/%/20",
                            "/% 20"}) {
        RequestHead request;
        const std::string head = requestWith("", "GET " + std::string(bad) + " HTTP/1.1");
        QVERIFY2(outcomeOfRequest(head, request) == "request", bad);
    }
}

void TestRules::query_everyByte_isPassedOrRefused()
{
    const QByteArray refused("\"#<> ");
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool passes = byte > 0x20 && byte < 0x7f && !refused.contains(c);
        RequestHead request;
        const std::string head = requestWith("", "GET /?a" + std::string(1, c) + " HTTP/1.1");
        QVERIFY2((outcomeOfRequest(head, request) == "ok") == passes,
                 qPrintable(QString::number(byte)));
    }
}

void TestRules::method_connectAndTrace_areNotAllowed()
{
    RequestHead request;
    for (const char *line : {"TRACE / HTTP/1.1", "CONNECT h:443 HTTP/1.1", "CONNECT / HTTP/1.1"})
        QCOMPARE(outcomeOfRequest(requestWith("", line), request), QByteArray("request:method"));
    for (const char *method :
         {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "trace"}) {
        const std::string head = requestWith("", method + std::string(" / HTTP/1.1"));
        QCOMPARE(outcomeOfRequest(head, request), QByteArray("ok"));
    }
}

QTEST_APPLESS_MAIN(TestRules)
#include "tst_rules.moc"
