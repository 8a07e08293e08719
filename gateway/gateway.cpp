// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/gateway.h"

#include "gateway/base/mailbox.h"
#include "gateway/config/snapshot.h"
#include "gateway/http/reply.h"
#include "gateway/net/acceptor.h"
#include "gateway/net/admin.h"
#include "gateway/net/callerfinder.h"
#include "gateway/net/requestid.h"
#include "gateway/net/runtime.h"
#include "gateway/net/worker.h"

#include <QLoggingCategory>
#include <QTimer>

#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <unistd.h>

namespace gatehouse {

namespace {

Q_LOGGING_CATEGORY(gatewayLog, "gatehouse.gateway")

/// Hands accepted connections to the worker that has the fewest. Made once, then used by the
/// acceptor's thread only, but for the limit.
class Distributor
{
public:
    void start(unsigned workers)
    {
        if (const auto &isKnown = m_callers.availability(); !isKnown)
            qCWarning(gatewayLog,
                      "which process calls cannot be found out here (%s): policies of type "
                      "process-identity let nobody pass",
                      isKnown.error().context.c_str());
        for (unsigned i = 0; i < workers; ++i) {
            m_workers.push_back(std::make_unique<net::WorkerThread>(m_callers));
            m_workers.back()->start();
        }
    }
    void setLimit(std::uint32_t connections) { m_limit = static_cast<int>(connections); }

    /// Any thread.
    void forEach(const std::function<void(net::Worker &)> &call)
    {
        for (const auto &worker : m_workers)
            worker->post(call);
    }
    /// For what one of them does for all.
    void first(const std::function<void(net::Worker &)> &call) { m_workers.front()->post(call); }
    void take(int descriptor, const std::shared_ptr<const std::string> &listener)
    {
        int total = 0;
        net::WorkerThread *chosen = m_workers.front().get();
        for (const auto &worker : m_workers) {
            total += worker->connectionCount();
            if (worker->connectionCount() < chosen->connectionCount())
                chosen = worker.get();
        }
        if (total >= m_limit) {
            refuse(descriptor);
            return;
        }
        ++chosen->connectionCount();
        chosen->post(
            [descriptor, listener](net::Worker &worker) { worker.adopt(descriptor, listener); });
    }
    [[nodiscard]] bool isStarted() const { return !m_workers.empty(); }
    [[nodiscard]] std::size_t size() const { return m_workers.size(); }

private:
    /// No request was read and no worker is troubled: that is what the limit is for.
    void refuse(int descriptor)
    {
        const ErrorInfo &info = errorInfo(ErrorCode::Overloaded);
        const net::RequestId &id = m_requestIds.next();
        const std::string body
            = findDialect("ollama")->errorBody(info.status, info.reason, info.what);
        const std::string answer = http::ownReply({.status = info.status,
                                                   .reason = info.reason,
                                                   .body = body,
                                                   .requestId = {id.data(), id.size()}});
        ::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        ::close(descriptor);
    }

    net::CallerFinder m_callers; // outlives the workers that ask it
    std::vector<std::unique_ptr<net::WorkerThread>> m_workers;
    std::atomic<int> m_limit{0};
    net::RequestIds m_requestIds; ///< of the acceptor's thread
};

struct OpenListener
{
    ListenerEntry entry; ///< without TLS, which may change while it is open
    net::BoundSocket socket;
};

/// Served by one socket: a listener may be renamed, but port 0 is another port each time.
bool isSameAddress(const ListenerEntry &a, const ListenerEntry &b)
{
    return a.address == b.address && a.port == b.port && (a.port != 0 || a.name == b.name);
}

} // namespace

class Gateway::Private
{
public:
    Result<std::vector<OpenListener>> bindNew(const Snapshot &snapshot) const;
    Result<void> bindAdmin(const Snapshot &snapshot);
    void swapListeners(const Snapshot &snapshot, const std::vector<OpenListener> &added);

    std::shared_ptr<const net::Runtime> runtime;
    std::vector<OpenListener> listeners;
    std::unique_ptr<net::AdminServer> admin;
    std::optional<ListenerEntry> adminEntry;
    Mailbox mailbox;
    Distributor workers; // gone before the mailbox that they report to
    net::Acceptor acceptor{[this](int descriptor, const std::shared_ptr<const std::string> &name) {
        workers.take(descriptor, name);
    }};
    std::size_t undrained = 0;
    bool isDraining = false;
};

Result<std::vector<OpenListener>> Gateway::Private::bindNew(const Snapshot &snapshot) const
{
    std::vector<OpenListener> added;
    for (const ListenerEntry &entry : snapshot.listeners) {
        const bool isOpen = std::any_of(listeners.begin(), listeners.end(), [&](const auto &open) {
            return isSameAddress(open.entry, entry);
        });
        if (isOpen)
            continue;
        auto bound = net::bindListener(entry.address, entry.port);
        if (!bound) {
            for (const OpenListener &listener : added)
                ::close(listener.socket.descriptor);
            return Unexpected(std::move(bound).error());
        }
        added.push_back({{entry.name, entry.address, entry.port, nullptr}, *bound});
    }
    return added;
}

Result<void> Gateway::Private::bindAdmin(const Snapshot &snapshot)
{
    if (!snapshot.admin) {
        admin.reset();
    } else if (!adminEntry || !isSameAddress(*adminEntry, *snapshot.admin)) {
        auto bound = net::bindListener(snapshot.admin->address, snapshot.admin->port);
        if (!bound)
            return Unexpected(std::move(bound).error());
        admin = std::make_unique<net::AdminServer>(bound->descriptor);
    }
    adminEntry = snapshot.admin;
    return {};
}

void Gateway::Private::swapListeners(const Snapshot &snapshot,
                                     const std::vector<OpenListener> &added)
{
    for (const OpenListener &listener : added)
        acceptor.open(listener.socket, listener.entry.name);
    std::vector<OpenListener> now;
    for (const ListenerEntry &entry : snapshot.listeners) {
        const auto isSame
            = [&](const OpenListener &open) { return isSameAddress(open.entry, entry); };
        auto found = std::find_if(listeners.begin(), listeners.end(), isSame);
        if (found != listeners.end()) {
            if (found->entry.name != entry.name)
                acceptor.rename(found->socket, entry.name);
            now.push_back(*found);
            now.back().entry.name = entry.name;
            listeners.erase(found);
            continue;
        }
        for (const OpenListener &listener : added) {
            if (isSame(listener))
                now.push_back(listener);
        }
    }
    for (const OpenListener &gone : listeners)
        acceptor.close(gone.socket);
    listeners = std::move(now);
}

Gateway::Gateway(QObject *parent)
    : QObject(parent)
    , m_private(std::make_unique<Private>())
{}

Gateway::~Gateway()
{
    m_private->acceptor.closeAll();
}

Result<void> Gateway::apply(std::shared_ptr<const Snapshot> snapshot)
{
    if (m_private->isDraining)
        return Unexpected(Error{ErrorCode::Draining, {}});
    auto runtime = net::Runtime::build(std::move(snapshot), m_private->runtime.get());
    if (!runtime)
        return Unexpected(std::move(runtime).error());
    const Snapshot &next = *(*runtime)->snapshot;
    auto added = m_private->bindNew(next);
    if (!added)
        return Unexpected(std::move(added).error());
    if (auto result = m_private->bindAdmin(next); !result) {
        for (const OpenListener &listener : *added)
            ::close(listener.socket.descriptor);
        return result;
    }
    m_private->runtime = *runtime;
    if (!m_private->workers.isStarted())
        m_private->workers.start(next.workers);
    m_private->workers.setLimit(next.limits.connections);
    // Before the listeners: no connection comes to a worker that does not know its listener.
    m_private->workers.forEach(
        [runtime = *runtime](net::Worker &worker) { worker.apply(runtime); });
    m_private->workers.first([](net::Worker &worker) { worker.checkHealth(); });
    m_private->swapListeners(next, *added);
    if (m_private->admin)
        m_private->admin->setReady(!m_private->isDraining);
    Q_EMIT applied(QString::fromStdString(next.revision));
    return {};
}

QStringList Gateway::urls() const
{
    QStringList urls;
    for (const OpenListener &listener : m_private->listeners) {
        const auto &tls = m_private->runtime->listenerTls;
        QString address = QString::fromStdString(listener.entry.address);
        if (address.contains(QLatin1Char(':')))
            address = QLatin1Char('[') + address + QLatin1Char(']');
        urls.append((tls.contains(listener.entry.name) ? QStringLiteral("https://")
                                                       : QStringLiteral("http://"))
                    + address + QLatin1Char(':') + QString::number(listener.socket.port));
    }
    return urls;
}

void Gateway::drain()
{
    if (std::exchange(m_private->isDraining, true))
        return;
    if (m_private->admin)
        m_private->admin->setReady(false);
    m_private->acceptor.closeAll();
    m_private->undrained = m_private->workers.size();
    if (m_private->undrained == 0) {
        Q_EMIT drained();
        return;
    }
    const auto workerDrained = [this] {
        if (m_private->undrained != 0 && --m_private->undrained == 0)
            Q_EMIT drained();
    };
    m_private->workers.forEach([this, workerDrained](net::Worker &worker) {
        worker.drain([this, workerDrained] { m_private->mailbox.post(workerDrained); });
    });
    QTimer::singleShot(m_private->runtime->snapshot->limits.drainTimeout, this, [this] {
        if (std::exchange(m_private->undrained, 0) != 0)
            Q_EMIT drained();
    });
}

} // namespace gatehouse
