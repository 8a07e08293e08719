// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <utility>

namespace gatehouse {

/// Something that one worker does while others wait for it: kept by the callback that ends it. Where the
/// worker ends first, and its callbacks with it, `abandoned` is called, so that nobody waits for ever.
class Errand
{
public:
    /// \a abandoned is called in any thread.
    explicit Errand(std::function<void()> abandoned)
        : m_abandoned(std::move(abandoned))
    {}
    ~Errand()
    {
        if (m_abandoned)
            m_abandoned();
    }
    Errand(const Errand &) = delete;
    Errand(Errand &&) = delete;
    Errand &operator=(const Errand &) = delete;
    Errand &operator=(Errand &&) = delete;

    void done() { m_abandoned = nullptr; }

private:
    std::function<void()> m_abandoned;
};

} // namespace gatehouse
