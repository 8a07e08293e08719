// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/peer.h"

#include <QList>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace gatehouse::test {

namespace {

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool isReadable(int descriptor, int milliseconds)
{
    pollfd polled{descriptor, POLLIN, 0};
    return ::poll(&polled, 1, milliseconds) == 1;
}

void setReceiveBuffer(int descriptor, int size)
{
    if (size != 0)
        ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

} // namespace

QByteArray Message::field(const QByteArray &name) const
{
    for (const QByteArray &line : head.split('\n')) {
        const qsizetype colon = line.indexOf(':');
        if (colon > 0 && line.left(colon).compare(name, Qt::CaseInsensitive) == 0)
            return line.mid(colon + 1).trimmed();
    }
    return {};
}

TestPeer::TestPeer(int descriptor)
    : m_descriptor(descriptor)
{
    const timeval limit{patience.count(), 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
}

TestPeer &TestPeer::operator=(TestPeer &&other) noexcept
{
    close();
    m_descriptor = std::exchange(other.m_descriptor, -1);
    m_ssl = std::move(other.m_ssl);
    m_read = std::exchange(other.m_read, {});
    m_end = other.m_end;
    return *this;
}

TestPeer TestPeer::connectedTo(std::uint16_t port, int receiveBuffer)
{
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setReceiveBuffer(descriptor, receiveBuffer);
    const sockaddr_in address = loopback(port);
    if (::connect(descriptor, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0) {
        ::close(descriptor);
        return {};
    }
    return TestPeer(descriptor);
}

bool TestPeer::shakeHands(int (*how)(SSL *))
{
    SSL_set_fd(m_ssl.get(), m_descriptor);
    ERR_clear_error();
    const bool isDone = how(m_ssl.get()) == 1;
    ERR_clear_error();
    return isDone;
}

bool TestPeer::startTlsClient(SSL_CTX *context, const char *host, SSL_SESSION *session)
{
    m_ssl.reset(SSL_new(context));
    SSL_set1_host(m_ssl.get(), host);
    if (session != nullptr)
        SSL_set_session(m_ssl.get(), session);
    return shakeHands(SSL_connect);
}

bool TestPeer::startTlsServer(SSL_CTX *context)
{
    m_ssl.reset(SSL_new(context));
    return shakeHands(SSL_accept);
}

bool TestPeer::send(const QByteArray &bytes)
{
    for (qsizetype sent = 0; sent < bytes.size();) {
        const auto left = static_cast<std::size_t>(bytes.size() - sent);
        std::size_t size = 0;
        if (m_ssl) {
            ERR_clear_error();
            if (SSL_write_ex(m_ssl.get(), bytes.constData() + sent, left, &size) != 1)
                return false;
        } else {
            const ssize_t done = ::send(m_descriptor, bytes.constData() + sent, left, MSG_NOSIGNAL);
            if (done <= 0)
                return false;
            size = static_cast<std::size_t>(done);
        }
        sent += static_cast<qsizetype>(size);
    }
    return true;
}

qsizetype TestPeer::sendWhileTaken(const QByteArray &bytes)
{
    constexpr int longEnough = 300; // ms
    qsizetype sent = 0;
    pollfd polled{m_descriptor, POLLOUT, 0};
    while (sent < bytes.size() && ::poll(&polled, 1, longEnough) == 1) {
        const ssize_t size = ::send(m_descriptor,
                                    bytes.constData() + sent,
                                    static_cast<std::size_t>(bytes.size() - sent),
                                    MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size <= 0)
            break;
        sent += size;
    }
    return sent;
}

/// Reads what is there, or waits for it; false at the end.
bool TestPeer::more()
{
    if (m_end != End::Open || m_descriptor < 0)
        return false;
    std::array<char, 65536> buffer; // filled up to size
    if (!m_ssl) {
        const ssize_t size = ::recv(m_descriptor, buffer.data(), buffer.size(), 0);
        if (size > 0) {
            m_read.append(buffer.data(), size);
            return true;
        }
        const bool isLate = size < 0 && errno == EAGAIN;
        m_end = size == 0 ? End::Fin : isLate ? End::TimedOut : End::Reset;
        return false;
    }
    std::size_t size = 0;
    ERR_clear_error();
    if (SSL_read_ex(m_ssl.get(), buffer.data(), buffer.size(), &size) == 1) {
        m_read.append(buffer.data(), static_cast<qsizetype>(size));
        return true;
    }
    const int systemError = errno;
    switch (SSL_get_error(m_ssl.get(), 0)) {
    case SSL_ERROR_ZERO_RETURN:
        m_end = End::Fin;
        break;
    case SSL_ERROR_WANT_READ:
        m_end = End::TimedOut;
        break;
    case SSL_ERROR_SYSCALL:
        m_end = systemError == EAGAIN ? End::TimedOut : End::Reset;
        break;
    default:
        m_end = End::Truncated;
    }
    ERR_clear_error();
    return false;
}

QByteArray TestPeer::read(qsizetype size)
{
    while (m_read.size() < size && more()) {
    }
    const QByteArray bytes = m_read.left(size);
    m_read.remove(0, bytes.size());
    return bytes;
}

QByteArray TestPeer::readUntil(const QByteArray &last)
{
    qsizetype found = m_read.indexOf(last);
    while (found < 0 && more())
        found = m_read.indexOf(last);
    return found < 0 ? QByteArray() : read(found + last.size());
}

QByteArray TestPeer::readToEnd()
{
    while (more()) {
    }
    return std::exchange(m_read, {});
}

Message TestPeer::readMessage(bool toHead)
{
    Message message;
    message.head = readUntil("\r\n\r\n");
    const int status = message.head.startsWith("HTTP/") ? message.status() : 200;
    const bool isResponse = message.head.startsWith("HTTP/");
    if (message.head.isEmpty())
        return message;
    if (toHead || status < 200 || status == 204 || status == 304) {
        message.isComplete = true;
    } else if (message.field("Transfer-Encoding") == "chunked") {
        for (;;) {
            const QByteArray line = readUntil("\r\n");
            const qsizetype size = line.split(';').first().trimmed().toInt(nullptr, 16);
            if (size == 0) {
                message.isComplete = !line.isEmpty();
                break;
            }
            message.body += read(size);
            if (readUntil("\r\n") != "\r\n")
                return message;
        }
        for (QByteArray line = readUntil("\r\n"); line.size() > 2; line = readUntil("\r\n"))
            message.trailers += line;
    } else if (const QByteArray length = message.field("Content-Length"); !length.isNull()) {
        message.body = read(length.toLongLong());
        message.isComplete = message.body.size() == length.toLongLong();
    } else if (isResponse) {
        message.body = readToEnd();
        message.isComplete = m_end == End::Fin;
    } else {
        message.isComplete = true;
    }
    return message;
}

bool TestPeer::isSilent()
{
    const bool isBuffered = m_ssl && SSL_pending(m_ssl.get()) > 0;
    return m_read.isEmpty() && !isBuffered && !isReadable(m_descriptor, 0);
}

TestPeer::End TestPeer::end()
{
    while (more())
        m_read.clear();
    return m_end;
}

void TestPeer::shutdownWrite()
{
    if (m_ssl)
        SSL_shutdown(m_ssl.get());
    ::shutdown(m_descriptor, SHUT_WR);
}

void TestPeer::close()
{
    if (m_descriptor < 0)
        return;
    if (m_ssl && SSL_is_init_finished(m_ssl.get()) == 1)
        SSL_shutdown(m_ssl.get());
    ERR_clear_error();
    truncate();
}

void TestPeer::truncate()
{
    m_ssl.reset();
    ::close(std::exchange(m_descriptor, -1));
}

void TestPeer::reset()
{
    const linger now{1, 0};
    ::setsockopt(m_descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    truncate();
}

Listener::Listener()
    : m_descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in address = loopback(0);
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    socklen_t length = sizeof address;
    if (::bind(m_descriptor, generic, length) != 0 || ::listen(m_descriptor, 1024) != 0
        || ::getsockname(m_descriptor, generic, &length) != 0)
        qFatal("no listening socket for the test");
    m_port = ntohs(address.sin_port);
}

Listener::~Listener()
{
    ::close(m_descriptor);
}

TestPeer Listener::accept(int receiveBuffer) const
{
    setReceiveBuffer(m_descriptor, receiveBuffer);
    const int wait = static_cast<int>(std::chrono::milliseconds(patience).count());
    if (!isReadable(m_descriptor, wait))
        return {};
    const int descriptor = ::accept4(m_descriptor, nullptr, nullptr, SOCK_CLOEXEC);
    return descriptor < 0 ? TestPeer() : TestPeer(descriptor);
}

bool Listener::hasCaller() const
{
    return isReadable(m_descriptor, 0);
}

} // namespace gatehouse::test
