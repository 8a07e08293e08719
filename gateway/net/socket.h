// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/ioloop.h"
#include "gateway/net/tls.h"

#include <QtGlobal>

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gatehouse {
struct PeerCertificate;
}

namespace gatehouse::net {

/// A stream socket, plain or TLS, on a worker's loop. Writes go straight to the kernel; what it does
/// not take is kept here and goes out when it can, so an owner that stops feeding while pending() is
/// not 0 keeps memory bounded. What was kept is overwritten: there may be a credential in it. Of one
/// worker's thread.
class Socket final : private IoHandler
{
public:
    /// Told in this order where several happen at once. May close, never destroy the socket.
    class Owner
    {
    public:
        Owner() = default;
        Q_DISABLE_COPY_MOVE(Owner)

        /// Connected, and through the TLS handshake; now it can be written and read.
        virtual void socketOpened() = 0;
        /// It never opened; \a reason in words. The socket is closed.
        virtual void socketFailed(const std::string &reason, bool inTls) = 0;
        /// The peer's FIN or reset is here; bytes before it may still be read.
        virtual void socketHangUp() = 0;
        /// There is something to read: read until mayRead() is false, or come back later.
        virtual void socketReadable() = 0;
        /// All pending output went out.
        virtual void socketDrained() = 0;

    protected:
        ~Owner() = default;
    };

    enum class ReadStatus : std::uint8_t { Data, WouldBlock, End, Failed };
    struct ReadResult
    {
        ReadStatus status = ReadStatus::WouldBlock;
        std::size_t size = 0;
    };

    Socket(IoLoop &loop, Owner &owner)
        : m_loop(loop)
        , m_owner(owner)
    {}
    ~Socket() { close(); }
    Q_DISABLE_COPY_MOVE(Socket)

    /// Takes over an accepted, non-blocking descriptor; \a ssl null for plain. Opens at once, or
    /// after the handshake. False where it cannot be watched; it is closed then.
    [[nodiscard]] bool adopt(int descriptor, SslHandle ssl);
    /// Starts to connect; the outcome is always told later, through socketOpened or socketFailed.
    /// False where not even that was possible; errno says why.
    [[nodiscard]] bool connectTo(const sockaddr *address, socklen_t length, SslHandle ssl);

    [[nodiscard]] bool isOpen() const { return m_phase == Phase::Open; }
    [[nodiscard]] bool mayRead() const { return m_readable && m_phase == Phase::Open; }
    /// Bytes that wait for the kernel.
    [[nodiscard]] std::size_t pending() const { return m_out.size() - m_outStart; }
    [[nodiscard]] int descriptor() const { return m_descriptor; }
    /// The verified certificate of the other end; null where it showed none.
    [[nodiscard]] std::shared_ptr<const PeerCertificate> peerCertificate() const;

    [[nodiscard]] ReadResult read(std::span<char> into);
    /// False where the connection is broken. \a parts may be changed.
    bool write(std::span<iovec> parts);
    bool write(std::string_view bytes);
    /// Tells socketReadable once more after others had their turn.
    void readLater();
    /// True where the peer neither sent nor closed: nothing that a new request could be mixed with.
    [[nodiscard]] bool isQuiet();
    /// Bytes given to the kernel since the connection began.
    [[nodiscard]] std::uint64_t sentBytes() const;
    void shutdownWrite();
    void close();
    /// Closes with a reset, so that the peer cannot take what it has for complete.
    void abort();

private:
    enum class Phase : std::uint8_t { Closed, Connecting, Handshaking, Open };

    void ioReady(unsigned events) override;
    void open();
    void opened(unsigned events);
    bool watchDescriptor();
    void finishConnect();
    void handshake();
    void fail(const std::string &reason, bool inTls);
    bool flush();
    [[nodiscard]] ReadResult readTls(std::span<char> into);
    [[nodiscard]] std::ptrdiff_t writeSome(std::string_view bytes);
    void keepRest(std::span<const iovec> parts, std::size_t written);
    void wouldBlock(IoEvent event);

    IoLoop &m_loop;
    Owner &m_owner;
    IoLoop::Token m_token = IoLoop::noToken;
    SslHandle m_ssl;
    std::string m_out;
    std::size_t m_outStart = 0;
    std::uint64_t m_sent = 0; ///< without TLS, whose BIO counts by itself
    int m_descriptor = -1;
    Phase m_phase = Phase::Closed;
    bool m_readable = false;
    bool m_hangUp = false;
};

} // namespace gatehouse::net
