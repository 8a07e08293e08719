// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/secretref.h"
#include "gateway/secrets/vault.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace gatehouse;

class TestSecretRef : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;

    Vault m_vault{nullptr};

    Result<ResolvedSecret> resolve(std::string_view text)
    {
        const auto reference = parseSecretReference(text);
        if (!reference)
            qFatal("not a reference");
        return m_vault.read(*reference, m_directory.path().toStdString());
    }

    void write(const QByteArray &bytes, QFile::Permissions mode = QFile::ReadOwner)
    {
        const QString name = m_directory.filePath(QStringLiteral("key"));
        QFile::remove(name);
        QFile file(name);
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()
            || !file.setPermissions(mode))
            qFatal("cannot write a file of the test");
    }

private Q_SLOTS:
    void parse_wellFormed_isRead()
    {
        using Kind = SecretReference::Kind;
        QVERIFY(parseSecretReference("none")->kind == Kind::None);
        QVERIFY(parseSecretReference("env:OPENAI_API_KEY")->kind == Kind::Environment);
        QCOMPARE(parseSecretReference("env:OPENAI_API_KEY")->name, std::string("OPENAI_API_KEY"));
        QCOMPARE(parseSecretReference("file:/run/secrets/a:b")->name,
                 std::string("/run/secrets/a:b"));
        QVERIFY(parseSecretReference("keychain:openai-1.x")->kind == Kind::Keychain);
    }

    void toText_anyReference_isAsWritten()
    {
        for (const std::string text : {"none", "env:A", "file:a:b", "keychain:a.b"})
            QCOMPARE(toText(*parseSecretReference(text)), text);
    }

    void parse_malformed_isRefusedWithoutItsText_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("the key itself") << QByteArray("sk-very-secret");
        QTest::newRow("none with a colon") << QByteArray("none:");
        QTest::newRow("unknown scheme") << QByteArray("vault:sk-very-secret");
        QTest::newRow("upper case scheme") << QByteArray("ENV:sk-very-secret");
        QTest::newRow("no variable") << QByteArray("env:");
        QTest::newRow("key for a variable") << QByteArray("env:sk-very-secret");
        QTest::newRow("variable that begins with a digit") << QByteArray("env:1sk_secret");
        QTest::newRow("no path") << QByteArray("file:");
        QTest::newRow("URL for a path") << QByteArray("file:///sk-secret");
        QTest::newRow("no entry") << QByteArray("keychain:");
        QTest::newRow("entry with a slash") << QByteArray("keychain:sk/secret");
    }
    void parse_malformed_isRefusedWithoutItsText()
    {
        QFETCH(QByteArray, text);
        const auto reference = parseSecretReference(text.toStdString());
        QVERIFY(!reference);
        QVERIFY(reference.error().context.starts_with("must "));
        QVERIFY(reference.error().context.find("sk") == std::string::npos);
    }

    void environment_set_isTheValue()
    {
        qputenv("GATEHOUSE_TEST_KEY", "sk-1");
        QCOMPARE(resolve("env:GATEHOUSE_TEST_KEY")->value->reveal(), std::string_view("sk-1"));
    }

    void environment_unset_saysSo()
    {
        qunsetenv("GATEHOUSE_TEST_KEY");
        const auto secret = resolve("env:GATEHOUSE_TEST_KEY");
        QVERIFY(!secret);
        QCOMPARE(secret.error().code, ErrorCode::CredentialUnavailable);
        QVERIFY(secret.error().context.find("GATEHOUSE_TEST_KEY is not set") != std::string::npos);
    }

    void file_oneNewlineAtTheEnd_isStripped_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("none") << QByteArray("sk-1");
        QTest::newRow("LF") << QByteArray("sk-1\n");
        QTest::newRow("CRLF") << QByteArray("sk-1\r\n");
    }
    void file_oneNewlineAtTheEnd_isStripped()
    {
        QFETCH(QByteArray, bytes);
        write(bytes);
        const auto secret = resolve("file:key");
        QVERIFY(secret);
        QCOMPARE(secret->value->reveal(), std::string_view("sk-1"));
        QCOMPARE(secret->warning, std::string());
    }

    void file_whatCannotStandInAHeader_isRefusedWithoutItsText_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("newline alone") << QByteArray("\n");
        QTest::newRow("two newlines") << QByteArray("sk-1\n\n");
        QTest::newRow("header smuggled in") << QByteArray("sk-1\r\nX-Evil: 1");
        QTest::newRow("NUL") << QByteArray("sk\0-1", 5);
        QTest::newRow("tab") << QByteArray("sk\t-1");
        QTest::newRow("DEL") << QByteArray("sk\x7f-1");
        QTest::newRow("not ASCII") << QByteArray("sk-\xc3\xa9");
        QTest::newRow("space before") << QByteArray(" sk-1");
        QTest::newRow("space after") << QByteArray("sk-1 \n");
        QTest::newRow("one too long") << QByteArray(16 * 1024 + 1, 'x');
        QTest::newRow("far too long") << QByteArray(1024 * 1024, 'x');
    }
    void file_whatCannotStandInAHeader_isRefusedWithoutItsText()
    {
        QFETCH(QByteArray, bytes);
        write(bytes);
        const auto secret = resolve("file:key");
        QVERIFY(!secret);
        QCOMPARE(secret.error().code, ErrorCode::CredentialUnavailable);
        QVERIFY(secret.error().context.find("sk-1") == std::string::npos);
    }

    void file_longest_isRead()
    {
        write(QByteArray(16 * 1024, 'x') + "\r\n");
        QVERIFY(resolve("file:key"));
    }

    void file_readableByOthers_isReadWithAWarning()
    {
        write("sk-1", QFile::ReadOwner | QFile::ReadOther);
        const auto secret = resolve("file:key");
        QVERIFY(secret);
        QVERIFY(secret->warning.find("chmod 600") != std::string::npos);
    }

    void file_absent_saysSo()
    {
        const auto secret = resolve("file:/no/such/file");
        QVERIFY(!secret);
        QCOMPARE(secret.error().code, ErrorCode::CredentialUnavailable);
        QCOMPARE(secret.error().context,
                 std::string("the credential file /no/such/file does not exist"));
    }

    void keychain_withoutOne_saysWhatToDo()
    {
        const auto secret = resolve("keychain:openai");
        QVERIFY(!secret);
        QCOMPARE(secret.error().code, ErrorCode::CredentialUnavailable);
        QVERIFY(secret.error().context.find("use env:NAME or file:PATH") != std::string::npos);
    }

    void none_isEmpty() { QVERIFY(resolve("none")->value == nullptr); }
};

QTEST_GUILESS_MAIN(TestSecretRef)
#include "tst_secretref.moc"
