// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QTest>

#include <thread>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

/// A policy that reads every body: it refuses what is nested deeper than four.
QByteArray bodyPolicy()
{
    return policyDocument("json-threat", "{maxDepth: 4}");
}

} // namespace

/// Policies on the wire: what the connection does with what they say. What each type says is in
/// tests/policies.
class TestPolicies : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void body_gathered_goesOutByteForByte_data()
    {
        QTest::addColumn<qsizetype>("size");
        QTest::newRow("in one read") << qsizetype(40);
        QTest::newRow("several reads") << qsizetype(300'000);
        QTest::newRow("megabytes") << qsizetype(3'000'000);
    }
    void body_gathered_goesOutByteForByte()
    {
        QFETCH(qsizetype, size);
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + bodyPolicy());
        const QByteArray body = "{ \"a\" : \"" + QByteArray(size, 'x') + "\"}\n ";
        TestPeer client = setup.client();
        std::thread sender([&] { client.send(post("/p/chat", body)); });
        TestPeer provider = setup.provider.accept();
        const Message request = provider.readMessage();
        sender.join();
        QCOMPARE(request.firstLine(), QByteArray("POST /chat HTTP/1.1"));
        QCOMPARE(request.field("content-length"), QByteArray::number(body.size()));
        QVERIFY(request.body == body);
        provider.send(ok("fine"));
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }

    void body_gatheredInChunks_keepsFramingAndTrailers()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + bodyPolicy());
        const QByteArray request
            = chunkedPost("/p/chat", chunk("{\"a\":") + chunk("[1,2]}") + "0\r\nx-sum: 1\r\n\r\n");
        for (const qsizetype cut : {request.size(), request.size() - 12, request.size() - 3}) {
            TestPeer client = setup.client();
            client.send(request.left(cut));
            QVERIFY(cut == request.size() || !setup.provider.hasCaller());
            client.send(request.mid(cut));
            TestPeer provider = setup.provider.accept();
            const Message passed = provider.readMessage();
            QVERIFY(passed.isComplete);
            QCOMPARE(passed.field("transfer-encoding"), QByteArray("chunked"));
            QCOMPARE(passed.body, QByteArray("{\"a\":[1,2]}"));
            QCOMPARE(passed.trailers, QByteArray("x-sum: 1\r\n"));
            provider.send(ok("fine"));
            QCOMPARE(client.readMessage().body, QByteArray("fine"));
        }
    }

    void body_refused_leavesProviderAloneAndConnectionUsable()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + bodyPolicy());
        TestPeer client = setup.client();
        const QByteArray deep = "[[[[[1]]]]]";
        client.send(post("/p/chat", deep) + post("/p/chat", "[[[[1]]]]"));
        const Message refusal = client.readMessage();
        QCOMPARE(refusal.status(), 400);
        QCOMPARE(refusal.field("x-gatehouse-reason"), QByteArray("json-threat:depth"));
        QCOMPARE(refusal.field("x-should-retry"), QByteArray("false"));
        TestPeer provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().body, QByteArray("[[[[1]]]]"));
        provider.send(ok("next"));
        QCOMPARE(client.readMessage().body, QByteArray("next"));
    }

    void body_expectContinue_isAskedForBeforePoliciesRead()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + bodyPolicy());
        TestPeer client = setup.client();
        client.send("POST /p/x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                    "Content-Length: 2\r\n\r\n");
        QCOMPARE(client.readUntil("\r\n\r\n"), QByteArray("HTTP/1.1 100 Continue\r\n\r\n"));
        client.send("{}");
        TestPeer provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().body, QByteArray("{}"));
        provider.send(ok("fine"));
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }

    void size_overLimit_isRefusedInHeadAndMidway()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + policyDocument("request-size", "{max: 1000}"));
        TestPeer announced = setup.client();
        announced.send("POST /p/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n");
        QCOMPARE(announced.readMessage().field("x-gatehouse-reason"), QByteArray("request-size"));
        TestPeer streamed = setup.client();
        streamed.send(chunkedPost("/p/x", chunk(QByteArray(900, 'x'))));
        TestPeer provider = setup.provider.accept();
        streamed.send(chunk(QByteArray(101, 'x')));
        const Message refusal = streamed.readMessage();
        QCOMPARE(refusal.status(), 413);
        QCOMPARE(refusal.field("x-gatehouse-reason"), QByteArray("request-size"));
        QCOMPARE(provider.readMessage().isComplete, false);
    }

    void heads_injected_onRequestAnswerAndRefusal()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml()
                    + policyDocument("header-injection",
                                     "{request: [{name: x-in, value: a}], response: [{name: x-out, "
                                     "value: '#[attributes.method]'}]}")
                    + bodyPolicy());
        TestPeer client = setup.client();
        client.send(post("/p/x", "{}"));
        TestPeer provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().field("x-in"), QByteArray("a"));
        provider.send(ok("fine"));
        QCOMPARE(client.readMessage().field("x-out"), QByteArray("POST"));
        client.send(post("/p/x", "[[[[[1]]]]]"));
        const Message refusal = client.readMessage();
        QCOMPARE(refusal.status(), 400);
        QCOMPARE(refusal.field("x-out"), QByteArray("POST"));
    }

    void pause_delay_resumesAndForgetsTheClientThatLeft()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + policyDocument("fault-injection", "{delay: 150ms}"));
        const auto begin = std::chrono::steady_clock::now();
        TestPeer gone = setup.client();
        gone.send(get("/p/gone"));
        gone.close();
        TestPeer client = setup.client();
        client.send(post("/p/stays", "body"));
        TestPeer provider = setup.provider.accept();
        QCOMPARE(provider.readMessage().firstLine(), QByteArray("POST /stays HTTP/1.1"));
        QVERIFY(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(150));
        provider.send(ok("late"));
        QCOMPARE(client.readMessage().body, QByteArray("late"));
        QVERIFY(!setup.provider.hasCaller());
    }

    void answer_cutAfterBytes_isBrokenOff()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + policyDocument("fault-injection", "{cutAfter: 3}"));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(ok("123456"));
        const Message answer = client.readMessage();
        QCOMPARE(answer.body, QByteArray("123"));
        QVERIFY(!answer.isComplete);
    }

    void timeout_beforeTheAnswer_is504_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("reason");
        QTest::newRow("first byte")
            << QByteArray("{firstByte: 20ms}") << QByteArray("timeout:first-byte");
        QTest::newRow("altogether") << QByteArray("{total: 20ms}") << QByteArray("timeout:total");
    }
    void timeout_beforeTheAnswer_is504()
    {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, reason);
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + policyDocument("timeout", config));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        const Message refusal = client.readMessage();
        QCOMPARE(refusal.status(), 504);
        QCOMPARE(refusal.field("x-gatehouse-reason"), reason);
        QVERIFY(provider.end() != TestPeer::End::TimedOut); // nobody waits for its answer any more
        // The connection of the client serves another one.
        client.send(get("/p/y"));
        provider = setup.provider.accept();
        provider.readMessage();
        provider.send(ok("quick"));
        QCOMPARE(client.readMessage().body, QByteArray("quick"));
    }

    void timeout_withinTheAnswer_breaksItOff_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::newRow("between bytes") << QByteArray("{idle: 20ms}");
        QTest::newRow("altogether") << QByteArray("{total: 200ms}");
    }
    void timeout_withinTheAnswer_breaksItOff()
    {
        QFETCH(QByteArray, config);
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + policyDocument("timeout", config));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(chunkedHead + chunk("a"));
        const Message got = client.readMessage();
        QVERIFY(!got.isComplete);
        QCOMPARE(got.body, QByteArray("a"));
    }

    void timeout_altogether_holdsForPolicies()
    {
        GatewaySetup setup(1);
        setup.apply(setup.yaml() + policyDocument("timeout", "{total: 20ms}")
                    + policyDocument("fault-injection", "{delay: 10m}"));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        QCOMPARE(client.readMessage().field("x-gatehouse-reason"), QByteArray("timeout:total"));
    }

    void timeout_observed_changesNothing()
    {
        GatewaySetup setup(1);
        QByteArray policy = policyDocument("timeout", "{firstByte: 1ms, idle: 1ms, total: 1ms}");
        setup.apply(setup.yaml() + policy.replace("spec: {", "spec: {mode: observe, "));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        TestPeer provider = setup.provider.accept();
        provider.readMessage();
        provider.send(ok("late"));
        QCOMPARE(client.readMessage().body, QByteArray("late"));
    }

    void mock_answers_withoutProvider()
    {
        GatewaySetup setup(1);
        setup.apply(
            setup.yaml()
            + policyDocument("mock-response", "{status: 201, headers: {x-a: b}, body: 'hello'}"));
        TestPeer client = setup.client();
        client.send(get("/p/x") + get("/p/y"));
        for (int i = 0; i < 2; ++i) {
            const Message answer = client.readMessage();
            QCOMPARE(answer.status(), 201);
            QCOMPARE(answer.body, QByteArray("hello"));
            QCOMPARE(answer.field("x-a"), QByteArray("b"));
        }
        QVERIFY(!setup.provider.hasCaller());
    }

    void mock_ofAnError_saysNothingOfItsOwnMotion_data()
    {
        QTest::addColumn<int>("status");
        for (const int status : {401, 405, 503})
            QTest::addRow("%d", status) << status;
    }
    void mock_ofAnError_saysNothingOfItsOwnMotion()
    {
        QFETCH(int, status);
        GatewaySetup setup(1);
        setup.apply(setup.yaml()
                    + policyDocument("mock-response",
                                     "{status: " + QByteArray::number(status) + ", body: '{}'}"));
        TestPeer client = setup.client();
        client.send(get("/p/x"));
        const Message answer = client.readMessage();
        QCOMPARE(answer.status(), status);
        QCOMPARE(answer.field("content-type"), QByteArray("application/json"));
        for (const char *name : {"retry-after", "x-should-retry", "www-authenticate", "allow"})
            QVERIFY2(answer.field(name).isNull(), name);
    }
};

QTEST_GUILESS_MAIN(TestPolicies)
#include "tst_policies.moc"
