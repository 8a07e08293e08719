// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace gatehouse::test {

[[nodiscard]] std::string base64Url(std::string_view bytes);

/// A key of an issuer in a test, that signs what it is told to.
class SigningKey
{
public:
    [[nodiscard]] static SigningKey rsa(int bits = 2048, unsigned exponent = 65537);
    /// "P-256", "P-384", "P-521", or any other curve by OpenSSL's name.
    [[nodiscard]] static SigningKey ec(std::string_view curve);
    [[nodiscard]] static SigningKey ed25519();
    [[nodiscard]] static SigningKey secret(std::string bytes);

    /// JWS compact serialisation: \a header is JSON without its `alg`, "" or `"kid":"a"`.
    [[nodiscard]] std::string
    token(std::string_view algorithm, std::string_view header, std::string_view payload) const;
    /// Of the bytes as JOSE wants it; \a algorithm may be one that is not the key's.
    [[nodiscard]] std::string sign(std::string_view algorithm, std::string_view message) const;
    /// The public key as a JWK: \a more are further members, `"kid":"a","use":"sig"`.
    [[nodiscard]] std::string jwk(std::string_view more = {}) const;
    [[nodiscard]] std::string publicPem() const;
    [[nodiscard]] std::string privatePem() const;

private:
    struct Free
    {
        void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
    };

    SigningKey() = default;
    [[nodiscard]] std::string parameter(const char *name, std::size_t size) const;

    std::unique_ptr<EVP_PKEY, Free> m_key;
    std::string m_secret;
    std::string m_curve;
};

} // namespace gatehouse::test
