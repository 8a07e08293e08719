// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/execgateway.h"
#include "app/cli/execprocess.h"
#include "gateway/config/announcement.h"
#include "gateway/config/sessions.h"
#include "tests/config/commandline.h"

#include <QElapsedTimer>
#include <QFile>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>
#include <QThread>

#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <functional>

#include <unistd.h>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

/// Answers each request with what a function makes of its head; in a thread of its own.
class FakeGateway
{
public:
    using Answer = std::function<QByteArray(const QByteArray &head)>;

    explicit FakeGateway(Answer answer)
        : m_thread(QThread::create([this, answer = std::move(answer)] { serve(answer); }))
    {
        m_thread->start();
        while (m_port == 0)
            QThread::yieldCurrentThread();
    }
    FakeGateway(const FakeGateway &) = delete;
    FakeGateway &operator=(const FakeGateway &) = delete;
    ~FakeGateway()
    {
        m_isOver = true;
        m_thread->wait();
    }

    [[nodiscard]] std::string url() const
    {
        return "http://127.0.0.1:" + std::to_string(m_port) + "/openai/v1";
    }

private:
    void serve(const Answer &answer)
    {
        QTcpServer server;
        if (!server.listen(QHostAddress::LocalHost))
            qFatal("no listening socket for the test");
        m_port = server.serverPort();
        while (!m_isOver) {
            if (!server.waitForNewConnection(20))
                continue;
            const std::unique_ptr<QTcpSocket> socket(server.nextPendingConnection());
            QByteArray head;
            while (!head.contains("\r\n\r\n") && socket->waitForReadyRead(5000))
                head += socket->readAll();
            socket->write(answer(head));
            socket->disconnectFromHost();
            if (socket->state() != QAbstractSocket::UnconnectedState)
                socket->waitForDisconnected(5000);
        }
    }

    std::atomic<int> m_port{0};
    std::atomic<bool> m_isOver{false};
    std::unique_ptr<QThread> m_thread;
};

QByteArray refusal(const QByteArray &reason)
{
    return "HTTP/1.1 401 Unauthorized\r\nX-Gatehouse-Request-Id: 1\r\nx-gatehouse-reason:" + reason
           + " \r\ncontent-length: 0\r\n\r\n";
}

int inForeground(std::vector<std::string> words, const std::vector<std::string> &environment = {})
{
    std::vector<char *> pointers;
    for (std::string &word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return runInForeground(pointers.data(), environment);
}

/// The same in a process of one thread, as gatehouse is: QtTest has another, which would get signals.
int inOwnProcess(const std::vector<std::string> &words)
{
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(inForeground(words));
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Ran exec(std::vector<std::string> words)
{
    std::vector<char *> pointers;
    for (std::string &word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return captured([&] { return runExec(pointers.data()); });
}

AnnouncedRoute route(const char *name, const char *dialect)
{
    const std::string url = std::string("http://127.0.0.1:4283/") + name;
    return {name, dialect, url, url, false};
}

} // namespace

/// gatehouse exec and its parts.
class TestExec : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void foreground_exitCodes_areTheCommands()
    {
        QCOMPARE(inForeground({"sh", "-c", "exit 7"}), 7);
        QCOMPARE(inForeground({"sh", "-c", "kill -TERM $$"}), 128 + SIGTERM);
        QCOMPARE(inForeground({"sh", "-c", "kill -KILL $$"}), 128 + SIGKILL);
        QCOMPARE(inForeground({"sh", "-c", "test \"$A\" = 'b c' && test -z \"$HOME\""}, {"A=b c"}),
                 0);
        Ran ran = captured([] { return inForeground({"no-such-command-here"}); });
        QCOMPARE(ran.code, 127);
        QCOMPARE(ran.err, std::string("gatehouse: no-such-command-here: command not found\n"));
        ran = captured([] { return inForeground({"/etc/passwd"}); });
        QCOMPARE(ran.code, 126);
        QCOMPARE(ran.err, std::string("gatehouse: /etc/passwd: Permission denied\n"));
    }

    void foreground_signalsToUs_goToTheCommand_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::newRow("SIGTERM") << QByteArray("TERM");
        QTest::newRow("SIGHUP") << QByteArray("HUP");
        QTest::newRow("SIGINT") << QByteArray("INT");
        QTest::newRow("SIGUSR1") << QByteArray("USR1");
    }
    void foreground_signalsToUs_goToTheCommand()
    {
        QFETCH(QByteArray, name);
        const std::string trapped = name.toStdString();
        // the command sends it to us, and ends with 9 only if it comes back
        QCOMPARE(inOwnProcess({"sh",
                               "-c",
                               "trap 'exit 9' " + trapped + "; kill -" + trapped
                                   + " $PPID; while :; do sleep 0.01; done"}),
                 9);
    }

    void foreground_signalMask_isInheritedAsItWas()
    {
        // Whatever starts the tests may hold signals back itself.
        QFile status(QStringLiteral("/proc/self/status"));
        QVERIFY(status.open(QIODevice::ReadOnly));
        std::string own;
        for (const QByteArray &line : status.readAll().split('\n')) {
            if (line.startsWith("SigBlk:"))
                own = line.mid(8).toStdString();
        }
        QVERIFY(!own.empty());
        // of the command itself: a shell that waits for one holds signals back for a moment
        QCOMPARE(inForeground({"grep", "-q", "^SigBlk:." + own + "$", "/proc/self/status"}), 0);
    }

    void awaitKey_untilTheGatewayKnowsIt_waits()
    {
        std::atomic<int> count{0};
        QByteArray first;
        const FakeGateway gateway([&](const QByteArray &head) {
            if (count == 0)
                first = head;
            return refusal(++count < 4 ? "client-key:unknown" : "client-key:expired");
        });
        QVERIFY(awaitKey(gateway.url(), "ghk_probe", 5s));
        QCOMPARE(count.load(), 4);
        QVERIFY(first.startsWith("GET /openai/v1 HTTP/1.1\r\nHost: 127.0.0.1:"));
        QVERIFY(first.contains("\r\nAuthorization: Bearer ghk_probe\r\n"));
    }

    void awaitKey_neverKnown_saysWhatItAnswered()
    {
        const FakeGateway gateway([](const QByteArray &) { return refusal("client-key:unknown"); });
        QElapsedTimer timer;
        timer.start();
        const auto taken = awaitKey(gateway.url(), "ghk_probe", 200ms);
        QVERIFY(!taken);
        QVERIFY(taken.error().find("with client-key:unknown") != std::string::npos);
        QVERIFY(taken.error().find("ghk_") == std::string::npos);
        QVERIFY(timer.elapsed() >= 200 && timer.elapsed() < 3000);
    }

    void awaitKey_somethingElse_isToldAtOnce_data()
    {
        QTest::addColumn<QByteArray>("answer");
        QTest::newRow("a web server") << QByteArray("HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n");
        QTest::newRow("our name in the body")
            << QByteArray("HTTP/1.1 200 OK\r\n\r\nx-gatehouse-request-id: 1\r\n\r\n");
        QTest::newRow("no HTTP") << QByteArray("220 mail.example ESMTP\r\n");
    }
    void awaitKey_somethingElse_isToldAtOnce()
    {
        QFETCH(QByteArray, answer);
        std::atomic<int> count{0};
        const FakeGateway gateway([&](const QByteArray &) {
            ++count;
            return answer;
        });
        const auto taken = awaitKey(gateway.url(), "ghk_probe", 5s);
        QVERIFY(!taken);
        QVERIFY(taken.error().find("is not the gateway") != std::string::npos);
        QCOMPARE(count.load(), 1);
    }

    void awaitKey_nobodyThere_saysSo()
    {
        std::string url;
        {
            const FakeGateway gone([](const QByteArray &) { return QByteArray(); });
            url = gone.url();
        }
        const auto taken = awaitKey(url, "ghk_probe", 100ms);
        QVERIFY(!taken && taken.error().find("does not answer at " + url) != std::string::npos);
    }

    void exec_wrongUsage_isRefused()
    {
        QCOMPARE(exec({}).code, 2);
        QCOMPARE(exec({"--"}).code, 2);
        QCOMPARE(exec({"ls"}).code, 2);
        QCOMPARE(exec({"--unknown", "--", "ls"}).code, 2);
        QCOMPARE(exec({"--client", "--", "ls"}).code, 2);
        const Ran help = exec({"--help"});
        QCOMPARE(help.code, 0);
        QVERIFY(help.out.starts_with("Usage: gatehouse exec "));
    }

    void exec_noGateway_saysHowToStartOne()
    {
        const ConfigDir dir;
        const Ran ran = exec({"--data", dir.data(), "--", "true"});
        QCOMPARE(ran.code, 3);
        QVERIFY(ran.err.find("no gateway runs on the data directory " + dir.data()
                             + "; start it with: gatehouse run")
                != std::string::npos);
    }

    void exec_gatewayThatTakesTheKey_runsTheCommandAndEndsItsSession()
    {
        const ConfigDir dir;
        const SessionWatcher watcher(dir.data());
        const FakeGateway gateway([](const QByteArray &) { return refusal("client-key:expired"); });
        const auto announced
            = announce({dir.config(), {{"openai", "openai", gateway.url(), gateway.url(), false}}},
                       dir.data());
        QVERIFY(announced);
        const std::string data = dir.data();
        const Ran ran = exec({"--data",
                              data,
                              "--",
                              "sh",
                              "-c",
                              "case $OPENAI_API_KEY in ghk_*) ;; *) exit 1;; esac\n"
                              "test \"$OPENAI_BASE_URL\" = '"
                                  + gateway.url()
                                  + "' || exit 2\n"
                                    "test $(ls "
                                  + data
                                  + "/sessions | wc -l) = 1 || exit 3\n"
                                    "grep -q client:.exec "
                                  + data
                                  + "/sessions/* || exit 4\n"
                                    "grep -q $OPENAI_API_KEY "
                                  + data
                                  + "/sessions/* && exit 5\n"
                                    "exit 42"});
        QCOMPARE(ran.code, 42);
        QCOMPARE(ran.err, std::string());
        QVERIFY(QDir(QString::fromStdString(data + "/sessions")).isEmpty());
    }

    void exec_clientOrRouteOrConfigurationNotThere_isRefused()
    {
        const ConfigDir dir;
        dir.write("a.yaml", document("Client", "tool", "{routes: [other]}"));
        const SessionWatcher watcher(dir.data());
        const auto announced = announce({dir.config(), {route("openai", "openai")}}, dir.data());
        const auto ask = [&](std::vector<std::string> words) {
            words.insert(words.end(), {"--data", dir.data(), "--", "true"});
            return exec(words);
        };
        Ran ran = ask({"--client", "tol"});
        QCOMPARE(ran.code, 1);
        QVERIFY(ran.err.ends_with("there is no client \"tol\"; did you mean \"tool\"?\n"));
        ran = ask({"--client", "tool"});
        QCOMPARE(ran.code, 1);
        QVERIFY(ran.err.find("no route that client tool may use") != std::string::npos);
        QCOMPARE(ask({"--route", "opnai"}).code, 1);
        ran = ask({"--config", "/"});
        QCOMPARE(ran.code, 3);
        QVERIFY(ran.err.find("serves the configuration " + dir.config()) != std::string::npos);
        QVERIFY(QDir(QString::fromStdString(dir.data() + "/sessions")).isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestExec)
#include "tst_exec.moc"
