// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/callerprogram.h"

#include <QTest>

#include <fcntl.h>

using namespace gatehouse::net;
using namespace gatehouse::test;

namespace {

TcpEnd endOf(const char *ip, std::uint16_t port)
{
    sockaddr_storage storage{};
    auto &ip4 = reinterpret_cast<sockaddr_in &>(storage);
    auto &ip6 = reinterpret_cast<sockaddr_in6 &>(storage);
    if (inet_pton(AF_INET, ip, &ip4.sin_addr) == 1) {
        storage.ss_family = AF_INET;
        ip4.sin_port = htons(port);
    } else if (inet_pton(AF_INET6, ip, &ip6.sin6_addr) == 1) {
        storage.ss_family = AF_INET6;
        ip6.sin6_port = htons(port);
    }
    return TcpEnd::of(storage).value();
}

} // namespace

class TestAcceptedSocket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void end_onLoopback_isSaidSo_data()
    {
        QTest::addColumn<QByteArray>("ip");
        QTest::addColumn<bool>("isLoopback");
        QTest::newRow("first of 127/8") << QByteArray("127.0.0.0") << true;
        QTest::newRow("last of 127/8") << QByteArray("127.255.255.255") << true;
        QTest::newRow("below 127/8") << QByteArray("126.255.255.255") << false;
        QTest::newRow("above 127/8") << QByteArray("128.0.0.0") << false;
        QTest::newRow("any IPv4") << QByteArray("0.0.0.0") << false;
        QTest::newRow("IPv6") << QByteArray("::1") << true;
        QTest::newRow("any IPv6") << QByteArray("::") << false;
        QTest::newRow("the one after") << QByteArray("::2") << false;
        QTest::newRow("its last bits only") << QByteArray("2001:db8::1") << false;
        QTest::newRow("mapped") << QByteArray("::ffff:127.0.0.1") << true;
        QTest::newRow("mapped, not loopback") << QByteArray("::ffff:192.0.2.1") << false;
        QTest::newRow("compatible, not mapped") << QByteArray("::127.0.0.1") << false;
    }
    void end_onLoopback_isSaidSo()
    {
        QFETCH(QByteArray, ip);
        QFETCH(bool, isLoopback);
        QCOMPARE(endOf(ip.constData(), 1).isLoopback(), isLoopback);
    }

    void end_mapped_isTheSameAsIpv4()
    {
        QCOMPARE(endOf("::ffff:127.1.2.3", 80), endOf("127.1.2.3", 80));
        QVERIFY(endOf("127.1.2.3", 80) != endOf("127.1.2.3", 81));
        QVERIFY(endOf("::7f01:203", 80) != endOf("127.1.2.3", 80));
        // The same first bytes in the other family.
        QVERIFY(endOf("7f01:203::", 80) != endOf("127.1.2.3", 80));
    }

    void end_ofAnotherFamily_isNone()
    {
        sockaddr_storage storage{};
        QVERIFY(!TcpEnd::of(storage));
        storage.ss_family = AF_UNIX;
        QVERIFY(!TcpEnd::of(storage));
    }

    void socket_accepted_hasBothEndsAndACookieOfItsOwn()
    {
        const LoopbackListener listener("127.0.0.1");
        const TestPeer client = TestPeer::connectedTo(listener.port());
        const Descriptor accepted = listener.accept();
        const TestPeer another = TestPeer::connectedTo(listener.port());
        const Descriptor acceptedNext = listener.accept();
        const auto socket = AcceptedSocket::of(accepted.get());
        QVERIFY(socket);
        QCOMPARE(socket->gateway, endOf("127.0.0.1", listener.port()));
        QVERIFY(socket->client.port != 0);
        QVERIFY(socket->isLoopback());
        QCOMPARE(AcceptedSocket::of(accepted.get()), socket);
        QVERIFY(socket->cookie != 0);
        QVERIFY(AcceptedSocket::of(acceptedNext.get())->cookie != socket->cookie);
    }

    void socket_thatIsNone_hasNoEnds()
    {
        QVERIFY(!AcceptedSocket::of(-1));
        QVERIFY(!AcceptedSocket::of(Descriptor(::open("/", O_RDONLY | O_CLOEXEC)).get()));
        const Descriptor unconnected(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        QVERIFY(!AcceptedSocket::of(unconnected.get()));
    }
};

QTEST_GUILESS_MAIN(TestAcceptedSocket)
#include "tst_acceptedsocket.moc"
