// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/gateway.h"
#include "gateway/secrets/vault.h"
#include "gateway/secrets/virtualkey.h"
#include "tests/config/configdir.h"
#include "tests/support/peer.h"

#include <QUrl>

namespace gatehouse::test {

/// Configuration in a directory of its own, compiled by the real loader. Virtual keys stay good from
/// one snapshot to the next.
class SnapshotMaker
{
public:
    SnapshotMaker() { m_key = virtualkey::generate().value(); }

    /// The key of the client in clientDocument().
    [[nodiscard]] QByteArray key() const { return QByteArray::fromStdString(m_key); }
    [[nodiscard]] QByteArray clientDocument(const QByteArray &more = {}) const
    {
        return document(
            "Client", "c", "{keys: [{id: k1, hash: '" + hashOf(key()) + "'" + more + "}]}");
    }
    /// As written in Client documents.
    [[nodiscard]] QByteArray hashOf(const QByteArray &key) const
    {
        const KeyHasher hasher(loadOrCreateHashKey(m_dir.data()).value());
        return QByteArray::fromStdString(keyHashToText(hasher.hash(key.toStdString())));
    }
    /// A file beside the configuration, to be named in it.
    void write(const char *name, const QByteArray &bytes) const { m_dir.write(name, bytes); }

    /// True where \a yaml has an error.
    [[nodiscard]] bool isRefused(const QByteArray &yaml) const
    {
        m_dir.write("test.yaml", yaml);
        return !buildSnapshot(loadDraft(m_dir.config()), m_dir.data(), *m_vault, m_states).snapshot;
    }
    /// Fatal where \a yaml is wrong.
    [[nodiscard]] std::shared_ptr<const Snapshot> snapshot(const QByteArray &yaml) const
    {
        m_dir.write("test.yaml", yaml);
        BuildOutcome outcome
            = buildSnapshot(loadDraft(m_dir.config()), m_dir.data(), *m_vault, m_states);
        if (!outcome.snapshot)
            qFatal("%s", qPrintable(m_dir.printed(outcome.diagnostics)));
        return outcome.snapshot;
    }

private:
    ConfigDir m_dir;
    std::unique_ptr<Vault> m_vault = std::make_unique<Vault>(nullptr);
    mutable StateStore m_states;
    std::string m_key;
};

/// \a more: further fields, each with its comma in front.
inline QByteArray gatewayDocument(unsigned workers,
                                  const QByteArray &more = {},
                                  const QByteArray &limits = {},
                                  const QByteArray &listeners
                                  = "{name: default, address: '127.0.0.1:0'}")
{
    const bool hasAdmin = more.contains("admin:");
    return document("Gateway",
                    "main",
                    "{listeners: [" + listeners + "], workers: " + QByteArray::number(workers)
                        + (hasAdmin ? "" : ", admin: none") + more + ", limits: {" + limits + "}}");
}

inline QByteArray providerDocument(const QByteArray &baseUrl,
                                   const QByteArray &more = ", credential: none",
                                   const QByteArray &name = "p")
{
    return document("Provider", name, "{dialect: openai, baseUrl: '" + baseUrl + "'" + more + "}");
}

inline QByteArray routeDocument(const QByteArray &basePath = "/p",
                                const QByteArray &more = ", public: true",
                                const QByteArray &provider = "p")
{
    return document("Route",
                    QByteArray(basePath).replace('/', "r"),
                    "{basePath: " + basePath + ", provider: " + provider + ", usage: observe" + more
                        + "}");
}

inline QByteArray baseUrl(const Listener &provider, const char *scheme = "http")
{
    return QByteArray(scheme) + "://127.0.0.1:" + QByteArray::number(provider.port());
}

/// A gateway whose one public route, /p, leads to a provider that the test plays.
class GatewaySetup
{
public:
    explicit GatewaySetup(unsigned workers, const QByteArray &limits = {})
        : m_yaml(gatewayDocument(workers, {}, limits) + providerDocument(baseUrl(provider))
                 + routeDocument())
    {
        apply(m_yaml);
    }

    [[nodiscard]] const QByteArray &yaml() const { return m_yaml; }
    /// Fatal where it is refused.
    void apply(const QByteArray &yaml)
    {
        if (const auto applied = gateway->apply(maker.snapshot(yaml)); !applied)
            qFatal("%s", applied.error().message().c_str());
    }
    [[nodiscard]] std::uint16_t port(qsizetype listener = 0) const
    {
        return static_cast<std::uint16_t>(QUrl(gateway->urls().at(listener)).port());
    }
    [[nodiscard]] TestPeer client(int receiveBuffer = 0) const
    {
        return TestPeer::connectedTo(port(), receiveBuffer);
    }

    SnapshotMaker maker;
    Listener provider;
    std::unique_ptr<Gateway> gateway = std::make_unique<Gateway>();

private:
    QByteArray m_yaml;
};

inline QByteArray get(const QByteArray &path, const QByteArray &more = {})
{
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

inline QByteArray post(const QByteArray &path, const QByteArray &body, const QByteArray &more = {})
{
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
           + QByteArray::number(body.size()) + "\r\n" + more + "\r\n" + body;
}

inline QByteArray
policyDocument(const QByteArray &type, const QByteArray &config, const QByteArray &more = {})
{
    return document("Policy", type, "{type: " + type + ", config: " + config + more + "}");
}

inline QByteArray chunkedPost(const QByteArray &path, const QByteArray &chunks)
{
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           + "Transfer-Encoding: chunked\r\n\r\n" + chunks;
}

inline QByteArray ok(const QByteArray &body, const QByteArray &more = {})
{
    return "HTTP/1.1 200 OK\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n" + more
           + "\r\n" + body;
}

inline QByteArray chunk(const QByteArray &bytes)
{
    return QByteArray::number(bytes.size(), 16) + "\r\n" + bytes + "\r\n";
}

inline const QByteArray chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
inline const QByteArray lastChunk = "0\r\n\r\n";

} // namespace gatehouse::test
