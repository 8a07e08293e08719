// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/watch.h"
#include "tests/config/configdir.h"

#include <QSaveFile>
#include <QSignalSpy>
#include <QTest>

using namespace gatehouse;

class TestWatch : public QObject
{
    Q_OBJECT

private:
    /// True where the next change is noticed; then waits until it is quiet.
    static bool isNoticed(QSignalSpy &spy)
    {
        const bool noticed = spy.wait(5000);
        spy.clear();
        return noticed;
    }

private Q_SLOTS:
    void file_writtenInPlace_isNoticedEachTime()
    {
        const ConfigDir dir;
        dir.write("a.yaml", "1");
        const ConfigWatcher watcher(QString::fromStdString(dir.config()));
        QSignalSpy spy(&watcher, &ConfigWatcher::changed);
        for (const char *bytes : {"2", "3", "4"}) {
            dir.write("a.yaml", bytes);
            QVERIFY(isNoticed(spy));
        }
    }

    void file_replacedByRenaming_isNoticedEachTime()
    {
        const ConfigDir dir;
        dir.write("a.yaml", "1");
        const ConfigWatcher watcher(QString::fromStdString(dir.config()));
        QSignalSpy spy(&watcher, &ConfigWatcher::changed);
        for (const char *bytes : {"2", "3"}) {
            QSaveFile file(dir.file("a.yaml"));
            QVERIFY(file.open(QIODevice::WriteOnly) && file.write(bytes) == 1 && file.commit());
            QVERIFY(isNoticed(spy));
        }
        dir.write("a.yaml", "4");
        QVERIFY(isNoticed(spy));
    }

    void file_addedAndRemoved_isNoticed()
    {
        const ConfigDir dir;
        const ConfigWatcher watcher(QString::fromStdString(dir.config()));
        QSignalSpy spy(&watcher, &ConfigWatcher::changed);
        dir.write("a.yaml", "1");
        QVERIFY(isNoticed(spy));
        QVERIFY(QFile::remove(dir.file("a.yaml")));
        QVERIFY(isNoticed(spy));
    }

    void folder_added_isWatchedToo()
    {
        const ConfigDir dir;
        const ConfigWatcher watcher(QString::fromStdString(dir.config()));
        QSignalSpy spy(&watcher, &ConfigWatcher::changed);
        dir.write("clients/a.yaml", "1");
        QVERIFY(isNoticed(spy));
        dir.write("clients/a.yaml", "2");
        QVERIFY(isNoticed(spy));
        dir.write("clients/b.yaml", "1");
        QVERIFY(isNoticed(spy));
    }

    void changes_manyAtOnce_areOneSignal()
    {
        const ConfigDir dir;
        const ConfigWatcher watcher(QString::fromStdString(dir.config()));
        QSignalSpy spy(&watcher, &ConfigWatcher::changed);
        for (char letter = 'a'; letter <= 'z'; ++letter)
            dir.write((std::string(1, letter) + ".yaml").c_str(), "1");
        QVERIFY(spy.wait(5000));
        QVERIFY(!spy.wait(300));
        QCOMPARE(spy.size(), 1);
    }
};

QTEST_GUILESS_MAIN(TestWatch)
#include "tst_watch.moc"
