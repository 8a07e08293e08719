// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/loopthread.h"
#include "tests/support/socketpair.h"

#include <QElapsedTimer>
#include <QSocketNotifier>
#include <QTest>
#include <QTimer>

#include <algorithm>
#include <array>
#include <thread>

using namespace gatehouse;
using namespace gatehouse::test;
using std::chrono::milliseconds;

namespace {

class EventProbe final : public QObject
{
public:
    explicit EventProbe(std::function<void()> onEvent)
        : m_onEvent(std::move(onEvent))
    {}
    bool event(QEvent *event) override
    {
        if (event->type() == QEvent::User)
            m_onEvent();
        return QObject::event(event);
    }

private:
    std::function<void()> m_onEvent;
};

class TimerProbe final : public QObject
{
public:
    std::function<void(int id)> onTimer;

protected:
    void timerEvent(QTimerEvent *event) override { onTimer(event->timerId()); }
};

} // namespace

/// Qt's side of the dispatcher; tst_ioloop has the other.
class TestEventDispatcher : public QObject
{
    Q_OBJECT

private:
    LoopThread m_thread{LoopKind::Epoll};

    /// Processes events in the thread until \a condition, which runs there, is true.
    template<typename Condition>
    bool processUntil(Condition condition)
    {
        return m_thread.call([&] {
            const QDeadlineTimer deadline(patience);
            while (!condition() && !deadline.hasExpired())
                QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
            return condition();
        });
    }

private Q_SLOTS:
    void posts_fromFourThreadsUnderLoad_allArriveInOrder()
    {
        constexpr int threads = 4;
        constexpr int each = 25'000;
        struct State
        {
            std::array<int, threads> next{};
            int total = 0;
            bool isOrdered = true;
        };
        Watched<State> state;
        EventProbe probe([&state] { state.change([](State &now) { ++now.total; }); });
        probe.moveToThread(&m_thread);
        std::vector<std::thread> posters;
        for (std::size_t poster = 0; poster < threads; ++poster) {
            posters.emplace_back([&, poster] {
                for (int number = 0; number < each; ++number) {
                    if (poster % 2 == 0) { // through Qt alone: each event has its own wake-up
                        QCoreApplication::postEvent(&probe, new QEvent(QEvent::User));
                        continue;
                    }
                    m_thread.post([&state, poster, number] {
                        state.change([&](State &now) {
                            now.isOrdered = now.isOrdered && now.next[poster]++ == number;
                            ++now.total;
                        });
                    });
                }
            });
        }
        for (std::thread &poster : posters)
            poster.join();
        QVERIFY(state.waitUntil([](const State &now) { return now.total == threads * each; }));
        QVERIFY(state.now().isOrdered);
        m_thread.call([&] { probe.moveToThread(thread()); });
    }

    void wakeUp_ofAWaitingLoop_isNeverLost()
    {
        // One at a time: the loop goes to sleep between, where a wake-up could be missed.
        for (int i = 0; i < 5000; ++i)
            QCOMPARE(m_thread.call([i] { return i; }), i);
    }

    void wakeUp_withNothingPosted_endsTheWait()
    {
        Watched<int> turns;
        auto *dispatcher = m_thread.call([&] {
            auto *found = QAbstractEventDispatcher::instance();
            connect(found, &QAbstractEventDispatcher::awake, m_thread.context(), [&turns] {
                turns.change([](int &now) { ++now; });
            });
            return found;
        });
        const int before = turns.now();
        dispatcher->wakeUp();
        QVERIFY(turns.waitUntil([before](int now) { return now > before; }));
        m_thread.call([&] { dispatcher->disconnect(m_thread.context()); });
    }

    void interrupt_fromAHandler_endsANestedLoop()
    {
        const int result = m_thread.call([] {
            QEventLoop loop;
            QMetaObject::invokeMethod(
                &loop, [&loop] { loop.exit(7); }, Qt::QueuedConnection);
            return loop.exec();
        });
        QCOMPARE(result, 7);
    }

    void interrupt_fromAnotherThread_endsANestedLoop()
    {
        for (int i = 0; i < 200; ++i) {
            Watched<QEventLoop *> loop;
            m_thread.post([&loop] {
                QEventLoop nested;
                loop.change([&nested](QEventLoop *&now) { now = &nested; });
                nested.exec();
                loop.change([](QEventLoop *&now) { now = nullptr; });
            });
            QVERIFY(loop.waitUntil([](QEventLoop *now) { return now != nullptr; }));
            QMetaObject::invokeMethod(loop.now(), &QEventLoop::quit, Qt::QueuedConnection);
            QVERIFY(loop.waitUntil([](QEventLoop *now) { return now == nullptr; }));
        }
    }

    void timer_zero_firesEachTurnBesideSockets()
    {
        const SocketPair pair;
        int timeouts = 0;
        int reads = 0;
        m_thread.call([&] {
            QTimer timer;
            QSocketNotifier notifier(pair.ends[1], QSocketNotifier::Read);
            connect(&timer, &QTimer::timeout, &timer, [&] {
                ++timeouts;
                writeByte(pair.ends[0]);
            });
            connect(&notifier, &QSocketNotifier::activated, &notifier, [&] {
                readAll(pair.ends[1]);
                ++reads;
            });
            timer.start(0);
            const QDeadlineTimer deadline(patience);
            while ((timeouts < 100 || reads < 50) && !deadline.hasExpired())
                QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
        });
        QVERIFY(timeouts >= 100);
        QVERIFY(reads >= 50);
    }

    void timer_anyType_firesNotEarlyAndInOrder()
    {
        QList<int> order;
        bool isEarly = false;
        QVERIFY(processUntil([&, isStarted = false]() mutable {
            if (!std::exchange(isStarted, true)) {
                const auto start = [&](int after, Qt::TimerType type) {
                    QElapsedTimer clock;
                    clock.start();
                    QTimer::singleShot(after, type, m_thread.context(), [&, after, clock] {
                        isEarly = isEarly || clock.elapsed() < after;
                        order += after;
                    });
                };
                start(60, Qt::CoarseTimer);
                start(20, Qt::PreciseTimer);
                start(40, Qt::VeryCoarseTimer);
                start(1, Qt::CoarseTimer);
            }
            return order.size() == 4;
        }));
        QVERIFY(!isEarly);
        QCOMPARE(order, (QList<int>{1, 20, 40, 60}));
    }

    void timer_severalDueInOneTurn_fireInTheOrderOfTheirTimes()
    {
        m_thread.call([] {
            TimerProbe probe;
            QList<int> fired;
            probe.onTimer = [&](int id) {
                fired += id;
                probe.killTimer(id);
            };
            const int last = probe.startTimer(30);
            const int first = probe.startTimer(1);
            const int middle = probe.startTimer(15);
            while (QAbstractEventDispatcher::instance()->remainingTime(last) > 0) {
            }
            QCoreApplication::processEvents();
            QCOMPARE(fired, (QList<int>{first, middle, last}));
        });
    }

    void timer_removedByAnothersHandler_doesNotFire()
    {
        m_thread.call([] {
            TimerProbe probe;
            std::array<int, 3> ids{};
            QList<int> fired;
            probe.onTimer = [&](int id) {
                fired += id;
                for (const int other : ids)
                    probe.killTimer(other); // itself too
            };
            for (int &id : ids)
                id = probe.startTimer(0);
            for (int i = 0; i < 5; ++i)
                QCoreApplication::processEvents();
            QCOMPARE(fired, QList<int>{ids[0]});
        });
    }

    void timer_ownerDestroyedByAnothersHandler_isGone()
    {
        m_thread.call([] {
            TimerProbe killer;
            auto victim = std::make_unique<TimerProbe>();
            int fired = 0;
            killer.onTimer = [&](int) { victim.reset(); };
            victim->onTimer = [&](int) { ++fired; };
            killer.startTimer(0);
            victim->startTimer(0);
            victim->startTimer(0, Qt::PreciseTimer);
            QCoreApplication::processEvents();
            QVERIFY(!victim);
            QCoreApplication::processEvents();
            QCOMPARE(fired, 0);
        });
    }

    void timer_thatReusesAnIdOfThisTurn_waitsForItsOwnTime()
    {
        m_thread.call([] {
            auto *dispatcher = QAbstractEventDispatcher::instance();
            TimerProbe probe;
            QList<int> fired;
            constexpr int first = 1'000'001; // far from the ids that Qt hands out
            constexpr int second = 1'000'002;
            probe.onTimer = [&](int id) {
                fired += id;
                dispatcher->unregisterTimer(first);
                dispatcher->unregisterTimer(second);
                dispatcher->registerTimer(second, 3'600'000, Qt::CoarseTimer, &probe);
            };
            dispatcher->registerTimer(first, 0, Qt::CoarseTimer, &probe);
            dispatcher->registerTimer(second, 0, Qt::CoarseTimer, &probe);
            QCoreApplication::processEvents();
            QCOMPARE(fired, QList<int>{first});
            QVERIFY(dispatcher->unregisterTimer(second));
        });
    }

    void timer_firedInANestedLoop_isNotToldTwice()
    {
        m_thread.call([] {
            TimerProbe outer;
            TimerProbe inner;
            int fired = 0;
            outer.onTimer = [&](int id) {
                outer.killTimer(id);
                QCoreApplication::processEvents();
            };
            inner.onTimer = [&](int) { ++fired; };
            outer.startTimer(1);
            const int id = inner.startTimer(200);
            while (QAbstractEventDispatcher::instance()->remainingTime(id) > 0) {
            }
            QCoreApplication::processEvents(); // both are due now, the outer one first
            QCOMPARE(fired, 1);
        });
    }

    void remainingTime_ofATimer_isBetweenZeroAndItsInterval()
    {
        m_thread.call([] {
            auto *dispatcher = QAbstractEventDispatcher::instance();
            TimerProbe probe;
            probe.onTimer = [](int) {};
            const int hour = probe.startTimer(std::chrono::hours(1));
            const int zero = probe.startTimer(0);
            const int longest = probe.startTimer(std::numeric_limits<int>::max());
            QVERIFY(dispatcher->remainingTime(hour) > 3'590'000);
            QVERIFY(dispatcher->remainingTime(hour) <= 3'600'000);
            QCOMPARE(dispatcher->remainingTime(zero), 0);
            QVERIFY(dispatcher->remainingTime(longest) > 0);
            probe.killTimer(hour);
            QCOMPARE(dispatcher->remainingTime(hour), -1);
            QCOMPARE(dispatcher->registeredTimers(&probe).size(), 2);
            QVERIFY(dispatcher->unregisterTimers(&probe));
            QVERIFY(!dispatcher->unregisterTimers(&probe));
        });
    }
};

QTEST_GUILESS_MAIN(TestEventDispatcher)
#include "tst_eventdispatcher.moc"
