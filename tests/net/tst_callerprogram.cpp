// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/asking.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QTemporaryDir>

using namespace gatehouse;
using namespace gatehouse::test;
using net::Descriptor;

namespace {

const QString helper = QStringLiteral(CALLER_HELPER);

std::string hashOf(const QString &path)
{
    QFile file(path);
    QCryptographicHash hash(QCryptographicHash::Sha256);
    if (!file.open(QIODevice::ReadOnly) || !hash.addData(&file))
        qFatal("the test cannot read a program");
    return hash.result().toHex().toStdString();
}

} // namespace

/// Which file a caller runs, whatever was done to the file since.
class TestCallerProgram : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_directory;
    LoopbackListener m_listener{"127.0.0.1"};
    QString m_path;
    std::unique_ptr<CallerProgram> m_program;
    Descriptor m_accepted;

    /// Runs a copy of the helper under \a name; false where it does not connect.
    [[nodiscard]] bool run(const QString &name)
    {
        m_path = m_directory->filePath(name);
        if (!QFile::copy(helper, m_path))
            return false;
        m_program = std::make_unique<CallerProgram>(m_path);
        if (!m_program->connectTo("127.0.0.1", m_listener.port()))
            return false;
        m_accepted = m_listener.accept();
        return true;
    }
    [[nodiscard]] std::string path() const
    {
        return QDir(m_directory->path()).canonicalPath().toStdString() + '/'
               + QFileInfo(m_path).fileName().toStdString();
    }

private Q_SLOTS:
    void init() { m_directory = std::make_unique<QTemporaryDir>(); }
    void cleanup()
    {
        m_accepted = {};
        m_program.reset();
        m_directory.reset();
    }

    void program_inPlace_isHashedOnlyWhenAsked()
    {
        QVERIFY(run(QStringLiteral("program")));
        Asking asking;
        auto caller = asking.ask(m_accepted, CallerDepth::Whole);
        QCOMPARE(caller->executable, path());
        QCOMPARE(caller->executableHash, std::string());
        QVERIFY(caller->isInPlace);
        QCOMPARE(asking.finder.hashCount(), std::uint64_t(0));
        caller = asking.ask(m_accepted, CallerDepth::Hashed);
        QCOMPARE(caller->executableHash, hashOf(m_path));
        QVERIFY(caller->hasOneProgram);
        QCOMPARE(asking.finder.hashCount(), std::uint64_t(1));
    }

    void program_deleted_isNotInPlaceAndHashedAsItRuns()
    {
        QVERIFY(run(QStringLiteral("program")));
        QVERIFY(QFile::remove(m_path));
        Asking asking;
        const auto caller = asking.ask(m_accepted, CallerDepth::Hashed);
        QCOMPARE(caller->executable, path());
        QVERIFY(!caller->isInPlace);
        QVERIFY(caller->hasOneProgram);
        QCOMPARE(caller->executableHash, hashOf(helper));
    }

    void program_replaced_isNotInPlaceAndHashedAsItRuns()
    {
        QVERIFY(run(QStringLiteral("program")));
        QVERIFY(QFile::remove(m_path));
        QFile file(m_path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("another program");
        file.close();
        Asking asking;
        const auto caller = asking.ask(m_accepted, CallerDepth::Hashed);
        QCOMPARE(caller->executable, path());
        QVERIFY(!caller->isInPlace);
        QCOMPARE(caller->executableHash, hashOf(helper));
    }

    void program_renamed_isInPlaceUnderItsNewName()
    {
        QVERIFY(run(QStringLiteral("program")));
        const QString renamed = m_directory->filePath(QStringLiteral("renamed"));
        QVERIFY(QFile::rename(m_path, renamed));
        m_path = renamed;
        Asking asking;
        const auto caller = asking.ask(m_accepted);
        QCOMPARE(caller->executable, path());
        QVERIFY(caller->isInPlace);
    }

    void program_calledDeleted_isNotTakenForTheOneWithoutIt()
    {
        QVERIFY(QFile::copy(helper, m_directory->filePath(QStringLiteral("program"))));
        QVERIFY(run(QStringLiteral("program (deleted)")));
        Asking asking;
        auto caller = asking.ask(m_accepted);
        QCOMPARE(caller->executable, path());
        QVERIFY(caller->isInPlace);

        QVERIFY(QFile::remove(m_path));
        caller = asking.ask(m_accepted);
        QCOMPARE(caller->executable, path());
        QVERIFY(!caller->isInPlace);
    }

    void program_deletedWhileOneIsCalledSo_isNotInPlace()
    {
        QVERIFY(run(QStringLiteral("program")));
        QVERIFY(QFile::rename(m_path, m_path + QStringLiteral(" (kept)")));
        QVERIFY(QFile::copy(helper, m_path));
        QVERIFY(QFile::remove(m_path + QStringLiteral(" (kept)")));
        Asking asking;
        const auto caller = asking.ask(m_accepted);
        QVERIFY(caller->executable != path());
        QVERIFY(!caller->isInPlace);
    }
};

QTEST_GUILESS_MAIN(TestCallerProgram)
#include "tst_callerprogram.moc"
