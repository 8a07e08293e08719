// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/descriptor.h"
#include "gateway/net/procfs.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace gatehouse::net {

/// SHA-256 over executables, remembered for as long as a file stays as it is. Of one thread, which it
/// keeps busy while it reads: some tenths of a second for large ones.
class ExecutableHashes
{
public:
    /// 64 lower-case hexadecimal digits; empty where \a file cannot be read, or changed meanwhile.
    [[nodiscard]] std::string hash(const Descriptor &file);
    /// How often a file was read; for tests and counters.
    [[nodiscard]] std::uint64_t readCount() const { return m_readCount; }

private:
    std::deque<std::pair<FileIdentity, std::string>> m_known; ///< the youngest first
    std::uint64_t m_readCount = 0;
};

} // namespace gatehouse::net
