// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/jose.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <cstdlib>

namespace gatehouse::test {

namespace {

const unsigned char *bytesOf(std::string_view text)
{
    return reinterpret_cast<const unsigned char *>(text.data());
}

/// What cannot fail in a test that makes sense.
void require(bool isDone)
{
    if (!isDone)
        std::abort();
}

std::size_t coordinateSize(std::string_view curve)
{
    return curve == "P-521" ? 66 : curve == "P-384" ? 48 : 32;
}

std::string numberBytes(const BIGNUM *number, std::size_t size)
{
    std::string bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(number)) : size, '\0');
    require(BN_bn2binpad(number,
                         reinterpret_cast<unsigned char *>(bytes.data()),
                         static_cast<int>(bytes.size()))
            >= 0);
    return bytes;
}

/// The r || s of a DER signature.
std::string rawSignature(std::string_view der, std::size_t size)
{
    const unsigned char *position = bytesOf(der);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(der.size()));
    require(signature != nullptr);
    std::string raw = numberBytes(ECDSA_SIG_get0_r(signature), size)
                      + numberBytes(ECDSA_SIG_get0_s(signature), size);
    ECDSA_SIG_free(signature);
    return raw;
}

std::string contentsOf(BIO *bio)
{
    char *data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

} // namespace

std::string base64Url(std::string_view bytes)
{
    std::string text(bytes.size() / 3 * 4 + 8, '\0');
    text.resize(
        static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char *>(text.data()),
                                                 bytesOf(bytes),
                                                 static_cast<int>(bytes.size()))));
    while (text.ends_with('='))
        text.pop_back();
    for (char &c : text)
        c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

SigningKey SigningKey::rsa(int bits, unsigned exponent)
{
    SigningKey key;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
    BIGNUM *e = BN_new();
    EVP_PKEY *made = nullptr;
    require(BN_set_word(e, exponent) == 1 && EVP_PKEY_keygen_init(context) == 1
            && EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1
            && EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) == 1
            && EVP_PKEY_generate(context, &made) == 1);
    EVP_PKEY_CTX_free(context);
    BN_free(e);
    key.m_key.reset(made);
    return key;
}

SigningKey SigningKey::ec(std::string_view curve)
{
    SigningKey key;
    key.m_curve = curve;
    key.m_key.reset(EVP_EC_gen(key.m_curve.c_str()));
    require(key.m_key != nullptr);
    return key;
}

SigningKey SigningKey::ed25519()
{
    SigningKey key;
    key.m_key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    require(key.m_key != nullptr);
    return key;
}

SigningKey SigningKey::secret(std::string bytes)
{
    SigningKey key;
    key.m_secret = std::move(bytes);
    return key;
}

std::string SigningKey::token(std::string_view algorithm,
                              std::string_view header,
                              std::string_view payload) const
{
    std::string head = "{\"alg\":\"" + std::string(algorithm) + "\"";
    if (!header.empty())
        head.append(",").append(header);
    const std::string message = base64Url(head + "}") + "." + base64Url(payload);
    return message + "." + base64Url(sign(algorithm, message));
}

std::string SigningKey::sign(std::string_view algorithm, std::string_view message) const
{
    const std::string_view size = algorithm.size() > 3 ? algorithm.substr(2) : "256";
    const std::string digest = "SHA" + std::string(size);
    if (!m_key) {
        std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
        unsigned length = 0;
        HMAC(EVP_get_digestbyname(digest.c_str()),
             m_secret.data(),
             static_cast<int>(m_secret.size()),
             bytesOf(message),
             message.size(),
             mac.data(),
             &length);
        return {reinterpret_cast<const char *>(mac.data()), length};
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = nullptr;
    const bool isEd25519 = EVP_PKEY_get_base_id(m_key.get()) == EVP_PKEY_ED25519;
    require(EVP_DigestSignInit_ex(context,
                                  &options,
                                  isEd25519 ? nullptr : digest.c_str(),
                                  nullptr,
                                  nullptr,
                                  m_key.get(),
                                  nullptr)
            == 1);
    if (algorithm.starts_with("PS"))
        require(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
    std::string signature(1024, '\0');
    std::size_t length = signature.size();
    require(EVP_DigestSign(context,
                           reinterpret_cast<unsigned char *>(signature.data()),
                           &length,
                           bytesOf(message),
                           message.size())
            == 1);
    EVP_MD_CTX_free(context);
    signature.resize(length);
    return m_curve.empty() ? signature : rawSignature(signature, coordinateSize(m_curve));
}

std::string SigningKey::parameter(const char *name, std::size_t size) const
{
    BIGNUM *number = nullptr;
    require(EVP_PKEY_get_bn_param(m_key.get(), name, &number) == 1);
    const std::string bytes = numberBytes(number, size);
    BN_free(number);
    return base64Url(bytes);
}

std::string SigningKey::jwk(std::string_view more) const
{
    std::string text = more.empty() ? "{" : "{" + std::string(more) + ",";
    if (!m_key)
        return text + R"("kty":"oct","k":")" + base64Url(m_secret) + "\"}";
    switch (EVP_PKEY_get_base_id(m_key.get())) {
    case EVP_PKEY_RSA:
        return text + R"("kty":"RSA","n":")" + parameter(OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")"
               + parameter(OSSL_PKEY_PARAM_RSA_E, 0) + "\"}";
    case EVP_PKEY_EC: {
        const std::size_t size = coordinateSize(m_curve);
        return text + R"("kty":"EC","crv":")" + m_curve + R"(","x":")"
               + parameter(OSSL_PKEY_PARAM_EC_PUB_X, size) + R"(","y":")"
               + parameter(OSSL_PKEY_PARAM_EC_PUB_Y, size) + "\"}";
    }
    default: {
        std::string x(32, '\0');
        std::size_t size = x.size();
        require(EVP_PKEY_get_raw_public_key(
                    m_key.get(), reinterpret_cast<unsigned char *>(x.data()), &size)
                == 1);
        return text + R"("kty":"OKP","crv":"Ed25519","x":")" + base64Url(x) + "\"}";
    }
    }
}

std::string SigningKey::publicPem() const
{
    BIO *bio = BIO_new(BIO_s_mem());
    require(PEM_write_bio_PUBKEY(bio, m_key.get()) == 1);
    return contentsOf(bio);
}

std::string SigningKey::privatePem() const
{
    BIO *bio = BIO_new(BIO_s_mem());
    require(PEM_write_bio_PKCS8PrivateKey(bio, m_key.get(), nullptr, nullptr, 0, nullptr, nullptr)
            == 1);
    return contentsOf(bio);
}

} // namespace gatehouse::test
