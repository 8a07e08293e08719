// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace gatehouse {

/// How much is found out about a caller; each depth includes those before.
enum class CallerDepth : std::uint8_t {
    Quick,  ///< for a record: the first process that is found to hold the socket
    Whole,  ///< for a decision: all processes that hold it, as hasOneProgram and hasOneUser say
    Hashed, ///< and the executable's contents
};

/// The process at the other end of a loopback connection, as the kernel tells it. It is the process
/// as it was when it was looked up, and says which program runs, not who made it do what it does:
/// whoever may start a program as this user may also load code into it.
struct Caller
{
    /// Of several that hold the socket the one that was started first: the others inherited it, as a
    /// rule. 0 where the gateway may not look at any of them (other users' processes, unless it is
    /// root): then only uid and user are known.
    std::int64_t pid = 0;
    std::uint32_t uid = 0;      ///< who opened the socket
    std::string user;           ///< name of uid, or its number where it has none
    std::string executable;     ///< absolute path; empty where the kernel does not let us read it
    std::string executableHash; ///< SHA-256, 64 lower-case hexadecimal digits, or empty
    /// Its working directory, or empty; ends in " (deleted)", as the kernel writes it, where that is gone.
    std::string directory;
    /// The file at `executable` is the very one that runs. If not (it was deleted or replaced since, or
    /// the process sees another file system than the gateway), the path proves nothing.
    bool isInPlace = false;
    /// All processes were looked for that hold the socket, among those that the gateway may look at, and
    /// each runs this very file. If not, the bytes may come from another program.
    bool hasOneProgram = false;
    /// Likewise each runs as the user `uid`.
    bool hasOneUser = false;

    bool operator==(const Caller &) const = default;
};

} // namespace gatehouse
