// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse {

/// A change of a request's body: \a length bytes at \a offset give way to \a text.
struct UsageSplice
{
    std::size_t offset = 0;
    std::size_t length = 0;
    std::string text;

    bool operator==(const UsageSplice &) const = default;
};

/// Makes of a stream that was asked for its usage the one that the client would have seen had nobody asked.
/// Of one answer and one thread; takes what UsageReader takes, and is to stand behind it.
class UsageChunkFilter
{
public:
    UsageChunkFilter() = default;
    virtual ~UsageChunkFilter() = default;
    UsageChunkFilter(const UsageChunkFilter &) = delete;
    UsageChunkFilter(UsageChunkFilter &&) = delete;
    UsageChunkFilter &operator=(const UsageChunkFilter &) = delete;
    UsageChunkFilter &operator=(UsageChunkFilter &&) = delete;

    /// Appends to \a out what can be said of the stream with its next \a bytes, cut anywhere: whole events.
    virtual void take(std::string_view bytes, std::string &out) = 0;
    /// The stream is over, whole or cut: appends what was held back.
    virtual void end(std::string &out) = 0;
};

} // namespace gatehouse
