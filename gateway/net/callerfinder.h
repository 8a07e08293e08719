// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/mailbox.h"
#include "gateway/base/result.h"
#include "gateway/net/acceptedsocket.h"
#include "gateway/pipeline/caller.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace gatehouse::net {

/// Tells which process is at the other end of a loopback connection (Linux). One for all workers, with
/// a thread of its own of low priority: a question costs the asking thread no more than a post. Answers
/// come within milliseconds, or within a tenth of a second where all processes have to be
/// read, which happens at most ten times a second however many ask.
class CallerFinder
{
public:
    using Answer = std::function<void(std::shared_ptr<const Caller>)>;

    CallerFinder();
    /// Questions that are still open are dropped.
    ~CallerFinder();
    Q_DISABLE_COPY_MOVE(CallerFinder)

    /// Why no caller can be known here: SystemFailure. Any thread.
    [[nodiscard]] const Result<void> &availability() const;

    /// Calls \a done once, in the thread of \a replyTo: null where the caller cannot be known, because
    /// the connection is not on loopback or is over, or the system does not tell. Any thread.
    void find(const AcceptedSocket &socket, CallerDepth depth, Mailbox &replyTo, Answer done);
    /// When it returns nothing is posted to \a mailbox any more. For one that goes before the finder. Any
    /// thread.
    void forget(const Mailbox &mailbox);

    /// How often all processes were read. Any thread.
    [[nodiscard]] std::uint64_t scanCount() const;
    /// How often an executable was read for its hash. Any thread.
    [[nodiscard]] std::uint64_t hashCount() const;

private:
    class Thread;
    std::unique_ptr<Thread> m_thread;
};

} // namespace gatehouse::net
