// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/executablehash.h"

#include <QCryptographicHash>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>

using namespace gatehouse::net;

class TestExecutableHash : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;

    [[nodiscard]] Descriptor fileWith(const QByteArray &bytes) const
    {
        const QString path = m_directory.filePath(QStringLiteral("file"));
        QFile file(path);
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
            qFatal("the test cannot write a file");
        file.close();
        return Descriptor(::open(path.toUtf8().constData(), O_RDWR | O_CLOEXEC));
    }
    static std::string expected(const QByteArray &bytes)
    {
        return QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex().toStdString();
    }

private Q_SLOTS:
    void hash_ofEachSize_isSha256_data()
    {
        QTest::addColumn<int>("size");
        constexpr int block = 256 * 1024;
        for (const int size : {0, 1, block - 1, block, block + 1, 3 * block})
            QTest::addRow("%d bytes", size) << size;
    }
    void hash_ofEachSize_isSha256()
    {
        QFETCH(int, size);
        const QByteArray bytes(size, 'x');
        ExecutableHashes hashes;
        QCOMPARE(hashes.hash(fileWith(bytes)), expected(bytes));
    }

    void hash_ofAFileThatStaysAsItIs_isReadOnce()
    {
        const Descriptor program(::open("/bin/sh", O_RDONLY | O_CLOEXEC));
        const Descriptor same(::open("/bin/sh", O_RDONLY | O_CLOEXEC));
        QFile file(QStringLiteral("/bin/sh")); // changed long ago
        QVERIFY(file.open(QIODevice::ReadOnly));
        ExecutableHashes hashes;
        const std::string hash = expected(file.readAll());
        QCOMPARE(hashes.hash(program), hash);
        QCOMPARE(hashes.hash(same), hash);
        QCOMPARE(hashes.readCount(), std::uint64_t(1));
    }

    void hash_ofAFileThatJustChanged_isReadAnew()
    {
        const Descriptor file = fileWith("one");
        ExecutableHashes hashes;
        QCOMPARE(hashes.hash(file), expected("one"));
        QCOMPARE(::pwrite(file.get(), "two", 3, 0), 3); // perhaps within the same tick
        QCOMPARE(hashes.hash(file), expected("two"));
        QCOMPARE(hashes.readCount(), std::uint64_t(2));
    }

    void hash_ofWhatIsNoReadableFile_isEmpty()
    {
        ExecutableHashes hashes;
        QCOMPARE(hashes.hash(Descriptor()), std::string());
        QCOMPARE(hashes.hash(Descriptor(::open("/", O_RDONLY | O_CLOEXEC))), std::string());
        QCOMPARE(hashes.hash(Descriptor(::open("/dev/zero", O_RDONLY | O_CLOEXEC))), std::string());
        QCOMPARE(hashes.hash(Descriptor(::open(CALLER_HELPER, O_PATH | O_CLOEXEC))), std::string());
        QCOMPARE(hashes.hash(Descriptor(
                     ::open(m_directory.path().toUtf8().constData(), O_TMPFILE | O_WRONLY, 0600))),
                 std::string());
    }
};

QTEST_GUILESS_MAIN(TestExecutableHash)
#include "tst_executablehash.moc"
