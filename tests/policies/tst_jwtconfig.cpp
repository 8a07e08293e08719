// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/jwtissuer.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

class TestJwtConfig : public QObject
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

    void config_mistakes_areRefused_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("said");
        const auto row = [](const char *name, const QByteArray &config, const char *said) {
            QTest::newRow(name) << config << QByteArray(said);
        };
        const QByteArray jwksUrl = "jwksUrl: https://a.example/k\n";
        row("no key", "issuer: x\n", "one of jwksUrl, publicKey and secret");
        row("two keys", jwksUrl + "secret: env:SECRET\n", "one of jwksUrl, publicKey and secret");
        row("plain HTTP", "jwksUrl: http://a.example/k\n", "must begin with https://");
        row("one of several in plain",
            "jwksUrl: https://a.example/k,http://b.example/k\n",
            "https://");
        row("none", jwksUrl + "algorithms: [none]\n", "never accepted");
        row("unknown algorithm", jwksUrl + "algorithms: [RS1]\n", "must be one of");
        row("HMAC of a public key", jwksUrl + "algorithms: [RS256, HS256]\n", "must not be HS256");
        row("RSA of a secret", "secret: env:SECRET\nalgorithms: [RS256]\n", "must be HS256");
        row("short secret", "secret: env:SHORT\n", "at least 32 bytes");
        row("secret too short for it", "secret: env:SECRET\nalgorithms: [HS512]\n", "long enough");
        row("secret itself", "secret: 0123456789abcdef0123456789abcdef\n", "must be keychain:");
        row("no PEM", "publicKey: abc\n", "PEM");
        row("weak key", indentedPem(SigningKey::rsa(1024).publicPem()), "2048");
        row("private key", indentedPem(SigningKey::ec("P-256").privatePem()), "private");
        row("key for another algorithm",
            indentedPem(SigningKey::ec("P-256").publicPem()) + "algorithms: [ES384]\n",
            "this key is for");
        row("unreadable file", "publicKey: file:/x\n", "cannot be read");
        row("bad pointer", jwksUrl + "clientClaim: /a~\n", "must have ~0");
        row("framing header", jwksUrl + "header: content-length\n", "must not be a header");
        row("leeway too long", jwksUrl + "leeway: 11m\n", "leeway");
    }
    void config_mistakes_areRefused()
    {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, said);
        policy().context.secrets["env:SECRET"] = std::string(48, 's');
        policy().context.secrets["env:SHORT"] = std::string(31, 's');
        QVERIFY(!policy().make(config));
        QVERIFY2(policy().context.said().contains(said), policy().context.said().constData());
        QVERIFY(!policy().context.said().contains("0123456789abcdef"));
    }
    void flex_keys_meanTheSame()
    {
        QByteArray said;
        const QByteArray node = translated("jwt",
                                           "jwtOrigin: httpBearerAuthenticationHeader\n"
                                           "signingMethod: rsa\nsigningKeyLength: 384\n"
                                           "jwtKeyOrigin: jwks\n"
                                           "jwksUrl: https://a.example/k,https://b.example/k\n"
                                           "jwksServiceTimeToLive: 30\n"
                                           "jwksServiceConnectionTimeout: 2000\n"
                                           "skipClientIdValidation: true\n"
                                           "validateAudClaim: true\nmandatoryAudClaim: false\n"
                                           "supportedAudiences: 'a, b'\n"
                                           "mandatoryExpClaim: true\nmandatoryNbfClaim: true\n"
                                           "validateCustomClaim: true\n"
                                           "mandatoryCustomClaims: [{key: iss, value: x}]\n"
                                           "nonMandatoryCustomClaims: [{key: env, value: prod}]\n",
                                           said);
        QCOMPARE(said, QByteArray());
        for (const char *part : {"jwksUrl: https://a.example/k,https://b.example/k",
                                 "RS384",
                                 "jwksTtl: 30m",
                                 "timeout: 2000ms",
                                 "requireAud: false",
                                 "requireExp: true",
                                 "requireNbf: true",
                                 "iss: x",
                                 "env: prod",
                                 "leeway: 0s",
                                 "forward: true"})
            QVERIFY2(says(node, part), node.constData());
        QVERIFY2(policy().make(node), policy().context.said().constData());
    }

    void flex_textKeys_areKeys()
    {
        QByteArray said;
        QByteArray pem = QByteArray::fromStdString(m_jwt.rsa.publicPem());
        pem.replace("-----BEGIN PUBLIC KEY-----", "").replace("-----END PUBLIC KEY-----", "");
        pem.replace("\n", "");
        const QByteArray node = translated(
            "jwt", "signingMethod: rsa\nsigningKeyLength: 256\ntextKey: " + pem + "\n", said);
        QVERIFY2(policy().make(node), policy().context.said().constData());
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.rsa.token("RS256", {}, "{}"))),
                 QByteArray("pass"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.rsa.token("RS384", {}, "{}"))),
                 QByteArray("401 jwt:algorithm"));
        const QByteArray hmac
            = translated("jwt", "signingMethod: hmac\ntextKey: your-256-bit-secret\n", said);
        QVERIFY(says(hmac, "secret: file:") && !says(hmac, "your-256"));
    }

    void flex_headerExpression_namesTheHeader()
    {
        QByteArray said;
        const QByteArray node = translated("jwt",
                                           "jwtOrigin: customExpression\n"
                                           "jwtExpression: \"#[attributes.headers['x-jwt']]\"\n"
                                           "jwtKeyOrigin: jwks\njwksUrl: https://a.example/k\n",
                                           said);
        QVERIFY2(says(node, "header: x-jwt"), node.constData());
    }

    void flex_whatCannotMeanTheSame_isNotLoaded_data()
    {
        QTest::addColumn<QByteArray>("line");
        for (const char *line : {"signingMethod: none",
                                 "signingMethod: es\nsigningKeyLength: 512",
                                 "signingKeyLength: 128",
                                 "jwtKeyOrigin: file",
                                 "jwtOrigin: cookie",
                                 "jwtOrigin: customExpression\njwtExpression: '#[payload.jwt]'",
                                 "skipClientIdValidation: false",
                                 "validateAudClaim: true",
                                 "validateCustomClaim: true\n"
                                 "mandatoryCustomClaims: [{key: a, value: '#[vars.claimSet.a]'}]",
                                 "claimsToHeaders: [{claim: a, header: b}]"})
            QTest::newRow(line) << QByteArray(line);
    }
    void flex_whatCannotMeanTheSame_isNotLoaded()
    {
        QFETCH(QByteArray, line);
        QByteArray said;
        const QByteArray base = line.contains("jwtKeyOrigin")
                                    ? ""
                                    : "jwtKeyOrigin: jwks\njwksUrl: https://a.example/k\n";
        QCOMPARE(translated("jwt", base + line + "\n", said), QByteArray());
        QVERIFY2(said.contains("the policy is not loaded"), said.constData());
    }
};

QTEST_APPLESS_MAIN(TestJwtConfig)
#include "tst_jwtconfig.moc"
