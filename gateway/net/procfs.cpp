// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/procfs.h"

#include <linux/limits.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace gatehouse::net {

namespace {

constexpr std::string_view deletedMark = " (deleted)";
constexpr std::string_view socketMark = "socket:[";
constexpr std::size_t statusSize = 4096; ///< more than the lines that we read need
/// In /proc/PID/stat behind the name, counted from 0: fields 3 and on of proc(5).
constexpr int startTimeField = 19;

struct CloseDirectory
{
    void operator()(DIR *directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

template<typename Number>
std::optional<Number> number(std::string_view text)
{
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// Reading it may be refused; empty then. A text longer than \a buffer is cut.
template<std::size_t size>
std::string_view readLink(int directory, const char *name, std::array<char, size> &buffer)
{
    const ssize_t length = ::readlinkat(directory, name, buffer.data(), buffer.size());
    return {buffer.data(), length < 0 ? 0 : static_cast<std::size_t>(length)};
}

std::string pathLink(int directory, const char *name)
{
    std::array<char, PATH_MAX + 1> buffer{};
    const std::string_view path = readLink(directory, name, buffer);
    return path.size() < buffer.size() ? std::string(path) : std::string();
}

/// The inode of "socket:[123]".
std::optional<std::uint64_t> socketInode(std::string_view link)
{
    if (!link.starts_with(socketMark) || !link.ends_with(']'))
        return std::nullopt;
    link.remove_prefix(socketMark.size());
    link.remove_suffix(1);
    return number<std::uint64_t>(link);
}

/// Room for "socket:[" and 64 bits; whatever is longer is no socket.
using SocketLink = std::array<char, 32>;

/// Directories of /proc are listed by their numbers; the rest of them is none of ours.
template<typename Taker>
void forEachNumber(Descriptor directory, Taker taker)
{
    const Directory listing(::fdopendir(directory.get()));
    if (!listing)
        return;
    static_cast<void>(directory.release()); // the listing's from here on
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a listing of our own
    while (const dirent *entry = ::readdir(listing.get())) {
        if (const auto value = number<int>(entry->d_name); value && *value >= 0)
            taker(*value, entry->d_name, ::dirfd(listing.get()));
    }
}

std::int64_t nanoseconds(const timespec &time)
{
    constexpr std::int64_t perSecond = 1'000'000'000;
    return time.tv_sec * perSecond + time.tv_nsec;
}

} // namespace

FileIdentity FileIdentity::of(const struct stat &status)
{
    return {.device = status.st_dev,
            .inode = status.st_ino,
            .size = status.st_size,
            .modified = nanoseconds(status.st_mtim),
            .changed = nanoseconds(status.st_ctim)};
}

std::string Process::readFile(const char *name) const
{
    const Descriptor file(::openat(m_directory.get(), name, O_RDONLY | O_CLOEXEC));
    std::string text(statusSize, '\0');
    std::size_t size = 0;
    while (file.isOpen() && size < text.size()) {
        const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return text;
}

std::optional<std::uint64_t> Process::startTime() const
{
    const std::string text = readFile("stat");
    std::string_view rest = text;
    // The name before it is in parentheses, and may hold anything, parentheses too.
    const std::size_t nameEnd = rest.rfind(") ");
    if (nameEnd == std::string_view::npos)
        return std::nullopt;
    rest.remove_prefix(nameEnd + 2);
    for (int field = 0; field < startTimeField; ++field) {
        const std::size_t space = rest.find(' ');
        if (space == std::string_view::npos)
            return std::nullopt;
        rest.remove_prefix(space + 1);
    }
    return number<std::uint64_t>(rest.substr(0, rest.find(' ')));
}

std::optional<std::uint32_t> Process::effectiveUser() const
{
    const std::string text = readFile("status");
    // The name, in the first line, is escaped: no line of its own can be smuggled in.
    constexpr std::string_view mark = "\nUid:\t";
    const std::size_t start = text.find(mark);
    if (start == std::string::npos)
        return std::nullopt;
    std::string_view rest = std::string_view(text).substr(start + mark.size());
    const std::size_t realEnd = rest.find('\t');
    if (realEnd == std::string_view::npos)
        return std::nullopt;
    rest.remove_prefix(realEnd + 1);
    return number<std::uint32_t>(rest.substr(0, rest.find('\t')));
}

std::optional<RunningFile> Process::executable() const
{
    struct stat running
    {};
    RunningFile file;
    file.path = pathLink(m_directory.get(), "exe");
    if (file.path.empty() || ::fstatat(m_directory.get(), "exe", &running, 0) != 0)
        return std::nullopt;
    file.identity = FileIdentity::of(running);
    const auto isAtPath = [&] {
        struct stat there
        {};
        return ::stat(file.path.c_str(), &there) == 0 && there.st_dev == running.st_dev
               && there.st_ino == running.st_ino;
    };
    file.isInPlace = isAtPath();
    // Only now is the mark not part of a name: a file may be called "x (deleted)".
    if (!file.isInPlace && std::string_view(file.path).ends_with(deletedMark))
        file.path.resize(file.path.size() - deletedMark.size());
    return file;
}

Descriptor Process::openExecutable() const
{
    return Descriptor(::openat(m_directory.get(), "exe", O_RDONLY | O_CLOEXEC));
}

std::string Process::directory() const
{
    return pathLink(m_directory.get(), "cwd");
}

void Process::forEachSocket(const SocketTaker &taker) const
{
    Descriptor descriptors(::openat(m_directory.get(), "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptors.isOpen())
        return;
    forEachNumber(std::move(descriptors), [&](int descriptor, const char *name, int directory) {
        SocketLink buffer{};
        if (const auto inode = socketInode(readLink(directory, name, buffer)))
            taker(descriptor, *inode);
    });
}

bool Process::holds(int descriptor, std::uint64_t inode) const
{
    SocketLink buffer{};
    const std::string name = "fd/" + std::to_string(descriptor);
    return socketInode(readLink(m_directory.get(), name.c_str(), buffer)) == inode;
}

Result<ProcessTable> ProcessTable::open(const std::filesystem::path &root)
{
    Descriptor directory(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.isOpen())
        return ProcessTable(std::move(directory));
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's strerror is per thread
    const std::string reason = std::strerror(errno);
    return Unexpected(
        Error{ErrorCode::SystemFailure, "cannot read " + root.string() + ": " + reason});
}

std::vector<pid_t> ProcessTable::pids() const
{
    std::vector<pid_t> all;
    forEachNumber(Descriptor(::openat(m_root.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                  [&](pid_t pid, const char *, int) { all.push_back(pid); });
    return all;
}

std::optional<Process> ProcessTable::process(pid_t pid) const
{
    const std::string name = std::to_string(pid);
    Descriptor directory(::openat(m_root.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory.isOpen())
        return std::nullopt;
    return Process(std::move(directory));
}

} // namespace gatehouse::net
