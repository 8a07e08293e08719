// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/documentfile.h"
#include "tests/config/configdir.h"

#include <QFileInfo>
#include <QTest>

using namespace gatehouse;

class TestDocumentFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void lock_isHeld_byOneAtATime()
    {
        const ConfigDir dir;
        {
            const auto first = ConfigLock::take(dir.config());
            QVERIFY(first);
            const auto second = ConfigLock::take(dir.config(), std::chrono::milliseconds(0));
            QVERIFY(!second);
            QCOMPARE(second.error().context,
                     "another gatehouse command is changing " + dir.config()
                         + "; try again when it has ended");
            QVERIFY(ConfigLock::take(dir.config() + "/..", std::chrono::milliseconds(0)));
        }
        QVERIFY(ConfigLock::take(dir.config(), std::chrono::milliseconds(0)));
        QVERIFY(ConfigLock::take("/no/such")); // who reads it then will say so
    }

    void replace_oneDocument_leavesTheOthers_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<int>("line");
        QTest::addColumn<QByteArray>("replaced");
        QTest::addColumn<QByteArray>("removed");
        const auto row = [](const char *name,
                            const char *text,
                            int line,
                            const char *replaced,
                            const char *removed) {
            QTest::newRow(name) << QByteArray(text) << line << QByteArray(replaced)
                                << QByteArray(removed);
        };
        row("the only one", "a: 1\nb: 2\n", 1, "new\n", "");
        row("comment before", "# hello\na: 1\n", 2, "# hello\nnew\n", "");
        row("first", "a: 1\n---\nb: 2\n", 1, "new\n---\nb: 2\n", "---\nb: 2\n");
        row("middle",
            "a: 1\n---\n# x\nb: 2\n--- # y\nc: 3\n",
            4,
            "a: 1\n---\n# x\nnew\n--- # y\nc: 3\n",
            "a: 1\n--- # y\nc: 3\n");
        row("last", "a: 1\n---\nb: 2\n", 3, "a: 1\n---\nnew\n", "a: 1\n");
        row("last without a newline", "a: 1\n---\nb: 2", 3, "a: 1\n---\nnew\n", "a: 1\n");
        row("on its marker",
            "a: 1\n--- {b: 2}\n---\nc: 3\n",
            2,
            "a: 1\n---\nnew\n---\nc: 3\n",
            "a: 1\n---\nc: 3\n");
        row("after an end marker", "a: 1\n...\nb: 2\n", 3, "a: 1\n...\nnew\n", "a: 1\n...\n");
        row("before an end marker",
            "a: 1\n...\n---\nb: 2\n",
            1,
            "new\n...\n---\nb: 2\n",
            "...\n---\nb: 2\n");
        row("marker-like text", "a: ---\n---x: 1\n", 1, "new\n", "");
        row("CRLF", "a: 1\r\n---\r\nb: 2\r\n", 3, "a: 1\r\n---\r\nnew\n", "a: 1\r\n");
    }
    void replace_oneDocument_leavesTheOthers()
    {
        QFETCH(QByteArray, text);
        QFETCH(int, line);
        QFETCH(QByteArray, replaced);
        QFETCH(QByteArray, removed);
        const auto number = static_cast<std::uint32_t>(line);
        QCOMPARE(replaceDocument(text.toStdString(), number, "new\n"), replaced.toStdString());
        QCOMPARE(replaceDocument(text.toStdString(), number, ""), removed.toStdString());
    }

    void write_newFile_isTheOwnersAlone()
    {
        const ConfigDir dir;
        const QString file = dir.file("a.yaml");
        QVERIFY(writeConfigFile(file.toStdString(), "a: 1\n"));
        const QFile::Permissions others
            = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
        QVERIFY(!(QFileInfo(file).permissions() & others));
        QCOMPARE(QDir(QString::fromStdString(dir.config())).entryList(QDir::Files).size(), 1);
    }

    void write_whereItCannot_isRefused()
    {
        const auto written = writeConfigFile("/dev/null/a.yaml", "a: 1\n");
        QVERIFY(!written);
        QCOMPARE(written.error().code, ErrorCode::SystemFailure);
    }
};

QTEST_APPLESS_MAIN(TestDocumentFile)
#include "tst_documentfile.moc"
