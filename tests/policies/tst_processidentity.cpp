// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policyrun.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

using Answer = std::function<void(std::shared_ptr<const Caller>)>;

const QByteArray hash = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";
const QByteArray passed = "pass";
const QByteArray unknown = "403 process-identity:unknown";
const QByteArray executable = "403 process-identity:executable";
const QByteArray user = "403 process-identity:user";
const QByteArray shared = "403 process-identity:shared";

Caller alice()
{
    return {.pid = 4711,
            .uid = 1000,
            .user = "alice",
            .executable = "/opt/tool",
            .executableHash = hash.toStdString(),
            .directory = "/home/alice",
            .isInPlace = true,
            .hasOneProgram = true,
            .hasOneUser = true};
}

/// Where the finder is, for one run.
class Finder
{
public:
    explicit Finder(PolicyRun &run)
    {
        run.peer.findCaller = [this](CallerDepth depth, Answer done) {
            ++asked;
            this->depth = depth;
            if (isKnown)
                done(caller);
            else
                m_waiting.push_back(std::move(done));
        };
    }
    void knows(const Caller &found)
    {
        isKnown = true;
        caller = std::make_shared<const Caller>(found);
    }
    void answer()
    {
        for (const Answer &done : std::exchange(m_waiting, {}))
            done(caller);
    }

    bool isKnown = false; ///< from an earlier request: the answer comes within the call
    std::shared_ptr<const Caller> caller;
    CallerDepth depth = CallerDepth::Quick;
    int asked = 0;

private:
    std::vector<Answer> m_waiting;
};

/// What the policy says of \a caller.
QByteArray verdictOn(const Caller &caller, const QByteArray &config)
{
    PolicyRun run("process-identity", config);
    if (!run.isMade)
        return run.problems;
    Finder finder(run);
    finder.knows(caller);
    return run.outcomeOf();
}

} // namespace

class TestProcessIdentity : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void executable_listed_passes()
    {
        const QByteArray config = "executables: [{path: /opt/other}, {path: /opt/tool}]";
        QCOMPARE(verdictOn(alice(), config), passed);
        Caller caller = alice();
        caller.user = "bob"; // no users are listed
        caller.hasOneUser = false;
        QCOMPARE(verdictOn(caller, config), passed);
    }

    void executable_other_isRefused_data()
    {
        QTest::addColumn<QByteArray>("path");
        for (const char *path : {"/opt/tool2",
                                 "/opt/too",
                                 "/opt/Tool",
                                 "/opt/tool (deleted)",
                                 "/opt/tool/",
                                 "/proc/self/root/opt/tool",
                                 "//opt/tool",
                                 "/opt/./tool"})
            QTest::newRow(path) << QByteArray(path);
    }
    void executable_other_isRefused()
    {
        QFETCH(QByteArray, path);
        Caller caller = alice();
        caller.executable = path.toStdString();
        QCOMPARE(verdictOn(caller, "executables: [{path: /opt/tool}]"), executable);
        QCOMPARE(verdictOn(caller, "executables: [{path: /opt/tool, sha256: '" + hash + "'}]"),
                 executable);
    }

    void executable_notInPlace_passesByItsHashOnly()
    {
        Caller caller = alice();
        caller.isInPlace = false;
        QCOMPARE(verdictOn(caller, "executables: [{path: /opt/tool}]"), executable);
        QCOMPARE(verdictOn(caller, "executables: [{path: /opt/tool, sha256: '" + hash + "'}]"),
                 passed);
        PolicyRun run("process-identity", "executables: [{path: /opt/tool}]");
        Finder finder(run);
        finder.knows(caller);
        QCOMPARE(run.outcomeOf(), executable);
        QVERIFY(run.reply.message.find("start the program again") != std::string::npos);
    }

    void executable_withHash_mustHaveTheseContents()
    {
        const QByteArray config
            = "executables: [{path: /opt/tool, sha256: '" + hash.toUpper() + "'}]";
        QCOMPARE(verdictOn(alice(), config), passed);
        Caller caller = alice();
        caller.executableHash.back() = '0';
        QCOMPARE(verdictOn(caller, config), executable);
        caller.executableHash.clear(); // it could not be read
        QCOMPARE(verdictOn(caller, config), executable);
        // The same path once more, without a hash, takes any contents.
        QCOMPARE(verdictOn(caller,
                           "executables: [{path: /opt/tool, sha256: '" + hash
                               + "'}, {path: /opt/tool}]"),
                 passed);
    }

    void executable_sharedOrUnknown_isRefused()
    {
        const QByteArray config = "executables: [{path: /opt/tool}]";
        Caller caller = alice();
        caller.hasOneProgram = false;
        QCOMPARE(verdictOn(caller, config), shared);
        Caller unseen;
        unseen.uid = 1000;
        unseen.user = "alice";
        QCOMPARE(verdictOn(unseen, config), unknown);
    }

    void executable_bySymbolicLink_isTheFileItLeadsTo()
    {
        const QTemporaryDir directory;
        const QString target = QDir(directory.path()).canonicalPath() + QStringLiteral("/tool-1.2");
        const QString link = directory.filePath(QStringLiteral("tool"));
        QFile file(target);
        QVERIFY(file.open(QIODevice::WriteOnly));
        QVERIFY(QFile::link(target, link));
        Caller caller = alice();
        caller.executable = target.toStdString();
        QCOMPARE(verdictOn(caller, "executables: [{path: '" + link.toUtf8() + "'}]"), passed);
        QCOMPARE(verdictOn(alice(), "executables: [{path: '" + link.toUtf8() + "'}]"), executable);
    }

    void user_byNameOrNumber_isCompared_data()
    {
        QTest::addColumn<QByteArray>("listed");
        QTest::addColumn<QByteArray>("expected");
        QTest::newRow("name") << QByteArray("[alice]") << passed;
        QTest::newRow("number") << QByteArray("['1000']") << passed;
        QTest::newRow("second") << QByteArray("[bob, alice]") << passed;
        QTest::newRow("another") << QByteArray("[bob]") << user;
        QTest::newRow("another number") << QByteArray("['100']") << user;
        QTest::newRow("another case") << QByteArray("[Alice]") << user;
        QTest::newRow("longer") << QByteArray("[alice2]") << user;
    }
    void user_byNameOrNumber_isCompared()
    {
        QFETCH(QByteArray, listed);
        QFETCH(QByteArray, expected);
        QCOMPARE(verdictOn(alice(), "users: " + listed), expected);
        // Who listens for another user sees no more of them.
        Caller unseen;
        unseen.uid = 1000;
        unseen.user = "alice";
        QCOMPARE(verdictOn(unseen, "users: " + listed), expected);
    }

    void user_whoseNameIsANumber_isNotTheUserOfThatNumber()
    {
        Caller caller = alice();
        caller.uid = 666;
        caller.user = "1000";
        QCOMPARE(verdictOn(caller, "users: ['1000']"), user);
    }

    void user_whoSharesTheConnection_isRefused()
    {
        Caller caller = alice();
        caller.hasOneUser = false;
        QCOMPARE(verdictOn(caller, "users: [alice]"), shared);
        caller = alice();
        caller.hasOneProgram = false; // programs are not asked for
        QCOMPARE(verdictOn(caller, "users: [alice]"), passed);
    }

    void executableAndUser_mustBothFit()
    {
        const QByteArray config = "{executables: [{path: /opt/tool}], users: [alice]}";
        QCOMPARE(verdictOn(alice(), config), passed);
        Caller caller = alice();
        caller.user = "bob";
        QCOMPARE(verdictOn(caller, config), user);
        caller = alice();
        caller.executable = "/opt/x";
        QCOMPARE(verdictOn(caller, config), executable);
    }

    void caller_thatCannotBeKnown_isRefused()
    {
        PolicyRun run("process-identity", "users: [alice]");
        QCOMPARE(run.outcomeOf(), unknown); // nobody to ask
        Finder finder(run);
        finder.isKnown = true;
        QCOMPARE(run.outcomeOf(), unknown); // the connection is over, say
        finder.knows(alice());
        QCOMPARE(run.outcomeOf(), passed);
        run.peer.isLoopback = false;
        QCOMPARE(run.outcomeOf(), unknown);
        QCOMPARE(finder.asked, 2);
    }

    void caller_foundLater_resumesTheRequest()
    {
        PolicyRun run("process-identity", "users: [alice]");
        Finder finder(run);
        QCOMPARE(run.outcomeOf(), QByteArray("paused"));
        finder.caller = std::make_shared<const Caller>(alice());
        finder.answer();
        QCOMPARE(run.result(), passed);

        QCOMPARE(run.outcomeOf(), QByteArray("paused"));
        finder.caller = nullptr;
        finder.answer();
        QCOMPARE(run.result(), unknown);
        run.services.advance(std::chrono::minutes(1)); // the limit is over, too late
        QCOMPARE(run.result(), unknown);
    }

    void caller_notFoundInTime_isUndecided()
    {
        PolicyRun run("process-identity", "users: [alice]");
        Finder finder(run);
        QCOMPARE(run.outcomeOf(), QByteArray("paused"));
        run.services.advance(std::chrono::milliseconds(9'999));
        QVERIFY(run.isPaused());
        run.services.advance(std::chrono::milliseconds(1));
        QCOMPARE(run.result(), QByteArray("503 process-identity:unavailable"));
        finder.caller = std::make_shared<const Caller>(alice());
        finder.answer(); // too late
        QCOMPARE(run.result(), QByteArray("503 process-identity:unavailable"));
    }

    void caller_foundAfterTheClientWentAway_changesNothing()
    {
        auto run = std::make_unique<PolicyRun>("process-identity", "users: [alice]");
        Finder finder(*run);
        QCOMPARE(run->outcomeOf(), QByteArray("paused"));
        run->exchange.end();
        finder.caller = std::make_shared<const Caller>(alice());
        finder.answer();
        QVERIFY(run->isPaused());

        QCOMPARE(run->outcomeOf(), QByteArray("paused"));
        run.reset(); // the policy too
        finder.answer();
    }

    void depth_isNoMoreThanTheConfigNeeds()
    {
        const auto depthOf = [](const QByteArray &config) {
            PolicyRun run("process-identity", config);
            Finder finder(run);
            finder.knows(alice());
            run.outcomeOf();
            return finder.depth;
        };
        QVERIFY(depthOf("users: [alice]") == CallerDepth::Whole);
        QVERIFY(depthOf("executables: [{path: /opt/tool}]") == CallerDepth::Whole);
        QVERIFY(depthOf("executables: [{path: /opt/a}, {path: /opt/tool, sha256: '" + hash + "'}]")
                == CallerDepth::Hashed);
    }

    void config_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("yaml");
        const auto row
            = [](const char *name, const QByteArray &yaml) { QTest::newRow(name) << yaml; };
        row("nothing", "");
        row("empty lists", "{executables: [], users: []}");
        row("no path", "executables: [{sha256: '" + hash + "'}]");
        row("relative", "executables: [{path: curl}]");
        row("not normal", "executables: [{path: /usr/bin/../bin/curl}]");
        row("a directory", "executables: [{path: /usr/bin/}]");
        row("short hash", "executables: [{path: /opt/tool, sha256: '" + hash.chopped(1) + "'}]");
        row("long hash", "executables: [{path: /opt/tool, sha256: '" + hash + "0'}]");
        row("no hash", "executables: [{path: /opt/tool, sha256: '" + hash.chopped(1) + "g'}]");
        row("empty user", "users: ['']");
        row("unknown key", "{users: [alice], groups: [x]}");
    }
    void config_malformed_isRefused()
    {
        QFETCH(QByteArray, yaml);
        const PolicyRun run("process-identity", yaml);
        QVERIFY(!run.isMade);
        QVERIFY(!run.problems.isEmpty());
    }

    void config_ofAProgramThatIsNotThere_isWarnedOf()
    {
        const PolicyRun run("process-identity",
                            "executables: [{path: /bin/sh}, {path: /nowhere/tool}]");
        QVERIFY(run.isMade);
        QCOMPARE(run.problems.count('\n'), 1);
        QVERIFY2(run.problems.contains("warning: there is no such program now"),
                 run.problems.constData());
    }
};

QTEST_GUILESS_MAIN(TestProcessIdentity)
#include "tst_processidentity.moc"
