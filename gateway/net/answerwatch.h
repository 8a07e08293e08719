// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/snapshot.h"
#include "gateway/http/head.h"
#include "gateway/pipeline/exchange.h"

#include <QtGlobal>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::net {

/// Looks at a provider's answer while it is passed on: reads what it used into Exchange::answerSoFar(),
/// shows it to policies, and knows how its client is told that it ends early. Of one relay; reused.
class AnswerWatch
{
public:
    AnswerWatch() = default;
    Q_DISABLE_COPY_MOVE(AnswerWatch)

    /// The answer's head, as the provider sent it.
    void begin(Exchange &exchange, const RouteEntry &route, const http::ResponseHead &head);
    /// More of its body, before it is passed on. A reply: the answer is to be broken off instead.
    [[nodiscard]] std::optional<Reply> take(std::string_view bytes);
    /// The answer is over; \a isWhole: with its last byte.
    void end(bool isWhole);
    /// What is appended to the answer to say that \a reply ends it, so that the SDK raises its error;
    /// empty where no bytes can say so and only the broken connection tells.
    [[nodiscard]] std::string errorEvent(const Reply &reply) const;

private:
    Exchange *m_exchange = nullptr; ///< null: no answer is under way
    const RouteEntry *m_route = nullptr;
    std::unique_ptr<UsageReader> m_usage; ///< null: the answer cannot tell
    std::string m_contentType;
    bool m_isCoded = false;
    bool m_isShown = false; ///< to policies
};

} // namespace gatehouse::net
