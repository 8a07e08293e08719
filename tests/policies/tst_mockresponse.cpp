// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policyrun.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

class TestMockResponse : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void answer_inOnePiece_isSentAsWritten()
    {
        PolicyRun run("mock-response",
                      "status: 429\n"
                      "headers: {Retry-After: '7', x-a: b}\n"
                      "body: '{\"error\": \"slow down\"}'\n");
        QCOMPARE(run.problems, QByteArray());
        run.ask("POST /p/x", "Content-Length: 2\r\n", "{}");
        QVERIFY(run.isRefused());
        QCOMPARE(run.reply.status, 429);
        QCOMPARE(run.reply.reason, std::string("mock-response"));
        QVERIFY(run.reply.hasOwnBody && !run.reply.streams);
        QVERIFY(run.reply.retryable); // no x-should-retry: false: the provider would send none
        QCOMPARE(run.reply.body, std::string("{\"error\": \"slow down\"}"));
        QCOMPARE(run.reply.contentType, std::string("application/json"));
        QCOMPARE(run.replyFields(), QByteArray("Retry-After: 7\nx-a: b\n"));
        run.ask("GET /p/y");
        QVERIFY(run.isRefused());
        QCOMPARE(run.reply.status, 429);
    }

    void stream_ofEvents_keepsThem()
    {
        PolicyRun run("mock-response",
                      "stream: true\nbody: |\n  event: a\n  data: 1\n\n  : c\n  data: [DONE]\n");
        QCOMPARE(run.problems, QByteArray());
        run.ask("GET /p/x");
        QVERIFY(run.reply.streams);
        QCOMPARE(run.reply.contentType, std::string("text/event-stream"));
        QCOMPARE(
            run.reply.body,
            std::string("event: a\ndata: 1\n\n: c\ndata: [DONE]\n\n")); // the last one ends too
    }

    void contentType_isToldFromTheBody_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("type");
        const auto row = [](const char *name, const char *config, const char *type) {
            QTest::newRow(name) << QByteArray(config) << QByteArray(type);
        };
        row("object", "body: ' {}'", "application/json");
        row("list", "body: \"\\n[1]\"", "application/json");
        row("text", "body: hello", "text/plain; charset=utf-8");
        row("none", "status: 200", "");
        row("named", "{body: '{}', headers: {Content-Type: text/html}}", "text/html");
        row("named of a stream",
            "{stream: true, body: 'data: 1', headers: {content-type: a/b}}",
            "a/b");
    }
    void contentType_isToldFromTheBody()
    {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, type);
        PolicyRun run("mock-response", config);
        QCOMPARE(run.problems, QByteArray());
        run.ask("GET /p/x");
        QCOMPARE(run.reply.contentType, type.toStdString());
        QCOMPARE(run.replyFields(), QByteArray());
    }

    void request_thatOthersRefuse_isNotAnswered()
    {
        // It comes with the bodies, when every policy has seen the head.
        PolicyRun run("mock-response", "body: hello");
        QCOMPARE(run.policy()->phases(), static_cast<std::uint8_t>(PolicyPhase::RequestBody));
    }

    void body_ofTheRequest_isNotGathered()
    {
        PolicyRun run("mock-response", "body: hello");
        run.ask("GET /p/x");
        QVERIFY(!run.policy()->readsBody(run.exchange));
    }

    void observing_letsPass()
    {
        PolicyRun run("mock-response", "body: hello", PolicyRun::Mode::Observe);
        run.ask("GET /p/x");
        QVERIFY(run.isPassed());
        QCOMPARE(run.decision(), QByteArray("would-refuse"));
    }

    void config_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("problem");
        const auto row = [](const char *name, const char *config, const char *problem) {
            QTest::newRow(name) << QByteArray(config) << QByteArray(problem);
        };
        row("status below", "status: 199", "status must be at least 200");
        row("status above", "status: 600", "status must be at most 599");
        row("header no token", "headers: {'x a': b}", "must be the name of a header");
        row("header that frames", "headers: {Content-Length: '1'}", "must not be a header");
        row("header of ours", "headers: {x-gatehouse-reason: a}", "must not be a header");
        row("header split", "headers: {x: \"a\\r\\nb: c\"}", "control characters");
        row("header empty", "headers: {x: ''}", "must not be empty");
        row("no content", "{status: 204, body: a}", "must be left out");
        row("not modified", "{status: 304, stream: true}", "must be left out");
        row("not a stream",
            "{stream: true, body: \"data: 1\\n\\n{}\"}",
            "line 3 begins with none of data:");
        row("control", "body: \"a\\x07\"", "must not contain control characters");
    }
    void config_wrong_isRefused()
    {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, problem);
        const PolicyRun run("mock-response", config);
        QVERIFY2(run.problems.contains(problem), run.problems.constData());
        QVERIFY(!run.isMade);
    }
};

QTEST_APPLESS_MAIN(TestMockResponse)
#include "tst_mockresponse.moc"
