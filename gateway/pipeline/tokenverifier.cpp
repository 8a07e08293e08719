// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/tokenverifier.h"

#include <utility>

namespace gatehouse {

using Outcome = KeySet::Outcome;

/// One token on its way from issuer to issuer; lives in the callback that it waits for.
class TokenVerifier::Inquiry : public std::enable_shared_from_this<Inquiry>
{
public:
    Inquiry(std::shared_ptr<const std::vector<Source>> sources,
            Services &services,
            std::shared_ptr<const JsonWebToken> token,
            std::function<void(const Finding &)> done)
        : m_sources(std::move(sources))
        , m_services(services)
        , m_token(std::move(token))
        , m_done(std::move(done))
        , m_since(services.now())
    {}

    void ask()
    {
        const Source &source = m_sources->at(m_index);
        source.keys->refresh(
            m_services,
            source.settings,
            m_since,
            [self = shared_from_this()](const KeySource::Answer &answer) { self->take(answer); });
    }

private:
    void take(const KeySource::Answer &answer)
    {
        const Outcome outcome = answer.keys ? answer.keys->verify(*m_token) : Outcome::UnknownKey;
        if (outcome == Outcome::Verified) {
            m_done({outcome});
            return;
        }
        if (!answer.isFinal && answer.problem.empty()) {
            ask(); // that fetch had begun before the token came
            return;
        }
        // A forgery stays one while the issuer is down: only a key that is not known may be a new one.
        if (outcome == Outcome::BadSignature)
            m_finding.outcome = outcome;
        else if (!answer.isFinal)
            m_finding.problem = answer.problem;
        if (++m_index < m_sources->size())
            ask();
        else
            m_done(m_finding);
    }

    const std::shared_ptr<const std::vector<Source>> m_sources;
    Services &m_services; ///< of the worker that calls back
    const std::shared_ptr<const JsonWebToken> m_token;
    const std::function<void(const Finding &)> m_done;
    const KeySource::Time m_since;
    std::size_t m_index = 0;
    Finding m_finding;
};

std::optional<TokenVerifier::Finding> TokenVerifier::verifyNow(Services &services,
                                                               const JsonWebToken &token) const
{
    if (!m_problem.empty())
        return Finding{.problem = m_problem};
    if (m_key) {
        if (!m_key->isGoodFor(token.algorithm()))
            return Finding{Outcome::UnknownKey};
        return Finding{token.isSignedBy(*m_key) ? Outcome::Verified : Outcome::BadSignature};
    }
    for (const Source &source : *m_sources) {
        const auto keys = source.keys->keys(services, source.settings);
        if (keys && keys->verify(token) == Outcome::Verified)
            return Finding{Outcome::Verified};
    }
    return {};
}

void TokenVerifier::verifyLater(Services &services,
                                std::shared_ptr<const JsonWebToken> token,
                                std::function<void(const Finding &)> done) const
{
    std::make_shared<Inquiry>(m_sources, services, std::move(token), std::move(done))->ask();
}

} // namespace gatehouse
