// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/file.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace gatehouse;

class TestFile : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;

    std::string write(const char *name, const QByteArray &bytes)
    {
        QFile file(m_directory.filePath(QString::fromLatin1(name)));
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
            qFatal("cannot write a file of the test");
        return file.fileName().toStdString();
    }

private Q_SLOTS:
    void read_withinLimit_isWhole_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("NUL and newlines") << QByteArray("a\0\r\n", 4);
        QTest::newRow("exactly the limit") << QByteArray(64, 'x');
    }
    void read_withinLimit_isWhole()
    {
        QFETCH(QByteArray, bytes);
        const auto read = readFile(write("whole", bytes), 64);
        QVERIFY(read);
        QCOMPARE(*read, bytes.toStdString());
    }

    void read_oneBeyondLimit_isRefused()
    {
        const auto read = readFile(write("large", QByteArray(65, 'x')), 64);
        QVERIFY(!read);
        QVERIFY(read.error().context.ends_with("/large is larger than 64"));
    }

    void read_absentOrDirectory_isRefused()
    {
        const auto absent
            = readFile(m_directory.filePath(QStringLiteral("none")).toStdString(), 64);
        QVERIFY(!absent && absent.error().context.ends_with("/none does not exist"));
        const auto directory = readFile(m_directory.path().toStdString(), 64);
        QVERIFY(!directory && directory.error().context.ends_with(" is not a file"));
    }

    void mode_readableByOthers_isSeen()
    {
        const std::string path = write("mode", "x");
        const QString name = QString::fromStdString(path);
        QVERIFY(QFile::setPermissions(name, QFile::ReadOwner | QFile::WriteOwner));
        QVERIFY(!isReadableByOthers(path));
        QVERIFY(QFile::setPermissions(name, QFile::ReadOwner | QFile::ReadGroup));
        QVERIFY(isReadableByOthers(path));
        QVERIFY(QFile::setPermissions(name, QFile::ReadOwner | QFile::ReadOther));
        QVERIFY(isReadableByOthers(path));
    }
};

QTEST_APPLESS_MAIN(TestFile)
#include "tst_file.moc"
