// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/mailbox.h"
#include "gateway/net/ioloop.h"
#include "tests/support/peer.h"

#ifdef __linux__
#include "gateway/net/eventdispatcher.h"
#endif
#include "gateway/net/notifierloop.h"

#include <QThread>

#include <condition_variable>
#include <future>
#include <memory>

namespace gatehouse::test {

enum class LoopKind : std::uint8_t {
    Epoll,     ///< EventDispatcher, Linux only
    Notifiers, ///< NotifierLoop on the platform's own dispatcher
};

/// A thread with an event loop of the kind wanted.
class LoopThread final : public QThread
{
public:
    explicit LoopThread(LoopKind kind)
        : m_kind(kind)
        , m_mailbox(std::make_unique<Mailbox>())
    {
        m_mailbox->moveToThread(this);
        if (kind == LoopKind::Epoll)
            setEventDispatcher(new net::EventDispatcher);
        start();
    }
    ~LoopThread() override { end(); }
    /// Returns when the thread is over.
    void end()
    {
        quit();
        wait();
        const std::lock_guard lock(m_running); // ThreadSanitizer does not see wait()
    }

    /// An object that lives in the thread.
    [[nodiscard]] QObject *context() const { return m_mailbox.get(); }
    /// Does not wait.
    void post(std::function<void()> call) { m_mailbox->post(std::move(call)); }
    /// Runs \a function in the thread and gives what it returned.
    template<typename Function>
    auto call(Function function) -> decltype(function())
    {
        auto task
            = std::make_shared<std::packaged_task<decltype(function())()>>(std::move(function));
        auto outcome = task->get_future();
        post([task] { (*task)(); });
        if (outcome.wait_for(patience) != std::future_status::ready)
            qFatal("the test's event loop does not run a call");
        return outcome.get();
    }
    /// In the thread only.
    [[nodiscard]] net::IoLoop &loop()
    {
        if (m_kind == LoopKind::Epoll)
            return *static_cast<net::EventDispatcher *>(eventDispatcher());
        return *m_notifiers;
    }

protected:
    void run() override
    {
        const std::lock_guard lock(m_running);
        net::NotifierLoop notifiers;
        m_notifiers = &notifiers;
        exec();
    }

private:
    LoopKind m_kind;
    std::mutex m_running; ///< held by the thread
    std::unique_ptr<Mailbox> m_mailbox;
    net::NotifierLoop *m_notifiers = nullptr;
};

/// What happened in another thread, and a way to wait for it.
template<typename State>
class Watched
{
public:
    template<typename Change>
    void change(Change change)
    {
        {
            const std::lock_guard lock(m_mutex);
            change(m_state);
        }
        m_changed.notify_all();
    }
    /// False where \a condition did not come true in time.
    template<typename Condition>
    [[nodiscard]] bool waitUntil(Condition condition)
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, patience, [&] { return condition(m_state); });
    }
    [[nodiscard]] State now()
    {
        const std::lock_guard lock(m_mutex);
        return m_state;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    State m_state{};
};

} // namespace gatehouse::test
