// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policyrun.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

class TestIpBlock : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void address_listed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("address");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char *address, const char *expected) {
            QTest::newRow(address) << QByteArray(address) << QByteArray(expected);
        };
        row("203.0.112.255", "pass");
        row("203.0.113.0", "403 ip-block");
        row("203.0.113.255", "403 ip-block");
        row("203.0.114.0", "pass");
        row("::ffff:203.0.113.7", "403 ip-block");
        row("2001:db8::1", "403 ip-block");
        row("2001:db8::1%eth0", "403 ip-block");
        row("2001:db7::1", "pass");
        row("not an address", "403 ip-block:unknown");
    }
    void address_listed_isRefused()
    {
        QFETCH(QByteArray, address);
        QFETCH(QByteArray, expected);
        PolicyRun run("ip-block", "ranges: [203.0.113.0/24, '2001:db8::/32']");
        run.peer.address = address.toStdString();
        QCOMPARE(run.outcomeOf(), expected);
        // Nobody gets out of it by naming another address.
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 198.51.100.1\r\n"), expected);
    }

    void address_behindAProxy_isNotHiddenByOneInFront()
    {
        PolicyRun run("ip-block",
                      "ranges: [203.0.113.0/24]\n"
                      "source: header:x-forwarded-for\n"
                      "trustedProxies: [10.0.0.0/8]\n");
        run.peer.address = "10.0.0.1";
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 198.51.100.1\r\n"), QByteArray("pass"));
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 203.0.113.1\r\n"), QByteArray("403 ip-block"));
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 198.51.100.1, 203.0.113.1\r\n"),
                 QByteArray("403 ip-block"));
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 198.51.100.1, 203.0.113.1, 10.2.2.2\r\n"),
                 QByteArray("403 ip-block"));
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 203.0.113.1, 198.51.100.1\r\n"),
                 QByteArray("pass"));
        run.peer.address = "203.0.113.1"; // no proxy: the header is not believed
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 198.51.100.1\r\n"), QByteArray("403 ip-block"));
    }

    void address_thatCannotBeTold_isRefused()
    {
        PolicyRun run("ip-block",
                      "ranges: [203.0.113.0/24]\n"
                      "source: header:forwarded\n"
                      "trustedProxies: [10.0.0.0/8]\n");
        run.peer.address = "10.0.0.1";
        for (const char *fields : {"",
                                   "Forwarded: for=unknown\r\n",
                                   "Forwarded: for=\"198.51.100.1\r\n",
                                   "Forwarded: for=_x, for=10.1.1.1\r\n"})
            QCOMPARE(run.outcomeOf(fields), QByteArray("403 ip-block:unknown"));
        QCOMPARE(run.outcomeOf("Forwarded: for=198.51.100.1\r\n"), QByteArray("pass"));
    }

    void flex_default_readsTheFirstAddressOfXForwardedFor()
    {
        QByteArray said;
        PolicyRun run("ip-block", translated("ip-block", "ips: ['203.0.113']", said));
        QVERIFY2(run.isMade, run.problems.constData());
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 203.0.113.9, 198.51.100.1\r\n"),
                 QByteArray("403 ip-block"));
        QCOMPARE(run.outcomeOf("X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\n"),
                 QByteArray("pass"));
        QCOMPARE(run.outcomeOf(), QByteArray("403 ip-block:unknown"));
    }

    void config_withoutRanges_isRefused()
    {
        QVERIFY(!PolicyRun("ip-block", "").isMade);
        QVERIFY(!PolicyRun("ip-block", "ranges: []").isMade);
    }
};

QTEST_GUILESS_MAIN(TestIpBlock)
#include "tst_ipblock.moc"
