// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"

#include <algorithm>
#include <chrono>

namespace gatehouse::net {

/// How long the provider wants to be left alone: `retry-after-ms`, else Retry-After (RFC 9110 §10.2.3, seconds
/// or a date); 0 where it does not say or cannot be read. At most a day.
[[nodiscard]] std::chrono::milliseconds retryAfter(const http::ResponseHead &head,
                                                   std::chrono::system_clock::time_point now);

/// Keeps attempts in proportion to requests, so that a provider that fails is not drowned in them: each
/// request earns a fifth of an attempt, and ten may be saved. Of one worker.
class RetryBudget
{
public:
    void earn() { m_fifths = std::min(m_fifths + 1, most); }
    [[nodiscard]] bool mayTake() const { return m_fifths >= price; }
    void take() { m_fifths -= price; }

private:
    static constexpr int price = 5;
    static constexpr int most = 10 * price;
    int m_fifths = most;
};

} // namespace gatehouse::net
