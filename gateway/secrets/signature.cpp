// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/signature.h"

#include "gateway/secrets/openssl.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <string>

namespace gatehouse {

namespace {

constexpr int smallestModulus = 2048; // bits
constexpr int largestModulus
    = 8192; // bits; a token must not cost more than some hundred microseconds
constexpr int longestExponent = 64; // bits
constexpr std::size_t smallestSecret = 32;
constexpr std::size_t ed25519Size = 32;
constexpr std::size_t ed25519SignatureSize = 64;

using openssl::Owned;
using openssl::OwnedKey;
using OwnedNumber = Owned<BIGNUM, BN_free>;

/// What an algorithm needs of a key.
enum class Family : std::uint8_t { Hmac, Rsa, RsaPss, Ec, Ed25519 };

struct AlgorithmInfo
{
    std::string_view name;
    Family family;
    const char *digest;     ///< null: the algorithm has its own
    std::size_t digestSize; ///< in bytes
    std::string_view curve; ///< JOSE's name
};

constexpr std::array<AlgorithmInfo, signatureAlgorithmCount> algorithms{
    {{"HS256", Family::Hmac, "SHA256", 32, {}},
     {"HS384", Family::Hmac, "SHA384", 48, {}},
     {"HS512", Family::Hmac, "SHA512", 64, {}},
     {"RS256", Family::Rsa, "SHA256", 32, {}},
     {"RS384", Family::Rsa, "SHA384", 48, {}},
     {"RS512", Family::Rsa, "SHA512", 64, {}},
     {"PS256", Family::RsaPss, "SHA256", 32, {}},
     {"PS384", Family::RsaPss, "SHA384", 48, {}},
     {"PS512", Family::RsaPss, "SHA512", 64, {}},
     {"ES256", Family::Ec, "SHA256", 32, "P-256"},
     {"ES384", Family::Ec, "SHA384", 48, "P-384"},
     {"ES512", Family::Ec, "SHA512", 64, "P-521"},
     {"EdDSA", Family::Ed25519, nullptr, 0, "Ed25519"}}};

const AlgorithmInfo &infoOf(SignatureAlgorithm algorithm)
{
    return algorithms.at(static_cast<std::size_t>(algorithm));
}

struct Curve
{
    std::string_view name; ///< JOSE's
    const char *group;     ///< OpenSSL's
    std::size_t size;      ///< of a coordinate, in bytes
};
constexpr std::array<Curve, 3> curves{
    {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}}};

const unsigned char *bytesOf(std::string_view text)
{
    return reinterpret_cast<const unsigned char *>(text.data());
}

/// What OpenSSL said of this key must not be found by the next TLS call.
Unexpected<Error> refusal(std::string_view problem)
{
    ERR_clear_error();
    return Unexpected(Error{ErrorCode::ConfigInvalid, std::string(problem)});
}

OwnedNumber numberOf(std::string_view bytes)
{
    return OwnedNumber(BN_bin2bn(bytesOf(bytes), static_cast<int>(bytes.size()), nullptr));
}

/// A public key of OpenSSL's type \a type from what \a builder holds; null where it is none.
OwnedKey keyFrom(const char *type, OSSL_PARAM_BLD *builder)
{
    const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder));
    const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY *key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1
        || EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        return nullptr;
    return OwnedKey(key);
}

/// The curve of an EC key by its name; null for others, and for those that only describe one.
const Curve *curveOf(const EVP_PKEY *key)
{
    std::array<char, 64> group{};
    std::size_t size = 0;
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1)
        return nullptr;
    const auto found
        = std::ranges::find(curves, std::string_view(group.data(), size), [](const Curve &curve) {
              return std::string_view(curve.group);
          });
    return found == curves.end() ? nullptr : &*found;
}

/// What is wrong with an RSA key; null where nothing is.
const char *rsaProblem(const EVP_PKEY *key)
{
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < smallestModulus)
        return "must be an RSA key of at least 2048 bits (RFC 7518 §3.3)";
    if (bits > largestModulus)
        return "must be an RSA key of at most 8192 bits";
    BIGNUM *e = nullptr;
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e);
    const OwnedNumber exponent(e);
    if (!exponent || BN_is_odd(e) == 0 || BN_is_one(e) != 0 || BN_num_bits(e) > longestExponent)
        return "must be an RSA key with an odd public exponent of at least 3";
    return nullptr;
}

OwnedKey readPem(std::string_view pem)
{
    const auto bio = openssl::bioOver(pem);
    if (pem.find("-----BEGIN CERTIFICATE-----") == std::string_view::npos)
        return OwnedKey(PEM_read_bio_PUBKEY(bio.get(), nullptr, openssl::refusePassword, nullptr));
    const auto certificate = openssl::nextCertificate(bio.get());
    return OwnedKey(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
}

/// JOSE's r || s as OpenSSL takes it; empty where its length is not the curve's. RFC 7518 §3.4.
std::string derSignature(std::string_view raw, const Curve &curve)
{
    if (raw.size() != 2 * curve.size)
        return {};
    const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(ECDSA_SIG_new());
    OwnedNumber r = numberOf(raw.substr(0, curve.size));
    OwnedNumber s = numberOf(raw.substr(curve.size));
    if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1)
        return {};
    (void)r.release(); // the signature's now
    (void)s.release();
    unsigned char *der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    std::string text;
    if (size > 0)
        text.assign(reinterpret_cast<const char *>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return text;
}

bool verifyMac(std::string_view secret,
               const AlgorithmInfo &info,
               std::string_view message,
               std::string_view signature)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    std::size_t size = 0;
    return EVP_Q_mac(nullptr,
                     "HMAC",
                     nullptr,
                     info.digest,
                     nullptr,
                     secret.data(),
                     secret.size(),
                     bytesOf(message),
                     message.size(),
                     mac.data(),
                     mac.size(),
                     &size)
               != nullptr
           && size == signature.size() && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

bool verifyWith(EVP_PKEY *key,
                const AlgorithmInfo &info,
                std::string_view message,
                std::string_view signature)
{
    const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *options = nullptr; // the context's
    if (!context
        || EVP_DigestVerifyInit_ex(
               context.get(), &options, info.digest, nullptr, nullptr, key, nullptr)
               != 1)
        return false;
    if (info.family == Family::RsaPss
        && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1
            || EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1))
        return false;
    return EVP_DigestVerify(context.get(),
                            bytesOf(signature),
                            signature.size(),
                            bytesOf(message),
                            message.size())
           == 1;
}

} // namespace

struct VerificationKey::Parts
{
    Family family = Family::Hmac; ///< Rsa stands for both uses of an RSA key
    std::shared_ptr<const LockedSecret> secret = {};
    OwnedKey key = {};
    const Curve *curve = nullptr;

    /// Holds \a key to the same rules wherever it came from.
    [[nodiscard]] static Result<VerificationKey> keep(OwnedKey key)
    {
        auto parts = std::make_shared<Parts>();
        const char *problem = nullptr;
        switch (EVP_PKEY_get_base_id(key.get())) {
        case EVP_PKEY_RSA:
            parts->family = Family::Rsa;
            problem = rsaProblem(key.get());
            break;
        case EVP_PKEY_EC:
            parts->family = Family::Ec;
            parts->curve = curveOf(key.get());
            if (parts->curve == nullptr)
                problem = "must lie on the curve P-256, P-384 or P-521";
            break;
        case EVP_PKEY_ED25519:
            parts->family = Family::Ed25519;
            break;
        default:
            problem = "must be an RSA, EC or Ed25519 key";
        }
        if (problem != nullptr)
            return refusal(problem);
        parts->key = std::move(key);
        return VerificationKey(std::move(parts));
    }
};

std::span<const std::string_view> signatureAlgorithmNames()
{
    static constexpr auto names = [] {
        std::array<std::string_view, signatureAlgorithmCount> list{};
        std::ranges::transform(algorithms, list.begin(), &AlgorithmInfo::name);
        return list;
    }();
    return names;
}

std::optional<SignatureAlgorithm> signatureAlgorithm(std::string_view name)
{
    const auto found = std::ranges::find(algorithms, name, &AlgorithmInfo::name);
    if (found == algorithms.end())
        return {};
    return static_cast<SignatureAlgorithm>(found - algorithms.begin());
}

bool isSymmetric(SignatureAlgorithm algorithm)
{
    return infoOf(algorithm).family == Family::Hmac;
}

Result<VerificationKey> VerificationKey::fromSecret(std::shared_ptr<const LockedSecret> secret)
{
    if (!secret || secret->reveal().size() < smallestSecret)
        return refusal("must be a secret of at least 32 bytes (RFC 7518 §3.2)");
    auto parts = std::make_shared<Parts>();
    parts->secret = std::move(secret);
    return VerificationKey(std::move(parts));
}

Result<VerificationKey> VerificationKey::fromPem(std::string_view pem)
{
    if (pem.find("PRIVATE KEY-----") != std::string_view::npos)
        return refusal("must be the public key alone; this is the private one");
    OwnedKey key = readPem(pem);
    if (!key)
        return refusal("must be a PEM public key (BEGIN PUBLIC KEY) or certificate");
    return Parts::keep(std::move(key));
}

Result<VerificationKey> VerificationKey::fromRsa(std::string_view n, std::string_view e)
{
    const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    const OwnedNumber modulus = numberOf(n);
    const OwnedNumber exponent = numberOf(e);
    if (n.size() > largestModulus / 8 + 1 || !builder || !modulus || !exponent
        || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1
        || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
        return refusal("must be an RSA key of 2048 to 8192 bits");
    OwnedKey key = keyFrom("RSA", builder.get());
    if (!key)
        return refusal("must be the numbers of an RSA key");
    return Parts::keep(std::move(key));
}

Result<VerificationKey>
VerificationKey::fromEc(std::string_view curve, std::string_view x, std::string_view y)
{
    const auto known = std::ranges::find(curves, curve, &Curve::name);
    if (known == curves.end())
        return refusal("must lie on the curve P-256, P-384 or P-521");
    if (x.size() != known->size || y.size() != known->size)
        return refusal("must have coordinates of the curve's full size (RFC 7518 §6.2.1.2)");
    std::string point = "\x04"; // uncompressed, SEC 1 §2.3.3
    point.append(x).append(y);
    const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    if (!builder
        || OSSL_PARAM_BLD_push_utf8_string(
               builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, known->group, 0)
               != 1
        || OSSL_PARAM_BLD_push_octet_string(
               builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size())
               != 1)
        return refusal("cannot be held: OpenSSL has no memory for it");
    OwnedKey key = keyFrom("EC", builder.get());
    const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr);
    if (!context || EVP_PKEY_public_check(context.get()) != 1)
        return refusal("must be a point of its curve");
    return Parts::keep(std::move(key));
}

Result<VerificationKey> VerificationKey::fromEd25519(std::string_view x)
{
    if (x.size() != ed25519Size)
        return refusal("must be an Ed25519 key of 32 bytes (RFC 8037 §2)");
    OwnedKey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytesOf(x), x.size()));
    if (!key)
        return refusal("must be an Ed25519 key");
    return Parts::keep(std::move(key));
}

bool VerificationKey::isGoodFor(SignatureAlgorithm algorithm) const
{
    const AlgorithmInfo &info = infoOf(algorithm);
    switch (info.family) {
    case Family::Hmac:
        return m_parts->family == Family::Hmac
               && m_parts->secret->reveal().size() >= info.digestSize;
    case Family::Rsa:
    case Family::RsaPss:
        return m_parts->family == Family::Rsa;
    case Family::Ec:
        return m_parts->family == Family::Ec && m_parts->curve->name == info.curve;
    case Family::Ed25519:
        return m_parts->family == Family::Ed25519;
    }
    return false;
}

bool VerificationKey::verify(SignatureAlgorithm algorithm,
                             std::string_view message,
                             std::string_view signature) const
{
    if (!isGoodFor(algorithm))
        return false;
    const AlgorithmInfo &info = infoOf(algorithm);
    bool isVerified = false;
    if (info.family == Family::Hmac) {
        isVerified = verifyMac(m_parts->secret->reveal(), info, message, signature);
    } else if (info.family == Family::Ec) {
        const std::string der = derSignature(signature, *m_parts->curve);
        isVerified = !der.empty() && verifyWith(m_parts->key.get(), info, message, der);
    } else {
        isVerified = (info.family != Family::Ed25519 || signature.size() == ed25519SignatureSize)
                     && verifyWith(m_parts->key.get(), info, message, signature);
    }
    ERR_clear_error();
    return isVerified;
}

} // namespace gatehouse
