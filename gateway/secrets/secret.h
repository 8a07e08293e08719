// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace gatehouse {

/// Bytes that must not outlive their use: wiped when destroyed or overwritten, never copied by
/// accident, and without a stream operator, so that they cannot slip into a log.
class Secret
{
public:
    Secret() = default;
    explicit Secret(std::string bytes)
        : m_bytes(std::move(bytes))
    {}
    Secret(const Secret &) = delete;
    Secret &operator=(const Secret &) = delete;
    Secret(Secret &&other) noexcept;
    Secret &operator=(Secret &&other) noexcept;
    ~Secret();

    [[nodiscard]] bool isEmpty() const { return m_bytes.empty(); }
    /// The bytes themselves; do not store what this returns.
    [[nodiscard]] std::string_view reveal() const { return m_bytes; }

private:
    void wipe();

    std::string m_bytes;
};

} // namespace gatehouse
