// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

/// What OpenSSL's objects are held by, and its PEM reader where nobody is asked for a password.
namespace gatehouse::openssl {

template<auto Function>
struct Release
{
    template<typename T>
    void operator()(T *object) const
    {
        Function(object);
    }
};
template<typename T, auto Function>
using Owned = std::unique_ptr<T, Release<Function>>;
using OwnedBio = Owned<BIO, BIO_free_all>;
using OwnedCertificate = Owned<X509, X509_free>;
using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;

/// Without it OpenSSL would ask for the password on the terminal.
inline int refusePassword(char *, int, int, void *)
{
    return -1;
}

/// Reads \a pem, which must live as long, of at most 2 GiB. Null where there is no memory.
inline OwnedBio bioOver(std::string_view pem)
{
    return OwnedBio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

/// Null at the end, which OpenSSL counts as an error like others, and for what is none.
inline OwnedCertificate nextCertificate(BIO *bio)
{
    return OwnedCertificate(PEM_read_bio_X509(bio, nullptr, refusePassword, nullptr));
}

/// Null for what is none, or encrypted.
inline OwnedKey readPrivateKey(BIO *bio)
{
    return OwnedKey(PEM_read_bio_PrivateKey(bio, nullptr, refusePassword, nullptr));
}

} // namespace gatehouse::openssl
