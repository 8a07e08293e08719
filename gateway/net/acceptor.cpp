// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/acceptor.h"

#ifdef __linux__
#include "gateway/net/eventdispatcher.h"
#endif

#include <QCoreApplication>
#include <QTcpServer>
#include <QTimer>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace gatehouse::net {

namespace {

constexpr int backlog = 4096; // the kernel lowers it to net.core.somaxconn
constexpr std::chrono::milliseconds pauseAfterError{100};

Error systemError(const std::string &what)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's strerror is per thread
    return {ErrorCode::SystemFailure, what + ": " + std::strerror(errno)};
}

} // namespace

Result<BoundSocket> bindListener(const std::string &address, std::uint16_t port)
{
    sockaddr_storage storage{};
    socklen_t length = 0;
    auto *ip4 = reinterpret_cast<sockaddr_in *>(&storage);
    auto *ip6 = reinterpret_cast<sockaddr_in6 *>(&storage);
    if (inet_pton(AF_INET, address.c_str(), &ip4->sin_addr) == 1) {
        ip4->sin_family = AF_INET;
        ip4->sin_port = htons(port);
        length = sizeof *ip4;
    } else if (inet_pton(AF_INET6, address.c_str(), &ip6->sin6_addr) == 1) {
        ip6->sin6_family = AF_INET6;
        ip6->sin6_port = htons(port);
        length = sizeof *ip6;
    } else {
        return Unexpected(Error{ErrorCode::ConfigInvalid, address + " is not an IP address"});
    }
    const std::string where = address + " port " + std::to_string(port);
    const int descriptor = ::socket(storage.ss_family, SOCK_STREAM, 0);
    if (descriptor < 0)
        return Unexpected(systemError("cannot listen at " + where));
    const int on = 1;
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (storage.ss_family == AF_INET6)
        ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(descriptor, reinterpret_cast<sockaddr *>(&storage), length) != 0
        || ::listen(descriptor, backlog) != 0
        || ::getsockname(descriptor, reinterpret_cast<sockaddr *>(&storage), &length) != 0) {
        const Error error = systemError("cannot listen at " + where);
        ::close(descriptor);
        return Unexpected(error);
    }
    return BoundSocket{descriptor,
                       ntohs(storage.ss_family == AF_INET ? ip4->sin_port : ip6->sin6_port)};
}

class Acceptor::Server final : public QTcpServer
{
public:
    Server(const Taker &taker, const std::string &name)
        : m_taker(taker)
        , m_name(std::make_shared<const std::string>(name))
    {
        // Out of descriptors or memory: Qt pauses; others may have closed theirs in a moment.
        connect(this, &QTcpServer::acceptError, this, [this] {
            QTimer::singleShot(pauseAfterError, this, [this] { resumeAccepting(); });
        });
    }

    void rename(const std::string &name) { m_name = std::make_shared<const std::string>(name); }

protected:
    void incomingConnection(qintptr descriptor) override
    {
        m_taker(static_cast<int>(descriptor), m_name);
    }

private:
    const Taker &m_taker;
    std::shared_ptr<const std::string> m_name;
};

class Acceptor::Thread final : public QThread
{
public:
    explicit Thread(Taker taker)
        : m_taker(std::move(taker))
    {
        m_mailbox.moveToThread(this);
#ifdef __linux__
        setEventDispatcher(new EventDispatcher);
#endif
        start();
    }
    ~Thread() override
    {
        quit();
        wait();
    }
    Q_DISABLE_COPY_MOVE(Thread)

    void open(const BoundSocket &socket, const std::string &name)
    {
        m_mailbox.post([this, socket, name] {
            auto server = std::make_unique<Server>(m_taker, name);
            if (server->setSocketDescriptor(socket.descriptor))
                m_servers.push_back(std::move(server));
            else
                ::close(socket.descriptor);
        });
    }
    void close(const BoundSocket &socket)
    {
        // By its descriptor: another address may have the same port. It cannot be in use anew, since
        // it is closed here.
        m_mailbox.post([this, descriptor = socket.descriptor] {
            std::erase_if(m_servers, [descriptor](const auto &server) {
                return server->socketDescriptor() == descriptor;
            });
        });
    }
    void rename(const BoundSocket &socket, const std::string &name)
    {
        m_mailbox.post([this, descriptor = socket.descriptor, name] {
            for (const auto &server : m_servers) {
                if (server->socketDescriptor() == descriptor)
                    server->rename(name);
            }
        });
    }
    void closeAll()
    {
        m_mailbox.post([this] { m_servers.clear(); });
    }

protected:
    void run() override
    {
        exec();
        QCoreApplication::sendPostedEvents(&m_mailbox); // listeners on their way here
        m_servers.clear();
    }

private:
    Taker m_taker;
    Mailbox m_mailbox;
    std::vector<std::unique_ptr<Server>> m_servers; ///< seen in this thread only
};

Acceptor::Acceptor(Taker taker)
    : m_thread(std::make_unique<Thread>(std::move(taker)))
{}

Acceptor::~Acceptor() = default;

void Acceptor::open(const BoundSocket &socket, const std::string &name)
{
    m_thread->open(socket, name);
}

void Acceptor::close(const BoundSocket &socket)
{
    m_thread->close(socket);
}

void Acceptor::rename(const BoundSocket &socket, const std::string &name)
{
    m_thread->rename(socket, name);
}

void Acceptor::closeAll()
{
    m_thread->closeAll();
}

} // namespace gatehouse::net
