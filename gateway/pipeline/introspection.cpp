// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/introspection.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gatehouse {

namespace {

Unexpected<std::string> malformed(std::string_view problem)
{
    return Unexpected(std::string("the introspection endpoint ").append(problem));
}

} // namespace

IntrospectionCache::Answer readIntrospection(const Result<FetchResponse> &response,
                                             const std::optional<ClaimPath> &clientClaim)
{
    if (!response)
        return malformed("does not answer: " + response.error().message());
    if (response->status == 401 || response->status == 403)
        return malformed("does not let the gateway ask; check authorization");
    if (response->status != 200)
        return malformed("answered with status " + std::to_string(response->status));
    json::Document document;
    if (!document.parse(response->body, {.maxDepth = 32, .maxNodes = 1U << 14})
        || !document.root().isObject())
        return malformed("answered with something else than a JSON object");
    const json::Value root = document.root();
    const auto active = root.find("active");
    if (!active || !active->boolean())
        return malformed("did not say whether the token is active");
    auto result = std::make_shared<Introspection>();
    result->isActive = *active->boolean();
    if (!result->isActive)
        return std::shared_ptr<const Introspection>(std::move(result));
    if (!readNumericDate(root, "exp", result->expiry))
        return malformed("answered with an exp that is no date");
    if (const auto scope = root.find("scope")) {
        if (!scope->text())
            return malformed("answered with a scope that is no text");
        for (const std::string_view word : split(*scope->text(), ' '))
            result->scopes.emplace_back(word);
    }
    if (clientClaim)
        result->client = clientClaim->textIn(root);
    return std::shared_ptr<const Introspection>(std::move(result));
}

std::size_t IntrospectionCache::DigestHash::operator()(const Sha256 &digest) const
{
    std::size_t value = 0;
    std::memcpy(&value, digest.data(), sizeof value);
    return value;
}

std::shared_ptr<const Introspection> IntrospectionCache::Shelf::find(const Sha256 &token, Time now)
{
    const auto found = m_index.find(token);
    if (found == m_index.end())
        return nullptr;
    if (found->second->until <= now) {
        remove(token);
        return nullptr;
    }
    m_entries.splice(m_entries.begin(), m_entries, found->second);
    return found->second->answer;
}

void IntrospectionCache::Shelf::put(const Sha256 &token,
                                    std::shared_ptr<const Introspection> answer,
                                    Time until,
                                    std::size_t limit)
{
    remove(token);
    m_entries.push_front({token, std::move(answer), until});
    m_index.emplace(token, m_entries.begin());
    while (m_entries.size() > limit)
        remove(Sha256(m_entries.back().token));
}

void IntrospectionCache::Shelf::remove(const Sha256 &token)
{
    const auto found = m_index.find(token);
    if (found == m_index.end())
        return;
    m_entries.erase(found->second);
    m_index.erase(found);
}

std::shared_ptr<const Introspection> IntrospectionCache::find(const Sha256 &token, Time now)
{
    const std::lock_guard lock(m_mutex);
    auto answer = m_active.find(token, now);
    return answer ? answer : m_refused.find(token, now);
}

bool IntrospectionCache::join(const Sha256 &token, Waiter waiter)
{
    const std::lock_guard lock(m_mutex);
    std::vector<Waiter> &waiters = m_questions[token];
    waiters.push_back(std::move(waiter));
    return waiters.size() == 1;
}

void IntrospectionCache::settle(const Sha256 &token,
                                const Answer &answer,
                                Time now,
                                const Keeping &keeping)
{
    std::vector<Waiter> waiters;
    {
        const std::lock_guard lock(m_mutex);
        const auto question = m_questions.find(token);
        waiters = std::move(question->second);
        m_questions.erase(question);
        const bool isKept = answer && keeping.time > std::chrono::milliseconds::zero();
        if (isKept && (*answer)->isActive)
            m_active.put(token, *answer, now + keeping.time, keeping.entries);
        else if (isKept)
            m_refused.put(token, *answer, now + std::min(keeping.time, refusalTime), mostRefusals);
    }
    for (const Waiter &waiter : waiters)
        waiter.post([done = waiter.done, answer] { done(answer); });
}

} // namespace gatehouse
