// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/quota/window.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

namespace gatehouse::quota {

enum class WindowKind : std::uint8_t { Sliding, Fixed };

/// How a key stands after it asked.
struct Standing
{
    bool isGranted = false;
    std::size_t limit = 0;      ///< the one with the least left, or that refused
    std::int64_t remaining = 0; ///< of it
    /// Until some of it comes back, or, where it was refused, until there is room for what was asked. Empty: there
    /// never will be.
    std::optional<Duration> wait = {};
};

/// The windows of one key, one for each limit of a policy. Any thread, without a lock.
class WindowSet
{
public:
    static constexpr std::size_t largest = 8;
    using Grants = std::array<Grant, largest>;

    /// \a count ≤ largest. \a memory: bytesFor() bytes of a CounterFile's cell, which outlive this, with what is counted
    /// there; null: its own.
    WindowSet(WindowKind kind, std::size_t count, std::byte *memory = nullptr);
    [[nodiscard]] static std::size_t bytesFor(WindowKind kind, std::size_t count)
    {
        return count * (kind == WindowKind::Sliding ? sizeof(SlidingWindow) : sizeof(FixedWindow));
    }

    /// Grants \a amount of every limit, or nothing of any. \a limits: as many as count.
    [[nodiscard]] Standing
    take(std::int64_t amount, std::span<const Limit> limits, Time now, Grants &grants);
    /// Counts what cannot be refused any more, over the limits too; sliding windows only.
    void add(std::int64_t amount, std::span<const Limit> limits, Time now);
    /// Takes back \a amount of what each of \a grants gave.
    void giveBack(std::int64_t amount, const Grants &grants);

    // Of a cell (keyed.h)
    [[nodiscard]] bool isFree() const { return true; }
    void reset();

private:
    [[nodiscard]] Grant takeOne(std::size_t i, std::int64_t amount, const Limit &limit, Time now);
    void giveBackOne(std::size_t i, std::int64_t amount, const Grant &grant);
    [[nodiscard]] std::optional<Duration>
    waitFor(std::size_t i, std::int64_t amount, const Limit &limit, Time now) const;

    std::size_t m_count;
    std::unique_ptr<SlidingWindow[]> m_ownSliding; ///< where they are its own
    std::unique_ptr<FixedWindow[]> m_ownFixed;
    SlidingWindow *m_sliding = nullptr; ///< one of the two
    FixedWindow *m_fixed = nullptr;
};

} // namespace gatehouse::quota
