// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/services.h"

#include <QtGlobal>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse::test {

/// Services whose clock stands until it is moved, and whose fetches the test answers.
class FakeServices final : public Services
{
public:
    struct Pending
    {
        FetchRequest request;
        std::function<void(Result<FetchResponse>)> done;
    };

    explicit FakeServices(std::string_view hashKey = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")
        : m_hasher(hashKey)
    {}

    std::deque<Pending> fetches; ///< not yet answered
    std::chrono::system_clock::time_point wall{std::chrono::seconds(1'800'000'000)};
    std::chrono::steady_clock::time_point steady{std::chrono::hours(1000)};

    void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override
    {
        fetches.push_back({std::move(request), std::move(done)});
    }
    /// Answers the oldest fetch.
    void answer(Result<FetchResponse> response)
    {
        if (fetches.empty())
            qFatal("the test answers a fetch that nobody made");
        Pending pending = std::move(fetches.front());
        fetches.pop_front();
        pending.done(std::move(response));
    }
    void answer(int status, std::string body, std::vector<Header> headers = {})
    {
        answer(FetchResponse{status, std::move(headers), std::move(body)});
    }

    void after(std::chrono::milliseconds delay, std::function<void()> call) override
    {
        m_timers.push_back({steady + delay, std::move(call)});
    }
    /// Moves both clocks on and calls what is due, in its order.
    void advance(std::chrono::milliseconds time)
    {
        steady += time;
        wall += time;
        for (;;) {
            const auto next = std::ranges::min_element(m_timers, {}, &Timer::due);
            if (next == m_timers.end() || next->due > steady)
                break;
            const auto call = std::move(next->call);
            m_timers.erase(next);
            call();
        }
        runPosted();
    }
    [[nodiscard]] std::size_t timerCount() const { return m_timers.size(); }

    [[nodiscard]] std::function<void(std::function<void()>)> poster() override
    {
        return [this](std::function<void()> call) { m_posted.push_back(std::move(call)); };
    }
    /// Runs what was posted, also what that posts.
    void runPosted()
    {
        while (!m_posted.empty()) {
            const auto call = std::move(m_posted.front());
            m_posted.pop_front();
            call();
        }
    }

    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return steady; }
    [[nodiscard]] std::chrono::system_clock::time_point wallNow() const override { return wall; }
    [[nodiscard]] KeyHash hashKey(std::string_view virtualKey) const override
    {
        return m_hasher.hash(virtualKey);
    }

private:
    struct Timer
    {
        std::chrono::steady_clock::time_point due;
        std::function<void()> call;
    };

    std::vector<Timer> m_timers;
    std::deque<std::function<void()>> m_posted;
    KeyHasher m_hasher;
};

} // namespace gatehouse::test
