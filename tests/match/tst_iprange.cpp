// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/match/iprange.h"

#include <QTest>

#include <algorithm>
#include <random>
#include <string>

using namespace gatehouse;

namespace {

IpAddress address(std::string_view text)
{
    const auto parsed = IpAddress::parse(text);
    if (!parsed)
        qFatal("no address: %s", std::string(text).c_str());
    return *parsed;
}

IpRange range(std::string_view text)
{
    const auto parsed = IpRange::parse(text);
    if (!parsed)
        qFatal("no range: %s", std::string(text).c_str());
    return *parsed;
}

IpSet setOf(std::initializer_list<std::string_view> texts)
{
    std::vector<IpRange> ranges;
    for (const std::string_view text : texts)
        ranges.push_back(range(text));
    return IpSet(ranges);
}

} // namespace

class TestIpRange : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void address_forms_areTheSame_data()
    {
        QTest::addColumn<QByteArray>("a");
        QTest::addColumn<QByteArray>("b");
        const auto row = [](const char *name, const char *a, const char *b) {
            QTest::newRow(name) << QByteArray(a) << QByteArray(b);
        };
        row("IPv4", "192.168.2.3", "192.168.2.3");
        row("IPv4-mapped", "::ffff:192.168.2.3", "192.168.2.3");
        row("IPv4-mapped in hexadecimal", "::ffff:c0a8:203", "192.168.2.3");
        row("IPv4-mapped in full", "0:0:0:0:0:FFFF:c0a8:0203", "192.168.2.3");
        row("IPv6 in full", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1");
        row("IPv6 with an IPv4 end", "2001:db8::1.2.3.4", "2001:db8::102:304");
        row("unspecified", "0:0:0:0:0:0:0:0", "::");
    }
    void address_forms_areTheSame()
    {
        QFETCH(QByteArray, a);
        QFETCH(QByteArray, b);
        QVERIFY(address(a.toStdString()) == address(b.toStdString()));
    }

    void address_others_differ()
    {
        QVERIFY(!(address("::1.2.3.4") == address("1.2.3.4")));
        QVERIFY(!(address("64:ff9b::1.2.3.4") == address("1.2.3.4")));
        QVERIFY(!(address("::") == address("0.0.0.0")));
        QVERIFY(!(address("::1") == address("127.0.0.1")));
        QVERIFY(!(address("102:304::") == address("1.2.3.4")));
    }

    void address_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text : {"",
                                 ".",
                                 ":",
                                 "1",
                                 "1.2.3",
                                 "1.2.3.",
                                 ".1.2.3",
                                 "1..2.3",
                                 "1.2.3.4.",
                                 "1.2.3.4.5",
                                 "256.1.1.1",
                                 "1.2.3.256",
                                 "01.2.3.4",
                                 "1.2.3.04",
                                 "1.2.3.00",
                                 "0177.0.0.1",
                                 "0x7f.0.0.1",
                                 "0x7f000001",
                                 "2130706433",
                                 "127.1",
                                 "+1.2.3.4",
                                 "-1.2.3.4",
                                 "1.2.3.4 ",
                                 " 1.2.3.4",
                                 "1.2.3.4\n",
                                 "1.2.3.4:80",
                                 "1.2.3.4/32",
                                 "1.2.3.4, 5.6.7.8",
                                 "[::1]",
                                 "[::1]:80",
                                 "fe80::1%eth0",
                                 "fe80::1%25eth0",
                                 "::1%",
                                 ":::",
                                 "1::2::3",
                                 "1:2:3:4:5:6:7",
                                 "1:2:3:4:5:6:7:8:9",
                                 "::12345",
                                 "::g",
                                 "::ffff:1.2.3",
                                 "::ffff:01.2.3.4",
                                 "::ffff:1.2.3.256",
                                 "::1.2.3.4:5",
                                 "localhost",
                                 "unknown",
                                 "\xd9\xa1.2.3.4"})
            QTest::newRow(text) << QByteArray(text);
        QTest::newRow("behind a NUL") << QByteArray("1.2.3.4\0.5", 10);
        QTest::newRow("NUL at the end") << QByteArray("1.2.3.4\0", 8);
        QTest::newRow("endless") << QByteArray(100'000, ':');
    }
    void address_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!IpAddress::parse(text.toStdString()));
    }

    void address_everyByteChanged_isReadOrRefused()
    {
        for (const std::string_view original : {"10.20.30.40", "2001:db8::1.2.3.4"})
            for (std::size_t at = 0; at < original.size(); ++at)
                for (int byte = 0; byte < 256; ++byte) {
                    std::string text(original);
                    text[at] = static_cast<char>(byte);
                    const bool mayPass = std::ranges::all_of(text, [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
                               || (c >= 'A' && c <= 'F') || c == '.' || c == ':';
                    });
                    QVERIFY(mayPass || !IpAddress::parse(text));
                }
    }

    void range_forms_haveTheirBounds_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("first");
        QTest::addColumn<QByteArray>("last");
        const auto row = [](const char *text, const char *first, const char *last) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(first) << QByteArray(last);
        };
        row("192.168.1.1", "192.168.1.1", "192.168.1.1"); // MuleSoft's four examples
        row("192.168.3.1/30", "192.168.3.0", "192.168.3.3");
        row("192.168.2", "192.168.2.0", "192.168.2.255");
        row("192.160", "192.160.0.0", "192.160.255.255");
        row("10", "10.0.0.0", "10.255.255.255");
        row("0", "0.0.0.0", "0.255.255.255");
        row("0.0.0.0/0", "0.0.0.0", "255.255.255.255");
        row("10.1.2.3/8", "10.0.0.0", "10.255.255.255");
        row("10.1.2.3/9", "10.0.0.0", "10.127.255.255");
        row("10.1.2.3/31", "10.1.2.2", "10.1.2.3");
        row("10.1.2.3/32", "10.1.2.3", "10.1.2.3");
        row("::1", "::1", "::1");
        row("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        row("2001:db8::ff/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
        row("fe80::1/10", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        row("2001:db8::3/127", "2001:db8::2", "2001:db8::3");
        row("2001:db8::3/128", "2001:db8::3", "2001:db8::3");
        row("::ffff:10.1.2.3/104", "10.0.0.0", "10.255.255.255");
        row("::ffff:10.1.2.3/128", "10.1.2.3", "10.1.2.3");
        row("::ffff:0:0/96", "0.0.0.0", "255.255.255.255");
    }
    void range_forms_haveTheirBounds()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, first);
        QFETCH(QByteArray, last);
        const IpRange tested = range(text.toStdString());
        QVERIFY(tested.first == address(first.toStdString()));
        QVERIFY(tested.last == address(last.toStdString()));
    }

    void range_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text : {"",
                                 "/",
                                 "/8",
                                 "10.0.0.0/",
                                 "10.0.0.0/33",
                                 "10.0.0.0/08",
                                 "10.0.0.0/+8",
                                 "10.0.0.0/-1",
                                 "10.0.0.0/ 8",
                                 "10.0.0.0/8 ",
                                 "10.0.0.0/8/8",
                                 "10.0.0.0/4294967304",
                                 "10.0.0.0/255.0.0.0",
                                 "10.0.0.0-10.0.0.9",
                                 "10.0.0.*",
                                 "10/8",
                                 "192.168/16",
                                 "192.168.",
                                 "192.168.2.",
                                 ".168",
                                 "192..2",
                                 "192.168.02",
                                 "192.256",
                                 "0x0a",
                                 "2130706433",
                                 "192.168.3.1/30,10",
                                 "::1/129",
                                 "::1/",
                                 "::1.2",
                                 "2001:db8",
                                 "::ffff:10.0.0.0/95",
                                 "::ffff:10.0.0.0/8",
                                 "fe80::1%eth0/64",
                                 "[::1]/128",
                                 "localhost"})
            QTest::newRow(text) << QByteArray(text);
        QTest::newRow("NUL") << QByteArray("10\0", 3);
    }
    void range_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        const auto refused = IpRange::parse(text.toStdString());
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, ErrorCode::ConfigInvalid);
        QVERIFY2(refused.error().context.starts_with("must "), refused.error().context.c_str());
    }

    void contains_bounds_holdToTheAddress_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<bool>("expected");
        const auto row = [](const char *text, bool expected) {
            QTest::newRow(text) << QByteArray(text) << expected;
        };
        row("192.168.2.255", false);
        row("192.168.3.0", true);
        row("192.168.3.3", true);
        row("192.168.3.4", false);
        row("::ffff:192.168.3.3", true);
        row("::ffff:192.168.3.4", false);
        row("::192.168.3.3", false);
        row("10.255.255.255", true);
        row("11.0.0.0", false);
        row("9.255.255.255", false);
        row("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", false);
        row("2001:db8::", true);
        row("2001:db9::", false);
        row("::1", true);
        row("::2", false);
        row("127.0.0.1", false);
    }
    void contains_bounds_holdToTheAddress()
    {
        QFETCH(QByteArray, text);
        const IpSet set = setOf({"2001:db8::/32", "192.168.3.1/30", "10", "::1"});
        QTEST(set.contains(address(text.toStdString())), "expected");
    }

    void contains_everythingOfOneFamily_isNothingOfTheOther()
    {
        const IpSet ipv6 = setOf({"::/0"});
        QVERIFY(ipv6.contains(address("::")));
        QVERIFY(ipv6.contains(address("ffff::")));
        QVERIFY(!ipv6.contains(address("0.0.0.0")));
        QVERIFY(!ipv6.contains(address("::ffff:1.2.3.4")));
        const IpSet ipv4 = setOf({"0.0.0.0/0"});
        QVERIFY(ipv4.contains(address("::ffff:255.255.255.255")));
        QVERIFY(!ipv4.contains(address("::")));
        QVERIFY(!ipv4.contains(address("ffff::")));
    }

    void contains_emptySet_isNothing()
    {
        QVERIFY(IpSet().isEmpty());
        QVERIFY(!IpSet().contains(address("::")));
        QVERIFY(!setOf({"10"}).isEmpty());
    }

    void contains_nestedAndOverlapping_isTheirUnion()
    {
        const IpSet set
            = setOf({"10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/24", "10.255.0.0/16", "11"});
        QVERIFY(set.contains(address("10.0.1.0")));
        QVERIFY(set.contains(address("10.200.0.1")));
        QVERIFY(set.contains(address("11.255.255.255")));
        QVERIFY(!set.contains(address("12.0.0.0")));
    }

    void contains_randomRanges_isAsEachByItself()
    {
        std::mt19937 random(7); // NOLINT: the same numbers in every run
        const auto number = [&random](unsigned below) { return std::to_string(random() % below); };
        for (int round = 0; round < 200; ++round) {
            std::vector<IpRange> ranges;
            for (int i = 0; i < 8; ++i)
                ranges.push_back(range("10.0." + number(4) + "." + number(256) + "/"
                                       + std::to_string(22 + random() % 11)));
            const IpSet set(ranges);
            for (int i = 0; i < 200; ++i) {
                const std::string text = "10.0." + number(5) + "." + number(256);
                const IpAddress tested = address(text);
                const bool expected = std::ranges::any_of(
                    ranges, [&](const IpRange &each) { return IpSet({each}).contains(tested); });
                QVERIFY2(set.contains(tested) == expected, text.c_str());
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestIpRange)
#include "tst_iprange.moc"
