// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/livefile.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace gatehouse {

namespace {

Unexpected<Error> failure(const std::string &path)
{
    const std::string reason = std::error_code(errno, std::generic_category()).message();
    return Unexpected(Error{ErrorCode::SystemFailure, path + " cannot be written: " + reason});
}

bool writeAll(int descriptor, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t size = ::write(descriptor, text.data(), text.size());
        if (size < 0 && errno != EINTR)
            return false;
        text.remove_prefix(size < 0 ? 0 : static_cast<std::size_t>(size));
    }
    return true;
}

bool isSameFile(int descriptor, const std::string &path)
{
    struct stat open = {};
    struct stat named = {};
    return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0
           && open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

int openExisting(const std::string &path)
{
    return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

} // namespace

LiveFile::LiveFile(int descriptor, std::string path)
    : m_descriptor(descriptor)
    , m_path(std::move(path))
{}

LiveFile::LiveFile(LiveFile &&other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1))
    , m_path(std::move(other.m_path))
{}

LiveFile &LiveFile::operator=(LiveFile &&other) noexcept
{
    if (this != &other) {
        close();
        m_descriptor = std::exchange(other.m_descriptor, -1);
        m_path = std::move(other.m_path);
    }
    return *this;
}

LiveFile::~LiveFile()
{
    close();
}

void LiveFile::close()
{
    if (m_descriptor < 0)
        return;
    if (isSameFile(m_descriptor, m_path))
        ::unlink(m_path.c_str());
    ::close(m_descriptor);
}

Result<LiveFile> LiveFile::create(const std::string &path, std::string_view text)
{
    // The process id keeps two makers apart; what is left of a dead one of that id is overwritten.
    const std::string unfinished = path + ".new" + std::to_string(::getpid());
    ::unlink(unfinished.c_str());
    const int descriptor
        = ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return failure(path);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 || !writeAll(descriptor, text)
        || std::rename(unfinished.c_str(), path.c_str()) != 0) {
        auto problem = failure(path);
        ::unlink(unfinished.c_str());
        ::close(descriptor);
        return problem;
    }
    return LiveFile(descriptor, path);
}

bool isShortage(const std::error_code &problem)
{
    constexpr auto shortages = std::to_array({EMFILE, ENFILE, ENOMEM, ENOLCK, EINTR});
    return std::ranges::find(shortages, problem.value()) != shortages.end();
}

Result<bool> isLive(const std::string &path)
{
    const int descriptor = openExisting(path);
    const bool isLocked = descriptor >= 0 && ::flock(descriptor, LOCK_SH | LOCK_NB) != 0;
    const std::error_code problem(isLocked || descriptor < 0 ? errno : 0, std::generic_category());
    if (descriptor >= 0)
        ::close(descriptor);
    if (isShortage(problem))
        return Unexpected(
            Error{ErrorCode::SystemFailure,
                  "whether " + path + " is in use cannot be found out: " + problem.message()});
    return isLocked && problem.value() == EWOULDBLOCK;
}

void removeIfDead(const std::string &path)
{
    const int descriptor = openExisting(path);
    if (descriptor < 0)
        return;
    // Whoever gets the lock knows that nobody has it; who does not get it knows nothing.
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && isSameFile(descriptor, path))
        ::unlink(path.c_str());
    ::close(descriptor);
}

} // namespace gatehouse
