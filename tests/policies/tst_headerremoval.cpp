// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policyrun.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

class TestHeaderRemoval : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void names_andPatterns_areRemovedWhole_data()
    {
        QTest::addColumn<QByteArray>("entry");
        QTest::addColumn<QByteArray>("left");
        const auto row = [](const char *entry, const char *left) {
            QTest::newRow(entry) << QByteArray(entry) << QByteArray(left);
        };
        row("x-a", "X-AB: 2\nY-X-A: 3\nX_A: 4\n");
        row("X-A", "X-AB: 2\nY-X-A: 3\nX_A: 4\n");
        row("x-a.*", "Y-X-A: 3\nX_A: 4\n");
        row("x.a", "X-AB: 2\nY-X-A: 3\n");
        row(".*-a", "X-AB: 2\nX_A: 4\n");
        row("(x|y)-.*", "X_A: 4\n");
        row("a", "X-A: 1\nx-a: 1\nX-AB: 2\nY-X-A: 3\nX_A: 4\n");
        row("x-c", "X-A: 1\nx-a: 1\nX-AB: 2\nY-X-A: 3\nX_A: 4\n");
        row(".*", "");
    }
    void names_andPatterns_areRemovedWhole()
    {
        QFETCH(QByteArray, entry);
        QFETCH(QByteArray, left);
        const std::string fields = "X-A: 1\r\nx-a: 1\r\nX-AB: 2\r\nY-X-A: 3\r\nX_A: 4\r\n";
        const std::string list = ": [\"" + entry.toStdString() + "\"]\n";
        PolicyRun run("header-removal", "request" + list + "response" + list);
        QCOMPARE(run.problems, QByteArray());
        run.ask("GET /p/x", fields);
        QVERIFY(run.isPassed());
        QCOMPARE(run.fields(), left);
        QCOMPARE(run.respond(fields), left);
    }

    void fields_thatFrameTheMessage_stay()
    {
        PolicyRun run("header-removal", "request: [\".*\"]\nresponse: [\".*\"]\n");
        run.ask("POST /p/x",
                "Content-Length: 2\r\nContent-Encoding: identity\r\n"
                "Content-Type: a/b\r\nConnection: keep-alive\r\n",
                "{}");
        QCOMPARE(run.fields(), QByteArray("Content-Encoding: identity\nConnection: keep-alive\n"));
        for (const char *name : {"host", "content-length"})
            QVERIFY(run.exchange.header(name).has_value());
        QCOMPARE(
            run.respond("Transfer-Encoding: chunked\r\nServer: s\r\nContent-Encoding: gzip\r\n"),
            QByteArray("Transfer-Encoding: chunked\nContent-Encoding: gzip\n"));
    }

    void keep_overAPattern_holds()
    {
        PolicyRun run("header-removal", "request: [\"x-.*\"]\nkeep: [X-Keep]\n");
        run.ask("GET /p/x", "x-keep: 1\r\nX-KEEP: 2\r\nx-keeper: 3\r\n");
        QCOMPARE(run.fields(), QByteArray("x-keep: 1\nX-KEEP: 2\n"));
    }

    void nothing_toRemove_isNoChange()
    {
        PolicyRun run("header-removal", "request: [x-a]\n");
        run.ask("GET /p/x", "x-b: 1\r\n");
        QCOMPARE(run.decision(), QByteArray("pass"));
        QCOMPARE(run.respond("x-a: 1\r\n"), QByteArray("x-a: 1\n"));
        run.ask("GET /p/x", "x-a: 1\r\n");
        QCOMPARE(run.decision(), QByteArray("change"));
    }

    void observing_changesNothing()
    {
        PolicyRun run(
            "header-removal", "request: [x-a]\nresponse: [x-b]\n", PolicyRun::Mode::Observe);
        run.ask("GET /p/x", "x-a: 1\r\n");
        QCOMPARE(run.fields(), QByteArray("x-a: 1\n"));
        QCOMPARE(run.decision(), QByteArray("would-change"));
        QCOMPARE(run.respond("x-b: 1\r\n"), QByteArray("x-b: 1\n"));
    }

    void muleSoft_documentedExample_meansTheSame()
    {
        QByteArray problems;
        PolicyRun run("header-removal",
                      translated("header-removal",
                                 "inboundHeaders: [\"Cache-Control\", \"Access-Control.*\"]\n"
                                 "outboundHeaders: [\"Access-Control-Allow-Credentials\"]\n",
                                 problems));
        QCOMPARE(problems + run.problems, QByteArray());
        run.ask("GET /p/x",
                "cache-control: no-cache\r\naccess-control-request-method: PUT\r\nx-a: 1\r\n");
        QCOMPARE(run.fields(), QByteArray("x-a: 1\n"));
        QCOMPARE(run.respond("access-control-allow-credentials: true\r\n"
                             "access-control-allow-origin: *\r\n"),
                 QByteArray("access-control-allow-origin: *\n"));
    }

    void muleSoft_headersThatStayThere_stayHere()
    {
        QByteArray problems;
        PolicyRun run("header-removal",
                      translated("header-removal", "inboundHeaders: [\".*\", Host]\n", problems));
        QCOMPARE(run.problems, QByteArray());
        QVERIFY(problems.contains("inboundHeaders: \"Host\" is never removed"));
        run.ask("GET /p/x", "Accept: a\r\nContent-Type: b\r\nDate: c\r\nUser-Agent: d\r\n");
        QCOMPARE(run.fields(), QByteArray("Accept: a\nContent-Type: b\nDate: c\n"));
    }

    void muleSoft_whatCannotMeanTheSame_isRefused()
    {
        QByteArray problems;
        for (const char *entry : {"\"#[attributes.method]\"", "\"x-(?=a)\"", "{a: b}"}) {
            const QByteArray flex = "outboundHeaders: [" + QByteArray(entry) + "]\n";
            QCOMPARE(translated("header-removal", flex, problems), QByteArray());
            QVERIFY(problems.contains("outboundHeaders: "));
        }
    }

    void config_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("problem");
        const auto row = [](const char *name, const char *config, const char *problem) {
            QTest::newRow(name) << QByteArray(config) << QByteArray(problem);
        };
        row("host", "request: [Host]", "must not be a header that frames");
        row("the gateway's own", "response: [x-gatehouse-reason]", "must not be a header");
        row("no pattern", "request: [\"x-(\"]", "must be a regular expression");
        row("look-ahead", "response: [\"(?!x).*\"]", "must be a regular expression");
        row("kept no name", "keep: [\"x-.*(\"]", "keep must be the name of a header");
        row("empty", "request: ['']", "request must not be empty");
    }
    void config_wrong_isRefused()
    {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, problem);
        const PolicyRun run("header-removal", config);
        QVERIFY2(run.problems.contains(problem), run.problems.constData());
        QVERIFY(!run.isMade);
    }
};

QTEST_APPLESS_MAIN(TestHeaderRemoval)
#include "tst_headerremoval.moc"
