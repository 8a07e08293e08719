// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/jsonwebtoken.h"
#include "gateway/pipeline/services.h"
#include "gateway/secrets/digest.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gatehouse {

/// What an authorization server said of a token. RFC 7662 §2.2.
struct Introspection
{
    bool isActive = false;
    std::vector<std::string> scopes = {};
    std::optional<std::string> client = {}; ///< what the member asked for says, if it is a text
    std::optional<double> expiry = {};      ///< seconds since 1970
};

/// Answers and open questions, shared by all workers. Tokens are known by their digest alone. Refusals
/// have a shelf of their own, so that made-up tokens drive no real one out. Any thread.
class IntrospectionCache
{
public:
    using Time = std::chrono::steady_clock::time_point;
    /// The error says why there is none.
    using Answer = Result<std::shared_ptr<const Introspection>, std::string>;

    /// How long "not active" is kept at most: a token may become known a moment after it was asked about.
    static constexpr std::chrono::milliseconds refusalTime{5'000};
    static constexpr std::size_t mostRefusals = 1'000;

    struct Waiter
    {
        std::function<void(std::function<void()>)> post; ///< of Services::poster
        std::function<void(const Answer &)> done;
    };
    struct Keeping
    {
        std::chrono::milliseconds time{0}; ///< 0: not at all
        std::size_t entries = 1;           ///< that are active
    };

    /// Null where it has to be asked.
    [[nodiscard]] std::shared_ptr<const Introspection> find(const Sha256 &token, Time now);
    /// Waits for the answer to a question. True for the first who does: the others count on it to ask and
    /// settle().
    [[nodiscard]] bool join(const Sha256 &token, Waiter waiter);
    /// Tells those who wait, and keeps the answer, if it is one.
    void settle(const Sha256 &token, const Answer &answer, Time now, const Keeping &keeping);

private:
    struct DigestHash
    {
        std::size_t operator()(const Sha256 &digest) const;
    };

    /// Answers, the one used last first.
    class Shelf
    {
    public:
        [[nodiscard]] std::shared_ptr<const Introspection> find(const Sha256 &token, Time now);
        void put(const Sha256 &token,
                 std::shared_ptr<const Introspection> answer,
                 Time until,
                 std::size_t limit);

    private:
        struct Entry
        {
            Sha256 token;
            std::shared_ptr<const Introspection> answer;
            Time until;
        };
        void remove(const Sha256 &token);

        std::list<Entry> m_entries;
        std::unordered_map<Sha256, std::list<Entry>::iterator, DigestHash> m_index;
    };

    std::mutex m_mutex;
    Shelf m_active;
    Shelf m_refused;
    std::unordered_map<Sha256, std::vector<Waiter>, DigestHash> m_questions;
};

/// Reads what an introspection endpoint answered. An answer that could be taken in two ways is none.
[[nodiscard]] IntrospectionCache::Answer
readIntrospection(const Result<FetchResponse> &response,
                  const std::optional<ClaimPath> &clientClaim);

} // namespace gatehouse
