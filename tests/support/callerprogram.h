// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/acceptedsocket.h"
#include "gateway/net/descriptor.h"
#include "tests/support/peer.h"

#include <QFileInfo>
#include <QString>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/wait.h>

#include <array>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

namespace gatehouse::test {

/// Without symbolic links, as the kernel says it.
[[nodiscard]] inline std::string canonical(const QString &path)
{
    return QFileInfo(path).canonicalFilePath().toStdString();
}

/// False where nothing came in time.
[[nodiscard]] inline bool isReadable(const net::Descriptor &descriptor)
{
    pollfd waiting{descriptor.get(), POLLIN, 0};
    constexpr std::chrono::milliseconds most = patience;
    return ::poll(&waiting, 1, static_cast<int>(most.count())) == 1;
}

/// A listening socket at 127.0.0.1 or ::1, or at :: for IPv6 and IPv4 alike.
class LoopbackListener
{
public:
    explicit LoopbackListener(const char *ip)
    {
        sockaddr_storage storage{};
        socklen_t length = sizeof storage;
        auto *ip4 = reinterpret_cast<sockaddr_in *>(&storage);
        auto *ip6 = reinterpret_cast<sockaddr_in6 *>(&storage);
        storage.ss_family = AF_INET;
        if (inet_pton(AF_INET, ip, &ip4->sin_addr) != 1) {
            storage.ss_family = AF_INET6;
            inet_pton(AF_INET6, ip, &ip6->sin6_addr);
        }
        auto *address = reinterpret_cast<sockaddr *>(&storage);
        m_socket = net::Descriptor(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int off = 0;
        if (storage.ss_family == AF_INET6)
            ::setsockopt(m_socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        if (::bind(m_socket.get(), address, sizeof storage) != 0
            || ::listen(m_socket.get(), SOMAXCONN) != 0
            || ::getsockname(m_socket.get(), address, &length) != 0)
            qFatal("no listening socket for the test");
        m_port = ntohs(storage.ss_family == AF_INET ? ip4->sin_port : ip6->sin6_port);
    }

    [[nodiscard]] std::uint16_t port() const { return m_port; }
    /// The next connection; not open where none came.
    [[nodiscard]] net::Descriptor accept() const
    {
        if (!isReadable(m_socket))
            return {};
        return net::Descriptor(::accept4(m_socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }

private:
    net::Descriptor m_socket;
    std::uint16_t m_port = 0;
};

/// callerhelper or a copy of it, running; gone with its owner. Not a QProcess, after which
/// ThreadSanitizer lets no thread begin.
class CallerProgram
{
public:
    explicit CallerProgram(const QString &program)
    {
        std::array<int, 2> in{};
        std::array<int, 2> out{};
        if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
            qFatal("no pipe for the test's calling program");
        const net::Descriptor itsIn(in[0]);
        const net::Descriptor itsOut(out[1]);
        m_in = net::Descriptor(in[1]);
        m_out = net::Descriptor(out[0]);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, itsIn.get(), STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, itsOut.get(), STDOUT_FILENO);
        QByteArray path = program.toUtf8();
        std::array<char *, 2> arguments{path.data(), nullptr};
        const int error
            = ::posix_spawn(&m_pid, path.constData(), &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (error != 0)
            qFatal("the test's calling program does not start");
    }
    ~CallerProgram() { end(); }
    CallerProgram(const CallerProgram &) = delete;
    CallerProgram &operator=(const CallerProgram &) = delete;

    /// The answer to one command; empty where none came.
    QByteArray tell(const QByteArray &command)
    {
        const QByteArray line = command + '\n';
        if (::write(m_in.get(), line.constData(), static_cast<std::size_t>(line.size()))
            != line.size())
            return {};
        QByteArray answer;
        while (!answer.endsWith('\n')) {
            char byte = 0;
            if (!isReadable(m_out) || ::read(m_out.get(), &byte, 1) != 1)
                return {};
            answer += byte;
        }
        return answer.trimmed();
    }
    [[nodiscard]] bool connectTo(const char *ip, std::uint16_t port, int count = 1)
    {
        return tell("connect " + QByteArray(ip) + ' ' + QByteArray::number(port) + ' '
                    + QByteArray::number(count))
               == "ok";
    }
    [[nodiscard]] std::int64_t pid() const { return m_pid; }
    /// Returns when it is over.
    void end()
    {
        m_in = net::Descriptor();
        if (m_pid > 0)
            ::waitpid(std::exchange(m_pid, 0), nullptr, 0);
    }

private:
    net::Descriptor m_in;
    net::Descriptor m_out;
    pid_t m_pid = 0;
};

} // namespace gatehouse::test
