// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/json/document.h"
#include "gateway/json/pointer.h"
#include "gateway/secrets/signature.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// Why a token is refused.
struct TokenProblem
{
    std::string_view detail;  ///< for x-gatehouse-reason, behind the policy's type
    std::string_view message; ///< a sentence without its full stop; holds nothing of the token
};

/// A signed token whose payload is a set of claims: JWS compact serialisation, RFC 7515 §7.1 and RFC 7519.
class JsonWebToken
{
public:
    static constexpr std::size_t longest = std::size_t{16} << 10;

    /// Reads a token, and refuses one that asks for extensions (crit, b64), is no JWS, or could be
    /// read in two ways. Keys that a header brings along (jwk, jku, x5c, x5u) are never looked at.
    [[nodiscard]] static Result<JsonWebToken, TokenProblem> parse(std::string_view text);

    [[nodiscard]] SignatureAlgorithm algorithm() const { return m_algorithm; }
    [[nodiscard]] const std::optional<std::string> &keyId() const { return m_keyId; }
    /// An object. What it says is the sender's word until isSignedBy was asked.
    [[nodiscard]] json::Value claims() const { return m_claims.root(); }
    [[nodiscard]] bool isSignedBy(const VerificationKey &key) const
    {
        return key.verify(m_algorithm, m_signedPart, m_signature);
    }

private:
    JsonWebToken() = default;
    [[nodiscard]] std::optional<TokenProblem> readHeader(std::string_view header);

    SignatureAlgorithm m_algorithm = SignatureAlgorithm::RS256;
    std::optional<std::string> m_keyId;
    std::string m_signedPart; ///< header and payload as they came
    std::string m_signature;
    json::Document m_claims;
};

/// The date under \a name (RFC 7519 §2, NumericDate), if it is there. False where it is no date: of
/// another type, before 1970 or after the year 9999.
[[nodiscard]] bool
readNumericDate(json::Value object, std::string_view name, std::optional<double> &date);

/// Where a claim stands: its name, or a JSON pointer where that begins with a slash.
class ClaimPath
{
public:
    /// The error says what \a text "must" be.
    [[nodiscard]] static Result<ClaimPath, std::string_view> parse(std::string_view text);

    /// The values there; several with a pointer that has a `*`.
    [[nodiscard]] std::vector<json::Value> valuesIn(json::Value claims) const;
    /// The one value there, if it is a text.
    [[nodiscard]] std::optional<std::string_view> textIn(json::Value claims) const;

private:
    std::string m_name;
    std::optional<json::Pointer> m_pointer;
};

/// What the claims of a token have to say.
struct ClaimRules
{
    struct Claim
    {
        ClaimPath path;
        std::string value; ///< a text as it is; a number or boolean as JSON writes it
        bool isRequired = true;
    };

    std::string issuer = {};                 ///< empty: any
    std::vector<std::string> audiences = {}; ///< empty: any
    bool requireAudience = true;             ///< where there are audiences
    bool requireExpiry = true;
    bool requireNotBefore = false;
    std::chrono::milliseconds leeway{0};
    std::vector<Claim> claims = {};

    /// Nothing where all is as it has to be at \a now. RFC 7519 §4.1: from the second of `exp` on a
    /// token is expired, from that of `nbf` on it is valid, each with the leeway in its favour.
    [[nodiscard]] std::optional<TokenProblem>
    check(json::Value claims, std::chrono::system_clock::time_point now) const;
};

} // namespace gatehouse
