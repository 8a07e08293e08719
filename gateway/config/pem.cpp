// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/pem.h"

#include "gateway/base/file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace gatehouse {

namespace {

constexpr std::size_t largestPem = std::size_t{1024} * 1024;

struct Release
{
    void operator()(BIO *bio) const { BIO_free(bio); }
    void operator()(X509 *certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
};
template<typename T>
using Owned = std::unique_ptr<T, Release>;

Owned<BIO> open(std::string_view pem)
{
    return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

/// Without it OpenSSL would ask for the password on the terminal.
int refusePassword(char *, int, int, void *)
{
    return -1;
}

Owned<X509> nextCertificate(BIO *bio)
{
    return Owned<X509>(PEM_read_bio_X509(bio, nullptr, refusePassword, nullptr));
}

Unexpected<Error> refusal(const std::filesystem::path &path, const std::string &why)
{
    ERR_clear_error(); // what was said of this file must not be found by the next TLS call
    return Unexpected(Error{ErrorCode::ConfigInvalid, path.string() + " " + why});
}

Result<std::string> readPem(const std::filesystem::path &path)
{
    auto pem = readFile(path, largestPem);
    if (!pem)
        return Unexpected(Error{ErrorCode::ConfigInvalid, pem.error().context});
    return pem;
}

} // namespace

Result<std::string> readCertificates(const std::filesystem::path &path)
{
    auto pem = readPem(path);
    if (!pem)
        return pem;
    const Owned<BIO> bio = open(*pem);
    int count = 0;
    while (nextCertificate(bio.get()))
        ++count;
    // The end of the file is an error like others, but with this reason.
    const bool isAtEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (count == 0)
        return refusal(path, "holds no PEM certificate that can be read");
    if (!isAtEnd)
        return refusal(path,
                       "cannot be read after its certificate " + std::to_string(count)
                           + ": not PEM or not a certificate");
    ERR_clear_error();
    return pem;
}

Result<std::string> readPrivateKey(const std::filesystem::path &path,
                                   std::string_view certificatePem)
{
    auto pem = readPem(path);
    if (!pem)
        return pem;
    const Owned<EVP_PKEY> key(
        PEM_read_bio_PrivateKey(open(*pem).get(), nullptr, refusePassword, nullptr));
    if (!key)
        return refusal(path, "holds no private key without a password in PEM");
    const Owned<X509> certificate = nextCertificate(open(certificatePem).get());
    if (!certificate || X509_check_private_key(certificate.get(), key.get()) != 1)
        return refusal(path, "is not the key of the certificate");
    return pem;
}

} // namespace gatehouse
