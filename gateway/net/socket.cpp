// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/socket.h"

#include "gateway/secrets/wiping.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace gatehouse::net {

namespace {

/// Output buffers above this are given back as soon as they are empty.
constexpr std::size_t keptCapacity = 1024;

/// A model may think for minutes without a byte, behind a NAT that forgets silent connections.
void keepAlive(int descriptor)
{
    const int on = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#ifdef TCP_KEEPIDLE
    const int idle = 45; // seconds
    const int interval = 15;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
#endif
}

bool isTransient(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

} // namespace

bool Socket::watchDescriptor()
{
    const int on = 1;
    ::setsockopt(m_descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    m_token = m_loop.watch(m_descriptor, *this);
    if (m_token != IoLoop::noToken)
        return true;
    close();
    return false;
}

bool Socket::adopt(int descriptor, SslHandle ssl)
{
    m_descriptor = descriptor;
    m_ssl = std::move(ssl);
    m_phase = m_ssl ? Phase::Handshaking : Phase::Open;
    if (m_ssl && SSL_set_fd(m_ssl.get(), descriptor) != 1) {
        close();
        return false;
    }
    return watchDescriptor();
}

bool Socket::connectTo(const sockaddr *address, socklen_t length, SslHandle ssl)
{
    m_descriptor = ::socket(address->sa_family, SOCK_STREAM, 0);
    if (m_descriptor < 0)
        return false;
    ::fcntl(m_descriptor, F_SETFD, FD_CLOEXEC);
    ::fcntl(m_descriptor, F_SETFL, O_NONBLOCK);
    keepAlive(m_descriptor);
    m_ssl = std::move(ssl);
    m_phase = Phase::Connecting;
    if (m_ssl && SSL_set_fd(m_ssl.get(), m_descriptor) != 1) {
        close();
        errno = ENOMEM;
        return false;
    }
    if (::connect(m_descriptor, address, length) != 0 && errno != EINPROGRESS) {
        const int error = errno;
        close();
        errno = error;
        return false;
    }
    if (watchDescriptor())
        return true;
    errno = ENOMEM;
    return false;
}

void Socket::ioReady(unsigned events)
{
    switch (m_phase) {
    case Phase::Closed:
        return;
    case Phase::Connecting:
        m_hangUp = m_hangUp || (events & IoHangUp) != 0;
        if ((events & (IoWritable | IoHangUp)) != 0)
            finishConnect();
        return;
    case Phase::Handshaking:
        m_hangUp = m_hangUp || (events & IoHangUp) != 0;
        handshake();
        return;
    case Phase::Open:
        opened(events);
        return;
    }
}

/// What came while it was opening had its edge then, and has to be looked for.
void Socket::open()
{
    m_phase = Phase::Open;
    m_owner.socketOpened();
    if (m_phase == Phase::Open)
        opened(m_hangUp ? IoReadable | IoHangUp : IoReadable);
}

void Socket::opened(unsigned events)
{
    if ((events & IoHangUp) != 0) {
        m_hangUp = true;
        m_readable = true; // the end is there to be read, too
        m_owner.socketHangUp();
    }
    if (m_phase == Phase::Open && (events & (IoReadable | IoHangUp)) != 0) {
        m_readable = true;
        m_owner.socketReadable();
    }
    if (m_phase == Phase::Open && (events & IoWritable) != 0 && pending() != 0) {
        if (flush() && pending() == 0)
            m_owner.socketDrained();
    }
}

void Socket::finishConnect()
{
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(m_descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
        fail(std::strerror(error), false); // NOLINT(concurrency-mt-unsafe): glibc's is per thread
        return;
    }
    if (m_ssl) {
        m_phase = Phase::Handshaking;
        handshake();
        return;
    }
    open();
}

void Socket::handshake()
{
    ERR_clear_error();
    const int done = SSL_do_handshake(m_ssl.get());
    if (done == 1) {
        open(); // the first request may lie behind the handshake already
        return;
    }
    const int error = SSL_get_error(m_ssl.get(), done);
    if (error == SSL_ERROR_WANT_READ)
        m_loop.awaitMore(m_token, IoReadable);
    else if (error == SSL_ERROR_WANT_WRITE)
        m_loop.awaitMore(m_token, IoWritable);
    else
        fail(tlsErrorText(m_ssl.get()), true);
}

void Socket::fail(const std::string &reason, bool inTls)
{
    close();
    m_owner.socketFailed(reason, inTls);
}

void Socket::wouldBlock(IoEvent event)
{
    if (event == IoReadable)
        m_readable = false;
    m_loop.awaitMore(m_token, event);
}

Socket::ReadResult Socket::read(std::span<char> into)
{
    if (m_ssl)
        return readTls(into);
    const ssize_t size = ::recv(m_descriptor, into.data(), into.size(), 0);
    if (size > 0) {
        // A short read has emptied the socket: what comes later is a new edge. Not so with the FIN,
        // whose edge may have come together with these bytes.
        if (static_cast<std::size_t>(size) < into.size() && !m_hangUp)
            wouldBlock(IoReadable);
        return {ReadStatus::Data, static_cast<std::size_t>(size)};
    }
    if (size < 0 && isTransient(errno)) {
        wouldBlock(IoReadable);
        return {};
    }
    m_readable = false;
    return {size == 0 ? ReadStatus::End : ReadStatus::Failed, 0};
}

Socket::ReadResult Socket::readTls(std::span<char> into)
{
    ERR_clear_error();
    std::size_t size = 0;
    const int done = SSL_read_ex(m_ssl.get(), into.data(), into.size(), &size);
    if (done == 1)
        return {ReadStatus::Data, size};
    switch (SSL_get_error(m_ssl.get(), done)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        wouldBlock(IoReadable);
        return {};
    case SSL_ERROR_ZERO_RETURN:
        m_readable = false;
        return {ReadStatus::End, 0};
    default: // a FIN without close_notify too: the bytes may have been cut off by anybody
        m_readable = false;
        ERR_clear_error();
        return {ReadStatus::Failed, 0};
    }
}

/// Bytes taken, 0 where it would block, -1 where the connection is broken.
std::ptrdiff_t Socket::writeSome(std::string_view bytes)
{
    if (!m_ssl) {
        const ssize_t size = ::send(m_descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (size < 0)
            return isTransient(errno) ? 0 : -1;
        m_sent += static_cast<std::uint64_t>(size);
        return size;
    }
    ERR_clear_error();
    std::size_t size = 0;
    const int done = SSL_write_ex(m_ssl.get(), bytes.data(), bytes.size(), &size);
    if (done == 1)
        return static_cast<std::ptrdiff_t>(size);
    const int error = SSL_get_error(m_ssl.get(), done);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

bool Socket::flush()
{
    while (pending() != 0) {
        const std::ptrdiff_t size = writeSome(std::string_view(m_out).substr(m_outStart));
        if (size < 0)
            return false;
        if (size == 0) {
            wouldBlock(IoWritable);
            return true;
        }
        m_outStart += static_cast<std::size_t>(size);
    }
    m_outStart = 0;
    wipe(m_out);
    if (m_out.capacity() > keptCapacity)
        std::string().swap(m_out); // assignment would keep the buffer
    return true;
}

void Socket::keepRest(std::span<const iovec> parts, std::size_t written)
{
    if (m_outStart != 0) {
        m_out.erase(0, m_outStart);
        m_outStart = 0;
    }
    for (const iovec &part : parts) {
        const std::size_t skipped = std::min(written, part.iov_len);
        written -= skipped;
        appendWiping(m_out,
                     {static_cast<const char *>(part.iov_base) + skipped, part.iov_len - skipped});
    }
}

bool Socket::write(std::span<iovec> parts)
{
    if (m_phase != Phase::Open)
        return false;
    if (pending() != 0 || m_ssl) {
        const bool wasEmpty = pending() == 0;
        keepRest(parts, 0);
        return !wasEmpty || flush(); // else it goes out behind what waits already
    }
    std::size_t total = 0;
    for (const iovec &part : parts)
        total += part.iov_len;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t size = ::sendmsg(m_descriptor, &message, MSG_NOSIGNAL);
    if (size < 0 && !isTransient(errno))
        return false;
    const std::size_t written = size > 0 ? static_cast<std::size_t>(size) : 0;
    m_sent += written;
    if (written < total) {
        keepRest(parts, written);
        wouldBlock(IoWritable);
    }
    return true;
}

bool Socket::write(std::string_view bytes)
{
    iovec part{const_cast<char *>(bytes.data()), bytes.size()};
    return write(std::span(&part, 1));
}

void Socket::readLater()
{
    m_loop.tellAgain(m_token, IoReadable);
}

bool Socket::isQuiet()
{
    if (m_phase != Phase::Open || m_hangUp)
        return false;
    char byte = 0;
    if (m_ssl) // reads past session tickets, which peeking at the descriptor would take for data
        return readTls(std::span(&byte, 1)).status == ReadStatus::WouldBlock;
    const ssize_t size = ::recv(m_descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size >= 0 || !isTransient(errno))
        return false;
    m_loop.awaitMore(m_token, IoReadable);
    return true;
}

std::shared_ptr<const PeerCertificate> Socket::peerCertificate() const
{
    return m_ssl ? peerCertificateOf(m_ssl.get()) : nullptr;
}

std::uint64_t Socket::sentBytes() const
{
    return m_ssl ? BIO_number_written(SSL_get_wbio(m_ssl.get())) : m_sent;
}

void Socket::shutdownWrite()
{
    if (m_ssl)
        SSL_shutdown(m_ssl.get());
    ::shutdown(m_descriptor, SHUT_WR);
}

void Socket::close()
{
    if (m_descriptor < 0)
        return;
    if (m_token != IoLoop::noToken)
        m_loop.unwatch(m_token);
    if (m_ssl && m_phase == Phase::Open)
        SSL_shutdown(m_ssl.get()); // tells the peer, does not wait for its word
    ERR_clear_error();
    m_ssl.reset();
    ::close(m_descriptor);
    m_token = IoLoop::noToken;
    m_descriptor = -1;
    m_phase = Phase::Closed;
    m_readable = false;
    m_hangUp = false;
    wipe(m_out);
    std::string().swap(m_out); // assignment would keep the buffer
    m_outStart = 0;
    m_sent = 0;
}

void Socket::abort()
{
    if (m_descriptor < 0)
        return;
    const linger reset{1, 0};
    ::setsockopt(m_descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (m_ssl)
        SSL_set_quiet_shutdown(m_ssl.get(), 1);
    close();
}

} // namespace gatehouse::net
