// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/pipeline/jsonwebtoken.h"
#include "gateway/secrets/signature.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// The public keys of a JSON Web Key Set (RFC 7517 §5). Immutable; any thread.
class KeySet
{
public:
    enum class Outcome : std::uint8_t { Verified, UnknownKey, BadSignature };

    /// Keys are left out that are not for verifying signatures, that are of a kind not known here, weak
    /// or malformed, and those that are secret or give away their private half. ProviderBadResponse
    /// where nothing is left, or \a text is no key set.
    [[nodiscard]] static Result<KeySet> parse(std::string_view text);

    /// With the keys that have the token's `kid`, and that are good for its algorithm, all of those
    /// (but not more than some) where the token has none.
    [[nodiscard]] Outcome verify(const JsonWebToken &token) const;
    [[nodiscard]] std::size_t size() const { return m_keys.size(); }

private:
    struct Key
    {
        std::optional<std::string> id;
        std::optional<SignatureAlgorithm> algorithm; ///< the only one that it may be used for
        VerificationKey key;
    };
    [[nodiscard]] static std::optional<Key> keyFrom(json::Value jwk);

    std::vector<Key> m_keys;
};

} // namespace gatehouse
