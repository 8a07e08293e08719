// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/procfs.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>
#include <map>

using namespace gatehouse::net;
namespace fs = std::filesystem;

/// A directory that looks like /proc, and what is wrong in it stays wrong.
class TestProcfs : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_root;

    [[nodiscard]] fs::path path(const char *name) const
    {
        return fs::path(m_root->path().toStdString()) / name;
    }
    void write(const char *name, const std::string &text) const
    {
        fs::create_directories(path(name).parent_path());
        std::ofstream(path(name)) << text;
    }
    void link(const char *name, const fs::path &target) const
    {
        fs::create_directories(path(name).parent_path());
        fs::create_symlink(target, path(name));
    }
    [[nodiscard]] ProcessTable table() const
    {
        return std::move(ProcessTable::open(m_root->path().toStdString())).value();
    }
    [[nodiscard]] Process process() const { return table().process(7).value(); }

private Q_SLOTS:
    void init() { m_root = std::make_unique<QTemporaryDir>(); }

    void open_noProc_saysSo()
    {
        const auto table = ProcessTable::open("/nowhere/proc");
        QVERIFY(!table);
        QCOMPARE(table.error().context,
                 std::string("cannot read /nowhere/proc: No such file or directory"));
    }

    void pids_areTheNumbersOnly()
    {
        for (const char *name :
             {"1", "42", "2147483647", "2147483648", "-1", "self", "1x", "x1", " 1", "0x1", "sys"})
            fs::create_directories(path(name));
        std::vector<pid_t> pids = table().pids();
        std::sort(pids.begin(), pids.end());
        QCOMPARE(pids, (std::vector<pid_t>{1, 42, 2147483647}));
        QVERIFY(table().process(42));
        QVERIFY(!table().process(43));
    }

    void sockets_areThoseThatTheKernelWritesSo()
    {
        link("7/fd/3", "socket:[12345]");
        link("7/fd/4", "socket:[18446744073709551615]");
        link("7/fd/5", "socket:[18446744073709551616]");
        link("7/fd/6", "socket:[1]x");
        link("7/fd/8", "socket:[-1]");
        link("7/fd/9", "socket:[]");
        link("7/fd/10", "socket:[1");
        link("7/fd/11", "/tmp/socket:[1]");
        link("7/fd/12", "pipe:[1]");
        link("7/fd/13", "socket:[" + std::string(64, '0') + "1]");
        link("7/fd/x", "socket:[77]");
        write("7/fd/14", "socket:[88]");
        std::map<int, std::uint64_t> sockets;
        process().forEachSocket([&](int fd, std::uint64_t inode) { sockets[fd] = inode; });
        QCOMPARE(sockets, (std::map<int, std::uint64_t>{{3, 12345}, {4, 18446744073709551615ULL}}));
        QVERIFY(process().holds(3, 12345));
        QVERIFY(!process().holds(3, 1234));
        QVERIFY(!process().holds(5, 0));
        QVERIFY(!process().holds(99, 12345));
    }

    void sockets_withoutAListing_areNone()
    {
        fs::create_directories(path("7"));
        process().forEachSocket([](int, std::uint64_t) { QFAIL("there is none"); });
    }

    void startTime_isTheTwentySecondField_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<qint64>("expected");
        const QByteArray rest = " S 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2";
        QTest::newRow("plain") << "7 (bash)" + rest << qint64(987654);
        QTest::newRow("a name like fields") << "7 (x) S 1 2 (y)" + rest << qint64(987654);
        QTest::newRow("the last field")
            << QByteArray("7 (x) S") + " 0" + QByteArray(" 0").repeated(17) + " 5" << qint64(5);
        QTest::newRow("one field short")
            << QByteArray("7 (x) S") + QByteArray(" 0").repeated(18) << qint64(-1);
        QTest::newRow("no number")
            << QByteArray("7 (x) S") + QByteArray(" 0").repeated(18) + " x 1" << qint64(-1);
        QTest::newRow("no name") << QByteArray("7 S 1 2 3") << qint64(-1);
        QTest::newRow("empty") << QByteArray() << qint64(-1);
    }
    void startTime_isTheTwentySecondField()
    {
        QFETCH(QByteArray, text);
        QFETCH(qint64, expected);
        write("7/stat", text.toStdString());
        const auto time = process().startTime();
        QCOMPARE(time ? static_cast<qint64>(*time) : -1, expected);
    }

    void effectiveUser_isTheSecondOfFour_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<qint64>("expected");
        QTest::newRow("plain") << QByteArray("Name:\tx\nUid:\t1\t1000\t3\t4\nGid:\t5\t5\t5\t5\n")
                               << qint64(1000);
        QTest::newRow("the largest")
            << QByteArray("Name:\tx\nUid:\t1\t4294967295\t3\t4\n") << qint64(4294967295);
        QTest::newRow("a name like the line")
            << QByteArray("Name:\tUid:\t1\t2\t3\t4\nUid:\t1\t1000\t3\t4\n") << qint64(1000);
        QTest::newRow("no second") << QByteArray("Name:\tx\nUid:\t1000") << qint64(-1);
        QTest::newRow("too large")
            << QByteArray("Name:\tx\nUid:\t1\t4294967296\t3\t4\n") << qint64(-1);
        QTest::newRow("no line") << QByteArray("Name:\tx\n") << qint64(-1);
    }
    void effectiveUser_isTheSecondOfFour()
    {
        QFETCH(QByteArray, text);
        QFETCH(qint64, expected);
        write("7/status", text.toStdString());
        const auto user = process().effectiveUser();
        QCOMPARE(user ? static_cast<qint64>(*user) : -1, expected);
    }

    void questions_toAProcessWithoutAnything_haveNoAnswer()
    {
        fs::create_directories(path("7"));
        QVERIFY(!process().startTime());
        QVERIFY(!process().effectiveUser());
        QVERIFY(!process().executable());
        QVERIFY(!process().openExecutable().isOpen());
        QCOMPARE(process().directory(), std::string());
    }

    void executable_atItsPath_isInPlace()
    {
        write("program", "#!");
        link("7/exe", path("program"));
        const auto file = process().executable();
        QCOMPARE(file->path, path("program").string());
        QVERIFY(file->isInPlace);
        QCOMPARE(file->identity.size, off_t(2));
        QVERIFY(process().openExecutable().isOpen());
    }
};

QTEST_GUILESS_MAIN(TestProcfs)
#include "tst_procfs.moc"
