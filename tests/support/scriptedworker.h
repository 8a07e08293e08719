// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/services.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse::test {

/// A worker whose clock and whose answers are the test's. One thread.
class ScriptedWorker final : public Services
{
public:
    struct Fetch
    {
        FetchRequest request;
        std::function<void(Result<FetchResponse>)> done;
    };

    void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override
    {
        fetches.push_back({std::move(request), std::move(done)});
        ++fetchCount;
    }
    void after(std::chrono::milliseconds delay, std::function<void()> call) override
    {
        timers.push_back({time + delay, std::move(call)});
    }
    [[nodiscard]] std::function<void(std::function<void()>)> poster() override
    {
        return [posted = std::weak_ptr(m_posted)](std::function<void()> call) {
            if (const auto queue = posted.lock())
                queue->push_back(std::move(call));
        };
    }
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return time; }
    [[nodiscard]] std::chrono::system_clock::time_point wallNow() const override
    {
        return wallTime;
    }
    [[nodiscard]] KeyHash hashKey(std::string_view) const override { return {}; }

    /// Answers the fetch that waits for longest.
    void answer(int status, std::string body)
    {
        FetchResponse response;
        response.status = status;
        response.body = std::move(body);
        finish(std::move(response));
    }
    void fail(ErrorCode code = ErrorCode::ProviderUnreachable)
    {
        finish(Unexpected(Error{code, {}}));
    }
    /// Runs what was posted, and what that posts.
    void run()
    {
        while (!m_posted->empty()) {
            const auto call = std::move(m_posted->front());
            m_posted->pop_front();
            call();
        }
    }
    void advance(std::chrono::milliseconds duration)
    {
        time += duration;
        wallTime += duration;
        for (;;) {
            const auto due = std::ranges::find_if(
                timers, [this](const auto &timer) { return timer.first <= time; });
            if (due == timers.end())
                break;
            const auto call = std::move(due->second);
            timers.erase(due);
            call();
        }
        run();
    }

    std::deque<Fetch> fetches; ///< not answered yet
    int fetchCount = 0;
    std::vector<std::pair<std::chrono::steady_clock::time_point, std::function<void()>>> timers;
    std::chrono::steady_clock::time_point time{std::chrono::hours(1'000)};
    std::chrono::system_clock::time_point wallTime{std::chrono::seconds(1'800'000'000)};

private:
    void finish(Result<FetchResponse> result)
    {
        const Fetch fetch = std::move(fetches.front());
        fetches.pop_front();
        fetch.done(std::move(result));
        run();
    }

    /// What was posted; posters outlive the worker.
    std::shared_ptr<std::deque<std::function<void()>>> m_posted
        = std::make_shared<std::deque<std::function<void()>>>();
};

} // namespace gatehouse::test
