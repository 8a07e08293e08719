// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/tls.h"

#include "gateway/base/text.h"
#include "gateway/config/snapshot.h"
#include "gateway/pipeline/exchange.h"
#include "gateway/secrets/openssl.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <span>
#include <string_view>

namespace gatehouse::net {

namespace {

auto configError(const std::string &what)
{
    return Unexpected(Error{ErrorCode::ConfigInvalid, what + ": " + tlsErrorText(nullptr)});
}

SSL_CTX *newContext(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);
    if (context == nullptr)
        return nullptr;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Buffers are given back while a connection is idle; a write that was cut short goes on from
    // wherever its bytes are then.
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
                         | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

/// Adds every certificate of \a pem to the trusted ones; false where there is none in it.
bool trust(SSL_CTX *context, std::string_view pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    const auto bio = openssl::bioOver(pem);
    bool any = false;
    while (const auto certificate = openssl::nextCertificate(bio.get()))
        any = X509_STORE_add_cert(store, certificate.get()) == 1 || any;
    ERR_clear_error(); // the end of the file counts as an error
    return any;
}

/// The subjects of a PEM text's certificates, for clients to choose theirs by.
STACK_OF(X509_NAME) * namesIn(std::string_view pem)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    const auto bio = openssl::bioOver(pem);
    while (const auto certificate = openssl::nextCertificate(bio.get()))
        sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(certificate.get())));
    ERR_clear_error(); // the end of the file counts as an error
    return names;
}

int keepSession(SSL *ssl, SSL_SESSION *session)
{
    auto *store = static_cast<TlsSessionStore *>(SSL_get_app_data(ssl));
    if (store == nullptr)
        return 0;
    store->keep(session);
    return 1; // the reference is ours now
}

int chooseHttp11(SSL *,
                 const unsigned char **chosen,
                 unsigned char *chosenLength,
                 const unsigned char *offered,
                 unsigned int offeredLength,
                 void *)
{
    static constexpr std::array<unsigned char, 9> http11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char *found = nullptr;
    if (SSL_select_next_proto(
            &found, chosenLength, http11.data(), http11.size(), offered, offeredLength)
        != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

bool useChain(SSL_CTX *context, const std::string &pem)
{
    const auto bio = openssl::bioOver(pem);
    const auto leaf = openssl::nextCertificate(bio.get());
    if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1)
        return false;
    while (auto issuer = openssl::nextCertificate(bio.get())) {
        if (SSL_CTX_add0_chain_cert(context, issuer.get()) != 1)
            return false;
        static_cast<void>(issuer.release()); // the context's now
    }
    ERR_clear_error();
    return true;
}

bool isIpLiteral(const std::string &host)
{
    in6_addr ignored{};
    return inet_pton(AF_INET, host.c_str(), &ignored) == 1
           || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

} // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::forProvider(const std::string &caPem,
                                                                  bool insecure)
{
    SSL_CTX *context = newContext(TLS_client_method());
    if (context == nullptr)
        return configError("TLS cannot be set up");
    auto owned = std::shared_ptr<const TlsContext>(new TlsContext(context));
    SSL_CTX_set_verify(context, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
    if (!insecure) {
        SSL_CTX_set_default_verify_paths(context);
        if (!caPem.empty() && !trust(context, caPem))
            return configError("The file of the provider's own certificate authority (ca) holds no "
                               "certificate in PEM form");
    }
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, keepSession);
    static constexpr std::array<unsigned char, 9> http11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    SSL_CTX_set_alpn_protos(context, http11.data(), http11.size());
    return owned;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::forListener(const ListenerTls &tls)
{
    SSL_CTX *context = newContext(TLS_server_method());
    if (context == nullptr)
        return configError("TLS cannot be set up");
    auto owned = std::shared_ptr<const TlsContext>(new TlsContext(context));
    if (!useChain(context, tls.certificatePem))
        return configError("The listener's certificate cannot be read");
    const auto keyBio = openssl::bioOver(tls.keyPem.reveal());
    const auto key = openssl::readPrivateKey(keyBio.get());
    if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1)
        return configError("The listener's key cannot be read or is not its certificate's");
    if (!tls.clientCaPem.empty()) {
        if (!trust(context, tls.clientCaPem))
            return configError("The listener's clientCa holds no certificate in PEM form");
        SSL_CTX_set_client_CA_list(context, namesIn(tls.clientCaPem)); // owns it now
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); // tickets need no memory here
    static constexpr std::string_view sessionId = "gatehouse";
    SSL_CTX_set_session_id_context(context,
                                   reinterpret_cast<const unsigned char *>(sessionId.data()),
                                   static_cast<unsigned>(sessionId.size()));
    SSL_CTX_set_alpn_select_cb(context, chooseHttp11, nullptr);
    return owned;
}

SslHandle TlsContext::toProvider(const std::string &host, TlsSessionStore &sessions) const
{
    SslHandle ssl(SSL_new(m_context.get()));
    if (!ssl)
        return ssl;
    SSL_set_connect_state(ssl.get());
    SSL_set_app_data(ssl.get(), &sessions);
    bool isNamed = false; // without the name to check, no connection
    if (isIpLiteral(host)) {
        isNamed = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1;
    } else {
        // SSL_set_tlsext_host_name, whose macro has a cast that our warnings refuse.
        isNamed = SSL_set1_host(ssl.get(), host.c_str()) == 1
                  && SSL_ctrl(ssl.get(),
                              SSL_CTRL_SET_TLSEXT_HOSTNAME,
                              TLSEXT_NAMETYPE_host_name,
                              const_cast<char *>(host.c_str()))
                         == 1;
    }
    if (!isNamed)
        return {};
    if (SSL_SESSION *session = sessions.newest())
        SSL_set_session(ssl.get(), session);
    return ssl;
}

SslHandle TlsContext::toClient() const
{
    SslHandle ssl(SSL_new(m_context.get()));
    if (ssl)
        SSL_set_accept_state(ssl.get());
    return ssl;
}

std::shared_ptr<const PeerCertificate> peerCertificateOf(const SSL *ssl)
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK)
        return nullptr;
    auto peer = std::make_shared<PeerCertificate>();
    const openssl::OwnedBio text(BIO_new(BIO_s_mem()));
    X509_NAME *subject = X509_get_subject_name(certificate);
    if (text && X509_NAME_print_ex(text.get(), subject, 0, XN_FLAG_RFC2253) > 0) {
        char *bytes = nullptr;
        const long size = BIO_get_mem_data(text.get(), &bytes);
        peer->subject.assign(bytes, static_cast<std::size_t>(size));
    }
    std::array<char, 256> name{};
    const int length = X509_NAME_get_text_by_NID(
        subject, NID_commonName, name.data(), static_cast<int>(name.size()));
    if (length > 0)
        peer->commonName.assign(name.data(), static_cast<std::size_t>(length));
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1)
        return nullptr;
    peer->fingerprint = toHex(std::span(digest).first(size));
    return peer;
}

std::string tlsErrorText(const SSL *ssl)
{
    std::string text;
    if (ssl != nullptr) {
        const long verified = SSL_get_verify_result(ssl);
        if (verified != X509_V_OK)
            text = X509_verify_cert_error_string(verified);
    }
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (text.empty() && code != 0) {
        if (const char *reason = ERR_reason_error_string(code))
            text = reason;
    }
    return text.empty() ? "the peer closed the connection" : text;
}

} // namespace gatehouse::net
