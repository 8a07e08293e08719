// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QSignalSpy>
#include <QTcpSocket>
#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

constexpr int patienceMs = 30'000;

/// Applies YAML with two listeners on free ports, a and b, and a route on each.
QByteArray twoListeners(unsigned workers, const Listener &provider)
{
    return gatewayDocument(
               workers, {}, {}, "{name: a, address: '127.0.0.1:0'}, {name: b, address: '[::1]:0'}")
           + providerDocument(baseUrl(provider))
           + routeDocument("/p", ", public: true, listener: a")
           + routeDocument("/q", ", public: true, listener: b");
}

QByteArray answerOf(TestPeer &client, const QByteArray &path)
{
    client.send(get(path));
    return client.readMessage().firstLine();
}

} // namespace

/// The façade: reloads, limits and the end. tst_gatewaytls has TLS.
class TestGateway : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<unsigned>("workers");
        QTest::newRow("one worker") << 1U;
        QTest::newRow("three workers") << 3U;
    }

    void apply_newSnapshot_isSignalledWithItsRevision()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        QSignalSpy applied(setup.gateway.get(), &Gateway::applied);
        const auto snapshot = setup.maker.snapshot(setup.yaml() + routeDocument("/more"));
        QVERIFY(setup.gateway->apply(snapshot));
        QCOMPARE(applied.size(), 1);
        QCOMPARE(applied.first().first().toString().toStdString(), snapshot->revision);
    }

    void reload_listenerKept_keepsConnectionsAndPort()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        const QStringList urls = setup.gateway->urls();
        TestPeer client = setup.client();
        QVERIFY(answerOf(client, "/new").contains("404"));
        setup.apply(setup.yaml() + routeDocument("/new"));
        QCOMPARE(setup.gateway->urls(), urls);
        client.send(get("/new/x"));
        TestPeer provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().firstLine(), QByteArray("GET /x HTTP/1.1"));
        provider.send(ok("new"));
        QCOMPARE(client.readMessage().body, QByteArray("new"));
    }

    void reload_listenerAddedAndRemoved_opensAndCloses()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        const std::uint16_t first = setup.port();
        TestPeer open = setup.client();
        setup.apply(gatewayDocument(
            workers,
            {},
            {},
            "{name: default, address: '127.0.0.1:0'}, {name: b, address: '127.0.0.1:0'}"));
        QCOMPARE(setup.port(), first);
        const std::uint16_t second = setup.port(1);
        TestPeer added = TestPeer::connectedTo(second);
        QVERIFY(answerOf(added, "/x").contains("404"));
        setup.apply(gatewayDocument(workers, {}, {}, "{name: b, address: '127.0.0.1:0'}"));
        QCOMPARE(setup.gateway->urls().size(), 1);
        QCOMPARE(setup.port(), second);
        QTRY_VERIFY_WITH_TIMEOUT(!TestPeer::connectedTo(first).isConnected(), patienceMs);
        QVERIFY2(answerOf(open, "/x").contains("404"), "connections stay");
        QVERIFY(answerOf(added, "/x").contains("404"));
    }

    void reload_oneOfTwoAddressesWithTheSamePort_leavesTheOther()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        const auto at = [&](std::initializer_list<const char *> hosts, std::uint16_t port) {
            QByteArray listeners;
            for (const char *host : hosts)
                listeners += QByteArray("{name: n") + QByteArray::number(qstrlen(host))
                             + ", address: '" + host + ":" + QByteArray::number(port) + "'},";
            return gatewayDocument(workers, {}, {}, listeners.chopped(1));
        };
        // A port that is free on both addresses; taken again at once, so another process is unlikely.
        std::uint16_t port = 0;
        for (bool isFree = false; !isFree;) {
            {
                const Listener probe;
                port = probe.port();
            }
            isFree
                = setup.gateway->apply(setup.maker.snapshot(at({"127.0.0.1", "127.0.0.22"}, port)))
                      .has_value();
        }
        setup.apply(at({"127.0.0.1"}, port));
        TestPeer client = TestPeer::connectedTo(port);
        QVERIFY2(client.isConnected(), "the listener that stays was closed with the other");
        QVERIFY(answerOf(client, "/x").contains("404"));
    }

    void reload_whileStreaming_leavesTheExchangeItsSnapshot()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(chunkedHead + chunk("before,"));
        client.readUntil("before,\r\n");
        setup.apply(gatewayDocument(workers)); // without route and provider
        TestPeer other = setup.client();
        QVERIFY(answerOf(other, "/p/x").contains("404"));
        provider.send(chunk("after") + lastChunk);
        QCOMPARE(client.readUntil(lastChunk), chunk("after") + lastChunk);
        QVERIFY(answerOf(client, "/p/x").contains("404"));
    }

    void reload_keyRemoved_isRefusedAtOnce()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        const QByteArray yaml = gatewayDocument(workers) + providerDocument(baseUrl(setup.provider))
                                + routeDocument("/p", "");
        setup.apply(yaml + setup.maker.clientDocument());
        const QByteArray request = get("/p/x", "x-api-key: " + setup.maker.key() + "\r\n");
        TestPeer client = setup.client();
        client.send(request);
        TestPeer provider = setup.provider.accept();
        const Message asked = provider.readMessage();
        QVERIFY(!asked.head.contains("ghk_"));
        provider.send(ok("yes"));
        QCOMPARE(client.readMessage().body, QByteArray("yes"));
        setup.apply(yaml + setup.maker.clientDocument(", revoked: true"));
        client.send(request);
        QCOMPARE(client.readMessage().status(), 401);
        TestPeer next = setup.client();
        next.send(request);
        QCOMPARE(next.readMessage().status(), 401);
    }

    void apply_portInUse_changesNothing()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        QSignalSpy applied(setup.gateway.get(), &Gateway::applied);
        const QStringList urls = setup.gateway->urls();
        const Listener taken;
        const QByteArray there = "'127.0.0.1:" + QByteArray::number(taken.port()) + "'";
        for (const QByteArray &yaml :
             {gatewayDocument(workers,
                              {},
                              {},
                              "{name: b, address: '127.0.0.1:0'}, {name: default, address: " + there
                                  + "}"),
              gatewayDocument(workers, ", admin: " + there)}) {
            const auto result = setup.gateway->apply(setup.maker.snapshot(yaml));
            QVERIFY(!result);
            QVERIFY(result.error().message().find(std::to_string(taken.port()))
                    != std::string::npos);
            QCOMPARE(setup.gateway->urls(), urls);
            QVERIFY(applied.isEmpty());
        }
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(ok("still"));
        QCOMPARE(client.readMessage().body, QByteArray("still"));
    }

    void limit_ofConnections_isAnswered503()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers, "connections: 3");
        std::array<TestPeer, 3> clients;
        for (TestPeer &client : clients) {
            client = setup.client();
            QVERIFY(answerOf(client, "/x").contains("404"));
        }
        TestPeer surplus = setup.client();
        const Message refused = surplus.readMessage();
        QCOMPARE(refused.status(), 503);
        QCOMPARE(refused.field("x-gatehouse-reason"), QByteArray("overloaded"));
        QCOMPARE(surplus.end(), TestPeer::End::Fin);
        clients[1].close();
        // One is accepted as soon as the worker has seen the end of the other.
        QVERIFY(QTest::qWaitFor(
            [&] {
                TestPeer later = setup.client();
                return answerOf(later, "/x").contains("404");
            },
            patienceMs));
    }

    void drain_idleAndBusyConnections_closesAndFinishes()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        QSignalSpy drained(setup.gateway.get(), &Gateway::drained);
        TestPeer fresh = setup.client();
        TestPeer idle = setup.client();
        QVERIFY(answerOf(idle, "/x").contains("404"));
        TestPeer busy = setup.client();
        busy.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(chunkedHead + chunk("be"));
        busy.readUntil("be\r\n");
        const std::uint16_t port = setup.port();
        setup.gateway->drain();
        QCOMPARE(idle.end(), TestPeer::End::Fin);
        QVERIFY(fresh.end() != TestPeer::End::TimedOut);
        QTRY_VERIFY_WITH_TIMEOUT(!TestPeer::connectedTo(port).isConnected(), patienceMs);
        QVERIFY(drained.isEmpty());
        provider.send(chunk("gun") + lastChunk);
        QCOMPARE(busy.readUntil(lastChunk), chunk("gun") + lastChunk);
        busy.close();
        QVERIFY(!drained.isEmpty() || drained.wait(patienceMs));
        QCOMPARE(drained.size(), 1);
        setup.gateway->drain(); // a second time is harmless
    }

    void drain_nothingOpen_isOverAtOnce()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        QSignalSpy drained(setup.gateway.get(), &Gateway::drained);
        setup.gateway->drain();
        QVERIFY(!drained.isEmpty() || drained.wait(patienceMs));
        Gateway never;
        QSignalSpy neverDrained(&never, &Gateway::drained);
        never.drain();
        QCOMPARE(neverDrained.size(), 1);
    }

    void drain_exchangeThatDoesNotEnd_isCutWhenTheTimeIsOver()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers, "drainTimeout: 100ms");
        QSignalSpy drained(setup.gateway.get(), &Gateway::drained);
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(chunkedHead + chunk("endless"));
        client.readUntil("endless\r\n");
        setup.gateway->drain();
        QVERIFY(drained.wait(patienceMs));
        setup.gateway.reset(); // as its hosts do then
        QVERIFY(client.end() != TestPeer::End::TimedOut);
        QVERIFY(provider.end() != TestPeer::End::TimedOut);
        QCOMPARE(drained.size(), 1);
    }

    void destructor_withConnectionsInEveryState_cutsThem()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        std::vector<TestPeer> peers;
        for (int i = 0; i < 5; ++i) {
            peers.emplace_back(setup.client()).send(get("/p/x"));
            TestPeer &provider = peers.emplace_back(setup.provider.accept());
            provider.readMessage();
            if (i % 2 == 0)
                provider.send(chunkedHead + chunk("some"));
        }
        for (int i = 0; i < 5; ++i)
            peers.emplace_back(setup.client()).send(post("/p/x", payload(5000)).chopped(100));
        for (int i = 0; i < 50; ++i) // some of them still on their way to a worker
            peers.push_back(setup.client());
        const std::uint16_t port = setup.port();
        setup.gateway.reset();
        for (TestPeer &peer : peers)
            QVERIFY(peer.end() != TestPeer::End::TimedOut);
        QVERIFY(!TestPeer::connectedTo(port).isConnected());
    }

    void destructor_rightAfterApply_freesThePort()
    {
        QFETCH_GLOBAL(unsigned, workers);
        const SnapshotMaker maker;
        for (int i = 0; i < 20; ++i) {
            auto gateway = std::make_unique<Gateway>();
            QVERIFY(gateway->apply(maker.snapshot(gatewayDocument(workers))));
            const auto port = static_cast<std::uint16_t>(QUrl(gateway->urls().first()).port());
            gateway.reset();
            QVERIFY(!TestPeer::connectedTo(port).isConnected());
        }
    }

    void admin_healthAndReadiness_followTheGateway()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        std::uint16_t port = 0;
        for (bool isFree = false; !isFree;) {
            {
                const Listener probe;
                port = probe.port();
            }
            const QByteArray admin = ", admin: '127.0.0.1:" + QByteArray::number(port) + "'";
            isFree = setup.gateway->apply(setup.maker.snapshot(gatewayDocument(workers, admin)))
                         .has_value();
        }
        // Runs in this thread, so the socket has to as well.
        const auto statusOf = [port](const QByteArray &request) {
            QTcpSocket socket;
            socket.connectToHost(QHostAddress(QHostAddress::LocalHost), port);
            socket.write(request);
            QByteArray answer;
            const auto isComplete = [&] {
                answer += socket.readAll();
                return socket.state() == QAbstractSocket::UnconnectedState;
            };
            return QTest::qWaitFor(isComplete, patienceMs) ? answer.mid(9, 3) : "late";
        };
        QCOMPARE(statusOf(get("/healthz")), QByteArray("200"));
        QCOMPARE(statusOf(get("/readyz")), QByteArray("200"));
        QCOMPARE(statusOf(get("/readyz").replace(0, 3, "HEAD")), QByteArray("200"));
        QCOMPARE(statusOf(post("/readyz", "")), QByteArray("405"));
        QCOMPARE(statusOf(get("/p/x")), QByteArray("404"));
        QCOMPARE(statusOf("nonsense\r\n\r\n"), QByteArray("400"));
        TestPeer client = setup.client();
        QVERIFY2(answerOf(client, "/healthz").contains("404"), "no administration on this port");
        TestPeer busy = setup.client();
        busy.send("GET /"); // keeps the drain from being over
        setup.gateway->drain();
        QCOMPARE(statusOf(get("/readyz")), QByteArray("503"));
        QCOMPARE(statusOf(get("/healthz")), QByteArray("200"));
    }

    void urls_everyListener_inTheSnapshotsOrder()
    {
        QFETCH_GLOBAL(unsigned, workers);
        GatewaySetup setup(workers);
        setup.apply(twoListeners(workers, setup.provider));
        const QStringList urls = setup.gateway->urls();
        QCOMPARE(urls.size(), 2);
        QVERIFY(urls[0].startsWith(QStringLiteral("http://127.0.0.1:")));
        QVERIFY(urls[1].startsWith(QStringLiteral("http://[::1]:")));
    }
};

QTEST_GUILESS_MAIN(TestGateway)
#include "tst_gateway.moc"
