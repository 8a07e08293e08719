// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/certificates.h"
#include "tests/support/gatewaysetup.h"

#include <QTest>

#include <thread>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

constexpr const char *tlsListener
    = "{name: default, address: '127.0.0.1:0', tls: {certificate: server.pem, key: server.key}}";

/// The provider's end of a TLS connection that the gateway is about to open.
TestPeer acceptTls(const Listener &listener, SSL_CTX *context)
{
    TestPeer provider = listener.accept();
    return provider.startTlsServer(context) ? std::move(provider) : TestPeer();
}

} // namespace

/// TLS on both sides of a whole gateway.
class TestGatewayTls : public QObject
{
    Q_OBJECT

private:
    CertificateAuthority m_authority;
    SslContext m_provider = serverContext(m_authority.issue());
    SslContext m_client = clientContext(m_authority.pem());

    /// Writes server.pem, server.key and ca.pem.
    void writeFiles(const GatewaySetup &setup)
    {
        const Certificate certificate = m_authority.issue();
        setup.maker.write("server.pem", certificate.pem);
        setup.maker.write("server.key", certificate.keyPem);
        setup.maker.write("ca.pem", m_authority.pem());
    }
    QByteArray listenerYaml(unsigned workers, const GatewaySetup &setup)
    {
        return gatewayDocument(workers, {}, {}, tlsListener)
               + providerDocument(baseUrl(setup.provider)) + routeDocument();
    }
    static QByteArray
    providerYaml(unsigned workers, const Listener &provider, const QByteArray &more)
    {
        return gatewayDocument(workers) + providerDocument(baseUrl(provider, "https"), more)
               + routeDocument();
    }

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<unsigned>("workers");
        QTest::newRow("one worker") << 1U;
        QTest::newRow("three workers") << 3U;
    }

    void listener_withCertificate_speaksTlsOnly()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        writeFiles(setup);
        setup.apply(listenerYaml(workers, setup));
        QVERIFY(setup.gateway->urls().first().startsWith(QStringLiteral("https://127.0.0.1:")));
        TestPeer client = setup.client();
        QVERIFY(client.startTlsClient(m_client.get(), "localhost"));
        const QByteArray body = payload(1'000'000);
        std::thread sending([&] { client.send(post("/p/x", body)); });
        TestPeer provider = setup.provider.accept();
        QVERIFY(provider.readMessage().body == body);
        sending.join();
        provider.send(ok(body));
        QVERIFY(client.readMessage().body == body);
        TestPeer plain = setup.client();
        plain.send(get("/p/x"));
        QVERIFY(!plain.readMessage().head.startsWith("HTTP/1.1 200"));
    }

    void listener_secondConnection_resumesItsSessionAlsoOverAReload()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        writeFiles(setup);
        const QByteArray yaml = listenerYaml(workers, setup);
        setup.apply(yaml);
        TestPeer first = setup.client();
        QVERIFY(first.startTlsClient(m_client.get(), "localhost"));
        first.send(get("/nowhere"));
        QCOMPARE(first.readMessage().status(), 404);
        QVERIFY(!first.isResumed());
        const SslSession session = first.session();
        TestPeer second = setup.client();
        QVERIFY(second.startTlsClient(m_client.get(), "localhost", session.get()));
        QVERIFY(second.isResumed());
        setup.apply(yaml + routeDocument("/more"));
        TestPeer third = setup.client();
        QVERIFY(third.startTlsClient(m_client.get(), "localhost", session.get()));
        QVERIFY2(third.isResumed(), "a reload must not cost sessions");
        // A new certificate is a new identity.
        writeFiles(setup);
        setup.apply(yaml);
        TestPeer fourth = setup.client();
        QVERIFY(fourth.startTlsClient(m_client.get(), "localhost", session.get()));
        QVERIFY(!fourth.isResumed());
    }

    void listener_badCertificate_changesNothing()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        writeFiles(setup);
        const auto good = setup.maker.snapshot(listenerYaml(workers, setup));
        const QStringList urls = setup.gateway->urls();
        for (const char *fault : {"certificate", "key", "other key"}) {
            Snapshot bad = *setup.maker.snapshot(gatewayDocument(workers));
            auto tls = std::make_shared<ListenerTls>();
            const auto &goodTls = *good->listeners.front().tls;
            tls->certificatePem = goodTls.certificatePem;
            std::string key(goodTls.keyPem.reveal());
            if (QByteArray(fault) == "certificate")
                tls->certificatePem = "nonsense";
            else
                key = QByteArray(fault) == "key" ? std::string("nonsense")
                                                 : m_authority.issue().keyPem.toStdString();
            tls->keyPem = Secret(std::move(key));
            bad.listeners = {{"new", "127.0.0.1", 0, tls}};
            const auto result
                = setup.gateway->apply(std::make_shared<const Snapshot>(std::move(bad)));
            QVERIFY2(!result, fault);
            QVERIFY(result.error().message().find("listener new") != std::string::npos);
            QCOMPARE(setup.gateway->urls(), urls);
        }
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        QVERIFY(!provider.readMessage().head.isEmpty());
    }

    void listener_clientCa_admitsItsCertificatesOnly()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        writeFiles(setup);
        setup.apply(QByteArray(listenerYaml(workers, setup))
                        .replace("key: server.key", "key: server.key, clientCa: ca.pem"));
        const auto statusWith = [&](SSL_CTX *context) {
            TestPeer client = setup.client();
            client.startTlsClient(context, "localhost"); // TLS 1.3 tells of a refusal afterwards
            client.send(get("/nowhere"));
            return client.readMessage().status();
        };
        QCOMPARE(statusWith(m_client.get()), 0);
        const SslContext known = clientContext(m_authority.pem());
        useCertificate(known.get(), m_authority.issue("DNS:me"));
        QCOMPARE(statusWith(known.get()), 404);
        const SslContext stranger = clientContext(m_authority.pem());
        useCertificate(stranger.get(), CertificateAuthority().issue("DNS:me"));
        QCOMPARE(statusWith(stranger.get()), 0);
    }

    void provider_itsOwnCa_isTrusted()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        writeFiles(setup);
        setup.apply(providerYaml(workers, setup.provider, ", credential: none, ca: ca.pem"));
        TestPeer client = setup.client();
        const QByteArray body = payload(1'000'000);
        std::thread sending([&] { client.send(post("/p/x", body)); });
        TestPeer provider = acceptTls(setup.provider, m_provider.get());
        QVERIFY(provider.isConnected());
        QVERIFY(provider.readMessage().body == body);
        sending.join();
        std::thread answering([&] { provider.send(chunkedHead + chunk(body) + lastChunk); });
        QVERIFY(client.readMessage().body == body);
        answering.join();
    }

    void provider_unknownCa_is502AndNothingIsSent()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        setup.apply(providerYaml(workers, setup.provider, ", credential: none"));
        TestPeer client = setup.client();
        client.send(post("/p/x", "secret"));
        TestPeer provider = setup.provider.accept();
        provider.startTlsServer(m_provider.get());
        QVERIFY(!provider.readToEnd().contains("secret"));
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 502);
        QCOMPARE(got.field("x-gatehouse-reason"), QByteArray("provider:tls"));
    }

    void provider_insecure_acceptsAnyCertificate()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        setup.apply(providerYaml(workers, setup.provider, ", credential: none, insecure: true"));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        const SslContext strange
            = serverContext(CertificateAuthority().issue("DNS:elsewhere.example", true));
        TestPeer provider = acceptTls(setup.provider, strange.get());
        QVERIFY(provider.isConnected());
        provider.readMessage();
        provider.send(ok("risky"));
        QCOMPARE(client.readMessage().body, QByteArray("risky"));
    }

    void provider_secondConnection_resumesItsSession()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        writeFiles(setup);
        const QByteArray yaml
            = providerYaml(workers, setup.provider, ", credential: none, ca: ca.pem");
        setup.apply(yaml);
        // One client, hence one worker: sessions are kept by each of them.
        TestPeer client = setup.client();
        for (int i = 0; i < 4; ++i) {
            client.send(get("/p/x"));
            TestPeer provider = acceptTls(setup.provider, m_provider.get());
            QVERIFY(provider.isConnected());
            QCOMPARE(provider.isResumed(), i != 0);
            provider.readMessage();
            provider.send(ok("x", "Connection: close\r\n"));
            QCOMPARE(client.readMessage().body, QByteArray("x"));
            if (i == 2)
                setup.apply(yaml + routeDocument("/more"));
        }
    }

    void provider_untilCloseWithoutCloseNotify_isCutOff()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        writeFiles(setup);
        setup.apply(providerYaml(workers, setup.provider, ", credential: none, ca: ca.pem"));
        for (const bool isClean : {true, false}) {
            TestPeer client = setup.client();
            client.send(get("/p/x"));
            TestPeer provider = acceptTls(setup.provider, m_provider.get());
            provider.readMessage();
            provider.send("HTTP/1.1 200 OK\r\n\r\nperhaps not all");
            if (isClean)
                provider.close();
            else
                provider.truncate();
            const Message got = client.readMessage();
            QCOMPARE(got.body.isEmpty() ? QByteArray("perhaps not all") : got.body,
                     QByteArray("perhaps not all"));
            QCOMPARE(got.isComplete, isClean);
        }
    }
};

QTEST_GUILESS_MAIN(TestGatewayTls)
#include "tst_gatewaytls.moc"
