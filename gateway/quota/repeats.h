// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/quota/siphash.h"
#include "gateway/quota/window.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gatehouse::quota {

/// How often the same thing came in the last stretch of time. What comes while an equal one is under way,
/// and none of them has ended yet, came with it and counts once: samples of one prompt are no repetition.
/// Any thread; a lock for a sixty-fourth of all things.
///
/// Memory: \a most things are known, each with at most `limit.amount` times of 32 bytes; those that were
/// not asked for longest are forgotten first.
class Repeats
{
public:
    static constexpr std::size_t most = 65'536;

    Repeats();

    /// For end(); of one thing that came.
    struct Ticket
    {
        Hash128 hash{};
        std::uint64_t round = 0; ///< 0: it was not counted
    };
    struct Count
    {
        bool isGranted = false;
        std::int64_t times = 0; ///< in the window, with this one
        Duration wait{};        ///< where not granted: until one may come
        Ticket ticket = {};
    };

    /// \a thing came; not granted, and not counted, where it came \a limit.amount times before.
    [[nodiscard]] Count take(std::string_view thing, const Limit &limit, Time now);
    /// It is over. Where none that came with it \a succeeded, they are not counted any more.
    void end(const Ticket &ticket, bool succeeded);

    /// Things that are known.
    [[nodiscard]] std::size_t size() const;

private:
    struct Round
    {
        std::uint64_t number = 0;
        Time begin{};
        std::uint32_t underWay = 0;
        bool hasEnded = false;     ///< one of them: who comes now begins another
        bool hasSucceeded = false; ///< one of them
    };
    struct Thing
    {
        Hash128 hash{};
        std::vector<Round> rounds; ///< in their order
    };
    struct Hasher
    {
        std::size_t operator()(const Hash128 &hash) const { return hash[1]; }
    };
    struct Stripe
    {
        mutable std::mutex mutex;
        std::list<Thing> things; ///< the one asked for last is in front
        std::unordered_map<Hash128, std::list<Thing>::iterator, Hasher> byHash;
        std::uint64_t lastRound = 0;
    };
    static constexpr std::size_t stripes = 64;

    /// In front of the list, made where it is not known.
    [[nodiscard]] static Thing &thingOf(Stripe &stripe, const Hash128 &hash);

    SipKey m_key{};
    std::array<Stripe, stripes> m_stripes;
};

} // namespace gatehouse::quota
