// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/loopthread.h"

#include <QHostInfo>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>
#include <QTimer>

#include <sys/socket.h>

#include <array>

#include <unistd.h>

using namespace gatehouse;
using namespace gatehouse::test;
using net::IoHangUp;
using net::IoLoop;
using net::IoReadable;
using net::IoWritable;

Q_DECLARE_METATYPE(gatehouse::test::LoopKind)

namespace {

class HandlerProbe final : public net::IoHandler
{
public:
    HandlerProbe()
    {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
            qFatal("no socket pair for the test");
    }
    ~HandlerProbe()
    {
        for (const int end : ends)
            ::close(end);
    }

    void watchIn(IoLoop &loop) { token = loop.watch(ends[0], *this); }
    void poke() const
    {
        if (::write(ends[1], "x", 1) != 1)
            qFatal("the test's socket pair takes no byte");
    }
    /// Reads until it would block and says so.
    void drain(IoLoop &loop) const
    {
        std::array<char, 4096> bytes{};
        while (::read(ends[0], bytes.data(), bytes.size()) > 0) {
        }
        loop.awaitMore(token, IoReadable);
    }
    void fill(IoLoop &loop) const
    {
        const std::array<char, 4096> bytes{};
        while (::write(ends[0], bytes.data(), bytes.size()) > 0) {
        }
        loop.awaitMore(token, IoWritable);
    }
    void emptyOtherEnd() const
    {
        std::array<char, 4096> bytes{};
        while (::read(ends[1], bytes.data(), bytes.size()) > 0) {
        }
    }
    void ioReady(unsigned events) override
    {
        ++calls;
        seen |= events;
        if (onReady)
            onReady(events);
    }

    std::array<int, 2> ends{};
    IoLoop::Token token = IoLoop::noToken;
    int calls = 0;
    unsigned seen = 0;
    std::function<void(unsigned events)> onReady;
};

void turn()
{
    for (int i = 0; i < 4; ++i)
        QCoreApplication::processEvents();
}

template<typename Condition>
bool turnUntil(Condition condition)
{
    const QDeadlineTimer deadline(patience);
    while (!condition() && !deadline.hasExpired())
        QCoreApplication::processEvents();
    return condition();
}

} // namespace

/// What both loops promise, and Qt's classes on each.
class TestIoLoop : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<LoopKind>("kind");
        QTest::newRow("epoll") << LoopKind::Epoll;
        QTest::newRow("notifiers") << LoopKind::Notifiers;
    }

    void event_untilItWouldBlock_isToldOnce()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        LoopThread thread(kind);
        thread.call([&] {
            HandlerProbe probe;
            probe.watchIn(thread.loop());
            QVERIFY(turnUntil([&] { return probe.seen == IoWritable; }));
            probe.seen = 0;
            probe.poke();
            QVERIFY(turnUntil([&] { return (probe.seen & IoReadable) != 0; }));
            const int calls = probe.calls;
            turn(); // the byte is still there, but that was said
            QCOMPARE(probe.calls, calls);
            probe.drain(thread.loop());
            probe.seen = 0;
            turn();
            QCOMPARE(probe.seen & IoReadable, 0U);
            probe.poke();
            QVERIFY(turnUntil([&] { return (probe.seen & IoReadable) != 0; }));
            thread.loop().unwatch(probe.token);
        });
    }

    void writable_afterItWouldBlock_isToldAgain()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        LoopThread thread(kind);
        thread.call([&] {
            HandlerProbe probe;
            probe.watchIn(thread.loop());
            QVERIFY(turnUntil([&] { return probe.seen == IoWritable; }));
            probe.fill(thread.loop());
            probe.seen = 0;
            turn();
            QCOMPARE(probe.seen, 0U);
            probe.emptyOtherEnd();
            QVERIFY(turnUntil([&] { return (probe.seen & IoWritable) != 0; }));
            thread.loop().unwatch(probe.token);
        });
    }

    void hangUp_withAndWithoutBytesBefore_isTold()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        LoopThread thread(kind);
        thread.call([&] {
            for (const bool withBytes : {false, true}) {
                HandlerProbe probe;
                probe.onReady = [&](unsigned events) {
                    if ((events & IoReadable) != 0)
                        probe.drain(thread.loop());
                };
                probe.watchIn(thread.loop());
                if (withBytes)
                    probe.poke();
                ::shutdown(probe.ends[1], SHUT_WR);
                QVERIFY(turnUntil([&] { return (probe.seen & IoHangUp) != 0; }));
                thread.loop().unwatch(probe.token);
            }
        });
    }

    void unwatch_insideAHandler_silencesItAndTheOthersOfTheBatch()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        LoopThread thread(kind);
        thread.call([&] {
            std::vector<std::unique_ptr<HandlerProbe>> probes;
            int told = 0;
            for (int i = 0; i < 20; ++i) {
                HandlerProbe &probe = *probes.emplace_back(std::make_unique<HandlerProbe>());
                probe.poke();
                probe.onReady = [&](unsigned) {
                    ++told;
                    for (const auto &any : probes) {
                        thread.loop().unwatch(any->token);
                        if (any.get() != &probe)
                            any->onReady = [](unsigned) { QFAIL("told though unwatched"); };
                    }
                };
            }
            for (const auto &probe : probes)
                probe->watchIn(thread.loop());
            QVERIFY(turnUntil([&] { return told != 0; }));
            turn();
            QCOMPARE(told, 1);
        });
    }

    void unwatch_andWatchOfTheSameDescriptor_tellsTheNewHandlerOnly()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        LoopThread thread(kind);
        thread.call([&] {
            HandlerProbe first;
            HandlerProbe second;
            std::swap(second.ends, first.ends); // any other pair
            HandlerProbe trigger;
            int replaced = 0;
            const auto old = thread.loop().watch(first.ends[0], first);
            trigger.onReady = [&](unsigned) {
                if (replaced++ != 0)
                    return;
                thread.loop().unwatch(old);
                first.onReady = [](unsigned) { QFAIL("told though unwatched"); };
                second.token = thread.loop().watch(first.ends[0], second);
            };
            trigger.watchIn(thread.loop());
            QVERIFY(second.token == IoLoop::noToken);
            trigger.poke();
            first.poke();
            QVERIFY(turnUntil([&] { return (second.seen & IoReadable) != 0; }));
            QVERIFY(second.token != old);
            thread.loop().unwatch(trigger.token);
            thread.loop().unwatch(second.token);
            thread.loop().unwatch(second.token); // a second time is harmless
        });
    }

    void tellAgain_watched_isToldOnceAfterTheOthers()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        LoopThread thread(kind);
        thread.call([&] {
            HandlerProbe greedy;
            HandlerProbe modest;
            greedy.watchIn(thread.loop());
            modest.watchIn(thread.loop());
            turn();
            QList<int> order;
            greedy.onReady = [&](unsigned events) {
                order += 1;
                if (order.count(1) < 3)
                    thread.loop().tellAgain(greedy.token, events);
            };
            modest.onReady = [&](unsigned) { order += 2; };
            thread.loop().tellAgain(greedy.token, IoReadable);
            thread.loop().tellAgain(modest.token, IoReadable);
            turn();
            QCOMPARE(order, (QList<int>{1, 2, 1, 1}));
            thread.loop().tellAgain(greedy.token, IoReadable);
            thread.loop().unwatch(greedy.token);
            turn();
            QCOMPARE(order.size(), 4);
            thread.loop().unwatch(modest.token);
        });
    }

    void loop_destroyedRightAfterUnwatch_leavesNothingBehind()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        HandlerProbe probe;
        LoopThread thread(kind);
        thread.call([&] {
            probe.watchIn(thread.loop());
            thread.loop().tellAgain(probe.token, IoReadable);
            thread.loop().unwatch(probe.token);
            thread.quit();
        });
        thread.end();
        QCOMPARE(probe.calls, 0);
    }

    void post_beforeAnEvent_isDoneBeforeIt()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        if (kind != LoopKind::Epoll)
            QSKIP("Qt's own dispatchers do not promise it");
        LoopThread thread(kind);
        thread.call([&] {
            HandlerProbe probe;
            probe.watchIn(thread.loop());
            turn();
            QStringList order;
            probe.onReady = [&](unsigned) { order += QStringLiteral("event"); };
            auto *dispatcher = QAbstractEventDispatcher::instance();
            // Posts and pokes when this turn's posts are over and it has not looked at sockets yet.
            connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, thread.context(), [&] {
                dispatcher->disconnect(thread.context());
                probe.poke();
                thread.post([&] { order += QStringLiteral("post"); });
            });
            while (order.size() < 2)
                QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
            QCOMPARE(order, (QStringList{QStringLiteral("post"), QStringLiteral("event")}));
            thread.loop().unwatch(probe.token);
        });
    }

    void tcpSocket_andServer_echoAMegabyte()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        LoopThread thread(kind);
        thread.call([] {
            QTcpServer server;
            QVERIFY(server.listen(QHostAddress::LocalHost));
            connect(&server, &QTcpServer::newConnection, &server, [&server] {
                QTcpSocket *socket = server.nextPendingConnection();
                connect(socket, &QTcpSocket::readyRead, socket, [socket] {
                    socket->write(socket->readAll());
                });
            });
            QTcpSocket client;
            QByteArray echoed;
            bool isClosed = false;
            const QByteArray sent(1 << 20, 'e');
            connect(&client, &QTcpSocket::connected, &client, [&] { client.write(sent); });
            connect(&client, &QTcpSocket::readyRead, &client, [&] {
                echoed += client.readAll();
                if (echoed.size() == sent.size())
                    client.disconnectFromHost();
            });
            connect(&client, &QTcpSocket::disconnected, &client, [&] { isClosed = true; });
            client.connectToHost(QHostAddress(QHostAddress::LocalHost), server.serverPort());
            QVERIFY(turnUntil([&] { return isClosed; }));
            QVERIFY(echoed == sent);
        });
    }

    void hostInfo_andTimer_answerInTheThread()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        LoopThread thread(kind);
        thread.call([&] {
            QTimer timer;
            int timeouts = 0;
            bool isResolved = false;
            connect(&timer, &QTimer::timeout, &timer, [&] { ++timeouts; });
            timer.start(1);
            QHostInfo::lookupHost(QStringLiteral("localhost"), &timer, [&](const QHostInfo &info) {
                QCOMPARE(QThread::currentThread(), &thread);
                isResolved = !info.addresses().isEmpty();
            });
            QVERIFY(turnUntil([&] { return isResolved && timeouts >= 3; }));
        });
    }
};

QTEST_GUILESS_MAIN(TestIoLoop)
#include "tst_ioloop.moc"
