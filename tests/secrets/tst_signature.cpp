// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/base64.h"
#include "gateway/secrets/digest.h"
#include "gateway/secrets/secretarena.h"
#include "gateway/secrets/signature.h"
#include "tests/support/certificates.h"
#include "tests/support/jose.h"
#include "tests/support/joseexamples.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace gatehouse;
using test::JoseExample;
using test::SigningKey;

namespace {

std::shared_ptr<const LockedSecret> locked(std::string_view bytes)
{
    return SecretArena::make()->store({bytes});
}

/// The key of a JWK, read by Qt's JSON: the set's own reader is tst_keyset's.
Result<VerificationKey> keyOf(const std::string &jwk)
{
    const QJsonObject object = QJsonDocument::fromJson(QByteArray::fromStdString(jwk)).object();
    const auto bytes = [&object](const char *name) {
        return base64UrlDecoded(object[QLatin1String(name)].toString().toStdString()).value();
    };
    const std::string type = object[QLatin1String("kty")].toString().toStdString();
    if (type == "oct")
        return VerificationKey::fromSecret(locked(bytes("k")));
    if (type == "RSA")
        return VerificationKey::fromRsa(bytes("n"), bytes("e"));
    if (type == "OKP")
        return VerificationKey::fromEd25519(bytes("x"));
    return VerificationKey::fromEc(
        object[QLatin1String("crv")].toString().toStdString(), bytes("x"), bytes("y"));
}

std::vector<SignatureAlgorithm> allAlgorithms()
{
    std::vector<SignatureAlgorithm> all;
    for (const std::string_view name : signatureAlgorithmNames())
        all.push_back(*signatureAlgorithm(name));
    return all;
}

const JoseExample &example(std::string_view name)
{
    return *std::ranges::find_if(test::joseExamples, [name](const JoseExample &one) {
        return std::string_view(one.name).find(name) != std::string_view::npos;
    });
}

} // namespace

class TestSignature : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void verify_rfcExamples_holdForTheirAlgorithmAlone_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < test::joseExamples.size(); ++i)
            QTest::newRow(test::joseExamples[i].name) << static_cast<int>(i);
    }
    void verify_rfcExamples_holdForTheirAlgorithmAlone()
    {
        QFETCH(int, index);
        const JoseExample &one = test::joseExamples.at(static_cast<std::size_t>(index));
        const auto key = keyOf(one.jwk);
        QVERIFY2(key, key ? "" : key.error().context.c_str());
        const std::string signature = base64UrlDecoded(one.signature).value();
        const SignatureAlgorithm algorithm = signatureAlgorithm(one.algorithm).value();
        QVERIFY(key->verify(algorithm, one.message, signature));
        for (const SignatureAlgorithm other : allAlgorithms())
            QCOMPARE(key->verify(other, one.message, signature), other == algorithm);
    }

    void verify_anyBitChanged_isFalse_data()
    {
        verify_rfcExamples_holdForTheirAlgorithmAlone_data();
    }
    void verify_anyBitChanged_isFalse()
    {
        QFETCH(int, index);
        const JoseExample &one = test::joseExamples.at(static_cast<std::size_t>(index));
        const auto key = keyOf(one.jwk);
        QVERIFY(key);
        const SignatureAlgorithm algorithm = signatureAlgorithm(one.algorithm).value();
        const std::string signature = base64UrlDecoded(one.signature).value();
        for (std::size_t i = 0; i < signature.size(); i += 7) {
            std::string changed = signature;
            changed[i] = static_cast<char>(changed[i] ^ 1 << i % 8);
            QVERIFY(!key->verify(algorithm, one.message, changed));
        }
        std::string message = one.message;
        message.back() = message.back() == 'A' ? 'B' : 'A';
        QVERIFY(!key->verify(algorithm, message, signature));
    }

    void verify_signatureOfAnotherLength_isFalse_data()
    {
        verify_rfcExamples_holdForTheirAlgorithmAlone_data();
    }
    void verify_signatureOfAnotherLength_isFalse()
    {
        QFETCH(int, index);
        const JoseExample &one = test::joseExamples.at(static_cast<std::size_t>(index));
        const auto key = keyOf(one.jwk);
        QVERIFY(key);
        const SignatureAlgorithm algorithm = signatureAlgorithm(one.algorithm).value();
        const std::string signature = base64UrlDecoded(one.signature).value();
        for (const std::string &other : {std::string(),
                                         signature.substr(1),
                                         signature.substr(0, signature.size() - 1),
                                         signature + '\0',
                                         '\0' + signature,
                                         signature + signature})
            QVERIFY(!key->verify(algorithm, one.message, other));
    }

    void ecdsa_zeroes_areNoSignature_data()
    {
        QTest::addColumn<bool>("rIsZero");
        QTest::addColumn<bool>("sIsZero");
        QTest::newRow("both (CVE-2022-21449)") << true << true;
        QTest::newRow("r") << true << false;
        QTest::newRow("s") << false << true;
    }
    void ecdsa_zeroes_areNoSignature()
    {
        QFETCH(bool, rIsZero);
        QFETCH(bool, sIsZero);
        const JoseExample &one = example("A.3");
        std::string signature = base64UrlDecoded(one.signature).value();
        if (rIsZero)
            signature.replace(0, 32, 32, '\0');
        if (sIsZero)
            signature.replace(32, 32, 32, '\0');
        QVERIFY(!keyOf(one.jwk)->verify(SignatureAlgorithm::ES256, one.message, signature));
    }

    void ecdsa_derSignature_isFalse()
    {
        // As OpenSSL writes it, which is not JOSE's form: SEQUENCE of two INTEGERs.
        const JoseExample &one = example("A.3");
        const std::string raw = base64UrlDecoded(one.signature).value();
        const std::string der
            = "\x30\x45\x02\x20" + raw.substr(0, 32) + "\x02\x21" + '\0' + raw.substr(32);
        QVERIFY(!keyOf(one.jwk)->verify(SignatureAlgorithm::ES256, one.message, der));
    }

    void goodFor_eachKindOfKey_isItsAlgorithms_data()
    {
        QTest::addColumn<QByteArray>("pem");
        QTest::addColumn<QStringList>("names");
        const QStringList rsa{QStringLiteral("RS256"),
                              QStringLiteral("RS384"),
                              QStringLiteral("RS512"),
                              QStringLiteral("PS256"),
                              QStringLiteral("PS384"),
                              QStringLiteral("PS512")};
        const auto pem
            = [](const SigningKey &key) { return QByteArray::fromStdString(key.publicPem()); };
        QTest::newRow("RSA") << pem(SigningKey::rsa()) << rsa;
        QTest::newRow("P-256") << pem(SigningKey::ec("P-256"))
                               << QStringList{QStringLiteral("ES256")};
        QTest::newRow("P-384") << pem(SigningKey::ec("P-384"))
                               << QStringList{QStringLiteral("ES384")};
        QTest::newRow("P-521") << pem(SigningKey::ec("P-521"))
                               << QStringList{QStringLiteral("ES512")};
        QTest::newRow("Ed25519") << pem(SigningKey::ed25519())
                                 << QStringList{QStringLiteral("EdDSA")};
    }
    void goodFor_eachKindOfKey_isItsAlgorithms()
    {
        QFETCH(QByteArray, pem);
        QFETCH(QStringList, names);
        const auto key = VerificationKey::fromPem(pem.toStdString());
        QVERIFY(key);
        for (const std::string_view name : signatureAlgorithmNames()) {
            const bool isMeant = names.contains(QLatin1String(name.data(), int(name.size())));
            QCOMPARE(key->isGoodFor(*signatureAlgorithm(name)), isMeant);
        }
    }

    void publicKey_asHmacSecret_verifiesNothing()
    {
        const SigningKey issuer = SigningKey::rsa();
        const SigningKey forger = SigningKey::secret(issuer.publicPem());
        const auto key = VerificationKey::fromPem(issuer.publicPem());
        QVERIFY(key);
        QVERIFY(
            !key->verify(SignatureAlgorithm::HS256, "message", forger.sign("HS256", "message")));
    }

    void secret_lengths_decideTheAlgorithms_data()
    {
        QTest::addColumn<int>("size");
        QTest::addColumn<QList<bool>>("good");
        QTest::newRow("32 bytes") << 32 << QList<bool>{true, false, false};
        QTest::newRow("47 bytes") << 47 << QList<bool>{true, false, false};
        QTest::newRow("48 bytes") << 48 << QList<bool>{true, true, false};
        QTest::newRow("63 bytes") << 63 << QList<bool>{true, true, false};
        QTest::newRow("64 bytes") << 64 << QList<bool>{true, true, true};
    }
    void secret_lengths_decideTheAlgorithms()
    {
        QFETCH(int, size);
        QFETCH(QList<bool>, good);
        const std::string secret(static_cast<std::size_t>(size), 's');
        const auto key = VerificationKey::fromSecret(locked(secret));
        QVERIFY(key);
        const SigningKey signer = SigningKey::secret(secret);
        for (int i = 0; i < 3; ++i) {
            const std::string_view name = signatureAlgorithmNames()[static_cast<std::size_t>(i)];
            QCOMPARE(key->verify(*signatureAlgorithm(name), "m", signer.sign(name, "m")), good[i]);
        }
    }

    void secret_of31Bytes_isRefused()
    {
        QVERIFY(!VerificationKey::fromSecret(locked(std::string(31, 's'))));
        QVERIFY(!VerificationKey::fromSecret(nullptr));
    }

    void pem_certificate_givesItsKey()
    {
        const test::CertificateAuthority authority;
        const test::Certificate certificate = authority.issue();
        QVERIFY(VerificationKey::fromPem(certificate.pem.toStdString()));
    }

    void pem_weakOrOther_isRefused_data()
    {
        QTest::addColumn<QByteArray>("pem");
        const auto bytes = [](const std::string &text) { return QByteArray::fromStdString(text); };
        const std::string good = SigningKey::ec("P-256").publicPem();
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("RSA of 1024 bits") << bytes(SigningKey::rsa(1024).publicPem());
        QTest::newRow("RSA of 2047 bits") << bytes(SigningKey::rsa(2047).publicPem());
        QTest::newRow("another curve") << bytes(SigningKey::ec("secp256k1").publicPem());
        QTest::newRow("private key") << bytes(SigningKey::ec("P-256").privatePem());
        QTest::newRow("cut") << bytes(good.substr(0, good.size() / 2));
        QTest::newRow("no PEM") << QByteArray("a secret that somebody pasted here");
    }
    void pem_weakOrOther_isRefused()
    {
        QFETCH(QByteArray, pem);
        const auto key = VerificationKey::fromPem(pem.toStdString());
        QVERIFY(!key);
        QVERIFY(key.error().context.starts_with("must "));
        QVERIFY(pem.isEmpty() || key.error().context.find(pem.toStdString()) == std::string::npos);
    }

    void rsa_oddNumbers_areRefused()
    {
        const std::string n = std::string(255, '\xff') + '\xfd';
        QVERIFY(VerificationKey::fromRsa(n, "\x03"));
        QVERIFY(VerificationKey::fromRsa('\0' + n, "\x03")); // some issuers write the sign's byte
        QVERIFY(!VerificationKey::fromRsa(n, "\x01"));
        QVERIFY(!VerificationKey::fromRsa(n, "\x04"));
        QVERIFY(!VerificationKey::fromRsa(n, {}));
        QVERIFY(!VerificationKey::fromRsa(n, n));
        QVERIFY(!VerificationKey::fromRsa({}, "\x03"));
        QVERIFY(!VerificationKey::fromRsa(n.substr(1), "\x03"));
        QVERIFY(VerificationKey::fromRsa(std::string(1023, '\xff') + '\xfd', "\x03"));
        QVERIFY(!VerificationKey::fromRsa(std::string(1024, '\xff') + '\xfd', "\x03"));
    }

    void ec_pointsThatAreNone_areRefused()
    {
        const std::string x
            = base64UrlDecoded("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").value();
        const std::string y
            = base64UrlDecoded("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").value();
        QVERIFY(VerificationKey::fromEc("P-256", x, y));
        QVERIFY(!VerificationKey::fromEc("P-256", y, x));
        QVERIFY(!VerificationKey::fromEc("P-384", x, y));
        QVERIFY(!VerificationKey::fromEc("secp256k1", x, y));
        QVERIFY(!VerificationKey::fromEc("P-256", '\0' + x, y));
        QVERIFY(!VerificationKey::fromEc("P-256", x.substr(1), y));
        QVERIFY(!VerificationKey::fromEc("P-256", std::string(32, '\0'), std::string(32, '\0')));
        QVERIFY(!VerificationKey::fromEd25519(x + x));
        QVERIFY(!VerificationKey::fromEd25519({}));
    }

    void names_none_isNoAlgorithm()
    {
        for (const std::string_view name :
             {"none", "None", "NONE", "nOnE", "", "hs256", "RS1", "HS256 "})
            QVERIFY(!signatureAlgorithm(name));
        QCOMPARE(signatureAlgorithmNames().size(), signatureAlgorithmCount);
    }

    void sha256_knownText_isItsDigest()
    {
        // FIPS 180-4, "abc"
        const Sha256 digest = sha256("abc");
        QCOMPARE(QByteArray(reinterpret_cast<const char *>(digest.data()), 32).toHex(),
                 QByteArray("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    }

    void equalsSecret_allKinds_comparesBytes()
    {
        QVERIFY(equalsSecret("", ""));
        QVERIFY(equalsSecret("secret", "secret"));
        QVERIFY(!equalsSecret("secret", "secreT"));
        QVERIFY(!equalsSecret("secret", "secre"));
        QVERIFY(!equalsSecret("secret", std::string_view("secret\0", 7)));
        QVERIFY(!equalsSecret("secret", ""));
    }
};

QTEST_APPLESS_MAIN(TestSignature)
#include "tst_signature.moc"
