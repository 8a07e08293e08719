// SPDX-License-Identifier: GPL-3.0-or-later
// Further attempts of a relay, as a policy allows them: only while no byte of an answer has gone to the client,
// and only after what says that the request was not done.
#include "gateway/base/text.h"
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

/// Attempts are left, of this request and of the worker's budget for all.
bool Relay::mayTryAgain()
{
    const RetrySetting *setting = m_exchange->retrySetting();
    return setting != nullptr && m_isKept && m_attempts < setting->attempts
           && m_context.retryBudget.mayTake();
}

/// True where another attempt follows.
bool Relay::retriesConnect(const Error &error)
{
    if (m_phase != Phase::Opening || m_exchange->retrySetting() == nullptr
        || !m_exchange->retrySetting()->onConnect || !mayTryAgain())
        return false;
    backOff(std::chrono::milliseconds(0), std::string(error.info().reason));
    return true;
}

/// True where the answer is not passed on, and another attempt follows.
bool Relay::retriesAnswer(const http::ResponseHead &head)
{
    const RetrySetting *setting = m_exchange->retrySetting();
    if (setting == nullptr || m_maySwitch || !setting->covers(head.status) || !m_isKept
        || m_attempts >= setting->attempts)
        return false;
    std::chrono::milliseconds least{0};
    if (setting->honoursRetryAfter)
        least = retryAfter(head, m_context.services->wallNow());
    if (least > longestWait || !mayTryAgain())
        return false;
    backOff(least, "answered " + std::to_string(head.status));
    return true;
}

void Relay::backOff(std::chrono::milliseconds least, std::string why)
{
    m_context.retryBudget.take();
    const RetrySetting &setting = *m_exchange->retrySetting();
    constexpr std::int64_t mostDoublings = 10;
    const auto most
        = setting.backoff * (std::int64_t{1} << std::min(m_attempts - 1, mostDoublings));
    m_exchange->noteRetry("attempt " + std::to_string(m_attempts) + " at "
                          + std::string(m_exchange->provider()) + ": " + why);
    ++m_attempts;
    m_phase = Phase::Backoff;
    m_attemptEnded = false;
    noteWait();
    m_wait = Wait::Total;
    m_context.deadlines.set(m_deadline, WorkerContext::now() + least + jittered(most));
}

void Relay::tryAgain()
{
    if (m_connection != nullptr)
        std::exchange(m_connection, nullptr)->giveBack(m_requestComplete && m_attemptEnded);
    m_phase = Phase::Prepared;
    start();
}

/// The client's own attempts would multiply ours.
bool Relay::isLastOfMany(int status) const
{
    return m_attempts > 1 && m_exchange->retrySetting()->covers(status);
}

} // namespace gatehouse::net
