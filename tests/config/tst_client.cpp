// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/config/commandline.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <unistd.h>

using namespace gatehouse;

namespace {

/// Sanitizers read their own process, so hardenProcess() leaves it readable there.
bool isReadableByFew()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return ::prctl(PR_GET_DUMPABLE) == 0;
#endif
}

} // namespace

/// The commands check and client, as a shell sees them.
class TestClient : public QObject
{
    Q_OBJECT

private:
    static void writeBasics(const ConfigDir &dir)
    {
        dir.write("a.yaml",
                  document("Provider", "ollama", "{}")
                      + document("Route", "r", "{basePath: /x, provider: ollama}"));
    }

private Q_SLOTS:
    void add_newName_makesAKeyThatWorks()
    {
        const ConfigDir dir;
        writeBasics(dir);
        const Ran ran = client(dir,
                               "add tool --route r --expires 90d --label team=core --label a=b=c"
                               " --model gpt-* --model o3 --tier gold");
        QCOMPARE(ran.code, 0);
        const std::string key = keyOf(ran);
        QVERIFY(virtualkey::isWellFormed(key));
        QCOMPARE(ran.out, key + "\n");
        QVERIFY(ran.err.find("client-tool.yaml") != std::string::npos);
        const QString file = dir.file("client-tool.yaml");
        QVERIFY(!(QFileInfo(file).permissions() & (QFile::ReadGroup | QFile::ReadOther)));
        QVERIFY(!read(file).contains(QByteArray::fromStdString(key)));

        const auto snapshot = snapshotOf(dir);
        QVERIFY(snapshot);
        const KeyEntry *entry = findKey(*snapshot, key);
        QVERIFY(entry != nullptr);
        QCOMPARE(entry->client->name, std::string("tool"));
        QVERIFY((entry->client->routes == std::vector<std::string>{"r"}));
        const auto left = *entry->expires - std::chrono::system_clock::now();
        QVERIFY(left > std::chrono::hours(90 * 24 - 1) && left < std::chrono::hours(90 * 24 + 1));
        const Draft draft = loadDraft(dir.config());
        QCOMPARE(draft.clients.at(0).labels.at("team"), std::string("core"));
        QCOMPARE(draft.clients.at(0).labels.at("a"), std::string("b=c"));
        QVERIFY((draft.clients.at(0).spec.models == std::vector<std::string>{"gpt-*", "o3"}));
        QCOMPARE(draft.clients.at(0).spec.tier, std::string("gold"));
    }

    void add_twice_isRefusedAndTheFirstStays()
    {
        const ConfigDir dir;
        const std::string key = keyOf(client(dir, "add tool"));
        const Ran again = client(dir, "add tool");
        QCOMPARE(again.code, 1);
        QCOMPARE(again.out, std::string());
        QVERIFY(findKey(*snapshotOf(dir), key) != nullptr);
    }

    void add_fileOfThatName_isNotOverwritten()
    {
        const ConfigDir dir;
        dir.write("client-tool.yaml", "# mine\n");
        QCOMPARE(client(dir, "add tool").code, 1);
        QCOMPARE(read(dir.file("client-tool.yaml")), QByteArray("# mine\n"));
    }

    void add_wrong_isRefusedWithoutATrace_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<int>("code");
        QTest::newRow("no name") << QByteArray("add") << 2;
        QTest::newRow("two names") << QByteArray("add a b") << 2;
        QTest::newRow("name with a slash") << QByteArray("add ../x") << 2;
        QTest::newRow("name in upper case") << QByteArray("add Tool") << 2;
        QTest::newRow("unknown option") << QByteArray("add tool --frobnicate") << 2;
        QTest::newRow("option without its value") << QByteArray("add tool --expires=") << 2;
        QTest::newRow("expiry that is over") << QByteArray("add tool --expires 2020-01-01") << 2;
        QTest::newRow("expiry at once") << QByteArray("add tool --expires 0s") << 2;
        QTest::newRow("label without a value") << QByteArray("add tool --label team") << 2;
        QTest::newRow("label without a key") << QByteArray("add tool --label =core") << 2;
        QTest::newRow("empty model") << QByteArray("add tool --model=") << 2;
        QTest::newRow("tier in upper case") << QByteArray("add tool --tier Gold") << 2;
        QTest::newRow("option of another command") << QByteArray("add tool --overlap 1h") << 2;
        QTest::newRow("unknown route") << QByteArray("add tool --route q") << 1;
        QTest::newRow("unknown command") << QByteArray("ad tool") << 2;
        QTest::newRow("no command") << QByteArray("") << 2;
        QTest::newRow("revoke without a name") << QByteArray("revoke") << 2;
        QTest::newRow("revoke of nobody") << QByteArray("revoke nobody") << 1;
        QTest::newRow("remove of nobody") << QByteArray("remove nobody") << 1;
        QTest::newRow("rotate of nobody") << QByteArray("rotate nobody") << 1;
        QTest::newRow("rotate with an overlap that is none")
            << QByteArray("rotate nobody --overlap soon") << 2;
        QTest::newRow("rotate with an expiry that is over")
            << QByteArray("rotate nobody --expires 2020-01-01") << 2;
        QTest::newRow("revoke of an empty key") << QByteArray("revoke nobody --key=") << 2;
    }
    void add_wrong_isRefusedWithoutATrace()
    {
        QFETCH(QByteArray, line);
        QFETCH(int, code);
        const ConfigDir dir;
        writeBasics(dir);
        const Ran ran = client(dir, line.constData());
        QCOMPARE(ran.code, code);
        QCOMPARE(ran.out, std::string());
        QVERIFY(ran.err.starts_with("gatehouse: "));
        QVERIFY(configFiles(dir.config()) == std::vector<std::string>{"a.yaml"});
    }

    void add_unknownRoute_suggestsTheNearest()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Provider", "ollama", "{}")
                      + document("Route", "local", "{basePath: /x, provider: ollama}"));
        const Ran ran = client(dir, "add tool --route locla");
        QCOMPARE(ran.code, 1);
        QCOMPARE(ran.err,
                 std::string("gatehouse: there is no route \"locla\"; did you mean \"local\"?\n"));
    }

    void add_dataDirectoryUnusable_cannotRun()
    {
        const ConfigDir dir;
        const Ran ran = run(runClient,
                            {QStringLiteral("add"),
                             QStringLiteral("tool"),
                             QStringLiteral("--config"),
                             QString::fromStdString(dir.config()),
                             QStringLiteral("--data"),
                             QStringLiteral("/dev/null/x")});
        QCOMPARE(ran.code, 3);
        QVERIFY(configFiles(dir.config()).empty());
    }

    void help_ofEachCommand_isPrinted()
    {
        for (const auto command : {runCheck, runClient}) {
            const Ran ran = run(command, {QStringLiteral("--help")});
            QCOMPARE(ran.code, 0);
            QVERIFY(ran.out.starts_with("Usage: gatehouse "));
            QVERIFY(ran.out.find("--config DIR") != std::string::npos);
        }
    }

    void check_valid_saysSo()
    {
        const ConfigDir dir;
        writeBasics(dir);
        const Ran ran = run(runCheck, words(dir, ""));
        QCOMPARE(ran.code, 0);
        QCOMPARE(ran.out, std::string("2 resources, no problems\n"));
    }

    void check_readsKeys_whereNobodyElseCan()
    {
        const ConfigDir dir;
        const pid_t child = ::fork(); // it changes its process
        if (child == 0) {
            rlimit files{};
            ::getrlimit(RLIMIT_NOFILE, &files);
            files.rlim_cur = files.rlim_max - 1; // a check before may have done all of it
            const bool was
                = ::setrlimit(RLIMIT_NOFILE, &files) == 0 && ::prctl(PR_SET_DUMPABLE, 1) == 0;
            const int code = run(runCheck, words(dir, "")).code;
            ::getrlimit(RLIMIT_NOFILE, &files);
            const bool isHardened = files.rlim_cur == files.rlim_max && isReadableByFew();
            ::_exit(was && code == 0 && isHardened ? 0 : 1);
        }
        int status = -1;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QCOMPARE(status, 0);
    }

    void check_warningsAlone_areNoErrors()
    {
        const ConfigDir dir;
        dir.write("a.yaml", document("Provider", "groq", "{credential: 'keychain:groq'}"));
        const Ran ran = run(runCheck, words(dir, ""));
        QCOMPARE(ran.code, 0);
        QVERIFY(ran.out.find("a.yaml:3:20: warning: keychain:groq: ") != std::string::npos);
        QVERIFY(ran.out.ends_with("\n1 resource, no errors\n"));
    }

    void check_errors_areAllPrinted()
    {
        const ConfigDir dir;
        dir.write("a.yaml", document("Provider", "groq", "{preset: x, ca: none.pem}"));
        const Ran ran = run(runCheck, words(dir, ""));
        QCOMPARE(ran.code, 1);
        QVERIFY(ran.out.find("/a.yaml:3:16: preset must be one of ") != std::string::npos);
        QVERIFY(ran.out.find("/none.pem does not exist\n") != std::string::npos);
        const Ran json = run(runCheck, words(dir, "--json"));
        QCOMPARE(json.code, 1);
        const QJsonObject object
            = QJsonDocument::fromJson(QByteArray::fromStdString(json.out)).object();
        const QJsonArray problems = object[QStringLiteral("problems")].toArray();
        QCOMPARE(problems.size(), 2);
        QCOMPARE(problems.at(0).toObject()[QStringLiteral("line")].toInt(), 3);
        QCOMPARE(problems.at(0).toObject()[QStringLiteral("column")].toInt(), 16);
    }

    void check_wrong_isRefused()
    {
        const ConfigDir dir;
        QCOMPARE(run(runCheck, words(dir, "surplus")).code, 2);
        QCOMPARE(run(runCheck, words(dir, "--unknown")).code, 2);
        const Ran absent = run(runCheck, {QStringLiteral("--config"), QStringLiteral("/no/such")});
        QCOMPARE(absent.code, 3);
        QVERIFY(absent.err.find("/no/such") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestClient)
#include "tst_client.moc"
