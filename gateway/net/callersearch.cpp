// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/callersearch.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace gatehouse::net {

namespace {

/// Programs that talk to the gateway at the same time, as a rule.
constexpr std::size_t mostRecent = 8;

} // namespace

/// A holder that was looked at, and held the socket before and after.
struct CallerSearch::Found
{
    pid_t pid = 0;
    std::uint64_t startTime = 0;
    std::uint32_t user = 0;
    RunningFile file;
    std::string directory;
    Process process;

    [[nodiscard]] bool runs(const RunningFile &other) const
    {
        return !file.path.empty() && file.path == other.path && file.identity == other.identity;
    }
};

Result<CallerSearch> CallerSearch::open()
{
    auto sockets = SocketTable::open();
    if (!sockets)
        return Unexpected(std::move(sockets).error());
    auto processes = ProcessTable::open();
    if (!processes)
        return Unexpected(std::move(processes).error());
    return CallerSearch(std::move(*sockets), std::move(*processes));
}

std::optional<SocketEntry> CallerSearch::entryOf(const TcpEnd &local, const TcpEnd &remote)
{
    // A refusal for one socket (out of memory, say) means as little as an answer that there is none.
    auto entry = m_sockets.find(local, remote);
    return entry ? *entry : std::nullopt;
}

bool CallerSearch::begin(Lookup &lookup)
{
    const AcceptedSocket &socket = lookup.socket;
    if (!socket.isLoopback() || socket.cookie == 0)
        return false;
    const auto entry = entryOf(socket.client, socket.gateway);
    if (!entry)
        return false;
    lookup.entry = *entry;
    return true;
}

bool CallerSearch::isStillThere(const Lookup &lookup)
{
    // In this order. The gateway's socket being connected at the end, it was so all the time, and
    // nobody else can have been connected to it: the client's entry belongs to the very connection
    // that was accepted, also where the port was used again by then.
    const auto client = entryOf(lookup.socket.client, lookup.socket.gateway);
    const auto gateway = entryOf(lookup.socket.gateway, lookup.socket.client);
    return client == lookup.entry && gateway && gateway->cookie == lookup.socket.cookie;
}

CallerSearch::Holders CallerSearch::list(std::span<const pid_t> pids,
                                         const std::vector<Lookup> &lookups)
{
    Holders wanted;
    for (const Lookup &lookup : lookups)
        wanted[lookup.entry.inode];
    for (const pid_t pid : pids) {
        const auto process = m_processes.process(pid);
        if (!process)
            continue;
        process->forEachSocket([&](int descriptor, std::uint64_t inode) {
            m_seen[inode] = {pid, descriptor};
            const auto holders = wanted.find(inode);
            if (holders == wanted.end())
                return;
            // One descriptor of a process is enough.
            if (holders->second.empty() || holders->second.back().pid != pid)
                holders->second.push_back({pid, descriptor});
        });
    }
    return wanted;
}

std::optional<CallerSearch::Found> CallerSearch::verify(const Lookup &lookup,
                                                        const Holder &holder) const
{
    auto process = m_processes.process(holder.pid);
    if (!process || !process->holds(holder.descriptor, lookup.entry.inode))
        return std::nullopt;
    const auto startTime = process->startTime();
    const auto user = process->effectiveUser();
    auto file = process->executable();
    std::string directory = process->directory();
    if (!startTime || !user || !process->holds(holder.descriptor, lookup.entry.inode))
        return std::nullopt;
    return Found{.pid = holder.pid,
                 .startTime = *startTime,
                 .user = *user,
                 .file = file ? std::move(*file) : RunningFile{},
                 .directory = std::move(directory),
                 .process = std::move(*process)};
}

std::shared_ptr<const Caller>
CallerSearch::conclude(const Lookup &lookup, const std::vector<Holder> &holders, bool areAll)
{
    std::vector<Found> found;
    for (const Holder &holder : holders) {
        if (auto one = verify(lookup, holder))
            found.push_back(std::move(*one));
    }
    if (found.empty() && !areAll)
        return nullptr;
    auto caller = std::make_shared<Caller>();
    caller->uid = lookup.entry.uid;
    caller->user = m_users.of(caller->uid);
    if (!found.empty()) {
        const auto isOlder = [](const Found &a, const Found &b) {
            return std::tie(a.startTime, a.pid) < std::tie(b.startTime, b.pid);
        };
        Found &first = *std::min_element(found.begin(), found.end(), isOlder);
        caller->pid = first.pid;
        // Who was seen and could not be verified may hold it still, elsewhere.
        const bool isComplete = areAll && found.size() == holders.size();
        caller->hasOneProgram = isComplete && std::ranges::all_of(found, [&](const Found &one) {
                                    return one.runs(first.file);
                                });
        caller->hasOneUser = isComplete && std::ranges::all_of(found, [&](const Found &one) {
                                 return one.user == caller->uid;
                             });
        if (lookup.depth == CallerDepth::Hashed)
            caller->executableHash = m_hashes.hash(first.process.openExecutable());
        caller->isInPlace = first.file.isInPlace;
        caller->executable = std::move(first.file.path);
        caller->directory = std::move(first.directory);
        remember(first.pid);
    }
    if (!isStillThere(lookup))
        return nullptr;
    return caller;
}

void CallerSearch::remember(pid_t pid)
{
    std::erase(m_recent, pid);
    m_recent.push_front(pid);
    m_recent.resize(std::min(m_recent.size(), mostRecent));
}

void CallerSearch::searchNear(std::vector<Lookup> &lookups, const Answer &answer)
{
    const auto answerFrom = [&](auto holdersOf) {
        for (Lookup &lookup : std::exchange(lookups, {})) {
            lookup.isNearTried = true;
            std::shared_ptr<const Caller> caller;
            if (lookup.depth == CallerDepth::Quick)
                caller = conclude(lookup, holdersOf(lookup.entry.inode), false);
            if (caller)
                answer(lookup, std::move(caller));
            else
                lookups.push_back(lookup);
        }
    };
    answerFrom([this](std::uint64_t inode) -> std::vector<Holder> {
        const auto seen = m_seen.find(inode);
        return seen == m_seen.end() ? std::vector<Holder>{} : std::vector{seen->second};
    });
    if (lookups.empty())
        return;
    const std::vector<pid_t> recent(m_recent.begin(), m_recent.end());
    const Holders holders = list(recent, lookups);
    answerFrom([&](std::uint64_t inode) { return holders.at(inode); });
}

void CallerSearch::searchAll(std::vector<Lookup> &lookups, const Answer &answer)
{
    // Connections that are over by now are not worth a scan.
    for (const Lookup &lookup : std::exchange(lookups, {})) {
        if (isStillThere(lookup))
            lookups.push_back(lookup);
        else
            answer(lookup, nullptr);
    }
    if (lookups.empty())
        return;
    ++m_scanCount;
    m_seen.clear();
    const Holders holders = list(m_processes.pids(), lookups);
    for (const Lookup &lookup : std::exchange(lookups, {}))
        answer(lookup, conclude(lookup, holders.at(lookup.entry.inode), true));
}

} // namespace gatehouse::net
