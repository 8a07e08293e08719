// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/loopthread.h"
#include "tests/support/socketpair.h"

#include <QSocketNotifier>
#include <QTest>

#include <fcntl.h>

using namespace gatehouse;
using namespace gatehouse::test;

/// Qt's socket notifiers on the EventDispatcher.
class TestNotifiers : public QObject
{
    Q_OBJECT

private:
    LoopThread m_thread{LoopKind::Epoll};

private Q_SLOTS:
    void notifier_readAndWrite_areToldWhatTheyWaitFor()
    {
        const SocketPair pair;
        int reads = 0;
        int writes = 0;
        m_thread.call([&] {
            QSocketNotifier reader(pair.ends[0], QSocketNotifier::Read);
            QSocketNotifier writer(pair.ends[0], QSocketNotifier::Write);
            connect(&reader, &QSocketNotifier::activated, &reader, [&] { ++reads; });
            connect(&writer, &QSocketNotifier::activated, &writer, [&] { ++writes; });
            QCoreApplication::processEvents();
            QCOMPARE(std::pair(reads, writes), std::pair(0, 1));
            writeByte(pair.ends[1]);
            QCoreApplication::processEvents();
            QCOMPARE(std::pair(reads, writes), std::pair(1, 2));
            writer.setEnabled(false); // still unread: level-triggered
            QCoreApplication::processEvents();
            QCOMPARE(std::pair(reads, writes), std::pair(2, 2));
            reader.setEnabled(false);
            QCoreApplication::processEvents();
            QCOMPARE(std::pair(reads, writes), std::pair(2, 2));
            reader.setEnabled(true);
            readAll(pair.ends[0]);
            QCoreApplication::processEvents();
            QCOMPARE(std::pair(reads, writes), std::pair(2, 2));
        });
    }

    void notifier_exception_isToldOfUrgentData()
    {
        const Listener listener;
        TestPeer client = TestPeer::connectedTo(listener.port());
        const int descriptor = client.release();
        TestPeer server = listener.accept();
        const int urgent = server.release();
        m_thread.call([&] {
            QSocketNotifier notifier(descriptor, QSocketNotifier::Exception);
            int told = 0;
            connect(&notifier, &QSocketNotifier::activated, &notifier, [&] {
                ++told;
                notifier.setEnabled(false);
            });
            QCOMPARE(::send(urgent, "!", 1, MSG_OOB), 1);
            while (told == 0)
                QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
            QCOMPARE(told, 1);
        });
        ::close(descriptor);
        ::close(urgent);
    }

    void notifier_removedByAnothersHandler_isNotTold()
    {
        const SocketPair pair;
        const SocketPair other;
        m_thread.call([&] {
            auto reader = std::make_unique<QSocketNotifier>(pair.ends[0], QSocketNotifier::Read);
            auto writer = std::make_unique<QSocketNotifier>(pair.ends[0], QSocketNotifier::Write);
            auto third = std::make_unique<QSocketNotifier>(other.ends[0], QSocketNotifier::Read);
            int told = 0;
            const auto removeOthers = [&](QSocketNotifier *me) {
                ++told;
                for (auto *notifier : {&reader, &writer, &third}) {
                    if (notifier->get() != me)
                        notifier->reset();
                }
            };
            for (auto *notifier : {&reader, &writer, &third}) {
                connect(notifier->get(),
                        &QSocketNotifier::activated,
                        notifier->get(),
                        [&removeOthers, me = notifier->get()] { removeOthers(me); });
            }
            writeByte(pair.ends[1]);
            writeByte(other.ends[1]);
            QCoreApplication::processEvents();
            QCOMPARE(told, 1);
        });
    }

    void notifier_ofAReusedDescriptor_isNotToldOfTheOld()
    {
        const SocketPair pair;
        const SocketPair full;
        const QByteArray bytes(4096, 'x');
        while (::write(full.ends[0], bytes.constData(), 4096) > 0) {
        }
        m_thread.call([&] {
            QSocketNotifier reader(pair.ends[0], QSocketNotifier::Read);
            QSocketNotifier writer(pair.ends[0], QSocketNotifier::Write);
            std::unique_ptr<QSocketNotifier> fresh;
            int told = 0;
            connect(&reader, &QSocketNotifier::activated, &reader, [&] {
                reader.setEnabled(false);
                writer.setEnabled(false);
                // Another socket under the same number, which is not writable.
                QCOMPARE(::dup2(full.ends[0], pair.ends[0]), pair.ends[0]);
                fresh = std::make_unique<QSocketNotifier>(pair.ends[0], QSocketNotifier::Write);
                connect(fresh.get(), &QSocketNotifier::activated, fresh.get(), [&] { ++told; });
            });
            writeByte(pair.ends[1]);
            QCoreApplication::processEvents();
            QVERIFY(fresh);
            QCoreApplication::processEvents();
            QCOMPARE(told, 0);
            readAll(full.ends[1]);
            QCoreApplication::processEvents();
            QCOMPARE(told, 1);
        });
    }
};

QTEST_GUILESS_MAIN(TestNotifiers)
#include "tst_notifiers.moc"
