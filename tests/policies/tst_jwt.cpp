// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/jwtissuer.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

class TestJwt : public QObject
{
    Q_OBJECT

    JwtIssuer m_jwt;

    PolicyTest &policy() { return *m_jwt.policy; }

private Q_SLOTS:
    void init()
    {
        m_jwt.reset();
        m_jwt.make(jwksConfig);
    }

    void token_ofTheIssuer_passesAndGoesNoFurther()
    {
        const auto request = policy().start(bearer(m_jwt.good()) + "X-Other: 1\r\n");
        QCOMPARE(request->result(), QByteArray("paused"));
        const FetchRequest &asked = policy().services.fetches.front().request;
        QCOMPARE(asked.endpoint->origin.host, std::string("issuer.example"));
        QCOMPARE(asked.endpoint->target, std::string("/keys"));
        policy().services.answer(200, m_jwt.jwks());
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray("X-Other: 1\n"));
        // From now on nobody is asked.
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.rsa.token("PS256", R"("kid":"rsa")", claims()))),
                 QByteArray("pass"));
        QCOMPARE(policy().services.fetchCount, 1);
    }

    void request_withoutAToken_isRefused_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QByteArray>("outcome");
        const auto row = [](const char *name, const QByteArray &fields, const char *outcome) {
            QTest::newRow(name) << fields << QByteArray(outcome);
        };
        const QByteArray token = QByteArray::fromStdString(m_jwt.good());
        const char *missing = "401 jwt:missing";
        row("nothing", {}, missing);
        row("empty", "Authorization: \r\n", missing);
        row("scheme alone", "Authorization: Bearer\r\n", missing);
        row("no scheme", "Authorization: " + token + "\r\n", missing);
        row("another scheme", "Authorization: JWT " + token + "\r\n", missing);
        row("virtual key", "Authorization: Bearer ghk_abc\r\n", missing);
        row("another header", "X-Token: " + token + "\r\n", missing);
        row("the key's header", "x-api-key: " + token + "\r\n", missing);
        row("cookie", "Cookie: access_token=" + token + "\r\n", missing);
        row("two tokens",
            "Authorization: Bearer " + token + "\r\nAuthorization: Bearer " + token + "\r\n",
            "400 jwt:authorization");
        row("token and key",
            "Authorization: Bearer ghk_abc\r\nauthorization: Bearer " + token + "\r\n",
            "400 jwt:authorization");
        row("two in one",
            "Authorization: Bearer " + token + ", Bearer " + token + "\r\n",
            "401 jwt:malformed");
    }
    void request_withoutAToken_isRefused()
    {
        QFETCH(QByteArray, fields);
        QFETCH(QByteArray, outcome);
        const auto request = policy().start(fields);
        QVERIFY(request);
        QCOMPARE(request->result(), outcome);
        QCOMPARE(policy().services.fetchCount, 0);
        QCOMPARE(request->replyFields().startsWith("www-authenticate: Bearer realm="),
                 request->reply.status == 401);
    }

    void token_inTheQuery_isNotLookedAt()
    {
        policy().send("GET /p/v1?access_token=" + m_jwt.good() + " HTTP/1.1\r\n");
        QCOMPARE(policy().result(), QByteArray("401 jwt:missing"));
    }

    void virtualKey_besideTheToken_isNoConflict()
    {
        m_jwt.fetchKeys();
        const auto request = policy().start("x-api-key: ghk_abc\r\n" + bearer(m_jwt.good()));
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->exchange.carriedKey().text, std::string_view("ghk_abc"));
    }

    void attacks_onAKnownKeySet_areRefused_data()
    {
        QTest::addColumn<QByteArray>("token");
        QTest::addColumn<QByteArray>("outcome");
        const auto row = [](const char *name, const std::string &token, const char *outcome) {
            QTest::newRow(name) << QByteArray::fromStdString(token) << QByteArray(outcome);
        };
        const std::string payload = base64Url(claims());
        const std::string token = m_jwt.good();
        const std::string unsignedPart = token.substr(0, token.rfind('.'));
        row("none", base64Url(R"({"alg":"none"})") + "." + payload + ".", "401 jwt:algorithm");
        row("none with a signature",
            base64Url(R"({"alg":"nOnE"})") + token.substr(token.find('.')),
            "401 jwt:algorithm");
        row("signature cut off", unsignedPart + ".", "401 jwt:signature");
        row("signature cut", token.substr(0, token.size() - 2), "401 jwt:signature");
        row("signature of another token",
            unsignedPart + m_jwt.good(R"("jti":"1")").substr(m_jwt.good(R"("jti":"1")").rfind('.')),
            "401 jwt:signature");
        row("another payload",
            token.substr(0, token.find('.') + 1) + base64Url(claims(R"("admin":true)"))
                + token.substr(token.rfind('.')),
            "401 jwt:signature");
        row("public key as HMAC secret",
            SigningKey::secret(m_jwt.rsa.publicPem()).token("HS256", R"("kid":"rsa")", claims()),
            "401 jwt:algorithm");
        row("JWK as HMAC secret",
            SigningKey::secret(m_jwt.ec.jwk()).token("HS256", R"("kid":"ec")", claims()),
            "401 jwt:algorithm");
        row("another curve",
            SigningKey::ec("P-384").token("ES384", R"("kid":"ec")", claims()),
            "401 jwt:key");
        row("another kind", m_jwt.rsa.token("RS256", R"("kid":"ec")", claims()), "401 jwt:key");
        row("somebody else's key",
            SigningKey::ec("P-256").token("ES256", R"("kid":"ec")", claims()),
            "401 jwt:signature");
        row("unknown kid",
            m_jwt.ec.token("ES256", R"("kid":"../../dev/null")", claims()),
            "401 jwt:key");
        row("kid with SQL",
            m_jwt.ec.token("ES256", R"("kid":"' OR 1=1 --")", claims()),
            "401 jwt:key");
        const SigningKey forger = SigningKey::ec("P-256");
        row("own key in the header",
            forger.token("ES256", R"("kid":"ec","jwk":)" + forger.jwk(), claims()),
            "401 jwt:signature");
        row("JWE", "e30.e30.e30.e30.e30", "401 jwt:malformed");
        row("expired", m_jwt.good(R"("x":1)").replace(0, 0, ""), "pass");
        row("stale",
            m_jwt.ec.token("ES256", R"("kid":"ec")", R"({"exp":1799999969})"),
            "401 jwt:expired");
        row("without exp", m_jwt.ec.token("ES256", R"("kid":"ec")", "{}"), "401 jwt:expired");
        row("not yet", m_jwt.good(R"("nbf":1800000041)"), "401 jwt:not-yet");
        row("bad date", m_jwt.good(R"("nbf":"now")"), "401 jwt:claims");
        row("other issuer",
            m_jwt.ec.token(
                "ES256", R"("kid":"ec")", R"({"exp":1800003600,"iss":"x","aud":"gatehouse"})"),
            "401 jwt:issuer");
        row("other audience",
            m_jwt.ec.token("ES256",
                           R"("kid":"ec")",
                           R"({"exp":1800003600,"iss":"https:\/\/issuer.example","aud":"x"})"),
            "401 jwt:audience");
        row("oversized", std::string(17'000, 'a'), "401 jwt:size");
    }
    void attacks_onAKnownKeySet_areRefused()
    {
        QFETCH(QByteArray, token);
        QFETCH(QByteArray, outcome);
        m_jwt.fetchKeys();
        policy().services.advance(10s);
        const auto request = policy().start(bearer(token.toStdString()));
        if (request->result() == "paused")
            policy().services.answer(200, m_jwt.jwks()); // the issuer's last word
        QCOMPARE(request->result(), outcome);
        if (request->result() != "pass") {
            QVERIFY(request->reply.message.find(token.toStdString()) == std::string::npos);
            QCOMPARE(request->client(), QByteArray()); // it says nothing of who asks
            QVERIFY(!request->reply.retryable);
        }
    }

    void publicKey_andSecret_verifyWithoutAsking()
    {
        m_jwt.make(indentedPem(m_jwt.rsa.publicPem()));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.rsa.token("RS512", {}, claims()))),
                 QByteArray("pass"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.rsa.token("RS512", R"("kid":"any")", claims()))),
                 QByteArray("pass"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.ec.token("ES256", {}, claims()))),
                 QByteArray("401 jwt:key"));
        QCOMPARE(policy().outcomeOf(bearer(
                     SigningKey::secret(m_jwt.rsa.publicPem()).token("HS256", {}, claims()))),
                 QByteArray("401 jwt:algorithm"));
        const SigningKey secret = SigningKey::secret(std::string(48, 's'));
        policy().context.secrets["env:SECRET"] = std::string(48, 's');
        m_jwt.make("secret: env:SECRET\n");
        QCOMPARE(policy().outcomeOf(bearer(secret.token("HS384", {}, claims()))),
                 QByteArray("pass"));
        QCOMPARE(policy().outcomeOf(bearer(secret.token("HS512", {}, claims()))),
                 QByteArray("401 jwt:key"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.rsa.token("RS256", {}, claims()))),
                 QByteArray("401 jwt:algorithm"));
        policy().context.secrets.clear();
        m_jwt.make("secret: env:SECRET\n");
        QCOMPARE(policy().outcomeOf(bearer(secret.token("HS384", {}, claims()))),
                 QByteArray("503 jwt:unavailable"));
    }

    void algorithms_named_areTheOnlyOnes()
    {
        m_jwt.make(indentedPem(m_jwt.rsa.publicPem()) + "algorithms: [PS256]\n");
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.rsa.token("PS256", {}, claims()))),
                 QByteArray("pass"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.rsa.token("RS256", {}, claims()))),
                 QByteArray("401 jwt:algorithm"));
    }

    void clientClaim_namesWhoAsks_data()
    {
        QTest::addColumn<QByteArray>("more");
        QTest::addColumn<QByteArray>("outcome");
        QTest::newRow("a client") << QByteArray(R"("client_id":"ci")") << QByteArray("pass");
        QTest::newRow("unknown") << QByteArray(R"("client_id":"nobody")")
                                 << QByteArray("403 jwt:client");
        QTest::newRow("other case")
            << QByteArray(R"("client_id":"CI")") << QByteArray("403 jwt:client");
        QTest::newRow("absent") << QByteArray() << QByteArray("403 jwt:client");
        QTest::newRow("list") << QByteArray(R"("client_id":["ci"])")
                              << QByteArray("403 jwt:client");
        QTest::newRow("of other routes")
            << QByteArray(R"("client_id":"elsewhere")") << QByteArray("403 jwt:scope");
    }
    void clientClaim_namesWhoAsks()
    {
        QFETCH(QByteArray, more);
        QFETCH(QByteArray, outcome);
        m_jwt.make(jwksConfig + "clientClaim: client_id\n");
        const auto request = policy().start(bearer(m_jwt.good(more.toStdString())));
        policy().services.answer(200, m_jwt.jwks());
        QCOMPARE(request->result(), outcome);
        QCOMPARE(request->client(), QByteArray(outcome == "pass" ? "ci" : ""));
    }

    void clientClaim_besideAnothersVirtualKey_isRefused()
    {
        m_jwt.make(jwksConfig + "clientClaim: client_id\n");
        m_jwt.fetchKeys(R"("client_id":"ci")");
        policy().knownClient = policy().clients.findClient("ci");
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good(R"("client_id":"ci")"))), QByteArray("pass"));
        policy().knownClient = policy().clients.findClient("elsewhere");
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good(R"("client_id":"ci")"))),
                 QByteArray("403 jwt:client"));
    }

    void claims_ofTheConfig_areHeld()
    {
        m_jwt.make(indentedPem(m_jwt.ec.publicPem())
                   + "claims: {team: core, /roles/*: llm}\nclaimsIfPresent: {env: prod}\n");
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good(R"("team":"core","roles":["x","llm"])"))),
                 QByteArray("pass"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good(R"("team":"core","roles":["x"])"))),
                 QByteArray("401 jwt:claim"));
        QCOMPARE(
            policy().outcomeOf(bearer(m_jwt.good(R"("team":"core","roles":["llm"],"env":"dev")"))),
            QByteArray("401 jwt:claim"));
    }

    void header_ofItsOwn_carriesTheToken()
    {
        m_jwt.make(indentedPem(m_jwt.ec.publicPem()) + "header: X-Token\n");
        const QByteArray token = QByteArray::fromStdString(m_jwt.good());
        const auto request
            = policy().start("x-token: " + token + "\r\nAuthorization: Bearer ghk_abc\r\n");
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray("Authorization: Bearer ghk_abc\n"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good())), QByteArray("401 jwt:missing"));
        QCOMPARE(policy().outcomeOf("X-Token: " + token + "\r\nX-Token: " + token + "\r\n"),
                 QByteArray("400 jwt:authorization"));
    }

    void observed_changesNothing()
    {
        m_jwt.make(indentedPem(m_jwt.ec.publicPem()) + "clientClaim: client_id\n", true);
        const auto request = policy().start(bearer(m_jwt.good(R"("client_id":"ci")")));
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->client(), QByteArray());
        QVERIFY(request->fields().contains("Authorization"));
        QCOMPARE(policy().outcomeOf({}), QByteArray("pass"));
    }
};

QTEST_APPLESS_MAIN(TestJwt)
#include "tst_jwt.moc"
