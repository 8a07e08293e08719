// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/keyset.h"

#include "gateway/base/base64.h"

#include <algorithm>

namespace gatehouse {

namespace {

constexpr std::size_t mostKeys = 100;
constexpr int mostTried = 8; ///< for one token without a `kid`: each costs a signature check
constexpr json::Limits setLimits{.maxDepth = 16, .maxNodes = 1U << 16};

Unexpected<Error> refusal(std::string_view problem)
{
    return Unexpected(Error{ErrorCode::ProviderBadResponse, std::string(problem)});
}

/// The bytes of a member in base64url; empty where there is none.
std::string bytesOf(json::Value jwk, std::string_view name)
{
    const auto member = jwk.find(name);
    const auto text = member ? member->text() : std::nullopt;
    return text ? base64UrlDecoded(*text).value_or(std::string()) : std::string();
}

std::string_view textOf(json::Value jwk, std::string_view name)
{
    const auto member = jwk.find(name);
    return member ? member->text().value_or(std::string_view()) : std::string_view();
}

/// RFC 7517 §4.2 and §4.3.
bool isForVerifying(json::Value jwk)
{
    if (const auto use = jwk.find("use"); use && use->text() != "sig")
        return false;
    const auto operations = jwk.find("key_ops");
    if (!operations)
        return true;
    const auto list = operations->elements();
    return std::any_of(list.begin(), list.end(), [](json::Value operation) {
        return operation.text() == "verify";
    });
}

/// The key itself. A symmetric one is none of an issuer's to publish. RFC 7518 §6, RFC 8037 §2.
std::optional<VerificationKey> verificationKey(json::Value jwk)
{
    const std::string_view type = textOf(jwk, "kty");
    auto key = [&]() -> Result<VerificationKey> {
        if (type == "RSA")
            return VerificationKey::fromRsa(bytesOf(jwk, "n"), bytesOf(jwk, "e"));
        if (type == "EC")
            return VerificationKey::fromEc(
                textOf(jwk, "crv"), bytesOf(jwk, "x"), bytesOf(jwk, "y"));
        if (type == "OKP" && textOf(jwk, "crv") == "Ed25519")
            return VerificationKey::fromEd25519(bytesOf(jwk, "x"));
        return refusal("kty");
    }();
    if (!key)
        return {};
    return std::move(*key);
}

} // namespace

std::optional<KeySet::Key> KeySet::keyFrom(json::Value jwk)
{
    if (!jwk.isObject() || jwk.find("d") || !isForVerifying(jwk))
        return {};
    auto key = verificationKey(jwk);
    if (!key)
        return {};
    Key result{{}, {}, std::move(*key)};
    if (const auto name = jwk.find("alg")) {
        result.algorithm = signatureAlgorithm(name->text().value_or(std::string_view()));
        if (!result.algorithm || !result.key.isGoodFor(*result.algorithm))
            return {};
    }
    if (const auto id = jwk.find("kid")) {
        if (!id->text())
            return {};
        result.id = *id->text();
    }
    return result;
}

Result<KeySet> KeySet::parse(std::string_view text)
{
    json::Document document;
    if (const auto parsed = document.parse(text, setLimits); !parsed)
        return refusal("the key set is not JSON: " + parsed.error().message());
    const auto keys = document.root().find("keys");
    if (!keys || !keys->isArray())
        return refusal("the answer has no list \"keys\" (RFC 7517 §5)");
    if (keys->size() > mostKeys)
        return refusal("the key set has more than 100 keys");
    KeySet set;
    for (const json::Value jwk : keys->elements()) {
        if (auto key = keyFrom(jwk))
            set.m_keys.push_back(std::move(*key));
    }
    if (set.m_keys.empty())
        return refusal("the key set has no public key that verifies signatures");
    return set;
}

KeySet::Outcome KeySet::verify(const JsonWebToken &token) const
{
    int tried = 0;
    for (const Key &key : m_keys) {
        const bool isMeant = (!token.keyId() || key.id == token.keyId())
                             && key.algorithm.value_or(token.algorithm()) == token.algorithm()
                             && key.key.isGoodFor(token.algorithm());
        if (!isMeant)
            continue;
        if (token.isSignedBy(key.key))
            return Outcome::Verified;
        if (++tried == mostTried)
            break;
    }
    return tried == 0 ? Outcome::UnknownKey : Outcome::BadSignature;
}

} // namespace gatehouse
