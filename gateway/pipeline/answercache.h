// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/verdict.h"
#include "gateway/secrets/digest.h"

#include <chrono>
#include <cstddef>
#include <cstring>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace gatehouse {

/// An answer as the client had it, without its framing.
struct KeptAnswer
{
    std::chrono::steady_clock::time_point at; ///< when it was complete
    std::vector<Header> headers;              ///< besides contentType
    std::string contentType;
    std::string body; ///< in the codings that the headers name
    bool streams = false;

    /// Bytes of memory, about.
    [[nodiscard]] std::size_t size() const;
};

/// Answers by the digest of their request, the longest unused forgotten first, and the requests that are
/// under way for one: of several that are the same one leads and the others wait for its answer. Answers
/// that are being gathered count as kept ones. Any thread; callbacks come without its lock.
class AnswerCache
{
public:
    using Key = Sha256;
    using TimePoint = std::chrono::steady_clock::time_point;
    /// More than these go their own way.
    static constexpr std::size_t mostWaiting = 4096;

    /// Who waits. Of whoever made it; the call comes once, in any thread.
    struct Waiter
    {
        /// With the answer; null: none came, and whoever is told leads now.
        std::function<void(std::shared_ptr<const KeptAnswer>)> told;
    };

    struct Found
    {
        enum class Place : std::uint8_t {
            Hit,  ///< answer is there
            Lead, ///< nobody is under way: endLead() or keep() is to be called, once
            Wait, ///< somebody is, and the waiter will be told
            Apart ///< somebody is, and nobody may wait
        };
        Place place = Place::Apart;
        std::shared_ptr<const KeptAnswer> answer = {};
    };

    AnswerCache() = default;
    AnswerCache(const AnswerCache &) = delete;
    AnswerCache(AnswerCache &&) = delete;
    AnswerCache &operator=(const AnswerCache &) = delete;
    AnswerCache &operator=(AnswerCache &&) = delete;
    ~AnswerCache() = default;

    /// \a ttl: the age from which an answer is forgotten. \a makeWaiter is called where there is somebody to
    /// wait for, under the lock; null: it would not wait.
    [[nodiscard]] Found find(const Key &key,
                             TimePoint now,
                             std::chrono::milliseconds ttl,
                             const std::function<std::shared_ptr<Waiter>()> &makeWaiter);
    /// No answer came of the lead that can be kept: who waits for longest has it now.
    void endLead(const Key &key);
    /// True where it still waited: it will not be told. False: it was told, or is about to be.
    [[nodiscard]] bool leave(const Key &key, const std::shared_ptr<Waiter> &waiter);

    /// Makes room for \a bytes of an answer that is being gathered; false where others take all of
    /// \a maxBytes. To be given back by release() or keep().
    [[nodiscard]] bool reserve(std::size_t bytes, std::size_t maxBytes);
    void release(std::size_t bytes);
    /// Keeps \a answer, in the place of \a reserved bytes. \a isLead: all who wait for it have it too.
    void keep(const Key &key,
              const std::shared_ptr<const KeptAnswer> &answer,
              std::size_t reserved,
              std::size_t maxBytes,
              bool isLead);

    // For tests
    [[nodiscard]] std::size_t bytes() const;
    [[nodiscard]] std::size_t waiting() const;

private:
    struct Hash
    {
        std::size_t operator()(const Key &key) const
        {
            std::size_t hash = 0;
            std::memcpy(&hash, key.data(), sizeof hash);
            return hash;
        }
    };
    struct Entry
    {
        Key key;
        std::shared_ptr<const KeptAnswer> answer;
        std::size_t size = 0;
    };
    using Entries = std::list<Entry>; ///< the last used first
    using Waiters = std::deque<std::shared_ptr<Waiter>>;

    /// What is taken out goes to \a gone, to be freed without the lock.
    void drop(Entries::iterator entry, Entries &gone);
    [[nodiscard]] bool makeRoom(std::size_t bytes, std::size_t maxBytes, Entries &gone);

    mutable std::mutex m_mutex;
    Entries m_entries;
    std::unordered_map<Key, Entries::iterator, Hash> m_byKey;
    std::unordered_map<Key, Waiters, Hash> m_underWay; ///< a lead each
    std::size_t m_bytes = 0;                           ///< of entries and of what is reserved
    std::size_t m_waiting = 0;
};

} // namespace gatehouse
