// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/keysource.h"

#include "gateway/pipeline/errand.h"

#include <algorithm>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::size_t largestSet = std::size_t{256} << 10;
constexpr std::size_t mostWaiters = 10'000;

Result<KeySet> keySetOf(const Result<FetchResponse> &response)
{
    if (!response)
        return Unexpected(response.error());
    if (response->status != 200)
        return Unexpected(Error{ErrorCode::ProviderBadResponse,
                                "it answered with status " + std::to_string(response->status)});
    return KeySet::parse(response->body);
}

} // namespace

void KeySource::Waiter::tell(const Answer &answer) const
{
    post([call = done, answer] { call(answer); });
}

std::shared_ptr<const KeySet> KeySource::keys(Services &services, const Settings &settings)
{
    const Time now = services.now();
    std::unique_lock lock(m_mutex);
    if (!isGood(now, settings.timeToLive))
        return nullptr;
    std::shared_ptr<const KeySet> keys = m_keys;
    const bool isDue = now - m_keysBegan >= settings.timeToLive / 4 * 3 && begin(now);
    lock.unlock();
    if (isDue)
        fetch(services, settings);
    return keys;
}

void KeySource::refresh(Services &services,
                        const Settings &settings,
                        Time since,
                        std::function<void(const Answer &)> done)
{
    const Time now = services.now();
    const Waiter waiter{since, services.poster(), std::move(done)};
    std::unique_lock lock(m_mutex);
    const bool hasJustFailed
        = !m_problem.empty() && !m_isFetching && m_lastBegan && now - *m_lastBegan < pause;
    const bool isFull = m_waiters.size() >= mostWaiters;
    if (hasJustFailed || isFull || (m_keys && m_keysBegan >= since)) {
        Answer current = answer(since, now, settings.timeToLive);
        if (isFull && current.problem.empty())
            current.problem = "too many requests wait for the issuer's keys";
        lock.unlock();
        waiter.tell(current);
        return;
    }
    m_waiters.push_back(waiter);
    lock.unlock();
    wake(services, settings);
}

bool KeySource::isGood(Time now, std::chrono::milliseconds timeToLive) const
{
    const auto age = now - m_keysBegan;
    return m_keys && (age < timeToLive || (!m_problem.empty() && age < 2 * timeToLive));
}

bool KeySource::begin(Time now)
{
    if (m_isFetching || (m_lastBegan && now - *m_lastBegan < pause))
        return false;
    m_isFetching = true;
    m_lastBegan = now;
    return true;
}

/// Sees to it that those who wait will be told something.
void KeySource::wake(Services &services, const Settings &settings)
{
    const Time now = services.now();
    std::unique_lock lock(m_mutex);
    if (m_waiters.empty() || m_isFetching || m_isWakeDue)
        return;
    const bool isNow = begin(now);
    m_isWakeDue = !isNow;
    const auto delay = pause - (now - *m_lastBegan);
    lock.unlock();
    if (isNow)
        fetch(services, settings);
    else
        wakeLater(services, settings, std::chrono::ceil<std::chrono::milliseconds>(delay));
}

void KeySource::wakeLater(Services &services,
                          const Settings &settings,
                          std::chrono::milliseconds delay)
{
    auto errand = std::make_shared<Errand>(
        [self = shared_from_this(), settings] { self->abandon(self->m_isWakeDue, settings); });
    services.after(delay, [self = shared_from_this(), errand, settings, &services] {
        errand->done();
        {
            const std::lock_guard lock(self->m_mutex);
            self->m_isWakeDue = false;
        }
        self->wake(services, settings);
    });
}

void KeySource::fetch(Services &services, const Settings &settings)
{
    auto errand = std::make_shared<Errand>(
        [self = shared_from_this(), settings] { self->abandon(self->m_isFetching, settings); });
    FetchRequest request{.endpoint = settings.endpoint,
                         .headers = {{"accept", "application/jwk-set+json, application/json"}},
                         .timeout = settings.timeout,
                         .limit = largestSet};
    services.fetch(std::move(request),
                   [self = shared_from_this(), errand, settings, &services](
                       const Result<FetchResponse> &response) {
                       errand->done();
                       self->finish(keySetOf(response), settings, services.now());
                   });
}

void KeySource::finish(Result<KeySet> result, const Settings &settings, Time now)
{
    auto keys = result ? std::make_shared<const KeySet>(std::move(*result)) : nullptr;
    std::unique_lock lock(m_mutex);
    m_isFetching = false;
    m_problem = result ? std::string() : result.error().message();
    if (keys) {
        m_keys = std::move(keys);
        m_keysBegan = *m_lastBegan;
    }
    tellAll(std::move(lock), settings, std::max(now, *m_lastBegan));
}

/// Those who waited for it ask again, in workers that live.
void KeySource::abandon(bool &isUnderWay, const Settings &settings)
{
    std::unique_lock lock(m_mutex);
    isUnderWay = false;
    const Time now = *m_lastBegan;
    tellAll(std::move(lock), settings, now);
}

/// Those for whom the answer is not final ask again.
void KeySource::tellAll(std::unique_lock<std::mutex> lock, const Settings &settings, Time now)
{
    const std::vector<Waiter> waiters = std::exchange(m_waiters, {});
    std::vector<Answer> answers;
    answers.reserve(waiters.size());
    for (const Waiter &waiter : waiters)
        answers.push_back(answer(waiter.since, now, settings.timeToLive));
    lock.unlock();
    for (std::size_t i = 0; i < waiters.size(); ++i)
        waiters[i].tell(answers[i]);
}

KeySource::Answer
KeySource::answer(Time since, Time now, std::chrono::milliseconds timeToLive) const
{
    Answer answer{nullptr, false, m_problem};
    if (isGood(now, timeToLive))
        answer.keys = m_keys;
    answer.isFinal = m_keys && m_keysBegan >= since;
    return answer;
}

} // namespace gatehouse
