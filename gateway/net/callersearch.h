// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/acceptedsocket.h"
#include "gateway/net/executablehash.h"
#include "gateway/net/procfs.h"
#include "gateway/net/sockdiag.h"
#include "gateway/net/usernames.h"
#include "gateway/pipeline/caller.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace gatehouse::net {

/// Finds callers in the kernel's tables: the socket by its exact ends, the processes by the socket. All
/// that is remembered is where to look first; an answer is what was true while it was made. Linux
/// only. Of one thread, which it keeps busy for milliseconds.
class CallerSearch
{
public:
    /// One connection on its way through the search.
    struct Lookup
    {
        std::uint64_t id = 0; ///< the caller's own
        AcceptedSocket socket;
        CallerDepth depth = CallerDepth::Quick;
        SocketEntry entry = {}; ///< of the client's end, after begin()
        bool isNearTried = false;
    };
    using Answer = std::function<void(const Lookup &, std::shared_ptr<const Caller>)>;

    /// SystemFailure where the system does not tell.
    [[nodiscard]] static Result<CallerSearch> open();

    /// False where nothing can be known: not on loopback, closed by now.
    [[nodiscard]] bool begin(Lookup &lookup);
    /// Looks where the last ones were found; answers those of depth Quick that it finds and
    /// removes them.
    void searchNear(std::vector<Lookup> &lookups, const Answer &answer);
    /// Reads all processes once, if anything is left to be found, and answers everything.
    void searchAll(std::vector<Lookup> &lookups, const Answer &answer);

    /// How often all processes were read.
    [[nodiscard]] std::uint64_t scanCount() const { return m_scanCount; }
    /// How often an executable was read.
    [[nodiscard]] std::uint64_t hashCount() const { return m_hashes.readCount(); }

private:
    /// Where a socket was seen; to be verified before it is believed.
    struct Holder
    {
        pid_t pid = 0;
        int descriptor = -1;
    };
    using Holders = std::unordered_map<std::uint64_t, std::vector<Holder>>;
    struct Found;

    CallerSearch(SocketTable sockets, ProcessTable processes)
        : m_sockets(std::move(sockets))
        , m_processes(std::move(processes))
    {}

    [[nodiscard]] Holders list(std::span<const pid_t> pids, const std::vector<Lookup> &lookups);
    [[nodiscard]] std::optional<Found> verify(const Lookup &lookup, const Holder &holder) const;
    [[nodiscard]] std::shared_ptr<const Caller>
    conclude(const Lookup &lookup, const std::vector<Holder> &holders, bool areAll);
    [[nodiscard]] bool isStillThere(const Lookup &lookup);
    [[nodiscard]] std::optional<SocketEntry> entryOf(const TcpEnd &local, const TcpEnd &remote);
    void remember(pid_t pid);

    SocketTable m_sockets;
    ProcessTable m_processes;
    ExecutableHashes m_hashes;
    UserNames m_users;
    std::uint64_t m_scanCount = 0;
    std::unordered_map<std::uint64_t, Holder> m_seen; ///< by inode, at the last listing
    std::deque<pid_t> m_recent; ///< who held the sockets of the last answers, the last one first
};

} // namespace gatehouse::net
