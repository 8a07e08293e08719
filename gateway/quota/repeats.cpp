// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/repeats.h"

#include <algorithm>
#include <random>

namespace gatehouse::quota {

Repeats::Repeats()
{
    std::random_device random;
    for (std::uint64_t &word : m_key)
        word = std::uint64_t{random()} << 32 | random();
}

Repeats::Thing &Repeats::thingOf(Stripe &stripe, const Hash128 &hash)
{
    if (const auto found = stripe.byHash.find(hash); found != stripe.byHash.end()) {
        stripe.things.splice(stripe.things.begin(), stripe.things, found->second);
        return stripe.things.front();
    }
    if (stripe.things.size() >= most / stripes) {
        stripe.byHash.erase(stripe.things.back().hash);
        stripe.things.pop_back();
    }
    stripe.things.push_front({.hash = hash, .rounds = {}});
    stripe.byHash[hash] = stripe.things.begin();
    return stripe.things.front();
}

Repeats::Count Repeats::take(std::string_view thing, const Limit &limit, Time now)
{
    const Hash128 hash = sipHash(thing, m_key);
    Stripe &stripe = m_stripes[hash[0] % stripes];
    const std::lock_guard lock(stripe.mutex);
    std::vector<Round> &rounds = thingOf(stripe, hash).rounds;
    std::erase_if(rounds, [&](const Round &round) { return now - round.begin >= limit.per; });
    const auto times = static_cast<std::int64_t>(rounds.size());
    if (!rounds.empty() && !rounds.back().hasEnded && times <= limit.amount) {
        ++rounds.back().underWay;
        return {.isGranted = true, .times = times, .ticket = {hash, rounds.back().number}};
    }
    if (times >= limit.amount) {
        // A reload may have lowered the limit below what is counted.
        const Round &oldest = rounds[static_cast<std::size_t>(times - limit.amount)];
        return {.times = times + 1, .wait = limit.per - (now - oldest.begin)};
    }
    rounds.push_back({.number = ++stripe.lastRound, .begin = now, .underWay = 1});
    return {.isGranted = true, .times = times + 1, .ticket = {hash, stripe.lastRound}};
}

void Repeats::end(const Ticket &ticket, bool succeeded)
{
    Stripe &stripe = m_stripes[ticket.hash[0] % stripes];
    const std::lock_guard lock(stripe.mutex);
    const auto found = stripe.byHash.find(ticket.hash);
    if (found == stripe.byHash.end())
        return; // forgotten meanwhile
    std::vector<Round> &rounds = found->second->rounds;
    const auto round = std::ranges::find(rounds, ticket.round, &Round::number);
    if (round == rounds.end())
        return; // too old to count
    round->hasEnded = true;
    round->hasSucceeded = round->hasSucceeded || succeeded;
    if (--round->underWay == 0 && !round->hasSucceeded)
        rounds.erase(round);
}

std::size_t Repeats::size() const
{
    std::size_t size = 0;
    for (const Stripe &stripe : m_stripes) {
        const std::lock_guard lock(stripe.mutex);
        size += stripe.things.size();
    }
    return size;
}

} // namespace gatehouse::quota
