// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/address.h"
#include "gateway/config/url.h"

#include <QTest>

using namespace gatehouse;

class TestAddress : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void host_wellFormed_isNormalised_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("expected");
        QTest::newRow("a name") << QByteArray("API.Example.org") << QByteArray("api.example.org");
        QTest::newRow("one label") << QByteArray("ollama") << QByteArray("ollama");
        QTest::newRow("underscore") << QByteArray("my_service") << QByteArray("my_service");
        QTest::newRow("IPv4") << QByteArray("10.0.0.255") << QByteArray("10.0.0.255");
        QTest::newRow("IPv6") << QByteArray("[2001:DB8:0:0::1]") << QByteArray("2001:db8::1");
        QTest::newRow("label of 63") << QByteArray(63, 'a') << QByteArray(63, 'a');
    }
    void host_wellFormed_isNormalised()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, expected);
        QCOMPARE(normalisedHost(text.toStdString()), expected.toStdString());
    }

    void host_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text : {"",
                                 ".",
                                 "a..b",
                                 "a.",
                                 ".a",
                                 "-a",
                                 "a-",
                                 "a b",
                                 "a/b",
                                 "a@b",
                                 "127.1",
                                 "127.0.0.01",
                                 "0177.0.0.1",
                                 "0x7f.0.0.1",
                                 "0x7f000001",
                                 "2130706433",
                                 "1.2.3.256",
                                 "1.2.3.4.5",
                                 "::1",
                                 "[::1",
                                 "[::1]x",
                                 "[127.0.0.1]",
                                 "[fe80::1%eth0]",
                                 "[]",
                                 "a:80",
                                 "é.org",
                                 "*"})
            QTest::newRow(*text == 0 ? "nothing" : text) << QByteArray(text);
        QTest::newRow("label of 64") << QByteArray(64, 'a');
        QTest::newRow("NUL within") << QByteArray("a\0b", 3);
    }
    void host_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        QCOMPARE(normalisedHost(text.toStdString()), std::string());
    }

    void loopback_anyForm_isKnown()
    {
        for (const char *host : {"localhost", "a.localhost", "127.0.0.1", "127.255.255.255", "::1"})
            QVERIFY2(isLoopbackHost(host), host);
        for (const char *host : {"0.0.0.0", "::", "128.0.0.1", "localhost.org", "notlocalhost", ""})
            QVERIFY2(!isLoopbackHost(host), host);
    }

    void listen_wellFormed_isRead()
    {
        QVERIFY((*parseListenAddress("localhost:0") == ListenAddress{"127.0.0.1", 0}));
        QVERIFY((*parseListenAddress("0.0.0.0:65535") == ListenAddress{"0.0.0.0", 65535}));
        QVERIFY((*parseListenAddress("[::]:1") == ListenAddress{"::", 1}));
    }

    void listen_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text : {"",
                                 ":",
                                 ":80",
                                 "127.0.0.1",
                                 "127.0.0.1:",
                                 "127.0.0.1:65536",
                                 "127.0.0.1:-1",
                                 "127.0.0.1:01",
                                 "127.0.0.1: 1",
                                 "127.0.0.1:1 ",
                                 "::1:80",
                                 "[::1]",
                                 "[::1]80",
                                 "[::1]:",
                                 "example.org:80",
                                 "*:80",
                                 "127.1:80",
                                 "http://127.0.0.1:80",
                                 "LOCALHOST.:1"})
            QTest::newRow(*text == 0 ? "nothing" : text) << QByteArray(text);
    }
    void listen_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        const auto address = parseListenAddress(text.toStdString());
        QVERIFY(!address);
        QVERIFY(address.error().context.starts_with("must "));
    }

    void url_wellFormed_isRead_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char *text, const char *expected) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(expected);
        };
        row("https://api.openai.com/v1", "tls api.openai.com 443 /v1 api.openai.com");
        row("https://API.OpenAI.com/v1/", "tls api.openai.com 443 /v1 api.openai.com");
        row("http://h", "plain h 80  h");
        row("http://h/", "plain h 80  h");
        row("http://h:80/a/b", "plain h 80 /a/b h");
        row("https://h:80", "tls h 80  h:80");
        row("http://h:443", "plain h 443  h:443");
        row("http://[::1]:11434/x", "plain ::1 11434 /x [::1]:11434");
        row("https://[2001:db8::1]", "tls 2001:db8::1 443  [2001:db8::1]");
        row("https://h/a:b@c;d=e,f", "tls h 443 /a:b@c;d=e,f h");
    }
    void url_wellFormed_isRead()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, expected);
        const auto url = parseBaseUrl(text.toStdString());
        QVERIFY(url);
        const std::string read = std::string(url->tls ? "tls " : "plain ") + url->host + " "
                                 + std::to_string(url->port) + " " + url->path + " "
                                 + authorityOf(*url);
        QCOMPARE(read, expected.toStdString());
    }

    void url_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text : {"",
                                 "h",
                                 "//h",
                                 "ftp://h",
                                 "HTTP://h",
                                 "https:/h",
                                 "https:h",
                                 "https://",
                                 "https:///a",
                                 "https://:80",
                                 "https://h:",
                                 "https://h:0",
                                 "https://h:65536",
                                 "https://h:080",
                                 "https://h:8x",
                                 "https://u@h",
                                 "https://u:p@h",
                                 "https://h@",
                                 "https://h?q",
                                 "https://h/?q",
                                 "https://h#f",
                                 "https://h/#f",
                                 "https://h/a//b",
                                 "https://h//",
                                 "https://h/../a",
                                 "https://h/a/.",
                                 "https://h/%61",
                                 "https://h/a b",
                                 "https://h\\a",
                                 "https://h/a\\b",
                                 "https://h /a",
                                 " https://h",
                                 "https://h\t",
                                 "https://[::1",
                                 "https://::1/",
                                 "https://127.1/",
                                 "https://2130706433/",
                                 "https://[::1]a/",
                                 "https://h\r\nX: 1",
                                 "https://\xc3\xa9.org"})
            QTest::newRow(*text == 0 ? "nothing" : text) << QByteArray(text);
        QTest::newRow("NUL within") << QByteArray("https://h\0.org", 14);
        QTest::newRow("path too long") << QByteArray("https://h/") + QByteArray(1024, 'a');
    }
    void url_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        const auto url = parseBaseUrl(text.toStdString());
        QVERIFY(!url);
        QVERIFY(url.error().context.starts_with("must "));
    }
};

QTEST_APPLESS_MAIN(TestAddress)
#include "tst_address.moc"
