// SPDX-License-Identifier: GPL-3.0-or-later
// Which of the route's providers a relay asks.
#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/net/relay.h"
#include "gateway/pipeline/requestedmodels.h"
#include "gateway/secrets/wiping.h"

#include <QLoggingCategory>

#include <utility>

namespace gatehouse::net {

namespace {

Q_LOGGING_CATEGORY(healthLog, "gatehouse.health")

/// One that fails fast must not seem to be the fastest.
constexpr std::chrono::seconds latencyOfFailure{10};
constexpr int firstFailure = 500;

} // namespace

/// Whom to ask, and whom then.
Result<void> Relay::choose()
{
    m_place = 0;
    m_order.assign(1, 0);
    if (m_route->providers.size() == 1)
        return {};
    ProviderChoice::Asked asked{.client = m_exchange->client() != nullptr
                                              ? std::string_view(m_exchange->client()->name)
                                              : std::string_view(m_exchange->peer().address)};
    if (m_route->choice.needsModels()) {
        const auto &found = m_exchange->requestedModels();
        if (!found)
            return Unexpected(found.error());
        asked.models = found->models;
    }
    m_standings.clear();
    const auto now = WorkerContext::now();
    for (const auto &provider : m_route->providers)
        m_standings.push_back({.isPreferred = m_exchange->isPreferred(provider->name),
                               .isAvoided = m_exchange->isAvoided(provider->name),
                               .isWell = provider->health->isWell(now),
                               .latency = provider->health->latency()});
    if (!m_route->choice.order(asked, m_standings, m_order))
        return Unexpected(
            Error{ErrorCode::ModelUnrouted,
                  inQuotes(asked.models.front().name) + " at route " + m_route->name});
    if (m_order.empty())
        return Unexpected(Error{ErrorCode::ProviderAvoided, "route " + m_route->name});
    m_provider = &providerAt(0);
    m_exchange->setProvider(m_provider->name);
    return {};
}

const ProviderEntry &Relay::providerAt(std::size_t place) const
{
    return *m_route->providers[m_order[place]];
}

/// What the client brings for the one provider of a route is not for others.
bool Relay::mayHaveClientsCredential() const
{
    return m_route->optionCount == 1 && m_provider == &m_route->firstProvider();
}

/// Whom to ask next: the last one again, where there is no other.
std::size_t Relay::nextPlace() const
{
    return m_place + 1 < m_order.size() ? m_place + 1 : m_place;
}

/// Writes the head anew, with that provider's address and credential, before what is there of the body.
void Relay::turnTo(std::size_t place)
{
    m_provider = &providerAt(place);
    m_exchange->setProvider(m_provider->name);
    std::string before = std::exchange(m_prepared, {});
    const std::string_view body = std::string_view(before).substr(m_preparedHead);
    writeHead(body);
    appendWiping(m_prepared, body);
    wipe(before);
}

/// The answer has begun, for the record and for the provider's health.
void Relay::noteAnswer(int status)
{
    constexpr int tooMany = 429;
    constexpr int firstError = 400;
    const auto now = WorkerContext::now();
    m_exchange->noteAnswer(status, now);
    m_route->pipeline.runAttempt(*m_exchange);
    if (status >= firstFailure) {
        reportFailure();
        return;
    }
    ProviderHealth &health = *m_provider->health;
    health.noteSuccess(now);
    if (status == tooMany)
        health.noteLatency(latencyOfFailure);
    else if (status < firstError)
        health.noteLatency(std::chrono::duration_cast<std::chrono::microseconds>(
            m_exchange->attempts().back().time));
}

/// There is no answer, or not all of it, for the record and for the provider's health.
void Relay::noteFailure(ErrorCode error)
{
    const auto &attempts = m_exchange->attempts();
    const bool isKnown
        = !attempts.empty() && (attempts.back().error || attempts.back().status >= firstFailure);
    m_exchange->noteFailure(error, WorkerContext::now());
    if (isKnown || attempts.empty())
        return;
    m_route->pipeline.runAttempt(*m_exchange);
    reportFailure();
}

void Relay::reportFailure()
{
    m_provider->health->noteLatency(latencyOfFailure);
    const auto time = m_provider->health->noteFailure(m_provider->ejection, WorkerContext::now());
    if (time)
        qCWarning(healthLog,
                  "provider %s failed %lld times in a row and is asked after others for %s",
                  m_provider->name.c_str(),
                  static_cast<long long>(m_provider->ejection.failures),
                  formatDuration(*time).c_str());
}

} // namespace gatehouse::net
