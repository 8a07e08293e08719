// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/healthchecker.h"

#include <QLoggingCategory>

#include <algorithm>
#include <random>
#include <utility>

namespace gatehouse::net {

namespace {

Q_LOGGING_CATEGORY(healthLog, "gatehouse.health")

constexpr std::chrono::milliseconds longestStart{1000};

/// Between nothing and \a most.
std::chrono::milliseconds anyOf(std::chrono::milliseconds most)
{
    static thread_local std::minstd_rand random{std::random_device{}()};
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(0, most.count())(random));
}

/// What cannot be known any more must not keep a provider from being asked.
void forget(const std::vector<const ProviderEntry *> &gone)
{
    for (const ProviderEntry *provider : gone)
        provider->health->forgetChecks();
}

} // namespace

void HealthChecker::apply(const std::shared_ptr<const Runtime> &runtime)
{
    const auto before = std::exchange(m_checks, {});
    for (const auto &[provider, target] : runtime->providers) {
        if (provider->check)
            m_checks.push_back(std::make_shared<const Check>(Check{runtime, provider}));
    }
    std::vector<const ProviderEntry *> gone;
    for (const auto &check : before) {
        const bool isKept = std::ranges::any_of(m_checks, [&check](const auto &now) {
            return now->provider->health == check->provider->health;
        });
        if (!isKept)
            gone.push_back(check->provider);
    }
    forget(gone);
    for (const auto &check : m_checks)
        wait(check, anyOf(longestStart));
}

void HealthChecker::wait(const std::shared_ptr<const Check> &check, std::chrono::milliseconds time)
{
    m_services.after(time, [this, waiting = std::weak_ptr(check)] {
        if (const auto now = waiting.lock())
            run(now);
    });
}

void HealthChecker::run(const std::shared_ptr<const Check> &check)
{
    const ProviderEntry &provider = *check->provider;
    FetchRequest request{.endpoint = std::make_shared<const Endpoint>(
                             Endpoint{provider.origin, provider.check->target}),
                         .timeout = provider.check->timeout};
    m_services.ask(provider,
                   check->runtime->providers.at(&provider),
                   std::move(request),
                   [this, waiting = std::weak_ptr(check)](const Result<FetchResponse> &response) {
                       const auto now = waiting.lock();
                       if (!now)
                           return; // the configuration changed
                       note(*now->provider, response);
                       wait(now, now->provider->check->interval);
                   });
}

void HealthChecker::note(const ProviderEntry &provider, const Result<FetchResponse> &response)
{
    constexpr int firstFailure = 500;
    const bool isGood = response && response->status < firstFailure;
    if (!provider.health->noteCheck(provider.check->limits, isGood))
        return;
    if (isGood) {
        qCWarning(healthLog, "provider %s is well again", provider.name.c_str());
        return;
    }
    const std::string why
        = response ? "it answered " + std::to_string(response->status) : response.error().message();
    qCWarning(healthLog,
              "provider %s is unwell and is asked after others: %s",
              provider.name.c_str(),
              why.c_str());
}

} // namespace gatehouse::net
