// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/ioloop.h"

#include <QAbstractEventDispatcher>

#include <array>
#include <atomic>
#include <chrono>
#include <unordered_map>
#include <vector>

namespace gatehouse::net {

/// Qt's event loop on Linux's epoll, for threads with thousands of sockets: the cost of a turn grows
/// with the descriptors that are ready, not with those that are open, as Qt's own poll(2) loop does.
/// Serves Qt's posted events, timers and socket notifiers, and IoHandlers without an event object
/// in between. Give it to a QThread before it starts; only wakeUp() may be called from elsewhere.
class EventDispatcher final : public QAbstractEventDispatcher, public IoLoop
{
public:
    explicit EventDispatcher(QObject *parent = nullptr);
    ~EventDispatcher() override;
    Q_DISABLE_COPY_MOVE(EventDispatcher)

    // QAbstractEventDispatcher
    bool processEvents(QEventLoop::ProcessEventsFlags flags) override;
    void registerSocketNotifier(QSocketNotifier *notifier) override;
    void unregisterSocketNotifier(QSocketNotifier *notifier) override;
    void
    registerTimer(int timerId, qint64 interval, Qt::TimerType timerType, QObject *object) override;
    bool unregisterTimer(int timerId) override;
    bool unregisterTimers(QObject *object) override;
    QList<TimerInfo> registeredTimers(QObject *object) const override;
    int remainingTime(int timerId) override;
    void wakeUp() override;
    void interrupt() override;

    // IoLoop
    Token watch(int descriptor, IoHandler &handler) override;
    void unwatch(Token token) override;
    void awaitMore(Token, IoEvent) override {} // epoll is edge-triggered by itself
    void tellAgain(Token token, unsigned events) override;

private:
    using TimePoint = std::chrono::steady_clock::time_point;

    struct Slot
    {
        IoHandler *handler = nullptr;
        int descriptor = -1;
        std::uint32_t generation = 1;
        bool isNotifiers = false;
    };
    /// The notifiers of one descriptor, by QSocketNotifier::Type.
    struct Notifiers
    {
        std::array<QSocketNotifier *, 3> byType{};
        Token token = noToken;
    };
    struct Timer
    {
        int id = 0;
        std::chrono::milliseconds interval{};
        Qt::TimerType type = Qt::CoarseTimer;
        QObject *object = nullptr;
        TimePoint due;
        bool isActive = false; ///< its event is being handled
    };
    struct Retold
    {
        Token token = noToken;
        unsigned events = 0;
    };

    Token addSlot(int descriptor, IoHandler *handler, std::uint32_t epollEvents);
    [[nodiscard]] Slot *slotOf(Token token);
    [[nodiscard]] static std::uint32_t interestOf(const Notifiers &notifiers);
    [[nodiscard]] int timeoutToNextTimer() const;
    bool waitAndDispatch(int timeout);
    void takeWakeUp();
    void dispatch(Token token, std::uint32_t epollEvents);
    void activateNotifiers(Token token, int descriptor, std::uint32_t epollEvents);
    bool tellRetold();
    bool activateTimers();

    int m_epoll = -1;
    int m_wakeUp = -1;
    std::atomic<bool> m_wokenUp{false};
    std::atomic<bool> m_interrupted{false};
    std::vector<Slot> m_slots;
    std::vector<std::uint32_t> m_freeSlots;
    std::unordered_map<int, Notifiers> m_notifiers;
    std::vector<Timer> m_timers;
    std::vector<Retold> m_retold;
    std::vector<Retold> m_retoldNow;
};

} // namespace gatehouse::net
