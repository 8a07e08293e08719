// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/worker.h"

#ifdef __linux__
#include "gateway/net/eventdispatcher.h"
#else
#include "gateway/net/notifierloop.h"
#endif

#include <QCoreApplication>
#include <QTimerEvent>

#include <sys/ioctl.h>

#include <utility>

#include <unistd.h>

namespace gatehouse::net {

Worker::Worker(IoLoop &ioLoop, CallerFinder &callers, std::atomic<int> &connectionCount)
    : m_callers(callers)
    , m_connectionCount(connectionCount)
{
    loop = &ioLoop;
    pool = &m_pool;
    services = &m_services;
}

Worker::~Worker()
{
    // Relays give their provider connections back to the pool, so clients go first.
    while (!m_clients.empty())
        m_clients.begin()->first->close();
    m_callers.forget(m_later);
}

void Worker::apply(std::shared_ptr<const Runtime> newRuntime)
{
    Q_ASSERT(QThread::currentThread() == thread());
    if (!runtime || runtime->snapshot->hashKey != newRuntime->snapshot->hashKey)
        m_services.setHashKey(newRuntime->snapshot->hashKey);
    runtime = std::move(newRuntime);
    // A revoked key ends what it began; that may end connections too.
    std::vector<ClientConnection *> clients;
    for (const auto &[client, owned] : m_clients)
        clients.push_back(client);
    for (ClientConnection *client : clients)
        client->checkKey(*runtime->snapshot);
}

void Worker::checkHealth()
{
    m_health.apply(runtime);
    if (m_health.isActive() && !m_ticker.isActive())
        m_ticker.start(static_cast<int>(Deadlines::tick.count()), this);
}

void Worker::findCaller(const AcceptedSocket &socket,
                        CallerDepth depth,
                        std::function<void(std::shared_ptr<const Caller>)> done)
{
    m_callers.find(socket, depth, m_later, std::move(done));
}

void Worker::adopt(int descriptor, std::shared_ptr<const std::string> listener)
{
    Q_ASSERT(QThread::currentThread() == thread());
    if (isDraining || !runtime) {
        ::close(descriptor);
        --m_connectionCount;
        return;
    }
    int on = 1;
    ::ioctl(descriptor, FIONBIO, &on);
    SslHandle ssl;
    const TlsContext *tls = runtime->tlsOf(*listener);
    if (tls != nullptr)
        ssl = tls->toClient();
    // Never plain where TLS was asked for, also where a reload has just removed the listener.
    if (!runtime->hasListener(*listener) || (tls != nullptr && !ssl)) {
        ::close(descriptor);
        --m_connectionCount;
        return;
    }
    if (!m_ticker.isActive())
        m_ticker.start(static_cast<int>(Deadlines::tick.count()), this);
    auto connection = std::make_unique<ClientConnection>(
        *this, static_cast<ClientConnectionOwner &>(*this), std::move(listener));
    ClientConnection &client = *connection;
    m_clients.emplace(&client, std::move(connection));
    if (!client.adopt(descriptor, std::move(ssl)))
        client.close();
}

void Worker::clientClosed(ClientConnection &connection)
{
    auto node = m_clients.extract(&connection);
    bury(std::move(node.mapped()));
    --m_connectionCount;
    tellIfDrained();
}

void Worker::bury(std::unique_ptr<Buriable> dead)
{
    if (m_dead.empty())
        m_later.post([this] { std::exchange(m_dead, {}).clear(); });
    m_dead.push_back(std::move(dead));
}

void Worker::timerEvent(QTimerEvent *event)
{
    if (event->timerId() != m_ticker.timerId())
        return;
    deadlines.advance(now());
    // A client that waits for another worker has no deadline of its own, and may set one when it goes on.
    if (deadlines.isEmpty() && m_clients.empty() && !m_health.isActive())
        m_ticker.stop();
}

void Worker::drain(std::function<void()> drained)
{
    Q_ASSERT(QThread::currentThread() == thread());
    isDraining = true;
    m_drained = std::move(drained);
    std::vector<ClientConnection *> clients;
    for (const auto &[client, owned] : m_clients)
        clients.push_back(client);
    for (ClientConnection *client : clients)
        client->drain();
    tellIfDrained();
}

void Worker::tellIfDrained()
{
    if (isDraining && m_clients.empty() && m_drained)
        std::exchange(m_drained, nullptr)();
}

WorkerThread::WorkerThread(CallerFinder &callers)
    : m_callers(callers)
    , m_mailbox(std::make_unique<Mailbox>())
{
    m_mailbox->moveToThread(this);
#ifdef __linux__
    setEventDispatcher(new EventDispatcher);
#endif
}

WorkerThread::~WorkerThread()
{
    quit();
    wait();
}

void WorkerThread::post(std::function<void(Worker &)> call)
{
    m_mailbox->post([this, call = std::move(call)] {
        if (m_worker != nullptr)
            call(*m_worker);
    });
}

void WorkerThread::run()
{
#ifdef __linux__
    auto &ioLoop = *static_cast<EventDispatcher *>(eventDispatcher());
#else
    NotifierLoop ioLoop;
#endif
    Worker worker(ioLoop, m_callers, m_connectionCount);
    m_worker = &worker;
    exec();
    QCoreApplication::sendPostedEvents(m_mailbox.get()); // descriptors on their way here
    m_worker = nullptr;
}

} // namespace gatehouse::net
