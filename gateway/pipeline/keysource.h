// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/keyset.h"
#include "gateway/pipeline/services.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse {

/// The keys of an issuer, fetched from its JWKS address and shared by all workers.
///
/// A set is good for a time to live. It is fetched anew when three quarters of that are over, while
/// requests go on with the old one. Where fetching fails the old one stays good as long once more.
/// A token that it does not verify is refused only on the word of a set that was asked for after the
/// token came, so that a rotation fails no request; whatever tokens say, the issuer is asked at most every
/// `pause`. Any thread.
class KeySource : public std::enable_shared_from_this<KeySource>
{
public:
    using Time = std::chrono::steady_clock::time_point;
    /// Between the beginnings of two fetches, at least.
    static constexpr std::chrono::milliseconds pause{5'000};

    struct Settings
    {
        std::shared_ptr<const Endpoint> endpoint;
        std::chrono::milliseconds timeToLive{3'600'000};
        std::chrono::milliseconds timeout{5'000};
    };

    /// What a fetch has brought.
    struct Answer
    {
        std::shared_ptr<const KeySet> keys; ///< the best that there is; null: none
        bool isFinal = false; ///< asked for at or after the time that was given, and successful
        std::string problem;  ///< why the last fetch failed; empty where it did not
    };

    /// The set that is good now, or null: then refresh(). Begins a fetch where one is due.
    [[nodiscard]] std::shared_ptr<const KeySet> keys(Services &services, const Settings &settings);

    /// Calls back in this worker's thread, never before returning, when the next fetch has ended; it
    /// may not be final yet where it began before \a since: ask again then, unless there is a problem.
    /// Fails at once where the last one failed a moment ago.
    void refresh(Services &services,
                 const Settings &settings,
                 Time since,
                 std::function<void(const Answer &)> done);

private:
    struct Waiter
    {
        Time since;
        std::function<void(std::function<void()>)> post;
        std::function<void(const Answer &)> done;

        void tell(const Answer &answer) const;
    };

    [[nodiscard]] bool isGood(Time now, std::chrono::milliseconds timeToLive) const;
    /// True for the caller that has to fetch now.
    [[nodiscard]] bool begin(Time now);
    void fetch(Services &services, const Settings &settings);
    void wakeLater(Services &services, const Settings &settings, std::chrono::milliseconds delay);
    void wake(Services &services, const Settings &settings);
    void finish(Result<KeySet> result, const Settings &settings, Time now);
    void abandon(bool &isUnderWay, const Settings &settings);
    void tellAll(std::unique_lock<std::mutex> lock, const Settings &settings, Time now);
    [[nodiscard]] Answer answer(Time since, Time now, std::chrono::milliseconds timeToLive) const;

    std::mutex m_mutex;
    std::shared_ptr<const KeySet> m_keys;
    Time m_keysBegan{};              ///< when the fetch of m_keys began
    std::optional<Time> m_lastBegan; ///< of any fetch
    std::string m_problem;           ///< of the last fetch that ended
    bool m_isFetching = false;
    bool m_isWakeDue = false; ///< wake() will be called
    std::vector<Waiter> m_waiters;
};

} // namespace gatehouse
