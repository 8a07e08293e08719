// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/socket.h"
#include "tests/support/loopthread.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace gatehouse::test {

/// A Socket in a LoopThread, and what it told its owner.
class SocketProbe final : public net::Socket::Owner
{
public:
    struct State
    {
        QByteArrayList events; ///< opened, failed, hang-up, drained, end, broken
        QByteArray received;
        std::string failure;
        bool inTls = false;

        [[nodiscard]] bool has(const char *event) const { return events.contains(event); }
    };

    explicit SocketProbe(LoopThread &thread)
        : m_thread(thread)
    {
        m_thread.call([this] {
            m_socket = std::make_unique<net::Socket>(m_thread.loop(), *this);
            m_buffer.resize(64 * 1024);
        });
    }
    ~SocketProbe()
    {
        m_thread.call([this] { m_socket.reset(); });
    }

    /// Runs \a function with the socket in its thread.
    template<typename Function>
    auto inThread(Function function)
    {
        return m_thread.call([&] { return function(*m_socket); });
    }
    bool adopt(int descriptor, net::SslHandle ssl = nullptr)
    {
        ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
        return inThread(
            [&](net::Socket &socket) { return socket.adopt(descriptor, std::move(ssl)); });
    }
    bool connectTo(std::uint16_t port, net::SslHandle ssl = nullptr)
    {
        return inThread(
            [&](net::Socket &socket) { return connectInThread(socket, port, std::move(ssl)); });
    }
    static bool connectInThread(net::Socket &socket, std::uint16_t port, net::SslHandle ssl)
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return socket.connectTo(
            reinterpret_cast<const sockaddr *>(&address), sizeof address, std::move(ssl));
    }
    bool write(const QByteArray &bytes)
    {
        return inThread([&](net::Socket &socket) {
            return socket.write(
                std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
        });
    }
    std::size_t pending()
    {
        return inThread([](net::Socket &socket) { return socket.pending(); });
    }
    /// Goes on reading after it was held back.
    void setReading(bool isReading)
    {
        m_thread.call([&] {
            m_isReading = isReading;
            if (isReading)
                socketReadable();
        });
    }
    /// Writes back what it reads, reading no further while output is pending.
    void setEcho()
    {
        m_thread.call([this] { m_isEcho = true; });
    }

    Watched<State> state;
    bool waitFor(const char *event)
    {
        return state.waitUntil([event](const State &now) { return now.has(event); });
    }
    bool waitForBytes(qsizetype size)
    {
        return state.waitUntil([size](const State &now) { return now.received.size() >= size; });
    }

private:
    void tell(const char *event)
    {
        state.change([event](State &now) { now.events += event; });
    }
    void socketOpened() override { tell("opened"); }
    void socketFailed(const std::string &reason, bool inTls) override
    {
        state.change([&](State &now) {
            now.failure = reason;
            now.inTls = inTls;
            now.events += "failed";
        });
    }
    void socketHangUp() override { tell("hang-up"); }
    void socketDrained() override
    {
        tell("drained");
        if (m_isEcho)
            socketReadable();
    }
    void socketReadable() override
    {
        while (m_isReading && m_socket->mayRead() && !(m_isEcho && m_socket->pending() != 0)) {
            const net::Socket::ReadResult result = m_socket->read(m_buffer);
            switch (result.status) {
            case net::Socket::ReadStatus::Data:
                state.change([&](State &now) {
                    now.received.append(m_buffer.data(), static_cast<qsizetype>(result.size));
                });
                if (m_isEcho)
                    m_socket->write(std::string_view(m_buffer.data(), result.size));
                break;
            case net::Socket::ReadStatus::WouldBlock:
                break;
            case net::Socket::ReadStatus::End:
                tell("end");
                break;
            case net::Socket::ReadStatus::Failed:
                tell("broken");
                break;
            }
        }
    }

    LoopThread &m_thread;
    std::unique_ptr<net::Socket> m_socket; ///< this and below: in the thread only
    std::vector<char> m_buffer;
    bool m_isReading = true;
    bool m_isEcho = false;
};

} // namespace gatehouse::test
