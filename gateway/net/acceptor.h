// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/mailbox.h"
#include "gateway/base/result.h"

#include <QThread>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse::net {

/// A listening socket that nobody accepts from yet.
struct BoundSocket
{
    int descriptor = -1;
    std::uint16_t port = 0; ///< the one in use where 0 was asked for
};

/// Binds and listens at \a address (IP literal). SystemFailure says who may be there already.
[[nodiscard]] Result<BoundSocket> bindListener(const std::string &address, std::uint16_t port);

/// The thread that accepts connections, on one QTcpServer for each listener, and hands the descriptors
/// on. Call from one thread.
class Acceptor
{
public:
    /// Gets each accepted descriptor in the acceptor's thread and owns it from then on.
    using Taker
        = std::function<void(int descriptor, const std::shared_ptr<const std::string> &name)>;

    explicit Acceptor(Taker taker);
    ~Acceptor();
    Q_DISABLE_COPY_MOVE(Acceptor)

    /// Starts to accept from \a socket, which it owns now, under \a name.
    void open(const BoundSocket &socket, const std::string &name);
    /// Connections accepted from now on go under another name.
    void rename(const BoundSocket &socket, const std::string &name);
    /// Accepts no more at the listener that was opened with \a socket; connections stay.
    void close(const BoundSocket &socket);
    void closeAll();

private:
    class Server;
    class Thread;

    std::unique_ptr<Thread> m_thread;
};

} // namespace gatehouse::net
