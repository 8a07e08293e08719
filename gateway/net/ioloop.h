// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <cstdint>

namespace gatehouse::net {

/// Bits of what a descriptor is ready for.
enum IoEvent : std::uint8_t {
    IoReadable = 1,
    IoWritable = 2,
    IoHangUp = 4, ///< the peer has sent its FIN, or the connection is broken
};

/// Told of a descriptor's readiness, in its worker's thread.
class IoHandler
{
public:
    IoHandler() = default;
    Q_DISABLE_COPY_MOVE(IoHandler)
    /// \a events: one or more IoEvent bits. May unwatch and destroy itself or any other handler.
    virtual void ioReady(unsigned events) = 0;

protected:
    ~IoHandler() = default;
};

/// Watches descriptors edge-triggered: an event is told once, and again only after a read or write on
/// the descriptor would have blocked. One per worker, used in its thread only.
class IoLoop
{
public:
    /// Names a watched descriptor; never reused, so that a late event cannot meet a new handler.
    using Token = std::uint64_t;
    static constexpr Token noToken = 0;

    IoLoop() = default;
    Q_DISABLE_COPY_MOVE(IoLoop)
    virtual ~IoLoop() = default;

    /// noToken where the system refuses (out of memory or watches).
    [[nodiscard]] virtual Token watch(int descriptor, IoHandler &handler) = 0;
    /// Call before the descriptor is closed.
    virtual void unwatch(Token token) = 0;
    /// The descriptor would have blocked for reading or writing (one IoEvent bit): tell when it can
    /// again. Needed by loops that are not edge-triggered by themselves.
    virtual void awaitMore(Token token, IoEvent event) = 0;
    /// Tells \a events to the handler once more after all others had their turn.
    virtual void tellAgain(Token token, unsigned events) = 0;
};

} // namespace gatehouse::net
