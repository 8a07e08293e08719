// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/keyset.h"
#include "tests/support/jose.h"
#include "tests/support/joseexamples.h"

#include <QTest>

using namespace gatehouse;
using test::SigningKey;
using Outcome = KeySet::Outcome;

namespace {

std::string setOf(const std::string &jwks)
{
    return "{\"keys\":[" + jwks + "]}";
}

JsonWebToken token(const SigningKey &key, std::string_view algorithm, std::string_view header)
{
    return std::move(*JsonWebToken::parse(key.token(algorithm, header, "{}")));
}

/// The members of the JWK without its braces.
std::string within(const std::string &jwk)
{
    return jwk.substr(1, jwk.size() - 2);
}

} // namespace

class TestKeySet : public QObject
{
    Q_OBJECT

    const SigningKey m_rsa = SigningKey::rsa();
    const SigningKey m_ec = SigningKey::ec("P-256");

private Q_SLOTS:
    void parse_rfcKeys_areHeld()
    {
        std::string jwks;
        for (const test::JoseExample &example : test::joseExamples)
            jwks += (jwks.empty() ? "" : ",") + example.jwk;
        const auto set = KeySet::parse(setOf(jwks));
        QVERIFY(set);
        QCOMPARE(set->size(), std::size_t(7)); // the two shared secrets are none of a set
    }

    void parse_keysThatAreNoUse_areLeftOut_data()
    {
        QTest::addColumn<QByteArray>("jwk");
        const auto row = [](const char *name, const std::string &jwk) {
            QTest::newRow(name) << QByteArray::fromStdString(jwk);
        };
        const std::string ec = within(m_ec.jwk());
        row("for encryption", m_ec.jwk(R"("use":"enc")"));
        row("use of another type", m_ec.jwk(R"("use":["sig"])"));
        row("operations without verify", m_ec.jwk(R"("key_ops":["sign","encrypt"])"));
        row("no operations", m_ec.jwk(R"("key_ops":[])"));
        row("operations of another type", m_ec.jwk(R"("key_ops":"verify")"));
        row("algorithm of another curve", m_ec.jwk(R"("alg":"ES384")"));
        row("algorithm of another kind", m_ec.jwk(R"("alg":"RS256")"));
        row("HMAC with a public key", m_ec.jwk(R"("alg":"HS256")"));
        row("no algorithm", m_ec.jwk(R"("alg":"none")"));
        row("encryption algorithm", m_rsa.jwk(R"("alg":"RSA-OAEP")"));
        row("algorithm of another type", m_ec.jwk(R"("alg":256)"));
        row("kid of another type", m_ec.jwk(R"("kid":1)"));
        row("shared secret", SigningKey::secret(std::string(64, 's')).jwk());
        row("private half", m_ec.jwk(R"("d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")"));
        row("weak RSA", SigningKey::rsa(1024).jwk());
        row("unknown kind", R"({"kty":"AKP","alg":"ML-DSA-44","pub":"AA"})");
        row("kind in another case", R"({"kty":"ec",)" + ec.substr(ec.find(',') + 1) + "}");
        row("unknown curve", R"({"kty":"OKP","crv":"Ed448","x":"AA"})");
        row("point off the curve",
            R"({"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",)"
            R"("y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})");
        row("base64 with padding",
            R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="})");
        row("numbers missing", R"({"kty":"RSA"})");
        row("nothing", "{}");
        row("no object", "\"key\"");
    }
    void parse_keysThatAreNoUse_areLeftOut()
    {
        QFETCH(QByteArray, jwk);
        const auto alone = KeySet::parse(setOf(jwk.toStdString()));
        QVERIFY(!alone);
        QCOMPARE(alone.error().code, ErrorCode::ProviderBadResponse);
        const auto set = KeySet::parse(setOf(jwk.toStdString() + "," + m_rsa.jwk()));
        QVERIFY(set);
        QCOMPARE(set->size(), std::size_t(1));
    }

    void parse_otherAnswers_areRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("no JSON") << QByteArray("<html>");
        QTest::newRow("a key alone") << QByteArray::fromStdString(m_ec.jwk());
        QTest::newRow("list alone") << QByteArray::fromStdString("[" + m_ec.jwk() + "]");
        QTest::newRow("keys of another type") << QByteArray(R"({"keys":{}})");
        QTest::newRow("keys twice")
            << QByteArray::fromStdString(R"({"keys":[],"keys":[)" + m_ec.jwk() + "]}");
        QTest::newRow("a name twice")
            << QByteArray::fromStdString(setOf(m_ec.jwk(R"("kid":"a","kid":"b")")));
        std::string many = m_ec.jwk();
        for (int i = 0; i < 100; ++i)
            many += "," + m_ec.jwk();
        QTest::newRow("too many") << QByteArray::fromStdString(setOf(many));
    }
    void parse_otherAnswers_areRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!KeySet::parse(text.toStdString()));
    }

    void verify_byKeyId_takesThatKeyAlone()
    {
        const SigningKey other = SigningKey::ec("P-256");
        const auto set
            = KeySet::parse(setOf(m_ec.jwk(R"("kid":"a")") + "," + other.jwk(R"("kid":"b")")));
        QVERIFY(set);
        QCOMPARE(set->verify(token(m_ec, "ES256", R"("kid":"a")")), Outcome::Verified);
        QCOMPARE(set->verify(token(other, "ES256", R"("kid":"b")")), Outcome::Verified);
        QCOMPARE(set->verify(token(m_ec, "ES256", R"("kid":"b")")), Outcome::BadSignature);
        QCOMPARE(set->verify(token(m_ec, "ES256", R"("kid":"c")")), Outcome::UnknownKey);
        QCOMPARE(set->verify(token(m_ec, "ES256", R"("kid":"")")), Outcome::UnknownKey);
        QCOMPARE(set->verify(token(m_ec, "ES256", {})), Outcome::Verified);
        QCOMPARE(set->verify(token(m_rsa, "RS256", {})), Outcome::UnknownKey);
    }

    void verify_sameIdForTwoKinds_takesTheOneThatFits()
    {
        const auto set
            = KeySet::parse(setOf(m_ec.jwk(R"("kid":"a")") + "," + m_rsa.jwk(R"("kid":"a")")));
        QVERIFY(set);
        QCOMPARE(set->verify(token(m_rsa, "PS512", R"("kid":"a")")), Outcome::Verified);
        QCOMPARE(set->verify(token(m_ec, "ES256", R"("kid":"a")")), Outcome::Verified);
    }

    void verify_keyForOneAlgorithm_isForNoOther()
    {
        const auto set = KeySet::parse(setOf(m_rsa.jwk(R"("alg":"RS256","use":"sig")")));
        QVERIFY(set);
        QCOMPARE(set->verify(token(m_rsa, "RS256", {})), Outcome::Verified);
        QCOMPARE(set->verify(token(m_rsa, "PS256", {})), Outcome::UnknownKey);
        QCOMPARE(set->verify(token(m_rsa, "RS384", {})), Outcome::UnknownKey);
    }

    void verify_keyOfTheTokenItself_isNotLookedAt()
    {
        const SigningKey forger = SigningKey::ec("P-256");
        const auto set = KeySet::parse(setOf(m_ec.jwk()));
        QVERIFY(set);
        const std::string header
            = "\"jku\":\"https://evil.example/keys\",\"x5u\":\"https://evil.example/c\","
              R"("jwk":)"
              + forger.jwk();
        QCOMPARE(set->verify(token(forger, "ES256", header)), Outcome::BadSignature);
        QCOMPARE(set->verify(token(m_ec, "ES256", header)), Outcome::Verified);
    }

    void verify_manyKeysWithoutId_triesSomeOnly()
    {
        std::string jwks;
        for (int i = 0; i < 8; ++i)
            jwks += SigningKey::ec("P-256").jwk() + ",";
        QCOMPARE(KeySet::parse(setOf(jwks + m_ec.jwk()))->verify(token(m_ec, "ES256", {})),
                 Outcome::BadSignature);
        QCOMPARE(KeySet::parse(setOf(m_ec.jwk() + "," + jwks + m_rsa.jwk()))
                     ->verify(token(m_ec, "ES256", {})),
                 Outcome::Verified);
    }
};

QTEST_APPLESS_MAIN(TestKeySet)
#include "tst_keyset.moc"
