// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

namespace gatehouse::test {

/// No wait of a test is longer; no test that passes comes near it.
inline constexpr std::chrono::seconds patience{30};

struct OpenSslFree
{
    void operator()(SSL *ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX *context) const { SSL_CTX_free(context); }
    void operator()(SSL_SESSION *session) const { SSL_SESSION_free(session); }
};
using SslContext = std::unique_ptr<SSL_CTX, OpenSslFree>;
using SslSession = std::unique_ptr<SSL_SESSION, OpenSslFree>;

/// A request or response as it came, read without the gateway's parser.
struct Message
{
    QByteArray head; ///< with its empty line; empty where no message came
    QByteArray body; ///< without the chunks' framing
    QByteArray trailers;
    bool isComplete = false;

    [[nodiscard]] QByteArray firstLine() const { return head.left(head.indexOf("\r\n")); }
    /// Of a response's head; 0 where there is none.
    [[nodiscard]] int status() const { return head.mid(9, 3).toInt(); }
    /// Value of the first such field (any case); null where there is none.
    [[nodiscard]] QByteArray field(const QByteArray &name) const;
};

/// The other end of a connection, plain or TLS, in blocking calls that give up after `patience`:
/// client or provider of a test that reads as a conversation.
class TestPeer
{
public:
    /// How the reading side ended.
    enum class End : std::uint8_t { Open, Fin, Reset, Truncated, TimedOut };

    TestPeer() = default;
    /// Takes over a connected socket.
    explicit TestPeer(int descriptor);
    TestPeer(TestPeer &&other) noexcept { *this = std::move(other); }
    TestPeer &operator=(TestPeer &&other) noexcept;
    ~TestPeer() { close(); }

    /// \a receiveBuffer in bytes; 0: the system's.
    static TestPeer connectedTo(std::uint16_t port, int receiveBuffer = 0);
    /// Shakes hands as client; \a session (may be null) is offered for resumption.
    bool startTlsClient(SSL_CTX *context, const char *host, SSL_SESSION *session = nullptr);
    bool startTlsServer(SSL_CTX *context);

    [[nodiscard]] bool isConnected() const { return m_descriptor >= 0; }
    /// All of it, or false.
    bool send(const QByteArray &bytes);
    /// As much as the other end takes without anybody reading on, in bytes: until nothing fits for
    /// longer than a loaded machine needs to pass something on. Without TLS.
    qsizetype sendWhileTaken(const QByteArray &bytes);
    QByteArray read(qsizetype size);
    QByteArray readUntil(const QByteArray &last);
    QByteArray readToEnd();
    /// A whole message, or what came of it. \a toHead: the answer to HEAD.
    Message readMessage(bool toHead = false);
    /// True where nothing is there to be read, the end included.
    [[nodiscard]] bool isSilent();
    /// Reads on to the end, whatever it is.
    End end();
    [[nodiscard]] bool isResumed() const { return m_ssl && SSL_session_reused(m_ssl.get()) == 1; }
    /// The session to resume from; a TLS 1.3 one comes behind the handshake, so read something first.
    [[nodiscard]] SslSession session() const { return SslSession(SSL_get1_session(m_ssl.get())); }

    /// The descriptor is the caller's from now on.
    [[nodiscard]] int release() { return std::exchange(m_descriptor, -1); }
    void shutdownWrite();
    /// TLS: with close_notify.
    void close();
    /// TLS: the connection ends without close_notify.
    void truncate();
    void reset();

private:
    bool shakeHands(int (*how)(SSL *));
    bool more();

    int m_descriptor = -1;
    std::unique_ptr<SSL, OpenSslFree> m_ssl;
    QByteArray m_read;
    End m_end = End::Open;
};

/// Where a test's provider is reached: a listening socket on loopback whose connections the test
/// takes one by one.
class Listener
{
public:
    Listener();
    ~Listener();
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;

    [[nodiscard]] std::uint16_t port() const { return m_port; }
    /// The next connection; not connected where none came. \a receiveBuffer as in connectedTo.
    [[nodiscard]] TestPeer accept(int receiveBuffer = 0) const;
    /// True where a connection waits to be accepted.
    [[nodiscard]] bool hasCaller() const;

private:
    int m_descriptor = -1;
    std::uint16_t m_port = 0;
};

/// \a size bytes that are never the same in a row, so that a piece lost, twice or misplaced shows.
inline QByteArray payload(qsizetype size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    std::uint32_t state = 1;
    for (char &byte : bytes) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<char>(state >> 24);
    }
    return bytes;
}

} // namespace gatehouse::test
