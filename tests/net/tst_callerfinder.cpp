// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/asking.h"

#include <QTemporaryDir>

#include <linux/capability.h>
#include <sys/syscall.h>

#include <cstring>
#include <thread>

#include <pwd.h>

using namespace gatehouse;
using namespace gatehouse::test;
using net::AcceptedSocket;
using net::Descriptor;

namespace {

const QString helper = QStringLiteral(CALLER_HELPER);

std::string userName()
{
    const passwd *entry = ::getpwuid(::getuid());
    return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

/// From a port of the caller's choice, or 0, to \a port.
Descriptor connectFrom(std::uint16_t from, std::uint16_t port)
{
    Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(client.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto *generic = reinterpret_cast<const sockaddr *>(&address);
    address.sin_port = htons(from);
    if (::bind(client.get(), generic, sizeof address) != 0)
        return {};
    address.sin_port = htons(port);
    if (::connect(client.get(), generic, sizeof address) != 0)
        return {};
    return client;
}

void closeWithReset(Descriptor &socket)
{
    const linger now{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(socket.release());
}

/// What every thread may do: root's ways around file permissions are gone for this one.
bool dropCapabilities()
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> none{};
    return ::syscall(SYS_capset, &header, none.data()) == 0;
}

} // namespace

class TestCallerFinder : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void caller_overLoopback_isFound_data()
    {
        QTest::addColumn<QByteArray>("listenAt");
        QTest::addColumn<QByteArray>("connectTo");
        QTest::addColumn<QByteArray>("before");
        QTest::newRow("IPv4") << QByteArray("127.0.0.1") << QByteArray("127.0.0.1") << QByteArray();
        QTest::newRow("another loopback address")
            << QByteArray("127.1.2.3") << QByteArray("127.1.2.3") << QByteArray();
        QTest::newRow("IPv6") << QByteArray("::1") << QByteArray("::1") << QByteArray();
        QTest::newRow("IPv4 to a listener for both")
            << QByteArray("::") << QByteArray("127.0.0.1") << QByteArray();
        QTest::newRow("IPv6 to a listener for both")
            << QByteArray("::") << QByteArray("::1") << QByteArray();
        QTest::newRow("mapped IPv4")
            << QByteArray("127.0.0.1") << QByteArray("::ffff:127.0.0.1") << QByteArray();
        QTest::newRow("mapped IPv4 on both sides")
            << QByteArray("::") << QByteArray("::ffff:127.0.0.1") << QByteArray();
        QTest::newRow("bound to the interface")
            << QByteArray("127.0.0.1") << QByteArray("127.0.0.1") << QByteArray("bind-device lo");
    }
    void caller_overLoopback_isFound()
    {
        QFETCH(QByteArray, listenAt);
        QFETCH(QByteArray, connectTo);
        QFETCH(QByteArray, before);
        const LoopbackListener listener(listenAt.constData());
        const QTemporaryDir directory;
        CallerProgram program(helper);
        QCOMPARE(program.tell("chdir " + directory.path().toUtf8()), "ok");
        if (!before.isEmpty())
            QCOMPARE(program.tell(before), "ok");
        QVERIFY(program.connectTo(connectTo.constData(), listener.port()));
        const Descriptor accepted = listener.accept();
        Asking asking;
        const auto caller = asking.ask(accepted);
        QVERIFY(caller);
        QCOMPARE(caller->pid, program.pid());
        QCOMPARE(caller->uid, ::getuid());
        QCOMPARE(caller->user, userName());
        QCOMPARE(caller->executable, canonical(helper));
        QCOMPARE(caller->directory, canonical(directory.path()));
        QCOMPARE(caller->executableHash, std::string());
        QVERIFY(caller->isInPlace);
        QVERIFY(caller->hasOneProgram);
        QVERIFY(caller->hasOneUser);
    }

    void caller_amongOthersOfTheSamePorts_isTheExactOne()
    {
        // The same two ports on two addresses: only the whole of both ends tells them apart.
        const LoopbackListener listener("::");
        CallerProgram one(helper);
        QVERIFY(one.connectTo("127.0.0.1", listener.port()));
        const Descriptor first = listener.accept();
        const auto socket = AcceptedSocket::of(first.get()).value();
        Descriptor other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(socket.client.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
        auto *generic = reinterpret_cast<sockaddr *>(&address);
        QCOMPARE(::bind(other.get(), generic, sizeof address), 0);
        address.sin_port = htons(listener.port());
        QCOMPARE(::connect(other.get(), generic, sizeof address), 0);
        const Descriptor second = listener.accept();
        Asking asking;
        QCOMPARE(asking.ask(first)->pid, one.pid());
        QCOMPARE(asking.ask(second)->pid, std::int64_t(::getpid()));
    }

    void caller_notOnLoopback_isUnknownWithoutAScan()
    {
        AcceptedSocket socket;
        socket.gateway.address = {192, 0, 2, 1};
        socket.client.address = {127, 0, 0, 1};
        socket.cookie = 1;
        Asking asking;
        QVERIFY(!asking.ask(socket));
        std::swap(socket.gateway, socket.client);
        QVERIFY(!asking.ask(socket));
        QCOMPARE(asking.finder.scanCount(), std::uint64_t(0));
    }

    void caller_exited_isUnknown()
    {
        const LoopbackListener listener("127.0.0.1");
        CallerProgram program(helper);
        QVERIFY(program.connectTo("127.0.0.1", listener.port()));
        const Descriptor accepted = listener.accept();
        Asking asking;
        QVERIFY(asking.ask(accepted));
        program.end();
        const std::uint64_t scans = asking.finder.scanCount();
        const auto socket = AcceptedSocket::of(accepted.get());
        if (socket) // a system call may see the end first
            QVERIFY(!asking.ask(*socket));
        QCOMPARE(asking.finder.scanCount(), scans);
    }

    void connection_whosePortIsUsedAgain_isNotTakenForTheNewOne()
    {
        const LoopbackListener listener("127.0.0.1");
        Descriptor client = connectFrom(0, listener.port());
        const Descriptor accepted = listener.accept();
        const auto first = AcceptedSocket::of(accepted.get()).value();
        closeWithReset(client);
        const Descriptor again = connectFrom(first.client.port, listener.port());
        QVERIFY(again.isOpen());
        const Descriptor acceptedAgain = listener.accept();
        const auto second = AcceptedSocket::of(acceptedAgain.get()).value();
        QCOMPARE(second.client, first.client);
        QVERIFY(second.cookie != first.cookie);
        Asking asking;
        for (const CallerDepth depth : {CallerDepth::Whole, CallerDepth::Quick}) {
            QVERIFY(!asking.ask(first, depth));
            QVERIFY(asking.ask(second, depth));
            QVERIFY(!asking.ask(first, depth));
        }
        AcceptedSocket without = second;
        without.cookie = 0;
        QVERIFY(!asking.ask(without));
    }

    void connection_closedForWritingByTheCaller_isStillItsOwn()
    {
        const LoopbackListener listener("127.0.0.1");
        const Descriptor client = connectFrom(0, listener.port());
        const Descriptor accepted = listener.accept();
        ::shutdown(client.get(), SHUT_WR);
        Asking asking;
        QCOMPARE(asking.ask(accepted)->pid, std::int64_t(::getpid()));
    }

    void holders_ofOneProgram_areOneCallerTheOldest()
    {
        const LoopbackListener listener("127.0.0.1");
        CallerProgram program(helper);
        QVERIFY(program.connectTo("127.0.0.1", listener.port()));
        const Descriptor accepted = listener.accept();
        QVERIFY(program.tell("fork").toInt() > 0);
        Asking asking;
        const auto caller = asking.ask(accepted);
        QCOMPARE(caller->pid, program.pid());
        QVERIFY(caller->hasOneProgram);
        QVERIFY(caller->hasOneUser);
    }

    void holders_ofDifferentPrograms_areNotOneProgram()
    {
        const QTemporaryDir directory;
        const QString copy = directory.filePath(QStringLiteral("copy"));
        QVERIFY(QFile::copy(helper, copy));
        const LoopbackListener listener("127.0.0.1");
        CallerProgram program(helper);
        QVERIFY(program.connectTo("127.0.0.1", listener.port()));
        const Descriptor accepted = listener.accept();
        const int child = program.tell("spawn " + copy.toUtf8()).toInt();
        QVERIFY(child > 0);
        Asking asking;
        auto caller = asking.ask(accepted);
        QCOMPARE(caller->pid, program.pid());
        QCOMPARE(caller->executable, canonical(helper));
        QVERIFY(!caller->hasOneProgram);
        QVERIFY(caller->hasOneUser);

        QCOMPARE(program.tell("close"), "ok"); // only the child holds it now
        caller = asking.ask(accepted);
        QCOMPARE(caller->pid, child);
        QCOMPARE(caller->executable, canonical(copy));
        QVERIFY(caller->hasOneProgram);
    }

    void holder_ofAnotherUserThanTheSocket_isNotOneUser()
    {
        if (::getuid() != 0)
            QSKIP("only root can become another user");
        const LoopbackListener listener("127.0.0.1");
        CallerProgram program(helper);
        QVERIFY(program.connectTo("127.0.0.1", listener.port()));
        const Descriptor accepted = listener.accept();
        QCOMPARE(program.tell("setuid 65534"), "ok");
        Asking asking;
        const auto caller = asking.ask(accepted);
        QCOMPARE(caller->pid, program.pid());
        QCOMPARE(caller->uid, 0U);
        QVERIFY(caller->hasOneProgram);
        QVERIFY(!caller->hasOneUser);
    }

    void caller_thatWeMayNotLookAt_isAUserOnly()
    {
        const LoopbackListener listener("127.0.0.1");
        CallerProgram program(helper);
        QVERIFY(program.connectTo("127.0.0.1", listener.port()));
        const Descriptor accepted = listener.accept();
        QCOMPARE(program.tell("hide"), "ok");
        std::unique_ptr<Asking> asking;
        bool isDropped = false;
        std::thread([&] {
            isDropped = dropCapabilities(); // the finder's thread begins as this one is
            asking = std::make_unique<Asking>();
            asking->mailbox.moveToThread(thread());
        }).join();
        QVERIFY(isDropped);
        for (const CallerDepth depth :
             {CallerDepth::Quick, CallerDepth::Whole, CallerDepth::Hashed}) {
            const auto caller = asking->ask(accepted, depth);
            QVERIFY(caller);
            Caller expected;
            expected.uid = ::getuid();
            expected.user = userName();
            QVERIFY(*caller == expected);
        }
    }

    void directory_removed_isSaidSo()
    {
        auto directory = std::make_unique<QTemporaryDir>();
        const std::string path = canonical(directory->path());
        const LoopbackListener listener("127.0.0.1");
        CallerProgram program(helper);
        QCOMPARE(program.tell("chdir " + directory->path().toUtf8()), "ok");
        QVERIFY(program.connectTo("127.0.0.1", listener.port()));
        const Descriptor accepted = listener.accept();
        directory.reset();
        Asking asking;
        QCOMPARE(asking.ask(accepted)->directory, path + " (deleted)");
    }
};

QTEST_GUILESS_MAIN(TestCallerFinder)
#include "tst_callerfinder.moc"
