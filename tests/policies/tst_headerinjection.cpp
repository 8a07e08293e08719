// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policyrun.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

const char *key = "ghk_000000000000000000000000000000000000"; // its checksum is wrong

std::string validKey()
{
    return virtualkey::generate().value();
}

} // namespace

class TestHeaderInjection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void header_fixed_isInjectedOnBothSides()
    {
        PolicyRun run("header-injection",
                      "request: [{name: X-Team, value: platform}]\n"
                      "response: [{name: cache-control, value: no-store}]\n");
        QCOMPARE(run.problems, QByteArray());
        run.ask("GET /p/x", "X-A: 1\r\n");
        QVERIFY(run.isPassed());
        QCOMPARE(run.fields(), QByteArray("X-A: 1\nX-Team: platform\n"));
        QCOMPARE(run.decision(), QByteArray("change"));
        QCOMPARE(run.respond("X-B: 2\r\n"), QByteArray("X-B: 2\ncache-control: no-store\n"));
    }

    void header_ofTheSameName_isReplaced()
    {
        PolicyRun run("header-injection",
                      "request: [{name: x-team, value: platform}]\n"
                      "response: [{name: x-b, value: ours}]\n");
        run.ask("GET /p/x", "X-TEAM: admin\r\nx-team: root\r\nX-A: 1\r\n");
        QCOMPARE(run.fields(), QByteArray("x-team: platform\nX-A: 1\n"));
        QCOMPARE(run.respond("X-B: theirs\r\nX-B: again\r\n"), QByteArray("x-b: ours\n"));
    }

    void header_added_standsBesideThoseOfItsName()
    {
        PolicyRun run("header-injection",
                      "request: [{name: x-a, value: ours}]\n"
                      "response: [{name: x-b, value: ours}, {name: content-type, value: a/b}]\n"
                      "existing: add\n");
        run.ask("GET /p/x", "X-A: theirs\r\n");
        QCOMPARE(run.fields(), QByteArray("X-A: theirs\nx-a: ours\n"));
        QCOMPARE(run.respond("X-B: theirs\r\nContent-Type: c/d\r\n"),
                 QByteArray("X-B: theirs\ncontent-type: a/b\nx-b: ours\n"));
    }

    void expression_ofTheRequest_isEvaluated()
    {
        PolicyRun run("header-injection",
                      "request:\n"
                      "  - {name: x-from, value: \"#['ip ' ++ attributes.remoteAddress]\"}\n"
                      "  - {name: x-tag, value: \"#[attributes.queryParams['tag']]\"}\n"
                      "response:\n"
                      "  - {name: x-path, value: \"#[attributes.requestPath]\"}\n"
                      "  - {name: x-agent, value: \"#[attributes.headers['User-Agent']]\"}\n");
        QCOMPARE(run.problems, QByteArray());
        run.ask("GET /p/x?tag=a%20b", "User-Agent: t\r\n");
        QCOMPARE(run.fields(), QByteArray("User-Agent: t\nx-from: ip 127.0.0.1\nx-tag: a b\n"));
        run.exchange.forgetRequest(); // as before an answer
        QCOMPARE(run.respond(""), QByteArray("x-path: /p/x\nx-agent: t\n"));
    }

    void expressions_ofOneList_doNotSeeEachOther()
    {
        PolicyRun run("header-injection",
                      "request:\n"
                      "  - {name: x-a, value: new}\n"
                      "  - {name: x-b, value: \"#[attributes.headers['x-a']]\"}\n");
        run.ask("GET /p/x", "x-a: old\r\n");
        QCOMPARE(run.fields(), QByteArray("x-a: new\nx-b: old\n"));
    }

    void expression_null_injectsNothingAndLeavesNothingForged()
    {
        const char *config
            = "request: [{name: x-user, value: \"#[attributes.queryParams['u']]\"}]\n"
              "response: [{name: x-u, value: \"#[attributes.headers['x-u']]\"}]\n";
        PolicyRun run("header-injection", config);
        run.ask("GET /p/x", "x-user: admin\r\nx-a: 1\r\n");
        QCOMPARE(run.fields(), QByteArray("x-a: 1\n"));
        QCOMPARE(run.respond("x-u: theirs\r\n"), QByteArray());
        PolicyRun adding("header-injection", std::string(config) + "existing: add\n");
        adding.ask("GET /p/x", "x-user: mine\r\n");
        QCOMPARE(adding.fields(), QByteArray("x-user: mine\n"));
    }

    void literal_thatIsNoValue_injectsNothing()
    {
        PolicyRun run("header-injection",
                      "request: [{name: x-user, value: \"#['']\"}]\n"
                      "response: [{name: x-u, value: \"#[' ']\"}, {name: x-v, value: v}]\n");
        QCOMPARE(run.problems, QByteArray());
        run.ask("GET /p/x", "x-user: admin\r\nx-a: 1\r\n");
        QCOMPARE(run.fields(), QByteArray("x-a: 1\n"));
        QCOMPARE(run.respond("x-u: theirs\r\n"), QByteArray("x-v: v\n"));
    }

    void value_withEncodedLineBreaks_splitsNothing_data()
    {
        QTest::addColumn<QByteArray>("query");
        for (const char *query : {"%0d%0aX-Evil:%201", "a%0Db", "a%0Ab", "a%00b", "%20", "", "%7F"})
            QTest::newRow(query) << QByteArray(query);
    }
    void value_withEncodedLineBreaks_splitsNothing()
    {
        QFETCH(QByteArray, query);
        PolicyRun run("header-injection",
                      "request: [{name: x-q, value: \"#[attributes.queryParams['q']]\"}]\n"
                      "response: [{name: x-q, value: \"#[attributes.queryParams['q']]\"}]\n");
        run.ask("GET /p/x?q=" + query.toStdString(), "x-a: 1\r\n");
        QVERIFY(run.isPassed());
        QCOMPARE(run.fields(), QByteArray("x-a: 1\n"));
        QCOMPARE(run.respond(""), QByteArray());
    }

    void virtualKey_copied_isRefused()
    {
        for (const char *side : {"request", "response"}) {
            PolicyRun run("header-injection",
                          std::string(side)
                              + ": [{name: x-k, value: \"#[attributes.headers['x-api-key']]\"}]\n");
            run.ask("GET /p/x", "X-Api-Key: " + validKey() + "\r\n");
            // The built-in client-key does not know it; the policy is asked by itself.
            const Verdict verdict = run.policy()->onRequestHead(run.exchange);
            QVERIFY(std::holds_alternative<Reply>(verdict));
            QCOMPARE(std::get<Reply>(verdict).status, 400);
            QCOMPARE(std::get<Reply>(verdict).reason, std::string("header-injection:key"));
            QVERIFY(std::get<Reply>(verdict).message.find("ghk_") == std::string::npos);
        }
    }

    void answerOfTheGateway_getsTheHeadersToo()
    {
        PolicyRun run("header-injection", "response: [{name: x-b, value: ours}]\n");
        run.ask("GET /p/x");
        QVERIFY(run.respond("Content-Length: 0\r\n", 502).contains("x-b: ours\n"));
    }

    void observing_changesNothing()
    {
        PolicyRun run("header-injection",
                      "request: [{name: x-team, value: platform}]\n"
                      "response: [{name: x-b, value: ours}]\n",
                      PolicyRun::Mode::Observe);
        run.ask("GET /p/x", "x-team: mine\r\n");
        QVERIFY(run.isPassed());
        QCOMPARE(run.fields(), QByteArray("x-team: mine\n"));
        QCOMPARE(run.respond("x-b: theirs\r\n"), QByteArray("x-b: theirs\n"));
        QCOMPARE(run.decision(), QByteArray("would-change"));
    }

    void muleSoft_documentedExample_meansTheSame()
    {
        for (const char *name : {"key", "name"}) { // older and newer documents
            QByteArray problems;
            const QString flex = QStringLiteral("inboundHeaders:\n"
                                                "  - {%1: new-inbound-header, value: "
                                                "\"#[attributes.requestPath]\"}\n"
                                                "outboundHeaders:\n"
                                                "  - {%1: new-outbound-header, value: "
                                                "\"#[attributes.requestPath]\"}\n")
                                     .arg(QLatin1String(name));
            PolicyRun run("header-injection",
                          translated("header-injection", flex.toUtf8(), problems));
            QCOMPARE(problems + run.problems, QByteArray());
            run.ask("GET /p/x", "new-inbound-header: theirs\r\n");
            QCOMPARE(run.fields(),
                     QByteArray("new-inbound-header: theirs\nnew-inbound-header: /p/x\n"));
            QCOMPARE(run.respond(""), QByteArray("new-outbound-header: /p/x\n"));
        }
    }

    void muleSoft_whatCannotMeanTheSame_isRefused_data()
    {
        QTest::addColumn<QByteArray>("entry");
        QTest::addColumn<QByteArray>("problem");
        const auto row = [](const char *name, const char *entry, const char *problem) {
            QTest::newRow(name) << QByteArray(entry) << QByteArray(problem);
        };
        row("name that is an expression",
            "{key: \"#[attributes.method]\", value: a}",
            "key: a name that is an expression");
        row("value not evaluated", "{key: x, value: \"#[uuid()]\"}", "value: \"uuid\"");
        row("value absent", "{key: x}", "value: is missing");
        row("name absent", "{value: x}", "name: is missing");
        row("a key", "{key: Authorization, value: Bearer x}", "key: must not be a header that");
        row("framing", "{key: transfer-encoding, value: x}", "key: must not be a header that");
    }
    void muleSoft_whatCannotMeanTheSame_isRefused()
    {
        QFETCH(QByteArray, entry);
        QFETCH(QByteArray, problem);
        QByteArray problems;
        QCOMPARE(translated("header-injection", "inboundHeaders: [" + entry + "]\n", problems),
                 QByteArray());
        QVERIFY2(problems.contains(problem), problems.constData());
        QVERIFY(!problems.contains("Bearer"));
    }

    void config_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("entry");
        QTest::addColumn<QByteArray>("problem");
        const auto row = [](const char *name, const char *entry, const char *problem) {
            QTest::newRow(name) << QByteArray(entry) << QByteArray(problem);
        };
        const char *ours = "must not be a header that frames";
        const char *credential = "must not be a header that carries a key";
        row("no token", "{name: \"x a\", value: v}", "must be the name of a header");
        row("line break in the name", "{name: \"x\\r\\ny\", value: v}", "control characters");
        row("line break in the value", "{name: x, value: \"a\\r\\ny: z\"}", "control characters");
        row("nul in the value", "{name: x, value: \"a\\0\"}", "control characters");
        row("blank before", "{name: x, value: \" a\"}", "must not begin or end with a blank");
        row("empty", "{name: x, value: ''}", "value must not be empty");
        row("no value", "{name: x}", "value is missing");
        for (const char *name : {"Host",
                                 "content-length",
                                 "Transfer-Encoding",
                                 "connection",
                                 "Upgrade",
                                 "te",
                                 "trailer",
                                 "Expect",
                                 "content-encoding",
                                 "x-gatehouse-request-id",
                                 "X-Gatehouse-Reason"})
            row(name,
                qPrintable(QStringLiteral("{name: %1, value: v}").arg(QLatin1String(name))),
                ours);
        for (const char *name :
             {"Authorization", "x-api-key", "X-Goog-Api-Key", "api-key", "Proxy-Authorization"})
            row(name,
                qPrintable(QStringLiteral("{name: %1, value: v}").arg(QLatin1String(name))),
                credential);
        row("expression not understood",
            "{name: x, value: \"#[payload]\"}",
            "\"payload\" is not evaluated");
        row("expression cut short",
            "{name: x, value: \"#[attributes.method\"}",
            "the ] is missing");
    }
    void config_wrong_isRefused()
    {
        QFETCH(QByteArray, entry);
        QFETCH(QByteArray, problem);
        const PolicyRun run("header-injection", "request: [" + entry.toStdString() + "]\n");
        QVERIFY2(run.problems.contains(problem), run.problems.constData());
        QVERIFY(!run.isMade);
    }

    void virtualKey_inAValue_isRefused()
    {
        const PolicyRun run("header-injection",
                            "request: [{name: x, value: " + validKey() + "}]\n");
        QVERIFY(run.problems.contains("must not hold a virtual key"));
        QVERIFY(!run.problems.contains("ghk_"));
        const std::string valid = validKey();
        const PolicyRun joined("header-injection",
                               "response: [{name: x, value: \"#['" + valid.substr(0, 5) + "' ++ '"
                                   + valid.substr(5) + "']\"}]\n");
        QVERIFY(joined.problems.contains("must not hold a virtual key"));
        QVERIFY(!joined.isMade);
        const PolicyRun other("header-injection",
                              "request: [{name: x, value: " + std::string(key) + "}]\n");
        QCOMPARE(other.problems, QByteArray());
    }
};

QTEST_APPLESS_MAIN(TestHeaderInjection)
#include "tst_headerinjection.moc"
