// SPDX-License-Identifier: GPL-3.0-or-later
// Provers of the types that say how much.
#include "gateway/base/money.h"
#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/prove/provers.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

namespace {

/// More are not sent to come to the end of a limit.
constexpr std::int64_t mostRequests = 50'000;
constexpr std::int64_t beyondEveryBudget = std::int64_t{1} << 50; ///< tokens

/// The header that \a key reads, also in an expression (attributes.headers['x-user']); empty: none.
std::string headerIn(std::string_view key)
{
    constexpr std::string_view word = "header:";
    if (key.starts_with(word))
        return std::string(key.substr(word.size()));
    const std::size_t headers = key.starts_with("#[") ? key.find("headers") : std::string::npos;
    if (headers == std::string::npos)
        return {};
    key.remove_prefix(headers + std::string_view("headers").size());
    const auto isNamePart = [](char c) { return isAlphanumeric(c) || c == '-' || c == '_'; };
    const auto *begin = std::ranges::find_if(key, isNamePart);
    return {begin, std::find_if_not(begin, key.end(), isNamePart)};
}

/// The one that comes next, said in other ways: whoever is counted stays who he is.
std::vector<Probe> otherWays(Trial &trial)
{
    std::vector<Probe> probes = trial.everywhere(trial.model());
    for (const KeyPlace carrier : {KeyPlace::XApiKey, KeyPlace::ApiKey, KeyPlace::Query}) {
        probes.push_back(trial.good());
        probes.back().what = "with another carrier";
        probes.back().carrier = carrier;
    }
    const std::string header = headerIn(trial.config().text("key", "client"));
    if (!header.empty()) {
        for (const char *value : {"gatehouse-prove-1", "gatehouse-prove-2"}) {
            probes.push_back(trial.good());
            probes.back().what = "with another " + header + ", which the client chooses";
            probes.back().headers.emplace_back(header, value);
        }
    }
    return probes;
}

/// The request behind so many others must not pass, however it is said.
void exhaust(Trial &trial, std::int64_t requests)
{
    for (std::int64_t i = 0; i < requests; ++i)
        (void)trial.sink().send(trial.route(), trial.good());
    for (const Probe &probe : otherWays(trial))
        trial.mustStopNow(probe);
}

void proveRateLimit(Trial &trial)
{
    std::int64_t least = 0;
    for (const ConfigReader &limit : trial.config().records("limits")) {
        const std::int64_t requests = limit.number("requests", 0);
        least = least == 0 ? requests : std::min(least, requests);
    }
    if (least > mostRequests) {
        trial.notProven("so many requests are not sent here to come to the end of it");
        return;
    }
    exhaust(trial, least);
}

void proveSpikeControl(Trial &trial)
{
    const std::int64_t atOnce
        = trial.config().number("requests", 1) + trial.config().number("queue", 0);
    if (atOnce > mostRequests) {
        trial.notProven("so many requests are not sent here to come to the end of it");
        return;
    }
    std::vector<std::unique_ptr<Sink::Request>> held;
    for (std::int64_t i = 0; i < atOnce; ++i)
        held.push_back(trial.sink().send(trial.route(), trial.good()));
    for (const Probe &probe : otherWays(trial))
        trial.mustStopNow(probe);
}

void proveConcurrency(Trial &trial)
{
    const std::int64_t most = trial.config().number("max", 1);
    if (most > mostRequests) {
        trial.notProven("so many requests are not sent here to come to the end of it");
        return;
    }
    std::vector<std::unique_ptr<Sink::Request>> held;
    for (std::int64_t i = 0; i < most; ++i)
        held.push_back(trial.sink().send(trial.route(), trial.good()));
    for (const Probe &probe : otherWays(trial))
        trial.mustStopNow(probe);
}

/// Requests that may use \a tokens of output, at once, until one is stopped.
void proveTokens(Trial &trial, std::int64_t tokens)
{
    const std::string body = "{\"model\":\"" + trial.model()
                             + "\",\"messages\":[{\"content\":\"hi\"}],\"max_tokens\":";
    Probe probe = trial.good();
    probe.what = "output beyond the limit";
    if (trial.route().dialectName == "gemini")
        probe.body = "{\"contents\":[],\"generationConfig\":{\"maxOutputTokens\":"
                     + std::to_string(tokens) + "}}";
    else
        probe.body = body + std::to_string(tokens) + "}";
    trial.mustStopHowever(probe);
    Probe upgrade = trial.good();
    upgrade.what = "a WebSocket, whose use nobody sees";
    upgrade.method = "GET";
    upgrade.body.clear();
    upgrade.isUpgrade = true;
    trial.mustStop(upgrade);
}

void proveTokenLimit(Trial &trial)
{
    std::int64_t least = 0;
    for (const ConfigReader &limit : trial.config().records("limits")) {
        const std::int64_t tokens = limit.number("tokens", 0);
        least = least == 0 ? tokens : std::min(least, tokens);
    }
    if (trial.config().text("count", "total") == "input") {
        trial.notProven("what requests say of their input is not tried");
        return;
    }
    proveTokens(trial, least + 1);
}

void proveBudget(Trial &trial)
{
    if (trial.config().text("unknownPrice", "refuse") == "refuse") {
        for (const Probe &probe : trial.everywhere("gatehouse-prove-model"))
            trial.mustStopHowever(probe);
    } else {
        trial.notProven("unknownPrice: allow lets models without a price pass uncounted");
    }
    proveTokens(trial, beyondEveryBudget);
}

/// The trial's client has the tier that clients have where nothing is said.
void proveSlaTier(Trial &trial)
{
    const std::string tier = ClientSpec{}.tier;
    const auto tiers = trial.config().record("tiers");
    const auto limits = tiers ? tiers->record(tier) : std::nullopt;
    if (!limits) {
        trial.notProven("there is no tier " + tier + ", which the clients of this trial have");
        return;
    }
    const std::int64_t requests = limits->number("requests", 0);
    if (requests == 0 && limits->number("tokens", 0) == 0 && limits->text("amount").empty()) {
        trial.notProven("the tier " + tier + " may use everything");
        return;
    }
    if (const std::int64_t tokens = limits->number("tokens", 0); tokens != 0)
        proveTokens(trial, tokens + 1);
    else if (!limits->text("amount").empty())
        proveTokens(trial, beyondEveryBudget);
    if (requests > mostRequests)
        trial.notProven("so many requests are not sent here to come to the end of it");
    else if (requests != 0)
        exhaust(trial, requests);
}

void proveTimeout(Trial &trial)
{
    constexpr auto waits
        = std::to_array<std::pair<std::string_view, Wait>>({{"connect", Wait::Connect},
                                                            {"firstByte", Wait::FirstByte},
                                                            {"idle", Wait::Idle},
                                                            {"total", Wait::Total}});
    for (const auto &[name, wait] : waits) {
        const std::string text = trial.config().text(name);
        if (text.empty() || text.starts_with('0'))
            continue;
        for (const Probe &probe : trial.everywhere(trial.model())) {
            trial.mustChange(probe, [wait = wait](const Exchange &exchange) {
                return exchange.timeLimit(wait).has_value();
            });
        }
    }
}

void proveRetry(Trial &trial)
{
    for (const Probe &probe : trial.everywhere(trial.model())) {
        trial.mustChange(
            probe, [](const Exchange &exchange) { return exchange.retrySetting() != nullptr; });
    }
}

/// The same turn, answered as often as it may be; what slows it is waited for.
void proveLoopGuard(Trial &trial)
{
    const std::int64_t repeats = trial.config().number("repeats", 8);
    if (repeats > mostRequests) {
        trial.notProven("so many requests are not sent here to come to the end of it");
        return;
    }
    constexpr std::chrono::milliseconds step{250};
    constexpr int mostSteps = 100;
    for (std::int64_t i = 0; i < repeats; ++i) {
        const auto request = trial.sink().send(trial.route(), trial.good());
        for (int steps = 0; request->isHeld() && steps < mostSteps; ++steps)
            trial.sink().services().advance(step);
        request->answer(200);
    }
    std::vector<Probe> probes{trial.good()};
    for (const KeyPlace carrier : {KeyPlace::XApiKey, KeyPlace::ApiKey, KeyPlace::Query}) {
        probes.push_back(trial.good());
        probes.back().what = "with another carrier";
        probes.back().carrier = carrier;
    }
    probes.push_back(trial.good());
    probes.back().what = "written in another way";
    probes.back().body.insert(1, " ");
    probes.push_back(trial.good());
    probes.back().what = "in chunks";
    probes.back().isChunked = true;
    for (const Probe &probe : probes)
        trial.mustStopNow(probe);
}

/// All providers of the route fail, so often that none is left.
void proveCircuitBreaker(Trial &trial)
{
    const std::int64_t requests = trial.config().number("minRequests", 20);
    if (requests > mostRequests) {
        trial.notProven("so many requests are not sent here for it to open");
        return;
    }
    for (std::int64_t i = 0; i < requests; ++i)
        trial.sink().send(trial.route(), trial.good())->answer(500);
    for (const Probe &probe : otherWays(trial))
        trial.mustStopNow(probe);
}

/// No provider answers here, so nothing is kept; but what would get the same answer waits for it, and only
/// that does. tests/faults/cache.py has a provider.
void proveResponseCache(Trial &trial)
{
    const std::vector<std::string> key = trial.config().texts("key");
    if (!key.empty() && std::ranges::find(key, "client") == key.end()) {
        trial.notProven("key has no client, so all clients share their answers");
        return;
    }
    const auto first = trial.sink().send(trial.route(), trial.good());
    if (trial.sink().send(trial.route(), trial.good())->heldBy() != trial.setting().entry->name()) {
        trial.notProven("it keeps no answers of " + trial.good().path);
        return;
    }
    trial.mustStopNow(trial.good());
    Probe other = trial.good();
    other.what = "another client";
    other.key = trial.setting().otherKey;
    if (other.key.empty())
        trial.notProven("there is no other client to try it with");
    else
        trial.mustNotWait(other);
    for (const char *field : {"Authorization", "x-api-key", "Cookie"}) {
        Probe own = trial.good();
        own.what = std::string("with another ") + field;
        own.carrier = KeyPlace::XGoogApiKey;
        own.headers.emplace_back(field, "gatehouse-prove");
        trial.mustNotWait(own);
    }
    Probe apart = trial.good();
    apart.what = "no-store";
    apart.headers.emplace_back("Cache-Control", "no-store");
    trial.mustNotWait(apart);
}

} // namespace

Prover quotaProver(std::string_view type)
{
    static constexpr auto rows = std::to_array<std::pair<std::string_view, Prover>>(
        {{"rate-limit", &proveRateLimit},
         {"spike-control", &proveSpikeControl},
         {"concurrency", &proveConcurrency},
         {"token-limit", &proveTokenLimit},
         {"budget", &proveBudget},
         {"sla-tier", &proveSlaTier},
         {"loop-guard", &proveLoopGuard},
         {"circuit-breaker", &proveCircuitBreaker},
         {"timeout", &proveTimeout},
         {"retry", &proveRetry},
         {"response-cache", &proveResponseCache}});
    const auto *row = std::ranges::find(rows, type, &std::pair<std::string_view, Prover>::first);
    return row == rows.end() ? nullptr : row->second;
}

} // namespace gatehouse
