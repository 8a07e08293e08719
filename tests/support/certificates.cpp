// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/certificates.h"

#include <QStringBuilder>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>

namespace gatehouse::test {

namespace {

struct Free
{
    void operator()(BIO *bio) const { BIO_free(bio); }
    void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
    void operator()(X509 *certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION *extension) const { X509_EXTENSION_free(extension); }
};
template<typename T>
using Owned = std::unique_ptr<T, Free>;

constexpr long day = 24L * 60 * 60;

QByteArray contents(BIO *bio)
{
    char *data = nullptr;
    const long size = BIO_ctrl(bio, BIO_CTRL_INFO, 0, &data);
    return {data, static_cast<qsizetype>(size)};
}

QByteArray pemOf(X509 *certificate)
{
    const Owned<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    return contents(bio.get());
}

QByteArray pemOf(EVP_PKEY *key)
{
    const Owned<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return contents(bio.get());
}

Owned<X509> certificateIn(const QByteArray &pem)
{
    const Owned<BIO> bio(BIO_new_mem_buf(pem.constData(), static_cast<int>(pem.size())));
    return Owned<X509>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

Owned<EVP_PKEY> keyIn(const QByteArray &pem)
{
    const Owned<BIO> bio(BIO_new_mem_buf(pem.constData(), static_cast<int>(pem.size())));
    return Owned<EVP_PKEY>(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

void extend(X509 *certificate, int id, const char *value)
{
    X509V3_CTX context{};
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, id, value));
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
        qFatal("no extension for the test's certificate");
}

void setName(X509_NAME *name, const QByteArray &commonName)
{
    const auto *bytes = reinterpret_cast<const unsigned char *>(commonName.constData());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, bytes, -1, -1, 0);
}

/// With everything but extensions and signature.
Owned<X509> newCertificate(EVP_PKEY *key, long validFrom, long validTo)
{
    static std::atomic<long> lastSerial{0};
    const long serial = ++lastSerial;
    Owned<X509> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), validFrom);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), validTo);
    setName(X509_get_subject_name(certificate.get()), "Test " + QByteArray::number(serial));
    X509_set_pubkey(certificate.get(), key);
    return certificate;
}

Owned<EVP_PKEY> newKey()
{
    return Owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
}

SslContext contextOf(const SSL_METHOD *method)
{
    SslContext context(SSL_CTX_new(method));
    SSL_CTX_set_mode(context.get(), SSL_MODE_AUTO_RETRY);
    return context;
}

} // namespace

CertificateAuthority::CertificateAuthority()
{
    const auto key = newKey();
    const auto certificate = newCertificate(key.get(), -2 * day, day);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    extend(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    m_own = {pemOf(certificate.get()), pemOf(key.get())};
}

Certificate CertificateAuthority::issue(const char *names, bool isExpired) const
{
    const auto key = newKey();
    const auto certificate = newCertificate(key.get(), -2 * day, isExpired ? -day : day);
    const auto authority = certificateIn(m_own.pem);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(authority.get()));
    extend(certificate.get(), NID_subject_alt_name, names);
    X509_sign(certificate.get(), keyIn(m_own.keyPem).get(), EVP_sha256());
    return {pemOf(certificate.get()), pemOf(key.get())};
}

void useCertificate(SSL_CTX *context, const Certificate &certificate)
{
    SSL_CTX_use_certificate(context, certificateIn(certificate.pem).get());
    SSL_CTX_use_PrivateKey(context, keyIn(certificate.keyPem).get());
}

SslContext serverContext(const Certificate &certificate)
{
    SslContext context = contextOf(TLS_server_method());
    useCertificate(context.get(), certificate);
    return context;
}

SslContext clientContext(const QByteArray &caPem)
{
    SslContext context = contextOf(TLS_client_method());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), certificateIn(caPem).get());
    return context;
}

} // namespace gatehouse::test
