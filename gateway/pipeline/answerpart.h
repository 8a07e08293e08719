// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/answercache.h"
#include "gateway/pipeline/exchange.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace gatehouse {

/// What an exchange has to do with a cache of answers: it waits for one, or gathers one. Whatever becomes of
/// the exchange, who waits for it is told, and the memory is given back.
class AnswerPart final : public PolicyState
{
public:
    /// Of an answer that is kept, but no more than an eighth of all of them.
    static constexpr std::size_t longestAnswer = std::size_t{8} << 20;

    enum class Role : std::uint8_t {
        None,
        Waits,
        Leads, ///< others may wait for its answer
        Renews ///< nobody does, but its answer is kept
    };
    struct Place
    {
        std::shared_ptr<AnswerCache> cache;
        std::size_t maxBytes = 0;
    };

    AnswerPart() = default;
    ~AnswerPart() override { giveUp(); }
    AnswerPart(const AnswerPart &) = delete;
    AnswerPart(AnswerPart &&) = delete;
    AnswerPart &operator=(const AnswerPart &) = delete;
    AnswerPart &operator=(AnswerPart &&) = delete;

    /// \a waiter: of one that waits.
    void begin(Place place,
               const AnswerCache::Key &key,
               Role role,
               std::shared_ptr<AnswerCache::Waiter> waiter = {});
    [[nodiscard]] bool gathersOrMay() const
    {
        return m_role == Role::Leads || m_role == Role::Renews;
    }
    /// The waiter was told; it leads, or there is nothing more to do.
    void setTold(bool leads);
    /// Waits no more; false where it was told already, or is about to be.
    [[nodiscard]] bool leave();

    /// The answer has begun.
    void gather(KeptAnswer answer);
    /// Null where nothing is gathered.
    [[nodiscard]] const KeptAnswer *gathered() const { return m_answer.get(); }
    /// Of its body; false where that is too long, or others take all the room.
    [[nodiscard]] bool append(std::string_view bytes);
    /// It is complete: all who wait have it, and it is kept.
    void keep(std::chrono::steady_clock::time_point now);
    /// Nothing is kept of it; who waits for longest leads now.
    void giveUp();

private:
    Place m_place;
    AnswerCache::Key m_key{};
    std::shared_ptr<AnswerCache::Waiter> m_waiter;
    std::unique_ptr<KeptAnswer> m_answer;
    std::size_t m_reserved = 0;
    Role m_role = Role::None;
};

} // namespace gatehouse
