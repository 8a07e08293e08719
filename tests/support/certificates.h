// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/peer.h"

#include <openssl/x509.h>

namespace gatehouse::test {

struct Certificate
{
    QByteArray pem;
    QByteArray keyPem;
};

/// A certificate authority that lives as long as a test.
class CertificateAuthority
{
public:
    CertificateAuthority();

    [[nodiscard]] QByteArray pem() const { return m_own.pem; }
    /// \a names as OpenSSL writes a subjectAltName. An expired one ran out yesterday.
    [[nodiscard]] Certificate issue(const char *names = "DNS:localhost,IP:127.0.0.1",
                                    bool isExpired = false) const;

private:
    Certificate m_own;
};

/// Shows \a certificate to the other end.
void useCertificate(SSL_CTX *context, const Certificate &certificate);
/// For TestPeer::startTlsServer; offers TLS 1.3 with session tickets.
[[nodiscard]] SslContext serverContext(const Certificate &certificate);
/// For TestPeer::startTlsClient; trusts \a caPem alone.
[[nodiscard]] SslContext clientContext(const QByteArray &caPem);

} // namespace gatehouse::test
