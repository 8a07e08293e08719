// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/exchange.h"
#include "gateway/pipeline/verdict.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse {

/// The hooks that a policy wants to be called for, as bits of a set.
enum class PolicyPhase : std::uint8_t {
    RequestHead = 1,
    RequestBody = 2,
    ResponseHead = 4,
    ResponseBody = 8,
    End = 16,
    Attempt = 32
};
constexpr std::uint8_t operator|(PolicyPhase a, PolicyPhase b)
{
    return static_cast<std::uint8_t>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

/// One configured policy. Shared by all workers and const; what changes lies in the exchange or in a
/// state of PolicyContext::state, which has its own lock. Made from its config by the factory of its PolicyType.
class Policy
{
public:
    Policy() = default;
    virtual ~Policy() = default;
    Policy(const Policy &) = delete;
    Policy(Policy &&) = delete;
    Policy &operator=(const Policy &) = delete;
    Policy &operator=(Policy &&) = delete;

    /// Set of PolicyPhase. RequestBody makes the gateway gather the whole body first, so name it only
    /// where the config needs it. Asked once, when the snapshot is built.
    [[nodiscard]] virtual std::uint8_t phases() const = 0;

    /// True where it may say of a request without a virtual key who asks (Exchange::setClient): policies
    /// for some clients only have to stand behind it. Asked when the snapshot is built.
    [[nodiscard]] virtual bool mayNameClient() const { return false; }

    /// Asked after all heads passed, of a policy with the phase RequestBody: false where this exchange's
    /// body need not be gathered for it. onRequestBody is called all the same.
    [[nodiscard]] virtual bool readsBody(const Exchange &) const { return true; }

    /// The head is here; in the order of the policies. May change the request, pause or answer.
    [[nodiscard]] virtual Verdict onRequestHead(Exchange &) const { return Continue{}; }
    /// The whole request is here, its body too, which is empty where there is none (GET, upgrades).
    /// After all onRequestHead. The head can still be changed.
    [[nodiscard]] virtual Verdict onRequestBody(Exchange &) const { return Continue{}; }
    /// It is known what became of the last of Exchange::attempts(): its answer has begun, or there is none, or,
    /// beside that, it broke off. At once, however long the exchange goes on.
    virtual void onAttempt(Exchange &) const {}
    /// The head of the answer is here, before the client sees it: the provider's or, if this policy
    /// let the request pass, one that a later policy or the gateway itself gives. In reverse order.
    virtual void onResponseHead(Exchange &) const {}
    /// A piece of the provider's answer is about to be passed on, of any length: as the client will have it,
    /// without its framing, in the codings that its head names; empty where it is held back for now.
    /// Exchange::answer() knows of it already. In the order of
    /// onResponseHead. A reply breaks the answer off before this piece: it is said as streams of the
    /// dialect say an error where that can be said, and none of the piece passes. Not for tunnels.
    [[nodiscard]] virtual std::optional<Reply> onResponseBody(Exchange &, std::string_view) const
    {
        return std::nullopt;
    }
    /// The exchange is over, however it ended, once for every policy whose onRequestHead it came to: also
    /// where it was refused, by this policy or another. Nothing of it can be changed any more.
    virtual void onEnd(Exchange &) const {}

    /// True where web pages of this origin (the value of an Origin field) may send requests, so that
    /// the guard against browsers lets them through to the policies. Of policies in force, not of observing ones.
    [[nodiscard]] virtual bool listsOrigin([[maybe_unused]] std::string_view origin) const
    {
        return false;
    }
};

} // namespace gatehouse
