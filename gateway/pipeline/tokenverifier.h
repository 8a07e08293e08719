// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/jsonwebtoken.h"
#include "gateway/pipeline/keysource.h"
#include "gateway/pipeline/services.h"
#include "gateway/secrets/signature.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse {

/// Verifies the signatures of tokens with one key, or with those that issuers publish. Immutable; any
/// thread.
class TokenVerifier
{
public:
    struct Source
    {
        std::shared_ptr<KeySource> keys;
        KeySource::Settings settings;
    };
    struct Finding
    {
        KeySet::Outcome outcome = KeySet::Outcome::UnknownKey;
        std::string problem = {}; ///< why nothing is known for sure; empty where the outcome is
    };

    explicit TokenVerifier(VerificationKey key)
        : m_key(std::move(key))
    {}
    explicit TokenVerifier(std::vector<Source> sources)
        : m_sources(std::make_shared<const std::vector<Source>>(std::move(sources)))
    {}
    /// For a key that cannot be had: \a problem is what is found of every token.
    explicit TokenVerifier(std::string problem)
        : m_problem(std::move(problem))
    {}

    /// With the keys at hand; nothing where an issuer has to be asked: then verifyLater().
    [[nodiscard]] std::optional<Finding> verifyNow(Services &services,
                                                   const JsonWebToken &token) const;
    /// Asks the issuers one after the other until one has a key that verifies the token. \a done is
    /// called once in this worker's thread, never before this has returned.
    void verifyLater(Services &services,
                     std::shared_ptr<const JsonWebToken> token,
                     std::function<void(const Finding &)> done) const;

private:
    class Inquiry;

    std::optional<VerificationKey> m_key;
    std::shared_ptr<const std::vector<Source>> m_sources;
    std::string m_problem;
};

} // namespace gatehouse
