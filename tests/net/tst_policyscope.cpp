// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QTest>

#include <thread>

using namespace gatehouse;
using namespace gatehouse::test;

/// Whom policies hold for, and how long: targets, order, observe, origins, keys that end.
class TestPolicyScope : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void observe_changesNothingOnTheWire()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + policyDocument("json-threat", "{maxDepth: 1}", ", mode: observe")
                    + policyDocument("header-injection",
                                     "{request: [{name: x-in, value: a}]}",
                                     ", mode: observe"));
        TestPeer client = setup.client();
        client.send(post("/p/x", "[[[1]]]"));
        TestPeer provider = setup.provider.accept();
        const Message request = provider.readMessage();
        QCOMPARE(request.body, QByteArray("[[[1]]]"));
        QVERIFY(request.field("x-in").isNull());
        provider.send(ok("fine"));
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }

    void revoked_keyMidStream_endsItWithinASecond_data()
    {
        QTest::addColumn<QByteArray>("more");
        QTest::newRow("revoked") << QByteArray(", revoked: true");
        QTest::newRow("expired") << QByteArray(", expires: '2020-01-01T00:00:00Z'");
    }
    void revoked_keyMidStream_endsItWithinASecond()
    {
        QFETCH(QByteArray, more);
        GatewaySetup setup(2);
        const QByteArray rest = gatewayDocument(2) + providerDocument(baseUrl(setup.provider))
                                + routeDocument("/p", "");
        setup.apply(rest + setup.maker.clientDocument());
        const QByteArray key = "x-api-key: " + setup.maker.key() + "\r\n";
        TestPeer client = setup.client();
        client.send(get("/p/stream", key));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(chunkedHead + chunk("one"));
        client.readUntil("one\r\n");
        TestPeer waiting = setup.client();
        waiting.send(get("/p/slow", key));
        TestPeer slow = setup.provider.accept();
        slow.readMessage();
        const auto begin = std::chrono::steady_clock::now();
        setup.apply(rest + setup.maker.clientDocument(more));
        QVERIFY(!client.readToEnd().endsWith(lastChunk));
        QCOMPARE(waiting.readMessage().status(), 401);
        QVERIFY(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
        QVERIFY(provider.end() != TestPeer::End::TimedOut);
        TestPeer next = setup.client();
        next.send(get("/p/x", key));
        QCOMPARE(next.readMessage().status(), 401);
    }

    void key_otherClientRevoked_streamGoesOn()
    {
        GatewaySetup setup(1);
        const QByteArray rest = gatewayDocument(1) + providerDocument(baseUrl(setup.provider))
                                + routeDocument("/p", "") + setup.maker.clientDocument();
        setup.apply(rest);
        TestPeer client = setup.client();
        client.send(get("/p/stream", "x-api-key: " + setup.maker.key() + "\r\n"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(chunkedHead + chunk("one"));
        client.readUntil("one\r\n");
        setup.apply(rest + routeDocument("/other"));
        provider.send(chunk("two") + lastChunk);
        QVERIFY(client.readUntil(lastChunk).endsWith(QByteArray(chunk("two") + lastChunk)));
    }

    void policyThatHoldsTooLong_isUndecided_data()
    {
        QTest::addColumn<QByteArray>("onError");
        QTest::addColumn<int>("status");
        QTest::newRow("refuse") << QByteArray() << 503;
        QTest::newRow("allow") << QByteArray(", onError: allow") << 200;
    }

    void policyThatHoldsTooLong_isUndecided()
    {
        QFETCH(QByteArray, onError);
        QFETCH(int, status);
        GatewaySetup setup(1);
        setup.apply(gatewayDocument(1, {}, "policyTimeout: 20ms")
                    + providerDocument(baseUrl(setup.provider)) + routeDocument("/p")
                    + policyDocument("fault-injection", "{delay: 5m}", onError));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        if (status == 200) {
            TestPeer provider = setup.provider.accept();
            provider.readMessage();
            provider.send(ok("late"));
        }
        const auto answer = client.readMessage();
        QCOMPARE(answer.status(), status);
        QCOMPARE(answer.field("x-gatehouse-reason"),
                 status == 200 ? QByteArray() : QByteArray("fault-injection:unavailable"));
    }

    void rulesOfMethods_holdForWhatAReaderMayTakeTheRequestFor_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<int>("status");
        QTest::newRow("the method")
            << QByteArray("DELETE /p/x HTTP/1.1\r\nHost: localhost\r\n\r\n") << 403;
        QTest::newRow("a header") << get("/p/x", "X-HTTP-Method-Override: DELETE\r\n") << 403;
        QTest::newRow("a parameter") << get("/p/x?_method=DELETE") << 403;
        QTest::newRow("in small letters")
            << get("/p/x", "X-HTTP-Method-Override: delete\r\n") << 403;
        QTest::newRow("a small parameter") << get("/p/x?_method=Delete") << 403;
        QTest::newRow("itself in small letters")
            << QByteArray("delete /p/x HTTP/1.1\r\nHost: localhost\r\n\r\n") << 403;
        QTest::newRow("another method") << get("/p/x", "X-HTTP-Method-Override: PUT\r\n") << 200;
        QTest::newRow("none") << get("/p/x") << 200;
    }

    void rulesOfMethods_holdForWhatAReaderMayTakeTheRequestFor()
    {
        QFETCH(QByteArray, request);
        QFETCH(int, status);
        GatewaySetup setup(1);
        setup.apply(
            gatewayDocument(1) + providerDocument(baseUrl(setup.provider)) + routeDocument("/p")
            + policyDocument(
                "endpoint-access", "{deny: [{path: '/**'}]}", ", rules: [{methods: DELETE}]"));
        TestPeer client = setup.client();
        client.send(request);
        if (status == 200) {
            TestPeer provider = setup.provider.accept();
            provider.readMessage();
            provider.send(ok("fine"));
        }
        QCOMPARE(client.readMessage().status(), status);
    }

    void rulesOfPaths_holdForWhatAServerMayTakeThePathFor_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<int>("status");
        const auto row = [](const char *path, int status) {
            QTest::newRow(path) << QByteArray(path) << status;
        };
        for (const char *path : {"/files/f",
                                 "//files/f",
                                 "/;x/files/f",
                                 "/files//f",
                                 "/files;v=1/f",
                                 "/files%2Ff",
                                 "/%66iles/f",
                                 "/%2566iles/f",
                                 "/files%5Cf",
                                 "/a/%252e%252e/files/f"})
            row(path, 403);
        for (const char *path : {"/filesx/f", "/a/files/f", "/files", "/FILES/f", "/a%2Ffiles/f"})
            row(path, 200);
        row("/a/../files/f", 400);
        row("/a/..;/files/f", 400);
    }
    void rulesOfPaths_holdForWhatAServerMayTakeThePathFor()
    {
        QFETCH(QByteArray, path);
        QFETCH(int, status);
        GatewaySetup setup(1);
        setup.apply(setup.yaml()
                    + policyDocument(
                        "ip-allow", "{ranges: [192.0.2.1]}", ", rules: [{path: '/files/.*'}]"));
        TestPeer client = setup.client();
        client.send(get("/p" + path));
        if (status == 200) {
            TestPeer provider = setup.provider.accept();
            provider.readMessage();
            provider.send(ok("fine"));
        }
        QCOMPARE(client.readMessage().status(), status);
    }

    void clientKey_ofSomeLabels_leavesTheBuiltInOneInForce()
    {
        GatewaySetup setup(1);
        setup.apply(gatewayDocument(1) + providerDocument(baseUrl(setup.provider))
                    + routeDocument("/p", "")
                    + policyDocument("client-key", "{}", ", target: {labels: {team: core}}"));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        QCOMPARE(client.readMessage().status(), 401);
        QVERIFY(!setup.provider.hasCaller());
    }

    void order_policyOfAClientBeforeClientKey_isAnError_data()
    {
        QTest::addColumn<QByteArray>("policies");
        QTest::newRow("of a client")
            << policyDocument("json-threat", "{}", ", target: {client: c}, order: 9");
        QTest::newRow("of labels that the route has not")
            << policyDocument("json-threat", "{}", ", target: {labels: {a: b}}, order: 9");
        QTest::newRow("behind the default, before the one in force")
            << policyDocument("json-threat", "{}", ", target: {client: c}, order: 50")
                   + policyDocument("client-key", "{}", ", order: 60");
        QTest::newRow("client-key itself")
            << policyDocument("client-key", "{}", ", target: {client: c}, order: 11");
    }
    void order_policyOfAClientBeforeClientKey_isAnError()
    {
        QFETCH(QByteArray, policies);
        const SnapshotMaker maker;
        QVERIFY(maker.isRefused(gatewayDocument(1) + providerDocument("http://127.0.0.1:9")
                                + routeDocument("/p", "") + maker.clientDocument() + policies));
    }

    void head_injectedFieldNamedByConnection_stays()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml()
                    + policyDocument("header-injection",
                                     "{request: [{name: x-in, value: a}], "
                                     "response: [{name: x-out, value: b}]}"));
        TestPeer client = setup.client();
        client.send(get("/p/x", "Connection: keep-alive, x-in, x-mine\r\nx-mine: 1\r\n"));
        TestPeer provider = setup.provider.accept();
        const Message request = provider.readMessage();
        QCOMPARE(request.field("x-in"), QByteArray("a"));
        QVERIFY(request.field("x-mine").isNull());
        provider.send(ok("fine", "Connection: x-out, x-theirs\r\nx-theirs: 1\r\n"));
        const Message answer = client.readMessage();
        QCOMPARE(answer.field("x-out"), QByteArray("b"));
        QVERIFY(answer.field("x-theirs").isNull());
    }

    void trailers_whereHeadsAreChanged_areDropped()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + policyDocument("header-removal", "{request: [x-sum]}"));
        TestPeer client = setup.client();
        client.send(chunkedPost("/p/x", chunk("{}") + "0\r\nx-sum: 1\r\n\r\n"));
        TestPeer provider = setup.provider.accept();
        const Message request = provider.readMessage();
        QVERIFY(request.isComplete);
        QCOMPARE(request.trailers, QByteArray());
    }

    void observe_bodyThatCannotBeGathered_goesOn_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::newRow("of unknown length") << chunkedPost("/p/x", chunk("[[[1]]]") + lastChunk);
        QTest::newRow("of 33 MiB") << post("/p/x", QByteArray(33 << 20, ' '));
    }
    void observe_bodyThatCannotBeGathered_goesOn()
    {
        QFETCH(QByteArray, request);
        GatewaySetup setup(1);
        setup.apply(setup.yaml()
                    + policyDocument("json-threat", "{maxDepth: 1}", ", mode: observe"));
        TestPeer client = setup.client();
        std::thread sender([&] { client.send(request); });
        TestPeer provider = setup.provider.accept();
        QVERIFY(provider.readMessage().isComplete);
        sender.join();
        provider.send(ok("fine"));
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }

    void cors_originOfOtherRequests_isStillRefused()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml()
                    + policyDocument("cors",
                                     "{origins: ['https://app.example']}",
                                     ", rules: [{path: '/public/.*'}]"));
        TestPeer client = setup.client();
        client.send(get("/p/private", "Origin: https://app.example\r\n"));
        QCOMPARE(client.readMessage().status(), 403);
        TestPeer other = setup.client();
        other.send(get("/p/public/x", "Origin: https://app.example\r\n"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(ok("fine"));
        QCOMPARE(other.readMessage().field("access-control-allow-origin"),
                 QByteArray("https://app.example"));
    }

    void service_askedByAPausedExchange_isReachedAfterAReloadWithoutPolicies()
    {
        GatewaySetup setup(1);
        Listener service;
        setup.apply(
            setup.yaml()
            + policyDocument("external-authorization", "{url: '" + baseUrl(service) + "/check'}"));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer asked = service.accept();
        QVERIFY(asked.readMessage().isComplete);
        setup.apply(setup.yaml());
        asked.send(ok(""));
        TestPeer provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().firstLine(), QByteArray("GET /x HTTP/1.1"));
        provider.send(ok("fine"));
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }

    void key_revokedWhileAPolicyBeforeItHoldsTheRequest_isRefused()
    {
        GatewaySetup setup(1);
        Listener service;
        const QByteArray rest = gatewayDocument(1) + providerDocument(baseUrl(setup.provider))
                                + routeDocument("/p", "")
                                + policyDocument("external-authorization",
                                                 "{url: '" + baseUrl(service) + "/check'}",
                                                 ", order: 5");
        setup.apply(rest + setup.maker.clientDocument());
        TestPeer client = setup.client();
        client.send(get("/p/x", "x-api-key: " + setup.maker.key() + "\r\n"));
        TestPeer asked = service.accept();
        QVERIFY(asked.readMessage().isComplete);
        setup.apply(rest);
        asked.send(ok(""));
        QCOMPARE(client.readMessage().status(), 401);
        QVERIFY(!setup.provider.hasCaller());
    }

    void path_malformedEscape_isRefused()
    {
        GatewaySetup setup(1);
        TestPeer client = setup.client();
        client.send(get("/p/a%zz"));
        QCOMPARE(client.readMessage().status(), 400);
    }
};

QTEST_GUILESS_MAIN(TestPolicyScope)
#include "tst_policyscope.moc"
