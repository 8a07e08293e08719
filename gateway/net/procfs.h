// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/net/descriptor.h"

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse::net {

/// Which file it is, in which state: equal identities have equal contents, unless they changed within
/// the clock's resolution.
struct FileIdentity
{
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified = 0; ///< nanoseconds since 1970
    std::int64_t changed = 0;  ///< the same; no user can set it

    bool operator==(const FileIdentity &) const = default;

    [[nodiscard]] static FileIdentity of(const struct stat &status);
};

/// The file that a process runs.
struct RunningFile
{
    std::string path; ///< as the process sees it, without the kernel's " (deleted)"
    /// The file at `path`, as this process sees it, is the one that runs.
    bool isInPlace = false;
    FileIdentity identity;
};

/// A process of /proc, held by its directory there: once it is gone every question fails, whoever has
/// its number by then.
class Process
{
public:
    /// In ticks since the machine started.
    [[nodiscard]] std::optional<std::uint64_t> startTime() const;
    [[nodiscard]] std::optional<std::uint32_t> effectiveUser() const;
    /// Null for kernel threads, for processes that are not ours to look at, and gone ones.
    [[nodiscard]] std::optional<RunningFile> executable() const;
    /// The file that runs itself, whatever is at its path; not open where that is refused.
    [[nodiscard]] Descriptor openExecutable() const;
    /// Ends in " (deleted)" where it is gone; empty where we may not know.
    [[nodiscard]] std::string directory() const;

    using SocketTaker = std::function<void(int descriptor, std::uint64_t inode)>;
    /// All sockets that it holds; none where it is not ours to look at.
    void forEachSocket(const SocketTaker &taker) const;
    [[nodiscard]] bool holds(int descriptor, std::uint64_t inode) const;

private:
    friend class ProcessTable;
    explicit Process(Descriptor directory)
        : m_directory(std::move(directory))
    {}
    [[nodiscard]] std::string readFile(const char *name) const;

    Descriptor m_directory;
};

/// Linux's /proc. Of one thread.
class ProcessTable
{
public:
    /// SystemFailure where \a root cannot be read.
    [[nodiscard]] static Result<ProcessTable> open(const std::filesystem::path &root = "/proc");

    /// Of all processes that are there now, in no order.
    [[nodiscard]] std::vector<pid_t> pids() const;
    /// Null where it is gone.
    [[nodiscard]] std::optional<Process> process(pid_t pid) const;

private:
    explicit ProcessTable(Descriptor root)
        : m_root(std::move(root))
    {}

    Descriptor m_root;
};

} // namespace gatehouse::net
