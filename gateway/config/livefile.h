// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace gatehouse {

/// A file that others may believe as long as its maker lives: it is locked (flock(2)) until then, and
/// the kernel lets the lock go whatever ends the process, so that what was left behind is known.
class LiveFile
{
public:
    /// The file gets its name, mode 0600, when it is complete and locked; one of that name is replaced.
    /// SystemFailure with the path and the reason.
    [[nodiscard]] static Result<LiveFile> create(const std::string &path, std::string_view text);

    LiveFile(LiveFile &&other) noexcept;
    LiveFile &operator=(LiveFile &&other) noexcept;
    LiveFile(const LiveFile &) = delete;
    LiveFile &operator=(const LiveFile &) = delete;
    /// Removes the file, unless it was replaced or removed since.
    ~LiveFile();

private:
    LiveFile(int descriptor, std::string path);
    void close();

    int m_descriptor = -1; ///< closed in children, or they would keep the lock
    std::string m_path;
};

/// True for a reason that says nothing of what was looked for: the system has no more descriptors,
/// memory or locks.
[[nodiscard]] bool isShortage(const std::error_code &problem);

/// True where the file is there and its maker lives. SystemFailure where a shortage hides that.
[[nodiscard]] Result<bool> isLive(const std::string &path);
/// Removes the file if its maker is dead, beyond doubt.
void removeIfDead(const std::string &path);

} // namespace gatehouse
