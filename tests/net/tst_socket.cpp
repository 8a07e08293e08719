// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/socketprobe.h"

#include <QTest>

#include <future>

using namespace gatehouse;
using namespace gatehouse::test;

Q_DECLARE_METATYPE(gatehouse::test::LoopKind)

namespace {

constexpr qsizetype big = 4 * 1024 * 1024;
constexpr int smallBuffer = 4096;

} // namespace

class TestSocket : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<LoopThread> m_thread;

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<LoopKind>("kind");
        QTest::newRow("epoll") << LoopKind::Epoll;
        QTest::newRow("notifiers") << LoopKind::Notifiers;
    }
    void init()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        m_thread = std::make_unique<LoopThread>(kind);
    }
    void cleanup() { m_thread.reset(); }

    void adopt_plain_echoesBytesExactly()
    {
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port());
        SocketProbe probe(*m_thread);
        probe.setEcho();
        QVERIFY(probe.adopt(listener.accept().release()));
        const QByteArray sent = payload(big);
        auto sending = std::async(std::launch::async, [&] { return peer.send(sent); });
        const QByteArray echoed = peer.read(big);
        QVERIFY(sending.get());
        QVERIFY(echoed == sent);
        QVERIFY(peer.isSilent());
    }

    void write_toASlowReader_keepsTheRestAndDrains()
    {
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port(), smallBuffer);
        SocketProbe probe(*m_thread);
        QVERIFY(probe.adopt(listener.accept().release()));
        const QByteArray sent = payload(2 * big);
        QVERIFY(probe.write(sent));
        const std::size_t pending = probe.pending();
        QVERIFY(pending > 0);
        QVERIFY(pending < static_cast<std::size_t>(sent.size()));
        const QByteArray tail = payload(1000);
        QVERIFY(probe.write(tail));
        QCOMPARE(probe.pending(), pending + 1000);
        QVERIFY(!probe.state.now().has("drained"));
        QVERIFY(peer.read(sent.size()) == sent);
        QVERIFY(peer.read(tail.size()) == tail);
        QVERIFY(probe.waitFor("drained"));
        QCOMPARE(probe.pending(), std::size_t(0));
        QCOMPARE(probe.inThread([](net::Socket &socket) { return socket.sentBytes(); }),
                 static_cast<std::uint64_t>(sent.size() + tail.size()));
    }

    void write_manyParts_arriveInOrder()
    {
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port(), smallBuffer);
        SocketProbe probe(*m_thread);
        QVERIFY(probe.adopt(listener.accept().release()));
        QByteArray expected;
        for (int i = 0; i < 200; ++i) {
            const QByteArray part = payload(100 * i + 1);
            expected += part + part + part;
            probe.inThread([&](net::Socket &socket) {
                iovec piece{const_cast<char *>(part.constData()),
                            static_cast<std::size_t>(part.size())};
                std::array<iovec, 4> parts{piece, iovec{nullptr, 0}, piece, piece};
                return socket.write(parts);
            });
        }
        QVERIFY(peer.read(expected.size()) == expected);
    }

    void read_heldBack_stopsTheSender()
    {
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port());
        SocketProbe probe(*m_thread);
        probe.setReading(false);
        QVERIFY(probe.adopt(listener.accept(smallBuffer).release()));
        const QByteArray sent = payload(8 * big);
        const qsizetype done = peer.sendWhileTaken(sent);
        QVERIFY(done < sent.size());
        QVERIFY(probe.state.now().received.isEmpty());
        probe.setReading(true);
        QVERIFY(peer.send(sent.mid(done)));
        QVERIFY(probe.waitForBytes(sent.size()));
        QVERIFY(probe.state.now().received == sent);
    }

    void peer_fin_isHangUpThenEnd()
    {
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port());
        SocketProbe probe(*m_thread);
        peer.send("last words");
        peer.shutdownWrite();
        QVERIFY(probe.adopt(listener.accept().release()));
        QVERIFY(probe.waitFor("end"));
        QVERIFY(probe.state.now().has("hang-up"));
        QCOMPARE(probe.state.now().received, "last words");
        QVERIFY(probe.write("still heard"));
        QCOMPARE(peer.read(11), "still heard");
    }

    void peer_reset_isHangUpThenBrokenNotEnd()
    {
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port());
        SocketProbe probe(*m_thread);
        QVERIFY(probe.adopt(listener.accept().release()));
        peer.send("cut");
        QVERIFY(probe.waitForBytes(3));
        peer.reset();
        QVERIFY(probe.waitFor("broken"));
        QVERIFY(probe.state.now().has("hang-up"));
        QVERIFY2(!probe.state.now().has("end"), "a reset must not pass for a clean end");
        probe.write("to nobody"); // may fail, must not kill
    }

    void abort_openConnection_isAReset()
    {
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port());
        SocketProbe probe(*m_thread);
        QVERIFY(probe.adopt(listener.accept().release()));
        QVERIFY(probe.write("half of"));
        QCOMPARE(peer.read(7), "half of");
        probe.inThread([](net::Socket &socket) { socket.abort(); });
        QCOMPARE(peer.end(), TestPeer::End::Reset);
    }

    void close_openConnection_isAFin()
    {
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port());
        SocketProbe probe(*m_thread);
        QVERIFY(probe.adopt(listener.accept().release()));
        QVERIFY(probe.write("all"));
        probe.inThread([](net::Socket &socket) { socket.close(); });
        QCOMPARE(peer.readToEnd(), "all");
        QCOMPARE(peer.end(), TestPeer::End::Fin);
        QVERIFY(!probe.write("closed"));
    }

    void connectTo_listener_opens()
    {
        const Listener listener;
        SocketProbe probe(*m_thread);
        QVERIFY(probe.connectTo(listener.port()));
        TestPeer peer = listener.accept();
        QVERIFY(probe.waitFor("opened"));
        QVERIFY(probe.write("hello"));
        QCOMPARE(peer.read(5), "hello");
        peer.send("you too");
        QVERIFY(probe.waitForBytes(7));
    }

    void connectTo_peerThatSpeaksFirst_isHeard_data()
    {
        QTest::addColumn<bool>("thenCloses");
        QTest::newRow("and stays") << false;
        QTest::newRow("and closes") << true;
    }
    void connectTo_peerThatSpeaksFirst_isHeard()
    {
        QFETCH(bool, thenCloses);
        const Listener listener;
        SocketProbe probe(*m_thread);
        TestPeer peer;
        // All is there before the loop looks for the first time.
        const bool isStarted = probe.inThread([&](net::Socket &socket) {
            const bool started = SocketProbe::connectInThread(socket, listener.port(), nullptr);
            peer = listener.accept();
            peer.send("503");
            if (thenCloses)
                peer.shutdownWrite();
            return started;
        });
        QVERIFY(isStarted);
        QVERIFY(probe.waitForBytes(3));
        QVERIFY(!thenCloses || probe.waitFor("end"));
        QCOMPARE(probe.state.now().events.first(), "opened");
    }

    void connectTo_nobody_failsWithReason()
    {
        std::uint16_t port = 0;
        {
            const Listener gone;
            port = gone.port();
        }
        SocketProbe probe(*m_thread);
        QVERIFY(probe.connectTo(port));
        QVERIFY(probe.waitFor("failed"));
        QVERIFY(!probe.state.now().has("opened"));
        QVERIFY(!probe.state.now().inTls);
        QCOMPARE(QByteArray::fromStdString(probe.state.now().failure), "Connection refused");
    }

    void isQuiet_idleConnection_untilThePeerSendsOrCloses()
    {
        for (const bool sends : {true, false}) {
            const Listener listener;
            TestPeer peer = TestPeer::connectedTo(listener.port());
            SocketProbe probe(*m_thread);
            probe.setReading(false);
            QVERIFY(probe.adopt(listener.accept().release()));
            const auto isQuiet = [](net::Socket &socket) { return socket.isQuiet(); };
            QVERIFY(probe.inThread(isQuiet));
            if (sends)
                peer.send("unasked");
            else
                peer.shutdownWrite();
            QVERIFY(!probe.inThread(isQuiet)); // loopback delivers before send() returns
        }
    }
};

QTEST_GUILESS_MAIN(TestSocket)
#include "tst_socket.moc"
