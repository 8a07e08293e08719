// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace gatehouse {
struct ListenerTls;
struct PeerCertificate;
} // namespace gatehouse

namespace gatehouse::net {

struct TlsFree
{
    void operator()(SSL *ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX *context) const { SSL_CTX_free(context); }
    void operator()(SSL_SESSION *session) const { SSL_SESSION_free(session); }
};
using SslHandle = std::unique_ptr<SSL, TlsFree>;

/// The newest resumable session with one provider; of one worker, so without a lock.
class TlsSessionStore
{
public:
    void keep(SSL_SESSION *session) { m_session.reset(session); }
    [[nodiscard]] SSL_SESSION *newest() const { return m_session.get(); }

private:
    std::unique_ptr<SSL_SESSION, TlsFree> m_session;
};

/// TLS settings of a listener or of a provider. Shared by all workers. TLS 1.2 and 1.3.
class TlsContext
{
public:
    /// Trusts the system's store and \a caPem (may be empty). \a insecure: verifies nothing.
    [[nodiscard]] static Result<std::shared_ptr<const TlsContext>>
    forProvider(const std::string &caPem, bool insecure);
    /// Refuses a chain or key that cannot be read or do not belong together.
    [[nodiscard]] static Result<std::shared_ptr<const TlsContext>>
    forListener(const ListenerTls &tls);

    /// A connection to \a host (name or IP literal), which its certificate has to name; resumes
    /// from \a sessions and keeps new ones there, so it must outlive the handle. Null: no memory.
    [[nodiscard]] SslHandle toProvider(const std::string &host, TlsSessionStore &sessions) const;
    [[nodiscard]] SslHandle toClient() const;

private:
    explicit TlsContext(SSL_CTX *context)
        : m_context(context)
    {}

    std::unique_ptr<SSL_CTX, TlsFree> m_context;
};

/// The certificate that the other end showed and that was verified; null where there is none.
[[nodiscard]] std::shared_ptr<const PeerCertificate> peerCertificateOf(const SSL *ssl);

/// What OpenSSL last complained about in this thread, in words; clears its queue. \a ssl may be
/// null; with it a certificate's fault is named.
[[nodiscard]] std::string tlsErrorText(const SSL *ssl);

} // namespace gatehouse::net
