// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/snapshot.h"
#include "gateway/http/contentdecoder.h"
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
/// shows it to policies, takes out again what was only told because the gateway asked, and knows how the
/// client is told that an answer ends early. Of one relay; reused.
class AnswerWatch
{
public:
    AnswerWatch() = default;
    Q_DISABLE_COPY_MOVE(AnswerWatch)

    /// The answer's head, as the provider sent it.
    void begin(Exchange &exchange, const RouteEntry &route, const http::ResponseHead &head);
    /// The answer is passed on changed: without its codings, and of another length than it says.
    [[nodiscard]] bool changesBody() const { return m_filter != nullptr; }
    /// More of its body, before it is passed on. A reply: the answer is to be broken off instead.
    [[nodiscard]] std::optional<Reply> take(std::string_view bytes);
    /// Where it changesBody(): what is to be passed on for what was taken; valid until the next take().
    [[nodiscard]] std::string_view changed() const { return m_changed; }
    /// Likewise, before end(): what was held back is changed() now. A reply as from take().
    [[nodiscard]] std::optional<Reply> takeRest();
    /// The answer is over; \a isWhole: with its last byte.
    void end(bool isWhole);
    /// What is appended to the answer to say that \a reply ends it, so that the SDK raises its error;
    /// empty where no bytes can say so and only the broken connection tells.
    [[nodiscard]] std::string errorEvent(const Reply &reply) const;

private:
    void read(std::string_view decoded);
    [[nodiscard]] std::optional<Reply> show(std::string_view passed);

    Exchange *m_exchange = nullptr; ///< null: no answer is under way
    const RouteEntry *m_route = nullptr;
    std::unique_ptr<UsageReader> m_usage; ///< null: the answer cannot tell
    std::optional<http::ContentDecoder> m_decoder;
    std::unique_ptr<UsageChunkFilter> m_filter; ///< null: nothing is taken out
    std::string m_changed;
    std::string m_contentType;
    std::string m_lastBytes; ///< of what was passed on, up to two
    bool m_isCoded = false;
    bool m_isShown = false; ///< to policies
};

} // namespace gatehouse::net
