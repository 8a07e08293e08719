// SPDX-License-Identifier: GPL-3.0-or-later
// Further attempts of a relay, as a policy allows them: only while no byte of an answer has gone to the client,
// and only after what says that the request was not done.
#include "gateway/net/relay.h"
#include "gateway/net/retryafter.h"

#include <algorithm>
#include <random>
#include <utility>

namespace gatehouse::net {

namespace {

/// A provider that wants to be left alone for longer gets its answer passed on.
constexpr std::chrono::seconds longestWait{30};

/// Between nothing and \a most: clients that failed together do not come back together.
std::chrono::milliseconds jittered(std::chrono::milliseconds most)
{
    static thread_local std::minstd_rand random{std::random_device{}()};
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(0, most.count())(random));
}

} // namespace

/// Of a policy, else the route's own; null where there is one attempt only.
const RetrySetting *Relay::retrySetting() const
{
    if (m_exchange->retrySetting() != nullptr || m_route->providers.size() == 1)
        return m_exchange->retrySetting();
    return &m_route->fallbackSetting;
}

/// Attempts are left of this request, and of the worker's budget for asking a provider again: another
/// one has not failed yet.
bool Relay::mayTryAgain() const
{
    const RetrySetting *setting = retrySetting();
    if (setting == nullptr || !m_isKept || m_attempts >= setting->attempts)
        return false;
    return nextPlace() != m_place
           || (m_exchange->retrySetting() != nullptr && m_context.retryBudget.mayTake());
}

/// Nothing of the request went out. True where another attempt follows.
bool Relay::retriesUnsent(const Error &error)
{
    const RetrySetting *setting = retrySetting();
    if (setting == nullptr || !setting->onConnect || !mayTryAgain())
        return false;
    backOff(std::chrono::milliseconds(0), std::string(error.info().reason));
    // It might come about after all, and take the request then.
    if (m_connection != nullptr)
        std::exchange(m_connection, nullptr)->giveBack(false);
    return true;
}

/// True where the answer is not passed on, and another attempt follows.
bool Relay::retriesAnswer(const http::ResponseHead &head)
{
    const RetrySetting *setting = retrySetting();
    if (setting == nullptr || m_maySwitch || !setting->covers(head.status) || !mayTryAgain())
        return false;
    std::chrono::milliseconds least{0};
    if (setting->honoursRetryAfter && nextPlace() == m_place)
        least = retryAfter(head, m_context.services->wallNow());
    if (least > longestWait)
        return false;
    backOff(least, "answered " + std::to_string(head.status));
    return true;
}

void Relay::backOff(std::chrono::milliseconds least, std::string why)
{
    m_exchange->noteRetry("attempt " + std::to_string(m_attempts) + " at "
                          + std::string(m_exchange->provider()) + ": " + why);
    const std::size_t place = nextPlace();
    std::chrono::milliseconds pause{0};
    if (place == m_place) {
        m_context.retryBudget.take();
        constexpr std::int64_t mostDoublings = 10;
        pause = least
                + jittered(retrySetting()->backoff
                           * (std::int64_t{1} << std::min(m_attempts - 1, mostDoublings)));
    }
    m_place = place;
    ++m_attempts;
    m_phase = Phase::Backoff;
    m_attemptEnded = false;
    noteWait();
    m_wait = Wait::Total;
    m_context.deadlines.set(m_deadline, WorkerContext::now() + pause);
}

void Relay::tryAgain()
{
    m_exchange->answerSoFar().isSent = false; // what was sent before was answered, and not done
    if (m_connection != nullptr)
        std::exchange(m_connection, nullptr)->giveBack(m_requestComplete && m_attemptEnded);
    m_phase = Phase::Prepared;
    if (&providerAt(m_place) != m_provider)
        turnTo(m_place);
    start();
}

/// The client's own attempts would multiply ours.
bool Relay::isLastOfMany(int status) const
{
    return m_attempts > 1 && retrySetting()->covers(status);
}

} // namespace gatehouse::net
