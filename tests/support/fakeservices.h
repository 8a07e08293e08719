// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/services.h"

#include <QtGlobal>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse::test {

/// A worker's services: the clocks stand until they are moved, and the test answers the fetches. Of one
/// thread.
class FakeServices final : public Services
{
public:
    struct Fetch
    {
        FetchRequest request;
        std::function<void(Result<FetchResponse>)> done;
    };
    struct Timer
    {
        std::chrono::steady_clock::time_point due;
        std::function<void()> call;
    };

    explicit FakeServices(std::string_view hashKey = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")
        : m_hasher(hashKey)
    {}

    std::deque<Fetch> fetches; ///< not yet answered
    int fetchCount = 0;        ///< those that were answered too
    std::vector<Timer> timers; ///< not yet due
    std::chrono::system_clock::time_point wall{std::chrono::seconds(1'800'000'000)};
    std::chrono::steady_clock::time_point steady{std::chrono::hours(1000)};

    void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override
    {
        fetches.push_back({std::move(request), std::move(done)});
        ++fetchCount;
    }
    /// Answers the fetch that waits for longest, and runs what that posts.
    void answer(Result<FetchResponse> response)
    {
        if (fetches.empty())
            qFatal("the test answers a fetch that nobody made");
        const Fetch fetch = std::move(fetches.front());
        fetches.pop_front();
        fetch.done(std::move(response));
        run();
    }
    void answer(int status, std::string body, std::vector<Header> headers = {})
    {
        answer(FetchResponse{status, std::move(headers), std::move(body)});
    }
    void fail(ErrorCode code = ErrorCode::ProviderUnreachable)
    {
        answer(Unexpected(Error{code, {}}));
    }

    void after(std::chrono::milliseconds delay, std::function<void()> call) override
    {
        timers.push_back({steady + delay, std::move(call)});
    }
    /// Moves both clocks on, calls what is due, in its order, and runs what was posted.
    void advance(std::chrono::milliseconds time)
    {
        steady += time;
        wall += time;
        for (;;) {
            const auto next = std::ranges::min_element(timers, {}, &Timer::due);
            if (next == timers.end() || next->due > steady)
                break;
            const auto call = std::move(next->call);
            timers.erase(next);
            call();
        }
        run();
    }

    /// May be called after the services are gone, and does nothing then.
    [[nodiscard]] std::function<void(std::function<void()>)> poster() override
    {
        return [posted = std::weak_ptr(m_posted)](std::function<void()> call) {
            if (const auto queue = posted.lock())
                queue->push_back(std::move(call));
        };
    }
    /// Runs what was posted, also what that posts.
    void run()
    {
        while (!m_posted->empty()) {
            const auto call = std::move(m_posted->front());
            m_posted->pop_front();
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
    std::shared_ptr<std::deque<std::function<void()>>> m_posted
        = std::make_shared<std::deque<std::function<void()>>>();
    KeyHasher m_hasher;
};

} // namespace gatehouse::test
