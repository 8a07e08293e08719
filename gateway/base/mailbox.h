// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QCoreApplication>
#include <QEvent>
#include <QObject>

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace gatehouse {

/// The one way into another thread: calls are queued and run there in order, several by one wake-up.
/// What they capture must be values, or shared const objects. An own queue under a std::mutex, not
/// queued invokeMethod, because ThreadSanitizer sees it and one event serves any number of calls.
class Mailbox final : public QObject
{
public:
    /// Made in the thread whose calls it runs, or moved there before the first post.
    explicit Mailbox(QObject *parent = nullptr)
        : QObject(parent)
    {}

    ~Mailbox() override
    {
        // For ThreadSanitizer, which does not see that QThread::wait() came between the last call's
        // thread and this one.
        const std::lock_guard lock(m_mutex);
    }
    Mailbox(const Mailbox &) = delete;
    Mailbox &operator=(const Mailbox &) = delete;

    /// Any thread. Calls still queued when the mailbox goes are dropped.
    void post(std::function<void()> call)
    {
        bool wasEmpty = false;
        {
            const std::lock_guard lock(m_mutex);
            wasEmpty = m_calls.empty();
            m_calls.push_back(std::move(call));
        }
        if (wasEmpty)
            QCoreApplication::postEvent(this, new QEvent(QEvent::User));
    }

    bool event(QEvent *event) override
    {
        if (event->type() != QEvent::User)
            return QObject::event(event);
        std::vector<std::function<void()>> calls;
        {
            const std::lock_guard lock(m_mutex);
            calls.swap(m_calls);
        }
        for (const auto &call : calls)
            call();
        return true;
    }

private:
    std::mutex m_mutex;
    std::vector<std::function<void()>> m_calls;
};

} // namespace gatehouse
