// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/virtualkey.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <openssl/hmac.h>

#include <map>
#include <set>

using namespace gatehouse;

namespace {

/// HMAC by OpenSSL's one-call function, to compare with.
KeyHash referenceHash(std::string_view hashKey, std::string_view key)
{
    KeyHash hash{};
    unsigned size = 0;
    HMAC(EVP_sha256(),
         hashKey.data(),
         static_cast<int>(hashKey.size()),
         reinterpret_cast<const unsigned char *>(key.data()),
         key.size(),
         hash.data(),
         &size);
    return hash;
}

} // namespace

class TestVirtualKey : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void generate_manyKeys_areWellFormedAndDiffer()
    {
        std::set<std::string> keys;
        for (int i = 0; i < 1000; ++i) {
            const auto key = virtualkey::generate();
            QVERIFY(key);
            QVERIFY(virtualkey::isWellFormed(*key));
            QVERIFY(keys.insert(*key).second);
        }
    }

    void generate_manyKeys_useEachCharacterAlike()
    {
        std::map<char, int> counts;
        constexpr int keys = 4000;
        for (int i = 0; i < keys; ++i) {
            const auto key = virtualkey::generate();
            for (const char c : key->substr(virtualkey::prefix.size(), 30))
                ++counts[c];
        }
        QCOMPARE(counts.size(), std::size_t(62));
        // 1935 expected, deviation 44: six of them are 264.
        for (const auto &[c, count] : counts)
            QVERIFY2(count > 1670 && count < 2200, qPrintable(QString::number(count)));
    }

    void checksum_knownKey_isBase62OfCrc32()
    {
        // Python: zlib.crc32(b"0" * 30) == 2011552642
        QVERIFY(virtualkey::isWellFormed("ghk_" + std::string(30, '0') + "2C8GjS"));
    }

    void wellFormed_anyOneCharacterChanged_isFalse()
    {
        const std::string key = virtualkey::generate().value();
        for (std::size_t i = 0; i < key.size(); ++i) {
            std::string changed = key;
            changed[i] = changed[i] == 'a' ? 'b' : 'a';
            QVERIFY2(!virtualkey::isWellFormed(changed), changed.c_str());
        }
    }

    void wellFormed_neighboursSwapped_isFalse()
    {
        const std::string key = virtualkey::generate().value();
        for (std::size_t i = 0; i + 1 < key.size(); ++i) {
            std::string changed = key;
            std::swap(changed[i], changed[i + 1]);
            QVERIFY(changed == key || !virtualkey::isWellFormed(changed));
        }
    }

    void wellFormed_otherTexts_isFalse_data()
    {
        const std::string key = virtualkey::generate().value();
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("prefix alone") << QByteArray("ghk_");
        QTest::newRow("provider's key") << QByteArray("sk-ant-0123456789");
        QTest::newRow("one short") << QByteArray::fromStdString(key.substr(0, 39));
        QTest::newRow("one long") << QByteArray::fromStdString(key + "0");
        QTest::newRow("space after") << QByteArray::fromStdString(key + " ");
        QTest::newRow("NUL within") << QByteArray::fromStdString(key).replace(10, 1, "\0", 1);
        QTest::newRow("upper case prefix") << QByteArray::fromStdString("GHK_" + key.substr(4));
    }
    void wellFormed_otherTexts_isFalse()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!virtualkey::isWellFormed(text.toStdString()));
    }

    void looksLike_malformedKey_isTrue()
    {
        QVERIFY(virtualkey::looksLike("ghk_x"));
        QVERIFY(!virtualkey::looksLike("ghk"));
        QVERIFY(!virtualkey::looksLike("sk-ghk_x"));
    }

    void hash_repeated_isHmacEachTime()
    {
        const std::string hashKey(32, 'k');
        const KeyHasher hasher(hashKey);
        for (const std::string_view key : {"ghk_a", "", "ghk_b", "ghk_a"})
            QVERIFY(hasher.hash(key) == referenceHash(hashKey, key));
        QVERIFY(KeyHasher(std::string(32, 'l')).hash("ghk_a") != hasher.hash("ghk_a"));
    }

    void hash_moved_goesOn()
    {
        KeyHasher first(std::string(32, 'k'));
        const KeyHash hash = first.hash("ghk_a");
        const KeyHasher second(std::move(first));
        QVERIFY(second.hash("ghk_a") == hash);
    }

    void hash_oneKey_isFast()
    {
        const KeyHasher hasher(std::string(32, 'k'));
        const std::string key = virtualkey::generate().value();
        QBENCHMARK {
            const KeyHash hash = hasher.hash(key);
            Q_UNUSED(hash)
        }
    }

    void hashText_roundTrip_isEqual()
    {
        const KeyHash hash = KeyHasher(std::string(32, 'k')).hash("ghk_a");
        const std::string text = keyHashToText(hash);
        QVERIFY(text.starts_with("hmac-sha256:"));
        QCOMPARE(text.size(), std::size_t(12 + 64));
        const auto read = keyHashFromText(text);
        QVERIFY(read);
        QVERIFY(*read == hash);
    }

    void hashText_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("no prefix") << QByteArray(64, 'a');
        QTest::newRow("another prefix") << QByteArray("sha256:") + QByteArray(64, 'a');
        QTest::newRow("one digit short") << QByteArray("hmac-sha256:") + QByteArray(63, 'a');
        QTest::newRow("one digit long") << QByteArray("hmac-sha256:") + QByteArray(65, 'a');
        QTest::newRow("upper case") << QByteArray("hmac-sha256:") + QByteArray(64, 'A');
        QTest::newRow("no digit") << QByteArray("hmac-sha256:") + QByteArray(63, 'a') + "g";
    }
    void hashText_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!keyHashFromText(text.toStdString()));
    }

    void hashKey_firstUse_isMadeForTheOwnerAlone()
    {
        QTemporaryDir parent;
        const QString data = parent.filePath(QStringLiteral("new/data"));
        const auto made = loadOrCreateHashKey(data.toStdString());
        QVERIFY(made);
        QCOMPARE(made->size(), std::size_t(32));
        const QFile::Permissions others
            = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
        QVERIFY(!(QFileInfo(data + QStringLiteral("/key-hash.key")).permissions() & others));
        QVERIFY(!(QFileInfo(data).permissions() & others));
        QCOMPARE(QDir(data).entryList(QDir::Files | QDir::Hidden).size(), 1);
        const auto loaded = loadOrCreateHashKey(data.toStdString());
        QVERIFY(loaded);
        QCOMPARE(*loaded, *made);
    }

    void hashKey_spoiledFile_isRefused_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<bool>("isOpen");
        QTest::newRow("empty") << QByteArray() << false;
        QTest::newRow("one byte short") << QByteArray(31, 'k') << false;
        QTest::newRow("one byte long") << QByteArray(33, 'k') << false;
        QTest::newRow("readable by others") << QByteArray(32, 'k') << true;
    }
    void hashKey_spoiledFile_isRefused()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(bool, isOpen);
        const QTemporaryDir data;
        QFile file(data.filePath(QStringLiteral("key-hash.key")));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size());
        file.close();
        QVERIFY(
            file.setPermissions(isOpen ? QFile::ReadOwner | QFile::ReadOther : QFile::ReadOwner));
        const auto key = loadOrCreateHashKey(data.path().toStdString());
        QVERIFY(!key);
        QVERIFY(key.error().context.starts_with(file.fileName().toStdString()));
    }

    void hashKey_directoryThatIsAFile_isRefused()
    {
        QVERIFY(!loadOrCreateHashKey("/dev/null/data"));
    }
};

QTEST_APPLESS_MAIN(TestVirtualKey)
#include "tst_virtualkey.moc"
