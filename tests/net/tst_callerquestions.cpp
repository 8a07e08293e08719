// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/asking.h"

#include <QElapsedTimer>

using namespace gatehouse;
using namespace gatehouse::test;
using net::AcceptedSocket;
using net::Descriptor;

namespace {

const QString helper = QStringLiteral(CALLER_HELPER);

} // namespace

/// How many questions are answered by how much work, and which not at all.
class TestCallerQuestions : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void questions_twoHundredAtOnce_areAnsweredByOneScan()
    {
        constexpr int count = 200;
        const LoopbackListener listener("127.0.0.1");
        CallerProgram one(helper);
        CallerProgram other(helper);
        QVERIFY(one.connectTo("127.0.0.1", listener.port(), count / 2));
        std::vector<Descriptor> accepted;
        for (int i = 0; i < count / 2; ++i)
            accepted.push_back(listener.accept());
        QVERIFY(other.connectTo("127.0.0.1", listener.port(), count / 2));
        std::vector<AcceptedSocket> sockets;
        for (int i = 0; i < count / 2; ++i)
            accepted.push_back(listener.accept());
        for (const Descriptor &socket : accepted)
            sockets.push_back(AcceptedSocket::of(socket.get()).value());
        Asking asking;
        for (const CallerDepth depth : {CallerDepth::Whole, CallerDepth::Quick}) {
            const auto callers = asking.askAll(sockets, depth);
            for (int i = 0; i < count; ++i) {
                QVERIFY(callers[static_cast<std::size_t>(i)]);
                QCOMPARE(callers[static_cast<std::size_t>(i)]->pid,
                         i < count / 2 ? one.pid() : other.pid());
            }
        }
        // The first questions may be on their way before the last are asked.
        QVERIFY(asking.finder.scanCount() >= 1);
        QVERIFY(asking.finder.scanCount() <= 2);
    }

    void questions_oneAfterTheOther_scanAtMostTenTimesASecond()
    {
        const LoopbackListener listener("127.0.0.1");
        CallerProgram program(helper);
        QVERIFY(program.connectTo("127.0.0.1", listener.port()));
        const Descriptor accepted = listener.accept();
        Asking asking;
        QElapsedTimer timer;
        timer.start();
        for (int i = 0; i < 5; ++i)
            QCOMPARE(asking.ask(accepted)->pid, program.pid());
        QCOMPARE(asking.finder.scanCount(), std::uint64_t(5));
        QVERIFY(timer.elapsed() >= 400);
    }

    void questions_quickOnesOfAKnownProcess_needNoScan()
    {
        const LoopbackListener listener("127.0.0.1");
        CallerProgram program(helper);
        Asking asking;
        for (int i = 0; i < 20; ++i) {
            QVERIFY(program.connectTo("127.0.0.1", listener.port()));
            const Descriptor accepted = listener.accept();
            const auto caller = asking.ask(accepted, CallerDepth::Quick);
            QCOMPARE(caller->pid, program.pid());
            QCOMPARE(caller->executable, canonical(helper));
            QCOMPARE(caller->hasOneProgram, i == 0); // by the scan that the first one needed
            QCOMPARE(caller->hasOneUser, i == 0);
        }
        QCOMPARE(asking.finder.scanCount(), std::uint64_t(1));
    }

    void questions_quickOnesOfAClosedAndReopenedSocket_areVerified()
    {
        const LoopbackListener listener("127.0.0.1");
        CallerProgram program(helper);
        CallerProgram other(helper);
        Asking asking;
        QVERIFY(program.connectTo("127.0.0.1", listener.port()));
        const Descriptor first = listener.accept();
        QCOMPARE(asking.ask(first, CallerDepth::Quick)->pid, program.pid());
        QCOMPARE(program.tell("close"), "ok");
        // The same descriptor number of the same process, and the next one's of another.
        QVERIFY(program.connectTo("127.0.0.1", listener.port()));
        const Descriptor second = listener.accept();
        QVERIFY(other.connectTo("127.0.0.1", listener.port()));
        const Descriptor third = listener.accept();
        QVERIFY(!asking.ask(first, CallerDepth::Quick));
        QCOMPARE(asking.ask(second, CallerDepth::Quick)->pid, program.pid());
        QCOMPARE(asking.ask(third, CallerDepth::Quick)->pid, other.pid());
    }

    void forget_beforeTheAnswer_nothingIsPosted()
    {
        const LoopbackListener listener("127.0.0.1");
        const TestPeer client = TestPeer::connectedTo(listener.port());
        const Descriptor accepted = listener.accept();
        const auto socket = AcceptedSocket::of(accepted.get()).value();
        Asking asking;
        QVERIFY(asking.ask(socket)); // the next scan is a tenth of a second away
        auto mailbox = std::make_unique<Mailbox>();
        bool isAnswered = false;
        asking.finder.find(
            socket, CallerDepth::Whole, *mailbox, [&](const auto &) { isAnswered = true; });
        asking.finder.forget(*mailbox);
        mailbox.reset();
        QVERIFY(asking.ask(socket)); // by a scan that would have answered the other, too
        QVERIFY(!isAnswered);
    }

    void end_withOpenQuestions_dropsThem()
    {
        const LoopbackListener listener("127.0.0.1");
        const TestPeer client = TestPeer::connectedTo(listener.port());
        const Descriptor accepted = listener.accept();
        const auto socket = AcceptedSocket::of(accepted.get()).value();
        Mailbox mailbox;
        auto kept = std::make_shared<int>();
        {
            net::CallerFinder finder;
            QVERIFY(finder.availability());
            for (int i = 0; i < 100; ++i)
                finder.find(socket, CallerDepth::Whole, mailbox, [kept](const auto &) {});
        }
        QCoreApplication::processEvents(); // those that were answered in time
        QCOMPARE(kept.use_count(), 1L);
    }
};

QTEST_GUILESS_MAIN(TestCallerQuestions)
#include "tst_callerquestions.moc"
