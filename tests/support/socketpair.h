// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <sys/socket.h>

#include <array>

#include <unistd.h>

namespace gatehouse::test {

/// Two connected stream sockets, non-blocking.
class SocketPair
{
public:
    SocketPair()
    {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
            qFatal("no socket pair for the test");
    }
    ~SocketPair()
    {
        for (const int end : ends)
            ::close(end);
    }
    SocketPair(const SocketPair &) = delete;
    SocketPair &operator=(const SocketPair &) = delete;

    std::array<int, 2> ends{};
};

inline void writeByte(int descriptor)
{
    if (::write(descriptor, "x", 1) != 1)
        qFatal("the test's socket pair takes no byte");
}

inline void readAll(int descriptor)
{
    std::array<char, 4096> bytes{};
    while (::read(descriptor, bytes.data(), bytes.size()) > 0) {
    }
}

} // namespace gatehouse::test
