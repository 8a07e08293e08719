// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

QByteArray fine()
{
    return ok("fine", "Connection: close\r\n");
}

QByteArray failure()
{
    return "HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

/// A route whose requests are spread over the providers p and q.
class ChoiceSetup : public GatewaySetup
{
public:
    explicit ChoiceSetup(const QByteArray &providers, const QByteArray &more = {})
        : GatewaySetup(1)
    {
        maker.write("p.key", "sk-of-p");
        maker.write("q.key", "sk-of-q");
        use(providers, more, ", credential: 'file:p.key'");
    }
    void use(const QByteArray &providers,
             const QByteArray &more,
             const QByteArray &credentialOfP,
             const QByteArray &policies = {})
    {
        apply(gatewayDocument(1) + providerDocument(baseUrl(provider) + "/one", credentialOfP)
              + providerDocument(baseUrl(other) + "/two", ", credential: 'file:q.key'", "q")
              + document("Route",
                         "r",
                         "{basePath: /p, public: true, usage: observe, providers: " + providers
                             + more + "}")
              + policies);
    }
    /// The path of the provider that gets the next request, which it answers.
    QByteArray asked(const QByteArray &request, Listener &by, const QByteArray &answer = fine())
    {
        TestPeer peer = client();
        peer.send(request);
        TestPeer answering = by.accept();
        const Message got = answering.readMessage();
        answering.send(answer);
        if (peer.readMessage().status() != 200)
            return "not answered";
        return got.head.left(got.head.indexOf(" HTTP"));
    }

    Listener other;
};

QByteArray chat(const QByteArray &model)
{
    return post("/p/chat/completions", "{\"model\":\"" + model + "\"}");
}

} // namespace

/// Whom a route with several providers asks; those that the test plays are the witnesses.
class TestRelayChoice : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void model_saysWho_andTheRequestIsAsItCame()
    {
        ChoiceSetup setup("[{name: p, models: [gpt-*]}, {name: q, models: ['claude-*']}]");
        QCOMPARE(setup.asked(chat("claude-x"), setup.other), "POST /two/chat/completions");
        QCOMPARE(setup.asked(chat("gpt-5"), setup.provider), "POST /one/chat/completions");
        TestPeer client = setup.client();
        client.send(chat("gpt-5"));
        TestPeer p = setup.provider.accept();
        const Message got = p.readMessage();
        QCOMPARE(got.body, QByteArray(R"({"model":"gpt-5"})"));
        QVERIFY(got.head.contains("sk-of-p"));
    }

    void modelOfNobody_is404()
    {
        ChoiceSetup setup("[{name: p, models: [gpt-*]}, {name: q, models: ['claude-*']}]");
        TestPeer client = setup.client();
        client.send(chat("llama"));
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 404);
        QCOMPARE(got.field("x-gatehouse-reason"), QByteArray("route:model"));
        QVERIFY(got.body.contains("llama"));
        // The connection goes on.
        client.send(chat("gpt-5"));
        TestPeer p = setup.provider.accept();
        QVERIFY(p.readMessage().head.startsWith("POST /one/"));
        QVERIFY(!setup.other.hasCaller());
    }

    void modelThatCannotBeRead_isRefused()
    {
        ChoiceSetup setup("[{name: p, models: [gpt-*]}, {name: q}]");
        TestPeer client = setup.client();
        client.send(post("/p/chat/completions", R"({"model":"gpt-5","model":"other"})"));
        QCOMPARE(client.readMessage().status(), 400);
        QVERIFY(!setup.provider.hasCaller());
        QVERIFY(!setup.other.hasCaller());
    }

    void requestWithoutModel_goesToWhoTakesTheRest()
    {
        ChoiceSetup setup("[{name: p, models: [gpt-*]}, {name: q}]");
        QCOMPARE(setup.asked("GET /p/models HTTP/1.1\r\nHost: localhost\r\n\r\n", setup.other),
                 "GET /two/models");
        QCOMPARE(setup.asked(chat("llama"), setup.other), "POST /two/chat/completions");
    }

    void weights_areKept()
    {
        ChoiceSetup setup("[{name: p, weight: 3}, {name: q}]");
        TestPeer client = setup.client();
        int toP = 0;
        std::optional<TestPeer> p;
        std::optional<TestPeer> q;
        for (int i = 0; i < 20; ++i) {
            client.send(chat("m"));
            std::optional<TestPeer> &answering = nextOf(setup, p, q);
            QVERIFY(answering.has_value());
            const Message got = answering->readMessage();
            toP += got.head.startsWith("POST /one/") ? 1 : 0;
            answering->send(fine());
            QCOMPARE(client.readMessage().status(), 200);
            answering.reset();
        }
        QVERIFY2(toP >= 14 && toP <= 16, qPrintable(QString::number(toP)));
    }

    void whoCannotAnswer_isReplaced()
    {
        ChoiceSetup setup("[{name: p}, {name: q, weight: 0}]");
        TestPeer client = setup.client();
        client.send(chat("m"));
        TestPeer p = setup.provider.accept();
        QVERIFY(p.readMessage().head.contains("sk-of-p"));
        p.send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n");
        TestPeer q = setup.other.accept();
        const Message second = q.readMessage();
        QVERIFY(second.head.contains("sk-of-q"));
        QVERIFY(!second.head.contains("sk-of-p"));
        q.send(ok("fine"));
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }

    void clientsOwnCredential_goesToNobody()
    {
        ChoiceSetup setup("[{name: p}, {name: q, weight: 0}]");
        setup.use("[{name: p}, {name: q, weight: 0}]", {}, ", credential: none");
        TestPeer client = setup.client();
        client.send(post("/p/chat/completions", "{}", "Authorization: Bearer sk-mine\r\n"));
        TestPeer p = setup.provider.accept();
        QVERIFY(!p.readMessage().head.contains("sk-mine"));
    }

    void openBreaker_isProbedBesideAWellOne()
    {
        ChoiceSetup setup("[{name: p}, {name: q, weight: 0}]");
        setup.use("[{name: p}, {name: q, weight: 0}]",
                  {},
                  ", credential: 'file:p.key'",
                  policyDocument("circuit-breaker", "{minRequests: 1, open: 100ms}"));
        QCOMPARE(setup.asked(chat("m"), setup.provider, failure()), "not answered");
        // Left alone for a while, then asked again, though the other is well.
        bool isBack = false;
        for (int i = 0; i < 10'000 && !isBack; ++i) {
            TestPeer client = setup.client();
            client.send(chat("m"));
            std::optional<TestPeer> p;
            std::optional<TestPeer> q;
            std::optional<TestPeer> &answering = nextOf(setup, p, q);
            QVERIFY(answering.has_value());
            isBack = answering->readMessage().head.startsWith("POST /one/");
            answering->send(fine());
            QCOMPARE(client.readMessage().status(), 200);
        }
        QVERIFY(isBack);
    }

    void breakerOfAllThatAreMeant_is503()
    {
        const QByteArray providers = "[{name: p, models: [gpt-*]}, {name: q}]";
        ChoiceSetup setup(providers);
        setup.use(providers,
                  {},
                  ", credential: 'file:p.key'",
                  policyDocument("circuit-breaker", "{minRequests: 1, open: 1h}"));
        QCOMPARE(setup.asked(chat("gpt-5"), setup.provider, failure()), "not answered");
        TestPeer client = setup.client();
        client.send(chat("gpt-5"));
        const Message got = client.readMessage();
        QCOMPARE(got.status(), 503);
        QCOMPARE(got.field("x-gatehouse-reason"), QByteArray("provider:avoided"));
        QCOMPARE(setup.asked(chat("llama"), setup.other), "POST /two/chat/completions");
    }

private:
    /// The provider that somebody calls.
    static std::optional<TestPeer> &
    nextOf(ChoiceSetup &setup, std::optional<TestPeer> &p, std::optional<TestPeer> &q)
    {
        if (QTest::qWaitFor([&] { return setup.provider.hasCaller() || setup.other.hasCaller(); })
            && setup.provider.hasCaller())
            return p.emplace(setup.provider.accept()), p;
        return q.emplace(setup.other.accept()), q;
    }
};

QTEST_GUILESS_MAIN(TestRelayChoice)
#include "tst_relaychoice.moc"
