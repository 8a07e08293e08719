// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/secrets/lockedsecret.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace gatehouse {

/// The signature algorithms of JOSE that are verified here; `none` is none of them. RFC 7518 §3, RFC 8037.
enum class SignatureAlgorithm : std::uint8_t {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
};
inline constexpr std::size_t signatureAlgorithmCount = 13;

/// As JOSE writes them, in the order of the enumeration.
[[nodiscard]] std::span<const std::string_view> signatureAlgorithmNames();
/// Case-sensitive, as the RFC has it.
[[nodiscard]] std::optional<SignatureAlgorithm> signatureAlgorithm(std::string_view name);
/// True for those that verify with a shared secret.
[[nodiscard]] bool isSymmetric(SignatureAlgorithm algorithm);

/// A key that verifies signatures. Which algorithms it is good for follows from what it is, never from
/// what a token says: a public key verifies no HMAC, and a curve belongs to one algorithm. Copies share
/// the key; any thread.
class VerificationKey
{
public:
    // ConfigInvalid with "must …" as its context where the numbers are no key, or a weak one.

    /// A shared secret; at least 32 bytes, and for an algorithm at least its hash's size (RFC 7518 §3.2).
    [[nodiscard]] static Result<VerificationKey>
    fromSecret(std::shared_ptr<const LockedSecret> secret);
    /// PEM of a public key or a certificate: RSA from 2048 bits on, P-256, P-384, P-521 or Ed25519.
    [[nodiscard]] static Result<VerificationKey> fromPem(std::string_view pem);
    /// Modulus and exponent, big-endian.
    [[nodiscard]] static Result<VerificationKey> fromRsa(std::string_view n, std::string_view e);
    /// \a curve as JOSE names it ("P-256"); coordinates of the curve's full size.
    [[nodiscard]] static Result<VerificationKey>
    fromEc(std::string_view curve, std::string_view x, std::string_view y);
    /// 32 bytes of RFC 8032.
    [[nodiscard]] static Result<VerificationKey> fromEd25519(std::string_view x);

    [[nodiscard]] bool isGoodFor(SignatureAlgorithm algorithm) const;
    /// False also where the key is not good for the algorithm or the signature has another length.
    [[nodiscard]] bool verify(SignatureAlgorithm algorithm,
                              std::string_view message,
                              std::string_view signature) const;

private:
    struct Parts;
    explicit VerificationKey(std::shared_ptr<const Parts> parts)
        : m_parts(std::move(parts))
    {}

    std::shared_ptr<const Parts> m_parts;
};

} // namespace gatehouse
