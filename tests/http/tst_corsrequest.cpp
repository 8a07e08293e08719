// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/corsrequest.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

/// The head of a preflight with these lines; it lives as long as the test asks.
struct Preflight
{
    explicit Preflight(const std::string &lines)
        : bytes("OPTIONS /x HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n")
    {
        isRead = parseRequestHead(bytes, 1024, head).has_value();
        asked = readCorsRequest(head);
    }

    std::string bytes;
    RequestHead head;
    bool isRead = false;
    CorsRequest asked;
};

} // namespace

class TestCorsRequest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void listedOrigin_asBrowsersWriteIt_isTaken_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text : {"https://app.example.com",
                                 "http://localhost:5173",
                                 "http://127.0.0.1:1",
                                 "http://[::1]:8080",
                                 "https://[2001:db8::1]",
                                 "https://example.com:80",
                                 "http://example.com:443",
                                 "https://x_y.example.com:65535",
                                 "chrome-extension://abcdefghijklmnop",
                                 "vscode-webview://0abc",
                                 "https://*.example.com",
                                 "https://*.example.com:8443",
                                 "null",
                                 "*"})
            QTest::newRow(text) << QByteArray(text);
    }
    void listedOrigin_asBrowsersWriteIt_isTaken()
    {
        QFETCH(QByteArray, text);
        QCOMPARE(listedOriginProblem(text.toStdString()), std::string());
    }

    void listedOrigin_thatNoBrowserSends_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text : {"",
                                 "app.example.com",
                                 "https://",
                                 "://app.example.com",
                                 "https://app.example.com/",
                                 "https://app.example.com/path",
                                 "https://App.example.com",
                                 "HTTPS://app.example.com",
                                 "https://app.example.com:443",
                                 "http://app.example.com:80",
                                 "https://app.example.com:",
                                 "https://app.example.com:08",
                                 "https://app.example.com:123456",
                                 "https://app.example.com:x",
                                 "https://user@app.example.com",
                                 "https://.example.com",
                                 "https://*",
                                 "https://*.com",
                                 "https://*.*.example.com",
                                 "https://a.*.example.com",
                                 "https://*example.com",
                                 "*://app.example.com",
                                 "https://[::1",
                                 "https://[app]",
                                 "https://b\xc3\xbc.example",
                                 "https://a b",
                                 "NULL",
                                 "**"})
            QTest::newRow(text) << QByteArray(text);
    }
    void listedOrigin_thatNoBrowserSends_isRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(listedOriginProblem(text.toStdString()).starts_with("must be an origin"));
    }

    void namesOrigin_byteByByte_noPartOfAnother_data()
    {
        QTest::addColumn<QByteArray>("listed");
        QTest::addColumn<QByteArray>("origin");
        QTest::addColumn<bool>("isNamed");
        const auto row = [](const char *listed, const char *origin, bool isNamed) {
            QTest::addRow("%s %s", listed, origin)
                << QByteArray(listed) << QByteArray(origin) << isNamed;
        };
        row("https://app.example.com", "https://app.example.com", true);
        row("https://app.example.com", "http://app.example.com", false);
        row("https://app.example.com", "https://app.example.com:8443", false);
        row("https://app.example.com", "https://app.example.com.evil.org", false);
        row("https://app.example.com", "https://evilapp.example.com", false);
        row("https://app.example.com", "https://APP.example.com", false);
        row("https://app.example.com", "https://app.example.co", false);
        row("https://*.example.com", "https://a.example.com", true);
        row("https://*.example.com", "https://a.b-1.example.com", true);
        row("https://*.example.com", "https://example.com", false);
        row("https://*.example.com", "https://.example.com", false);
        row("https://*.example.com", "https://evilexample.com", false);
        row("https://*.example.com", "https://a.example.com:8443", false);
        row("https://*.example.com", "http://a.example.com", false);
        row("https://*.example.com", "https://evil.org/.example.com", false);
        row("https://*.example.com", "https://evil.org#.example.com", false);
        row("https://*.example.com", "https://evil.org:1@a.example.com", false);
        row("https://*.example.com", "https://a.example.com.evil.org", false);
        row("https://*.example.com:8443", "https://a.example.com:8443", true);
        row("null", "null", true);
        row("null", "https://app.example.com", false);
        row("*", "https://app.example.com", false);
        row("*", "*", false);
    }
    void namesOrigin_byteByByte_noPartOfAnother()
    {
        QFETCH(QByteArray, listed);
        QFETCH(QByteArray, origin);
        QFETCH(bool, isNamed);
        QCOMPARE(namesOrigin(listed.toStdString(), origin.toStdString()), isNamed);
    }

    void corsRequest_whatABrowserSends_isRead()
    {
        const Preflight preflight("Origin: https://a.example\r\n"
                                  "Access-Control-Request-Method: PUT\r\n"
                                  "Access-Control-Request-Headers: content-type, x-a\r\n"
                                  "access-control-request-headers: x-b\r\n");
        QVERIFY(preflight.isRead);
        QVERIFY(!preflight.asked.isMalformed);
        QCOMPARE(preflight.asked.origin.value(), std::string_view("https://a.example"));
        QCOMPARE(preflight.asked.method.value(), std::string_view("PUT"));
        QCOMPARE(preflight.asked.headers, std::string("content-type, x-a, x-b"));
    }

    void corsRequest_withoutFields_isEmpty()
    {
        const Preflight preflight("");
        QVERIFY(preflight.isRead && !preflight.asked.isMalformed);
        QVERIFY(!preflight.asked.origin && !preflight.asked.method);
        QVERIFY(preflight.asked.headers.empty());
    }

    void corsRequest_ambiguous_isMalformed_data()
    {
        QTest::addColumn<QByteArray>("lines");
        QTest::newRow("two methods") << QByteArray("Access-Control-Request-Method: PUT\r\n"
                                                   "Access-Control-Request-Method: GET\r\n");
        QTest::newRow("method no token")
            << QByteArray("Access-Control-Request-Method: PUT, GET\r\n");
        QTest::newRow("empty method") << QByteArray("Access-Control-Request-Method:\r\n");
        QTest::newRow("header no token")
            << QByteArray("Access-Control-Request-Headers: x-a, x b\r\n");
    }
    void corsRequest_ambiguous_isMalformed()
    {
        QFETCH(QByteArray, lines);
        const Preflight preflight("Origin: https://a.example\r\n" + lines.toStdString());
        QVERIFY(preflight.isRead);
        QVERIFY(preflight.asked.isMalformed);
    }

    void corsRequest_twoOrigins_neverHasOne()
    {
        const Preflight preflight("Origin: https://a.example\r\nOrigin: https://b.example\r\n");
        QVERIFY(!preflight.isRead || preflight.asked.isMalformed);
    }
};

QTEST_APPLESS_MAIN(TestCorsRequest)
#include "tst_corsrequest.moc"
