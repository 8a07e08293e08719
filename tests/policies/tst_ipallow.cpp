// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policyrun.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

const QByteArray behindProxies = "ranges: [192.0.2.0/24, '2001:db8::/32', 'fe80::/10']\n"
                                 "source: header:x-forwarded-for\n"
                                 "trustedProxies: [10.0.0.0/8, '::1']\n";
const QByteArray behindForwarded = "ranges: [192.0.2.0/24, '2001:db8::/32']\n"
                                   "source: header:Forwarded\n"
                                   "trustedProxies: [10.0.0.0/8]\n";

} // namespace

class TestIpAllow : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void address_ofTheSocket_decides_data()
    {
        QTest::addColumn<QByteArray>("address");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char *address, const char *expected) {
            QTest::newRow(address) << QByteArray(address) << QByteArray(expected);
        };
        row("192.0.2.0", "pass");
        row("192.0.2.255", "pass");
        row("192.0.1.255", "403 ip-allow");
        row("192.0.3.0", "403 ip-allow");
        row("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "pass");
        row("2001:db9::", "403 ip-allow");
        row("fe80::1%eth0", "pass");
        row("fe80::1%", "403 ip-allow:unknown");
        row("::ffff:192.0.2.1", "pass");
        row("::192.0.2.1", "403 ip-allow");
        row("", "403 ip-allow:unknown");
    }
    void address_ofTheSocket_decides()
    {
        QFETCH(QByteArray, address);
        QFETCH(QByteArray, expected);
        PolicyRun run("ip-allow", "ranges: [192.0.2.0/24, '2001:db8::/32', 'fe80::/10']");
        run.peer.address = address.toStdString();
        QCOMPARE(run.outcomeOf(), expected);
        // What a client says of itself changes nothing.
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n"
                               "Forwarded: for=192.0.2.1\r\nTrue-Client-IP: 192.0.2.1\r\n"),
                 expected);
    }

    void message_ofARefusal_namesTheAddress()
    {
        PolicyRun run("ip-allow", "ranges: ['::1']");
        QCOMPARE(run.outcomeOf(), QByteArray("403 ip-allow"));
        QCOMPARE(run.reply.message,
                 std::string("Requests from the address 127.0.0.1 are not allowed here"));
        QVERIFY(!run.reply.retryable);
    }

    void address_inAHeader_isTheFirstFromTheRightThatIsNoProxy_data()
    {
        QTest::addColumn<QByteArray>("peer");
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QByteArray>("expected");
        const auto row
            = [](const char *name, const char *peer, const char *fields, const char *expected) {
                  QTest::newRow(name)
                      << QByteArray(peer) << QByteArray(fields) << QByteArray(expected);
              };
        const char *unknown = "403 ip-allow:unknown";
        const char *outside = "403 ip-allow";
        row("one hop", "10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n", "pass");
        row("one hop, mapped proxy", "::ffff:10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n", "pass");
        row("one hop, elsewhere", "10.0.0.1", "X-Forwarded-For: 198.51.100.1\r\n", outside);
        row("two hops", "10.0.0.1", "X-Forwarded-For: 192.0.2.1, 10.9.9.9\r\n", "pass");
        row("claimed in front",
            "10.0.0.1",
            "X-Forwarded-For: 192.0.2.1, 198.51.100.1\r\n",
            outside);
        row("claimed in front of a proxy",
            "10.0.0.1",
            "X-Forwarded-For: 192.0.2.1, 198.51.100.1, 10.9.9.9\r\n",
            outside);
        row("claimed in a field of its own",
            "10.0.0.1",
            "X-Forwarded-For: 192.0.2.1\r\nx-forwarded-for: 198.51.100.1\r\n",
            outside);
        row("proxies in a field of their own",
            "10.0.0.1",
            "X-Forwarded-For: 192.0.2.1\r\nX-FORWARDED-FOR: 10.1.1.1\r\n",
            "pass");
        row("all of them proxies", "10.0.0.1", "X-Forwarded-For: 10.2.2.2, 10.1.1.1\r\n", outside);
        row("not from a proxy", "198.51.100.1", "X-Forwarded-For: 192.0.2.1\r\n", outside);
        row("not from a proxy, but allowed",
            "192.0.2.9",
            "X-Forwarded-For: 198.51.100.1\r\n",
            "pass");
        row("next to the proxies", "11.0.0.0", "X-Forwarded-For: 192.0.2.1\r\n", outside);
        row("absent", "10.0.0.1", "", unknown);
        row("empty", "10.0.0.1", "X-Forwarded-For:\r\n", unknown);
        row("commas only", "10.0.0.1", "X-Forwarded-For: , ,\r\n", unknown);
        row("empty elements", "10.0.0.1", "X-Forwarded-For: ,192.0.2.1,,\r\n", "pass");
        row("another header", "10.0.0.1", "X-Forwarded: 192.0.2.1\r\n", unknown);
        row("unknown", "10.0.0.1", "X-Forwarded-For: unknown\r\n", unknown);
        row("unknown behind a proxy",
            "10.0.0.1",
            "X-Forwarded-For: unknown, 10.1.1.1\r\n",
            unknown);
        row("unknown in front", "10.0.0.1", "X-Forwarded-For: unknown, 192.0.2.1\r\n", "pass");
        row("a name", "10.0.0.1", "X-Forwarded-For: localhost\r\n", unknown);
        row("with a port", "10.0.0.1", "X-Forwarded-For: 192.0.2.1:8080\r\n", "pass");
        row("with the last port", "10.0.0.1", "X-Forwarded-For: 192.0.2.1:65535\r\n", "pass");
        row("with too high a port", "10.0.0.1", "X-Forwarded-For: 192.0.2.1:65536\r\n", unknown);
        row("with an empty port", "10.0.0.1", "X-Forwarded-For: 192.0.2.1:\r\n", unknown);
        row("with no port", "10.0.0.1", "X-Forwarded-For: 192.0.2.1:x\r\n", unknown);
        row("IPv6", "10.0.0.1", "X-Forwarded-For: 2001:db8::1\r\n", "pass");
        row("IPv6 in brackets", "10.0.0.1", "X-Forwarded-For: [2001:db8::1]\r\n", "pass");
        row("IPv6 with a port", "10.0.0.1", "X-Forwarded-For: [2001:db8::1]:443\r\n", "pass");
        row("IPv6, bad port", "10.0.0.1", "X-Forwarded-For: [2001:db8::1]443\r\n", unknown);
        row("IPv6, open bracket", "10.0.0.1", "X-Forwarded-For: [2001:db8::1\r\n", unknown);
        row("a bracket alone", "10.0.0.1", "X-Forwarded-For: [\r\n", unknown);
        row("empty brackets", "10.0.0.1", "X-Forwarded-For: []\r\n", unknown);
        row("IPv6 with a zone", "10.0.0.1", "X-Forwarded-For: fe80::1%eth0\r\n", "pass");
        row("with a zone and a port", "10.0.0.1", "X-Forwarded-For: [fe80::1%eth0]:80\r\n", "pass");
        row("an empty zone", "10.0.0.1", "X-Forwarded-For: fe80::1%\r\n", unknown);
        row("IPv4 with a zone", "10.0.0.1", "X-Forwarded-For: 192.0.2.1%eth0\r\n", unknown);
        row("IPv4 in brackets", "10.0.0.1", "X-Forwarded-For: [192.0.2.1]\r\n", unknown);
        row("mapped", "10.0.0.1", "X-Forwarded-For: ::ffff:192.0.2.1\r\n", "pass");
        row("a mapped proxy",
            "10.0.0.1",
            "X-Forwarded-For: 192.0.2.1, ::ffff:10.0.0.2\r\n",
            "pass");
        row("octal", "10.0.0.1", "X-Forwarded-For: 192.0.02.1\r\n", unknown);
        row("short", "10.0.0.1", "X-Forwarded-For: 192.0.513\r\n", unknown);
        row("a range", "10.0.0.1", "X-Forwarded-For: 192.0.2.0/24\r\n", unknown);
        row("quoted", "10.0.0.1", "X-Forwarded-For: \"192.0.2.1\"\r\n", unknown);
        row("two without a comma", "10.0.0.1", "X-Forwarded-For: 192.0.2.1 192.0.2.1\r\n", unknown);
    }
    void address_inAHeader_isTheFirstFromTheRightThatIsNoProxy()
    {
        QFETCH(QByteArray, peer);
        QFETCH(QByteArray, fields);
        QFETCH(QByteArray, expected);
        PolicyRun run("ip-allow", behindProxies);
        QVERIFY2(run.isMade, run.problems.constData());
        run.peer.address = peer.toStdString();
        QCOMPARE(run.outcomeOf(fields), expected);
    }

    void address_inForwarded_isReadAsTheRfcWritesIt_data()
    {
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char *value, const char *expected) {
            QTest::newRow(value) << QByteArray(value) << QByteArray(expected);
        };
        const char *unknown = "403 ip-allow:unknown";
        const char *outside = "403 ip-allow";
        row("for=192.0.2.1", "pass");
        row("FOR=192.0.2.1;proto=http;by=203.0.113.43", "pass");
        row("proto=http; For=\"192.0.2.1:4711\"", "pass");
        row("for=\"[2001:db8::17]:4711\"", "pass");
        row("for=\"[2001:db8::17]\"", "pass");
        row("for=\"2001:db8::17\"", "pass");
        row("for=\"192.0.2.\\1\"", "pass");
        row("for=192.0.2.1, for=10.1.1.1", "pass");
        row("for=192.0.2.1, for=198.51.100.1", outside);
        row("for=198.51.100.1, for=192.0.2.1, for=\"10.1.1.1:80\"", "pass");
        row(", for=192.0.2.1 ,", "pass");
        row("for=192.0.2.1;", "pass");
        row("for=unknown, for=192.0.2.1", "pass");
        row("for=unknown", unknown);
        row("for=_hidden", unknown);
        row("for=\"_hidden\", for=10.1.1.1", unknown);
        row("by=192.0.2.1", unknown);
        row("for=192.0.2.1, by=10.0.0.1", unknown);
        row("by=\"for=192.0.2.1\"", unknown);
        row("for=192.0.2.1;for=192.0.2.2", unknown);
        row("for=192.0.2.1:80", unknown);
        row("for=[2001:db8::17]", unknown);
        row("for=", unknown);
        row("for", unknown);
        row("=192.0.2.1", unknown);
        row("for =192.0.2.1", unknown);
        row("for= 192.0.2.1", unknown);
        row("for=192.0.2.1 x", unknown);
        row("for=\"192.0.2.1", unknown);
        row("for=\"192.0.2.1\\", unknown);
        row("for=\"192.0.2.1\"x", unknown);
        // An open quote in front would swallow what the proxy appends.
        row("for=192.0.2.1;x=\", for=198.51.100.1", unknown);
        row("for=192.0.2.1;x=\", for=198.51.100.1;by=\"[::1]\"", unknown);
        row("x=\"a, for=198.51.100.1\", for=192.0.2.1", "pass");
        row("for=192.0.2.1, x=\"for=198.51.100.1\"", unknown);
        row("", unknown);
        row("192.0.2.1", unknown);
    }
    void address_inForwarded_isReadAsTheRfcWritesIt()
    {
        QFETCH(QByteArray, value);
        QFETCH(QByteArray, expected);
        PolicyRun run("ip-allow", behindForwarded);
        run.peer.address = "10.0.0.1";
        QCOMPARE(run.outcomeOf("Forwarded: " + value + "\r\n"), expected);
        // Each line for itself: a quote does not reach from one into the next.
        QCOMPARE(run.outcomeOf("Forwarded: for=192.0.2.1;x=\"\r\nForwarded: " + value + "\r\n"),
                 QByteArray("403 ip-allow:unknown"));
    }

    void source_anyProxy_takesTheFirstAddress_data()
    {
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char *value, const char *expected) {
            QTest::newRow(value) << QByteArray(value) << QByteArray(expected);
        };
        row("192.0.2.1", "pass");
        row("192.0.2.1, 198.51.100.1", "pass");
        row("192.0.2.1, unknown", "pass");
        row("198.51.100.1, 192.0.2.1", "403 ip-allow");
        row("unknown, 192.0.2.1", "403 ip-allow:unknown");
    }
    void source_anyProxy_takesTheFirstAddress()
    {
        QFETCH(QByteArray, value);
        QFETCH(QByteArray, expected);
        PolicyRun run("ip-allow",
                      "{ranges: [192.0.2.0/24], source: header:x-forwarded-for, "
                      "trustedProxies: [any]}");
        run.peer.address = "198.51.100.99";
        QCOMPARE(run.outcomeOf("X-Forwarded-For: " + value + "\r\n"), expected);
        QCOMPARE(run.outcomeOf(), QByteArray("403 ip-allow:unknown"));
    }

    void observing_aRefusal_isRecordedOnly()
    {
        PolicyRun run("ip-allow", "ranges: ['::1']", PolicyRun::Mode::Observe);
        QCOMPARE(run.outcomeOf(), QByteArray("pass"));
        QCOMPARE(run.exchange.decisions().size(), std::size_t(1));
        QVERIFY(run.exchange.decisions().front().kind == Decision::Kind::WouldRefuse);
    }

    void config_thatMeansNothing_isRefused_data()
    {
        QTest::addColumn<QByteArray>("yaml");
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("nothing") << QByteArray() << QByteArray("ranges");
        QTest::newRow("no range") << QByteArray("ranges: []") << QByteArray("at least 1");
        QTest::newRow("a name") << QByteArray("ranges: [localhost]") << QByteArray("must be an IP");
        QTest::newRow("any is no range")
            << QByteArray("ranges: [any]") << QByteArray("must be an IP");
        QTest::newRow("bad source")
            << QByteArray("{ranges: ['::1'], source: header}") << QByteArray("must be socket");
        QTest::newRow("no header")
            << QByteArray("{ranges: ['::1'], source: 'header:'}") << QByteArray("name of a header");
        QTest::newRow("a header that frames")
            << QByteArray("{ranges: ['::1'], source: header:Content-Length}")
            << QByteArray("frames");
        QTest::newRow("nobody trusted")
            << QByteArray("{ranges: ['::1'], source: header:x-real-ip}")
            << QByteArray("must name the proxies whose x-real-ip is believed");
        QTest::newRow("trusted for nothing")
            << QByteArray("{ranges: ['::1'], trustedProxies: [10.0.0.1]}")
            << QByteArray("must be empty where the source is the socket");
        QTest::newRow("any and others") << QByteArray(
            "{ranges: ['::1'], source: header:x-real-ip, trustedProxies: [any, '::1']}")
                                        << QByteArray("either proxies or any");
    }
    void config_thatMeansNothing_isRefused()
    {
        QFETCH(QByteArray, yaml);
        QFETCH(QByteArray, said);
        const PolicyRun run("ip-allow", yaml);
        QVERIFY(!run.isMade);
        QVERIFY2(run.problems.contains(said), run.problems.constData());
    }

    void flex_asDocumented_meansTheSame()
    {
        QByteArray said;
        const QByteArray native
            = translated("ip-allow",
                         "ips: [127.0.0.1, 192.168.3.1/30, '192.168.2']\n"
                         "ipExpression: \"#[attributes.headers['x-forwarded-for']]\"\n",
                         said);
        QCOMPARE(native,
                 translated("ip-allow", "ips: [127.0.0.1, 192.168.3.1/30, '192.168.2']", said));
        QVERIFY2(said.contains("ipExpression: the first address of the header x-forwarded-for"),
                 said.constData());
        PolicyRun run("ip-allow", native);
        QVERIFY2(run.isMade, run.problems.constData());
        for (const char *allowed :
             {"127.0.0.1", "192.168.3.0", "192.168.3.3", "192.168.2.255", "127.0.0.1, 8.8.8.8"})
            QCOMPARE(run.outcomeOf(QByteArray("x-forwarded-for: ") + allowed + "\r\n"),
                     QByteArray("pass"));
        for (const char *refused :
             {"127.0.0.2", "192.168.3.4", "192.168.1.1", "8.8.8.8, 127.0.0.1"})
            QCOMPARE(run.outcomeOf(QByteArray("x-forwarded-for: ") + refused + "\r\n"),
                     QByteArray("403 ip-allow"));
        QCOMPARE(run.outcomeOf(), QByteArray("403 ip-allow:unknown"));
    }

    void flex_remoteAddress_isTheSocket()
    {
        QByteArray said;
        const QByteArray native = translated(
            "ip-allow", "{ips: [127.0.0.1], ipExpression: '#[attributes.remoteAddress]'}", said);
        QCOMPARE(said, QByteArray());
        PolicyRun run("ip-allow", native);
        QCOMPARE(run.outcomeOf("x-forwarded-for: 8.8.8.8\r\n"), QByteArray("pass"));
        run.peer.address = "8.8.8.8";
        QCOMPARE(run.outcomeOf("x-forwarded-for: 127.0.0.1\r\n"), QByteArray("403 ip-allow"));
    }

    void flex_whatCannotMeanTheSame_isRefused_data()
    {
        QTest::addColumn<QByteArray>("yaml");
        QTest::addColumn<QByteArray>("said");
        const auto row = [](const char *yaml, const char *said) {
            QTest::newRow(yaml) << QByteArray(yaml) << QByteArray(said);
        };
        row("{}", "ips: must list an address");
        row("ips: []", "ips: must list an address");
        row("ips: [somewhere]", "ips: \"somewhere\" must be");
        row("ips: 127.0.0.1", "ips: ");
        row("{ips: ['::1'], ipExpression: '#[attributes.method]'}", "ipExpression: must be");
        row("{ips: ['::1'], ipExpression: '10.0.0.1'}", "ipExpression: must be");
        row("{ips: ['::1'], ipExpression: ''}", "ipExpression: must be");
        row("{ips: ['::1'], ipExpression: '#[splitBy(1)]'}", "ipExpression: ");
        row("{ips: ['::1'], ipExpression: \"#[attributes.headers['a'] ++ "
            "attributes.headers['b']]\"}",
            "ipExpression: must be");
    }
    void flex_whatCannotMeanTheSame_isRefused()
    {
        QFETCH(QByteArray, yaml);
        QFETCH(QByteArray, said);
        QByteArray all;
        QCOMPARE(translated("ip-allow", yaml, all), QByteArray());
        QVERIFY2(all.contains(said), all.constData());
    }
};

QTEST_GUILESS_MAIN(TestIpAllow)
#include "tst_ipallow.moc"
