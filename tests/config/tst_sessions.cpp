// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/loader.h"
#include "gateway/config/sessions.h"
#include "tests/config/configdir.h"

#include <QFileInfo>
#include <QSignalSpy>
#include <QTest>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

#include <unistd.h>

using namespace gatehouse;

namespace {

constexpr int patience = 5000;

SessionSpec session(const char *id, const char *client = "exec")
{
    const auto hash = [id](char fill) {
        return "hmac-sha256:" + std::string(64, fill).replace(0, 1, 1, id[0] % 2 == 0 ? '0' : '1');
    };
    return {.id = id,
            .client = client,
            .hash = hash('a'),
            .probe = hash('b'),
            .created = "2026-11-23T09:00:00Z",
            .expires = "2026-11-24T09:00:00Z"};
}

/// A process that opens a session and waits to be ended.
class OtherProcess
{
public:
    OtherProcess(const SessionSpec &spec, const std::string &dataDir)
    {
        std::array<int, 2> ready{};
        if (::pipe(ready.data()) != 0)
            qFatal("no pipe for the test");
        m_pid = ::fork();
        if (m_pid == 0) {
            const auto file = openSession(spec, dataDir);
            [[maybe_unused]] const auto size = ::write(ready[1], file ? "+" : "-", 1);
            for (;;)
                ::pause();
        }
        char answer = '-';
        m_isReady = ::read(ready[0], &answer, 1) == 1 && answer == '+';
        ::close(ready[0]);
        ::close(ready[1]);
    }
    OtherProcess(const OtherProcess &) = delete;
    OtherProcess &operator=(const OtherProcess &) = delete;
    ~OtherProcess() { kill(); }

    [[nodiscard]] bool isReady() const { return m_isReady; }
    void kill()
    {
        if (m_pid <= 0)
            return;
        ::kill(m_pid, SIGKILL);
        ::waitpid(std::exchange(m_pid, -1), nullptr, 0);
    }

private:
    pid_t m_pid = -1;
    bool m_isReady = false;
};

/// As long as it lives, the process cannot open anything.
class NoDescriptors
{
public:
    NoDescriptors()
    {
        ::getrlimit(RLIMIT_NOFILE, &m_before);
        const int next = ::dup(STDIN_FILENO); // not 0: poll(2) refuses more than the limit
        ::close(next);
        const struct rlimit none = {static_cast<rlim_t>(next), m_before.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    NoDescriptors(const NoDescriptors &) = delete;
    NoDescriptors &operator=(const NoDescriptors &) = delete;
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &m_before); }

private:
    struct rlimit m_before = {};
};

} // namespace

class TestSessions : public QObject
{
    Q_OBJECT

private:
    static QStringList files(const ConfigDir &dir)
    {
        return QDir(QString::fromStdString(dir.data() + "/sessions"))
            .entryList(QDir::Files | QDir::Hidden);
    }
    static std::vector<SessionSpec> sessionsIn(const ConfigDir &dir)
    {
        const auto sessions = liveSessions(dir.data());
        if (!sessions)
            qFatal("%s", sessions.error().context.c_str());
        return *sessions;
    }
    static bool isThere(const ConfigDir &dir, const char *name)
    {
        const auto live = isLive(path(dir, name));
        return live && *live;
    }
    static std::string path(const ConfigDir &dir, const char *name)
    {
        return dir.data() + "/sessions/" + name;
    }
    static void put(const ConfigDir &dir, const char *name, const QByteArray &bytes)
    {
        QFile file(QString::fromStdString(path(dir, name)));
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
            qFatal("cannot write a file of the test");
    }

private Q_SLOTS:
    void open_newSession_isPrivateAndReadsBack()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        const auto file = openSession(session("aa"), dir.data());
        QVERIFY(file);
        QCOMPARE(files(dir), QStringList{QStringLiteral("aa.yaml")});
        struct stat about = {};
        QCOMPARE(::stat(path(dir, "aa.yaml").c_str(), &about), 0);
        QCOMPARE(about.st_mode & 0777, 0600U);
        QCOMPARE(::stat(path(dir, "").c_str(), &about), 0);
        QCOMPARE(about.st_mode & 0777, 0700U);
        QVERIFY(sessionsIn(dir) == std::vector<SessionSpec>{session("aa")});
    }

    void open_noDirectory_saysWhere()
    {
        const auto file = openSession(session("aa"), "/no/such");
        QVERIFY(!file);
        QVERIFY(file.error().context.starts_with("/no/such/sessions/aa.yaml cannot be written: "));
    }

    void liveFile_itsEnd_removesItAndNotAnothersOfThatName()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        auto first = LiveFile::create(path(dir, "x"), "1");
        QVERIFY(first && isThere(dir, "x"));
        auto second = LiveFile::create(path(dir, "x"), "2");
        QVERIFY(second);
        first = std::move(second); // the first goes
        QVERIFY(isThere(dir, "x"));
        {
            const LiveFile last = std::move(*first);
        }
        QVERIFY(!QFile::exists(QString::fromStdString(path(dir, "x"))));
        QVERIFY(!isThere(dir, "x"));
    }

    void liveSessions_whatIsNone_isLeftOut_data()
    {
        QTest::addColumn<QByteArray>("text");
        const QByteArray hash = "'hmac-sha256:" + QByteArray(64, '0') + "'";
        const QByteArray good = "{id: xx, client: exec, hash: " + hash + ", probe: " + hash
                                + ", created: 2026-01-01, expires: 2100-01-01}";
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("no YAML") << QByteArray("{");
        QTest::newRow("two documents") << good + "\n---\n" + good;
        QTest::newRow("a list") << QByteArray("[]");
        QTest::newRow("another id than its name") << QByteArray(good).replace("id: xx", "id: yy");
        QTest::newRow("no expiry") << QByteArray(good).replace(", expires: 2100-01-01", "");
        QTest::newRow("an expiry that is none") << QByteArray(good).replace("2100-01-01", "never");
        QTest::newRow("no hash") << QByteArray(good).replace("hmac-sha256", "plain");
        QTest::newRow("an unknown field") << QByteArray(good).replace("id: xx", "id: xx, a: b");
        QTest::newRow("a client that is no name") << QByteArray(good).replace(": exec", ": ../x");
    }
    void liveSessions_whatIsNone_isLeftOut()
    {
        QFETCH(QByteArray, text);
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        const auto good = openSession(session("aa"), dir.data());
        const auto bad = LiveFile::create(path(dir, "xx.yaml"), text.toStdString());
        QVERIFY(good && bad);
        QVERIFY(sessionsIn(dir) == std::vector<SessionSpec>{session("aa")});
    }

    void liveSessions_fileWithoutItsProcess_isNone()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        QByteArray text;
        {
            const auto file = openSession(session("aa"), dir.data());
            QFile written(QString::fromStdString(path(dir, "aa.yaml")));
            QVERIFY(written.open(QIODevice::ReadOnly));
            text = written.readAll();
        }
        put(dir, "aa.yaml", text);
        QVERIFY(sessionsIn(dir).empty());
    }

    void addSessions_exec_makesAClientThatMayAll()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        const auto one = openSession(session("aa"), dir.data());
        const auto two = openSession(session("bb"), dir.data());
        Draft draft = loadDraft(dir.config());
        addSessions(draft.clients, sessionsIn(dir));
        QCOMPARE(draft.clients.size(), std::size_t(1));
        const auto &client = draft.clients.front();
        QCOMPARE(client.name, std::string("exec"));
        QVERIFY(client.spec.routes.empty() && client.spec.models.empty());
        QCOMPARE(client.spec.keys.size(), std::size_t(4));
        const KeySpec &key = client.spec.keys.at(0);
        QCOMPARE(key.id, std::string("exec-aa"));
        QCOMPARE(key.hash, session("aa").hash);
        QCOMPARE(key.expires, session("aa").expires);
        const KeySpec &probe = client.spec.keys.at(1);
        QVERIFY(isProbeKeyId(probe.id) && !isProbeKeyId(key.id));
        QCOMPARE(probe.hash, session("aa").probe);
        QCOMPARE(probe.expires, session("aa").created); // over as soon as it is there
        QVERIFY(client.document != nullptr);            // diagnostics ask it for places
    }

    void addSessions_configuredClient_getsTheKeyBesideItsOwn()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Client", "tool", "{tier: gold}")
                      + document("Client", "exec", "{tier: low}"));
        const SessionWatcher watcher(dir.data());
        const auto one = openSession(session("aa", "tool"), dir.data());
        const auto two = openSession(session("bb", "exec"), dir.data());
        const auto gone = openSession(session("cc", "removed"), dir.data());
        Draft draft = loadDraft(dir.config());
        addSessions(draft.clients, sessionsIn(dir));
        QCOMPARE(draft.clients.size(), std::size_t(2));
        for (const auto &client : draft.clients) {
            QCOMPARE(client.spec.keys.size(), std::size_t(2));
            QCOMPARE(client.spec.keys.at(0).id,
                     std::string(client.name == "tool" ? "exec-aa" : "exec-bb"));
            QCOMPARE(client.spec.tier, std::string(client.name == "tool" ? "gold" : "low"));
        }
    }

    void endSessions_byClientAndKey_takesThoseAlone()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        const auto one = openSession(session("aa", "tool"), dir.data());
        const auto two = openSession(session("bb", "tool"), dir.data());
        QCOMPARE(*endSessions(dir.data(), "other"), std::size_t(0));
        QCOMPARE(*endSessions(dir.data(), "other", "exec-aa"), std::size_t(0));
        QCOMPARE(*endSessions(dir.data(), "tool", "exec-aa"), std::size_t(1));
        QCOMPARE(files(dir), QStringList{QStringLiteral("bb.yaml")});
        QCOMPARE(*endSessions(dir.data(), "tool"), std::size_t(1));
        QVERIFY(files(dir).isEmpty());
    }

    void watcher_sessionOpenedAndClosed_saysEachOnce()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        QSignalSpy spy(&watcher, &SessionWatcher::changed);
        {
            const auto file = openSession(session("aa"), dir.data());
            QVERIFY(spy.wait(patience));
            spy.clear();
        }
        QVERIFY(spy.wait(patience));
        QVERIFY(sessionsIn(dir).empty());
        put(dir, "note.txt", "no session"); // nor a change
        const auto next = openSession(session("bb"), dir.data());
        spy.clear();
        QVERIFY(spy.wait(patience));
        QCOMPARE(spy.size(), 1);
    }

    void watcher_processKilled_noticesWithinASecondAndClearsUp()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        QSignalSpy spy(&watcher, &SessionWatcher::changed);
        OtherProcess other(session("aa"), dir.data());
        QVERIFY(other.isReady());
        QVERIFY(spy.wait(patience));
        QCOMPARE(sessionsIn(dir).size(), std::size_t(1));
        spy.clear();
        other.kill();
        QVERIFY(spy.wait(1000));
        QVERIFY(sessionsIn(dir).empty());
        QVERIFY(files(dir).isEmpty());
    }

    void watcher_sessionBeforeIt_isSeenToEnd()
    {
        const ConfigDir dir;
        {
            const SessionWatcher before(dir.data());
        }
        OtherProcess other(session("aa"), dir.data());
        QVERIFY(other.isReady());
        const SessionWatcher watcher(dir.data());
        QSignalSpy spy(&watcher, &SessionWatcher::changed);
        other.kill();
        QVERIFY(spy.wait(1000));
    }

    void liveFile_whatCannotBeLookedAt_isNeitherLiveNorDead()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        const auto file = openSession(session("aa"), dir.data());
        put(dir, "bb.yaml", "of a dead one");
        {
            const NoDescriptors shortage;
            QVERIFY(!isLive(path(dir, "aa.yaml")) && !isLive(path(dir, "bb.yaml")));
            removeIfDead(path(dir, "bb.yaml"));
            QVERIFY(!liveSessions(dir.data()));
            const auto ended = endSessions(dir.data(), "exec");
            QVERIFY(!ended);
            QVERIFY(ended.error().context.find("Too many open files") != std::string::npos);
        }
        QCOMPARE(files(dir).size(), 2);
        removeIfDead(path(dir, "aa.yaml"));
        removeIfDead(path(dir, "bb.yaml"));
        QCOMPARE(files(dir), QStringList{QStringLiteral("aa.yaml")});
    }

    void watcher_shortageOfDescriptors_keepsWhatWasKnownAndLooksAgain()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        QSignalSpy spy(&watcher, &SessionWatcher::changed);
        const auto mine = openSession(session("aa"), dir.data());
        OtherProcess other(session("bb"), dir.data());
        QVERIFY(mine && other.isReady());
        QTRY_COMPARE(watcher.sessions().size(), std::size_t(2));
        spy.clear();
        {
            const NoDescriptors shortage;
            other.kill();
            QVERIFY(!spy.wait(600)); // two looks and more
            QCOMPARE(watcher.sessions().size(), std::size_t(2));
        }
        QCOMPARE(files(dir).size(), 2);
        QVERIFY(spy.wait(1000));
        QVERIFY(watcher.sessions() == std::vector<SessionSpec>{session("aa")});
        QCOMPARE(files(dir), QStringList{QStringLiteral("aa.yaml")});
    }

    void watcher_whatIsBeingMade_isLeftForAMinute()
    {
        const ConfigDir dir;
        {
            const SessionWatcher before(dir.data());
        }
        put(dir, "aa.yaml.new12", "half");
        put(dir, "bb.yaml.new13", "half");
        put(dir, "cc.yaml", "of a dead one");
        QFile old(QString::fromStdString(path(dir, "bb.yaml.new13")));
        QVERIFY(old.open(QIODevice::ReadWrite));
        QVERIFY(old.setFileTime(QDateTime::currentDateTime().addSecs(-90),
                                QFileDevice::FileModificationTime));
        old.close();
        const SessionWatcher watcher(dir.data());
        QCOMPARE(files(dir), QStringList{QStringLiteral("aa.yaml.new12")});
    }
};

QTEST_GUILESS_MAIN(TestSessions)
#include "tst_sessions.moc"
