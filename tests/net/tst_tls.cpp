// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/snapshot.h"
#include "tests/support/certificates.h"
#include "tests/support/socketprobe.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

Q_DECLARE_METATYPE(gatehouse::test::LoopKind)

namespace {

constexpr qsizetype big = 4 * 1024 * 1024;
constexpr int smallBuffer = 4096;

std::shared_ptr<const net::TlsContext> toProvider(const QByteArray &caPem)
{
    return net::TlsContext::forProvider(caPem.toStdString(), false).value();
}

std::shared_ptr<const net::TlsContext> toClients(const Certificate &certificate)
{
    ListenerTls tls;
    tls.certificatePem = certificate.pem.toStdString();
    tls.keyPem = Secret(certificate.keyPem.toStdString());
    return net::TlsContext::forListener(tls).value();
}

} // namespace

/// Socket with TLS, and what TlsContext makes of certificates.
class TestTls : public QObject
{
    Q_OBJECT

private:
    CertificateAuthority m_authority;
    Certificate m_certificate = m_authority.issue();
    std::unique_ptr<LoopThread> m_thread;

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<LoopKind>("kind");
        QTest::newRow("epoll") << LoopKind::Epoll;
        QTest::newRow("notifiers") << LoopKind::Notifiers;
    }
    void init()
    {
        QFETCH_GLOBAL(LoopKind, kind);
        m_thread = std::make_unique<LoopThread>(kind);
    }
    void cleanup() { m_thread.reset(); }

    void tls_bothRoles_carryBigPayloadsBothWays()
    {
        const auto serverSide = toClients(m_certificate);
        const auto clientSide = toProvider(m_authority.pem());
        net::TlsSessionStore sessions;
        const Listener listener;
        const QByteArray sent = payload(big);
        SocketProbe server(*m_thread);
        SocketProbe client(*m_thread);
        server.setEcho();
        QVERIFY(client.connectTo(listener.port(), clientSide->toProvider("127.0.0.1", sessions)));
        QVERIFY(server.adopt(listener.accept().release(), serverSide->toClient()));
        QVERIFY(client.waitFor("opened"));
        QVERIFY(client.write(sent));
        QVERIFY(client.waitForBytes(big));
        QVERIFY(client.state.now().received == sent);
        QVERIFY(server.state.now().received == sent);
        client.inThread([](net::Socket &socket) { socket.close(); });
        QVERIFY(server.waitFor("end"));
        m_thread->call([&] { sessions.keep(nullptr); });
    }

    void tls_writeToASlowReader_keepsTheRestAndDrains()
    {
        const auto serverSide = toClients(m_certificate);
        const SslContext trusting = clientContext(m_authority.pem());
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port(), smallBuffer);
        SocketProbe probe(*m_thread);
        QVERIFY(probe.adopt(listener.accept().release(), serverSide->toClient()));
        QVERIFY(peer.startTlsClient(trusting.get(), "localhost"));
        QVERIFY(probe.waitFor("opened"));
        const QByteArray sent = payload(2 * big);
        QVERIFY(probe.write(sent));
        QVERIFY(probe.pending() > 0);
        QVERIFY(probe.write("the end"));
        QVERIFY(peer.read(sent.size()) == sent);
        QCOMPARE(peer.read(7), "the end");
        QVERIFY(probe.waitFor("drained"));
    }

    void tls_serverCertificate_isVerified_data()
    {
        QTest::addColumn<QByteArray>("names");
        QTest::addColumn<bool>("isExpired");
        QTest::addColumn<bool>("isTrusted");
        QTest::addColumn<QByteArray>("host");
        QTest::addColumn<QByteArray>("failure");
        const QByteArray both = "DNS:localhost,IP:127.0.0.1";
        const auto row = [](const char *name,
                            const QByteArray &names,
                            bool isExpired,
                            bool isTrusted,
                            const char *host,
                            const char *failure) {
            QTest::newRow(name) << names << isExpired << isTrusted << QByteArray(host)
                                << QByteArray(failure);
        };
        row("good name", both, false, true, "localhost", "");
        row("good address", both, false, true, "127.0.0.1", "");
        row("another name", both, false, true, "api.example", "hostname mismatch");
        row("another address", both, false, true, "127.0.0.2", "IP address mismatch");
        row("name where the address counts", "DNS:127.0.0.1", false, true, "127.0.0.1", "mismatch");
        row("expired", both, true, true, "localhost", "certificate has expired");
        row("another authority", both, false, false, "localhost", "unable to get local issuer");
    }
    void tls_serverCertificate_isVerified()
    {
        QFETCH(QByteArray, names);
        QFETCH(bool, isExpired);
        QFETCH(bool, isTrusted);
        QFETCH(QByteArray, host);
        QFETCH(QByteArray, failure);
        const SslContext server = serverContext(m_authority.issue(names.constData(), isExpired));
        const auto client
            = toProvider(isTrusted ? m_authority.pem() : CertificateAuthority().pem());
        net::TlsSessionStore sessions;
        const Listener listener;
        SocketProbe probe(*m_thread);
        QVERIFY(probe.connectTo(listener.port(), client->toProvider(host.toStdString(), sessions)));
        TestPeer peer = listener.accept();
        peer.startTlsServer(server.get());
        QVERIFY(probe.waitFor(failure.isEmpty() ? "opened" : "failed"));
        const auto state = probe.state.now();
        QCOMPARE(state.inTls, !failure.isEmpty());
        QVERIFY2(QByteArray::fromStdString(state.failure).contains(failure), state.failure.c_str());
    }

    void tls_peerThatSpeaksNone_fails()
    {
        const auto client = toProvider(m_authority.pem());
        net::TlsSessionStore sessions;
        const Listener listener;
        SocketProbe probe(*m_thread);
        QVERIFY(probe.connectTo(listener.port(), client->toProvider("localhost", sessions)));
        TestPeer peer = listener.accept();
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        QVERIFY(probe.waitFor("failed"));
        QVERIFY(probe.state.now().inTls);
    }

    void tls_end_isCleanOnlyWithCloseNotify_data()
    {
        QTest::addColumn<bool>("isClean");
        QTest::newRow("close_notify") << true;
        QTest::newRow("FIN alone") << false;
    }
    void tls_end_isCleanOnlyWithCloseNotify()
    {
        QFETCH(bool, isClean);
        const auto serverSide = toClients(m_certificate);
        const SslContext trusting = clientContext(m_authority.pem());
        const Listener listener;
        TestPeer peer = TestPeer::connectedTo(listener.port());
        SocketProbe probe(*m_thread);
        QVERIFY(probe.adopt(listener.accept().release(), serverSide->toClient()));
        QVERIFY(peer.startTlsClient(trusting.get(), "localhost"));
        QVERIFY(probe.waitFor("opened"));
        QVERIFY(
            probe.write("ticket")); // read, so that closing leaves nothing unread behind: no reset
        QCOMPARE(peer.read(6), "ticket");
        peer.send("body");
        if (isClean)
            peer.close();
        else
            peer.truncate();
        QVERIFY(probe.waitFor(isClean ? "end" : "broken"));
        QVERIFY(!probe.state.now().has(isClean ? "broken" : "end"));
        QCOMPARE(probe.state.now().received, "body");
    }

    void tls_close_sendsCloseNotifyAndAbortDoesNot()
    {
        const auto serverSide = toClients(m_certificate);
        const SslContext trusting = clientContext(m_authority.pem());
        for (const bool isAbort : {false, true}) {
            const Listener listener;
            TestPeer peer = TestPeer::connectedTo(listener.port());
            SocketProbe probe(*m_thread);
            QVERIFY(probe.adopt(listener.accept().release(), serverSide->toClient()));
            QVERIFY(peer.startTlsClient(trusting.get(), "localhost"));
            QVERIFY(probe.waitFor("opened"));
            probe.inThread([isAbort](net::Socket &socket) {
                if (isAbort)
                    socket.abort();
                else
                    socket.close();
            });
            QCOMPARE(peer.end(), isAbort ? TestPeer::End::Reset : TestPeer::End::Fin);
        }
    }
};

QTEST_GUILESS_MAIN(TestTls)
#include "tst_tls.moc"
