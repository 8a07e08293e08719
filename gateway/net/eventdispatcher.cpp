// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/eventdispatcher.h"

#include <QCoreApplication>
#include <QEvent>
#include <QSocketNotifier>

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <unistd.h>

namespace gatehouse::net {

namespace {

constexpr int batchSize = 256;
constexpr std::uint32_t edgeEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

IoLoop::Token tokenOf(std::uint32_t index, std::uint32_t generation)
{
    return static_cast<IoLoop::Token>(generation) << 32 | index;
}

} // namespace

EventDispatcher::EventDispatcher(QObject *parent)
    : QAbstractEventDispatcher(parent)
    , m_epoll(epoll_create1(EPOLL_CLOEXEC))
    , m_wakeUp(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    if (m_epoll < 0 || m_wakeUp < 0)
        qFatal("No epoll or eventfd descriptor: raise the limit of open files (ulimit -n).");
    addSlot(m_wakeUp, nullptr, EPOLLIN); // slot 0 is the wake-up
}

EventDispatcher::~EventDispatcher()
{
    ::close(m_wakeUp);
    ::close(m_epoll);
}

bool EventDispatcher::processEvents(QEventLoop::ProcessEventsFlags flags)
{
    m_interrupted = false;
    Q_EMIT awake();
    QCoreApplication::sendPostedEvents();
    if (m_interrupted)
        return true;

    bool didSomething = tellRetold();
    const bool mayWait
        = flags.testFlag(QEventLoop::WaitForMoreEvents) && !didSomething && m_retold.empty();
    if (mayWait)
        Q_EMIT aboutToBlock();
    didSomething = waitAndDispatch(mayWait ? timeoutToNextTimer() : 0) || didSomething;
    if (!flags.testFlag(QEventLoop::X11ExcludeTimers))
        didSomething = activateTimers() || didSomething;
    return didSomething;
}

bool EventDispatcher::waitAndDispatch(int timeout)
{
    std::array<epoll_event, batchSize> events; // filled by the kernel up to count
    const int count = epoll_wait(m_epoll, events.data(), batchSize, timeout);
    // What another thread posted came before what its peers then sent: a request that follows a
    // reload must not be read under the configuration before it.
    if (m_wokenUp) {
        takeWakeUp();
        QCoreApplication::sendPostedEvents();
    }
    for (int i = 0; i < count; ++i) {
        const epoll_event &event = events[static_cast<std::size_t>(i)];
        dispatch(event.data.u64, event.events);
    }
    return count > 0;
}

EventDispatcher::Slot *EventDispatcher::slotOf(Token token)
{
    const auto index = static_cast<std::uint32_t>(token);
    if (index >= m_slots.size() || m_slots[index].generation != token >> 32)
        return nullptr;
    return &m_slots[index];
}

void EventDispatcher::dispatch(Token token, std::uint32_t epollEvents)
{
    const Slot *slot = slotOf(token);
    if (slot == nullptr)
        return; // unwatched by a handler before it in this batch
    if (slot->handler != nullptr) {
        unsigned told = 0;
        if ((epollEvents & EPOLLIN) != 0)
            told |= IoReadable;
        if ((epollEvents & EPOLLOUT) != 0)
            told |= IoWritable;
        if ((epollEvents & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            told |= IoHangUp;
        slot->handler->ioReady(told);
    } else if (slot->isNotifiers) {
        activateNotifiers(token, slot->descriptor, epollEvents);
    } else {
        takeWakeUp();
    }
}

void EventDispatcher::takeWakeUp()
{
    std::uint64_t ignored = 0;
    // Empties the counter; a wake-up that comes after the flag is down writes it anew.
    [[maybe_unused]] const auto size = ::read(m_wakeUp, &ignored, sizeof ignored);
    m_wokenUp = false;
}

IoLoop::Token
EventDispatcher::addSlot(int descriptor, IoHandler *handler, std::uint32_t epollEvents)
{
    std::uint32_t index = 0;
    if (m_freeSlots.empty()) {
        index = static_cast<std::uint32_t>(m_slots.size());
        m_slots.emplace_back();
    } else {
        index = m_freeSlots.back();
        m_freeSlots.pop_back();
    }
    Slot &slot = m_slots[index];
    slot.handler = handler;
    slot.descriptor = descriptor;
    epoll_event event{};
    event.events = epollEvents;
    event.data.u64 = tokenOf(index, slot.generation);
    if (epoll_ctl(m_epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        slot.handler = nullptr;
        m_freeSlots.push_back(index);
        return noToken;
    }
    return event.data.u64;
}

IoLoop::Token EventDispatcher::watch(int descriptor, IoHandler &handler)
{
    return addSlot(descriptor, &handler, edgeEvents);
}

void EventDispatcher::unwatch(Token token)
{
    Slot *slot = slotOf(token);
    if (slot == nullptr)
        return;
    epoll_ctl(m_epoll, EPOLL_CTL_DEL, slot->descriptor, nullptr);
    ++slot->generation;
    slot->handler = nullptr;
    slot->isNotifiers = false;
    m_freeSlots.push_back(static_cast<std::uint32_t>(token));
}

void EventDispatcher::tellAgain(Token token, unsigned events)
{
    m_retold.push_back({token, events});
}

bool EventDispatcher::tellRetold()
{
    if (m_retold.empty())
        return false;
    m_retoldNow.swap(m_retold);
    for (const Retold &retold : m_retoldNow) {
        const Slot *slot = slotOf(retold.token);
        if (slot != nullptr && slot->handler != nullptr)
            slot->handler->ioReady(retold.events);
    }
    m_retoldNow.clear();
    return true;
}

std::uint32_t EventDispatcher::interestOf(const Notifiers &notifiers)
{
    std::uint32_t events = 0;
    if (notifiers.byType[QSocketNotifier::Read] != nullptr)
        events |= EPOLLIN;
    if (notifiers.byType[QSocketNotifier::Write] != nullptr)
        events |= EPOLLOUT;
    if (notifiers.byType[QSocketNotifier::Exception] != nullptr)
        events |= EPOLLPRI;
    return events;
}

void EventDispatcher::registerSocketNotifier(QSocketNotifier *notifier)
{
    const auto descriptor = static_cast<int>(notifier->socket());
    Notifiers &notifiers = m_notifiers[descriptor];
    notifiers.byType[static_cast<std::size_t>(notifier->type())] = notifier;
    if (notifiers.token == noToken) {
        notifiers.token = addSlot(descriptor, nullptr, interestOf(notifiers));
        if (Slot *slot = slotOf(notifiers.token))
            slot->isNotifiers = true;
        return;
    }
    epoll_event event{};
    event.events = interestOf(notifiers);
    event.data.u64 = notifiers.token;
    epoll_ctl(m_epoll, EPOLL_CTL_MOD, descriptor, &event);
}

void EventDispatcher::unregisterSocketNotifier(QSocketNotifier *notifier)
{
    const auto descriptor = static_cast<int>(notifier->socket());
    const auto found = m_notifiers.find(descriptor);
    if (found == m_notifiers.end())
        return;
    Notifiers &notifiers = found->second;
    QSocketNotifier *&registered = notifiers.byType[static_cast<std::size_t>(notifier->type())];
    if (registered != notifier)
        return;
    registered = nullptr;
    epoll_event event{};
    event.events = interestOf(notifiers);
    if (event.events == 0) {
        unwatch(notifiers.token);
        m_notifiers.erase(found);
        return;
    }
    event.data.u64 = notifiers.token;
    epoll_ctl(m_epoll, EPOLL_CTL_MOD, descriptor, &event);
}

void EventDispatcher::activateNotifiers(Token token, int descriptor, std::uint32_t epollEvents)
{
    struct Kind
    {
        QSocketNotifier::Type type;
        std::uint32_t events;
    };
    // As Qt's own loop: a broken descriptor wakes readers and writers, who then see the error.
    static constexpr std::array<Kind, 3> kinds{
        {{QSocketNotifier::Read, EPOLLIN | EPOLLHUP | EPOLLERR},
         {QSocketNotifier::Write, EPOLLOUT | EPOLLHUP | EPOLLERR},
         {QSocketNotifier::Exception, EPOLLPRI | EPOLLHUP | EPOLLERR}}};
    for (const Kind &kind : kinds) {
        // A handler before may have removed it, or registered another socket of the same number.
        const auto found = m_notifiers.find(descriptor);
        if (found == m_notifiers.end() || found->second.token != token)
            return;
        if ((epollEvents & kind.events) == 0)
            continue;
        QSocketNotifier *notifier = found->second.byType[static_cast<std::size_t>(kind.type)];
        if (notifier == nullptr)
            continue;
        QEvent event(QEvent::SockAct);
        QCoreApplication::sendEvent(notifier, &event);
    }
}

void EventDispatcher::registerTimer(int timerId,
                                    qint64 interval,
                                    Qt::TimerType timerType,
                                    QObject *object)
{
    const std::chrono::milliseconds period(interval);
    m_timers.push_back(
        {timerId, period, timerType, object, std::chrono::steady_clock::now() + period, false});
}

bool EventDispatcher::unregisterTimer(int timerId)
{
    return std::erase_if(m_timers, [timerId](const Timer &timer) { return timer.id == timerId; })
           > 0;
}

bool EventDispatcher::unregisterTimers(QObject *object)
{
    return std::erase_if(m_timers, [object](const Timer &timer) { return timer.object == object; })
           > 0;
}

QList<QAbstractEventDispatcher::TimerInfo> EventDispatcher::registeredTimers(QObject *object) const
{
    QList<TimerInfo> timers;
    for (const Timer &timer : m_timers) {
        if (timer.object == object)
            timers.append(
                TimerInfo(timer.id, static_cast<int>(timer.interval.count()), timer.type));
    }
    return timers;
}

int EventDispatcher::remainingTime(int timerId)
{
    for (const Timer &timer : m_timers) {
        if (timer.id == timerId) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                timer.due - std::chrono::steady_clock::now());
            return std::max(0, static_cast<int>(left.count()));
        }
    }
    return -1;
}

int EventDispatcher::timeoutToNextTimer() const
{
    const Timer *next = nullptr;
    for (const Timer &timer : m_timers) {
        if (!timer.isActive && (next == nullptr || timer.due < next->due))
            next = &timer;
    }
    if (next == nullptr)
        return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        next->due - std::chrono::steady_clock::now());
    return std::max(0, static_cast<int>(left.count()));
}

bool EventDispatcher::activateTimers()
{
    if (m_timers.empty())
        return false;
    const TimePoint now = std::chrono::steady_clock::now();
    std::vector<std::pair<TimePoint, int>> dueIds; // handlers may add and remove timers
    for (const Timer &timer : m_timers) {
        if (!timer.isActive && timer.due <= now)
            dueIds.emplace_back(timer.due, timer.id);
    }
    std::stable_sort(dueIds.begin(), dueIds.end(), [](const auto &a, const auto &b) {
        return a.first < b.first;
    });
    const auto byId = [this](int id) {
        return std::find_if(
            m_timers.begin(), m_timers.end(), [id](const Timer &timer) { return timer.id == id; });
    };
    for (const auto &[due, id] : dueIds) {
        auto timer = byId(id);
        // A handler before may have removed it, used its id anew or run an event loop of its own.
        if (timer == m_timers.end() || timer->isActive || timer->due > now)
            continue;
        timer->isActive = true;
        timer->due = std::max(timer->due + timer->interval, now);
        QTimerEvent event(id);
        QCoreApplication::sendEvent(timer->object, &event);
        timer = byId(id);
        if (timer != m_timers.end())
            timer->isActive = false;
    }
    return !dueIds.empty();
}

void EventDispatcher::wakeUp()
{
    if (m_wokenUp.exchange(true))
        return;
    const std::uint64_t one = 1;
    // Cannot fail: the counter is emptied whenever the flag is down.
    [[maybe_unused]] const auto size = ::write(m_wakeUp, &one, sizeof one);
}

void EventDispatcher::interrupt()
{
    m_interrupted = true;
    wakeUp();
}

} // namespace gatehouse::net
