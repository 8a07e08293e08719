// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/mailbox.h"
#include "gateway/net/callerfinder.h"
#include "gateway/net/clientconnection.h"
#include "gateway/net/healthchecker.h"
#include "gateway/net/providerpool.h"
#include "gateway/net/runtime.h"
#include "gateway/net/workercontext.h"
#include "gateway/net/workerservices.h"

#include <QBasicTimer>
#include <QObject>
#include <QThread>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace gatehouse::net {

/// The connections of one thread. Made, used and destroyed in it.
class Worker final : public QObject, public WorkerContext, private ClientConnectionOwner
{
public:
    Worker(IoLoop &ioLoop, CallerFinder &callers, std::atomic<int> &connectionCount);
    ~Worker() override;
    Q_DISABLE_COPY_MOVE(Worker)

    void apply(std::shared_ptr<const Runtime> newRuntime);
    /// Checks the health of the runtime's providers; of one worker, after each apply().
    void checkHealth();
    void adopt(int descriptor, std::shared_ptr<const std::string> listener);
    /// Takes no more requests; \a drained is called in this thread once the last exchange is over.
    void drain(std::function<void()> drained);
    void findCaller(const AcceptedSocket &socket,
                    CallerDepth depth,
                    std::function<void(std::shared_ptr<const Caller>)> done) override;
    void callLater(std::function<void()> call) override { m_later.post(std::move(call)); }
    void bury(std::unique_ptr<Buriable> dead) override;

private:
    void clientClosed(ClientConnection &connection) override;
    void timerEvent(QTimerEvent *event) override;
    void tellIfDrained();

    CallerFinder &m_callers;
    std::atomic<int> &m_connectionCount;
    ProviderPool m_pool{*this};
    std::unordered_map<ClientConnection *, std::unique_ptr<ClientConnection>> m_clients;
    std::vector<std::unique_ptr<Buriable>> m_dead;
    Mailbox m_later;
    WorkerServices m_services{*this, m_later};
    HealthChecker m_health{m_services};
    QBasicTimer m_ticker;
    std::function<void()> m_drained;
};

/// A worker and its thread. Calls come through post().
class WorkerThread final : public QThread
{
public:
    explicit WorkerThread(CallerFinder &callers);
    /// Ends the thread; connections still open are cut.
    ~WorkerThread() override;
    Q_DISABLE_COPY_MOVE(WorkerThread)

    /// Any thread; runs \a call in the worker's.
    void post(std::function<void(Worker &)> call);
    /// Client connections, also those still on their way here. Any thread.
    [[nodiscard]] std::atomic<int> &connectionCount() { return m_connectionCount; }

protected:
    void run() override;

private:
    CallerFinder &m_callers;
    std::unique_ptr<Mailbox> m_mailbox;
    std::atomic<int> m_connectionCount{0};
    Worker *m_worker = nullptr; ///< seen in its thread only
};

} // namespace gatehouse::net
