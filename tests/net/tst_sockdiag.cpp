// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/sockdiag.h"
#include "tests/support/callerprogram.h"

#include <QTest>

#include <sys/stat.h>

using namespace gatehouse::net;
using namespace gatehouse::test;

class TestSockdiag : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void socket_connected_isFoundFromBothEnds_data()
    {
        QTest::addColumn<QByteArray>("listenAt");
        QTest::newRow("IPv4") << QByteArray("127.0.0.1");
        QTest::newRow("IPv6, where IPv4 comes mapped") << QByteArray("::");
    }
    void socket_connected_isFoundFromBothEnds()
    {
        QFETCH(QByteArray, listenAt);
        const LoopbackListener listener(listenAt.constData());
        TestPeer peer = TestPeer::connectedTo(listener.port());
        const Descriptor client(peer.release());
        const Descriptor accepted = listener.accept();
        const auto socket = AcceptedSocket::of(accepted.get()).value();
        auto table = std::move(SocketTable::open()).value();
        struct stat status
        {};

        const auto theirs = table.find(socket.client, socket.gateway).value();
        QVERIFY(theirs);
        QCOMPARE(::fstat(client.get(), &status), 0);
        QCOMPARE(theirs->inode, status.st_ino);
        QCOMPARE(theirs->uid, ::getuid());

        const auto ours = table.find(socket.gateway, socket.client).value();
        QVERIFY(ours);
        QCOMPARE(::fstat(accepted.get(), &status), 0);
        QCOMPARE(ours->inode, status.st_ino);
        QCOMPARE(ours->cookie, socket.cookie);
        QVERIFY(theirs->cookie != ours->cookie);
    }

    void socket_thatOnlyAlmostFits_isNotFound()
    {
        const LoopbackListener listener("127.0.0.1");
        const TestPeer client = TestPeer::connectedTo(listener.port());
        const Descriptor accepted = listener.accept();
        const auto socket = AcceptedSocket::of(accepted.get()).value();
        auto table = std::move(SocketTable::open()).value();
        QVERIFY(table.find(socket.gateway, socket.client).value());
        TcpEnd wrong = socket.client;
        ++wrong.port;
        QVERIFY(!table.find(wrong, socket.gateway).value());
        QVERIFY(!table.find(socket.gateway, wrong).value()); // the listener would fit
        wrong = socket.client;
        wrong.address[3] = 2;
        QVERIFY(!table.find(wrong, socket.gateway).value());
        QVERIFY(!table.find(socket.gateway, wrong).value());
        wrong = socket.client;
        wrong.isIpv6 = true;
        QVERIFY(!table.find(wrong, socket.gateway).value());
    }

    void socket_closed_isNotFoundThoughTheKernelKeepsIt()
    {
        const LoopbackListener listener("127.0.0.1");
        TestPeer client = TestPeer::connectedTo(listener.port());
        Descriptor accepted = listener.accept();
        const auto socket = AcceptedSocket::of(accepted.get()).value();
        auto table = std::move(SocketTable::open()).value();
        client.close(); // it waits for our end without an owner
        QVERIFY(!table.find(socket.client, socket.gateway).value());
        QVERIFY(table.find(socket.gateway, socket.client).value());
        accepted = Descriptor();
        QVERIFY(!table.find(socket.gateway, socket.client).value());
        QVERIFY(!table.find(socket.client, socket.gateway).value()); // TIME_WAIT
    }

    void socket_notAcceptedYet_isNotFoundFromTheGatewaysEnd()
    {
        const LoopbackListener listener("127.0.0.1");
        TestPeer peer = TestPeer::connectedTo(listener.port());
        const Descriptor client(peer.release());
        const auto reversed = AcceptedSocket::of(client.get()).value();
        auto table = std::move(SocketTable::open()).value();
        QVERIFY(table.find(reversed.gateway, reversed.client).value());
        QVERIFY(!table.find(reversed.client, reversed.gateway).value());
    }
};

QTEST_GUILESS_MAIN(TestSockdiag)
#include "tst_sockdiag.moc"
