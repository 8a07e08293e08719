// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/exchangelog.h"

#include "gateway/base/text.h"
#include "gateway/pipeline/pipeline.h"

#include <QLoggingCategory>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace gatehouse::net {

namespace {

Q_LOGGING_CATEGORY(policyLog, "gatehouse.policy", QtWarningMsg)
Q_LOGGING_CATEGORY(attemptLog, "gatehouse.attempts", QtWarningMsg)
Q_LOGGING_CATEGORY(usageLog, "gatehouse.usage", QtWarningMsg)

std::string_view wordOf(Decision::Kind kind)
{
    switch (kind) {
    case Decision::Kind::Pass:
        return "passes";
    case Decision::Kind::Refuse:
        return "refuses";
    case Decision::Kind::Change:
        return "changes";
    case Decision::Kind::WouldRefuse:
        return "would refuse";
    case Decision::Kind::WouldChange:
        return "would change";
    case Decision::Kind::Error:
        return "cannot decide";
    }
    return {};
}

/// Details are reasons and messages of policies, which hold no secret.
void logDecisions(const Exchange &exchange)
{
    for (const Decision &decision : exchange.decisions()) {
        if (decision.kind == Decision::Kind::Pass)
            continue;
        const std::string line = std::string(exchange.requestId()) + ": policy "
                                 + std::string(decision.policy->name()) + " ("
                                 + std::string(decision.policy->type()) + ") "
                                 + std::string(wordOf(decision.kind))
                                 + (decision.detail.empty() ? "" : ": " + decision.detail);
        qCInfo(policyLog, "%s", line.c_str());
    }
}

/// Where there were several: `req-1: attempt 1 at openai answered 503 after 12 ms`.
void logAttempts(const Exchange &exchange)
{
    using std::chrono::milliseconds;
    for (std::size_t i = 0; i < exchange.attempts().size(); ++i) {
        const Attempt &attempt = exchange.attempts()[i];
        std::string line = std::string(exchange.requestId()) + ": attempt " + std::to_string(i + 1)
                           + " at " + std::string(attempt.provider);
        line += attempt.status != 0 ? " answered " + std::to_string(attempt.status) : " failed";
        line += " after "
                + std::to_string(std::chrono::duration_cast<milliseconds>(attempt.time).count())
                + " ms";
        if (attempt.error)
            line.append(": ").append(errorInfo(*attempt.error).reason);
        qCInfo(attemptLog, "%s", line.c_str());
    }
}

/// The model is whatever the provider says: what could pass for another part of the log is quoted.
std::string modelOf(const Usage &usage)
{
    const bool isPlain = std::ranges::none_of(
        usage.model, [](char c) { return isControl(c) || c == ' ' || c == '"'; });
    if (usage.model.empty())
        return "-";
    return isPlain ? usage.model : inQuotes(usage.model);
}

/// What an answer used and cost, where it said so: `req-1: openai gpt-x input 10 … cost 0.0001 USD`.
void logUsage(const Exchange &exchange, const PriceTable &prices)
{
    const Usage &usage = exchange.answer().usage;
    if (!usage.hasTokens() && !usage.reportedMicroUsd)
        return;
    std::string line = std::string(exchange.requestId()) + ": " + std::string(exchange.provider())
                       + " " + modelOf(usage);
    const auto add = [&line](std::string_view name, const Usage::Tokens &tokens) {
        if (tokens)
            line.append(" ").append(name).append(" ").append(std::to_string(*tokens));
    };
    add("input", usage.input);
    add("cache-read", usage.cacheRead);
    add("cache-write-5m", usage.cacheWrite5m);
    add("cache-write-1h", usage.cacheWrite1h);
    add("output", usage.output);
    add("reasoning", usage.reasoning);
    const auto cost = prices.cost(usage, exchange.provider(), usage.model);
    line += cost ? ", cost " + formatMoney(*cost) : ", price unknown";
    if (!exchange.answer().isUsageFinal)
        line += ", so far";
    qCInfo(usageLog, "%s", line.c_str());
}

} // namespace

void logExchange(const Exchange &exchange, const PriceTable &prices)
{
    if (policyLog().isInfoEnabled())
        logDecisions(exchange);
    if (attemptLog().isInfoEnabled() && exchange.attempts().size() > 1)
        logAttempts(exchange);
    if (usageLog().isInfoEnabled())
        logUsage(exchange, prices);
}

} // namespace gatehouse::net
