// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policyrun.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

constexpr const char *twoOrigins = "origins: [\"https://app.example.com\", \"null\"]\n"
                                   "methods: [GET, POST]\n"
                                   "headers: [content-type, x-a]\n"
                                   "exposedHeaders: [x-request-id]\n"
                                   "maxAge: 90s\n";

std::string preflightOf(const char *origin, const char *method, const char *headers = nullptr)
{
    std::string lines = "Origin: " + std::string(origin)
                        + "\r\nAccess-Control-Request-Method: " + method + "\r\n";
    if (headers != nullptr)
        lines += "Access-Control-Request-Headers: " + std::string(headers) + "\r\n";
    return lines;
}

} // namespace

class TestCors : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void preflight_ofAListedOrigin_isAnsweredHere()
    {
        PolicyRun run("cors", twoOrigins);
        QCOMPARE(run.problems, QByteArray());
        run.ask("OPTIONS /p/x", preflightOf("https://app.example.com", "POST", "x-a"));
        QVERIFY(run.isRefused());
        QCOMPARE(run.reply.status, 204);
        QCOMPARE(run.reply.reason, std::string("cors:preflight"));
        QVERIFY(run.reply.hasOwnBody && run.reply.body.empty() && run.reply.contentType.empty());
        QCOMPARE(run.replyFields(),
                 QByteArray("access-control-allow-origin: https://app.example.com\n"
                            "access-control-allow-methods: GET, POST\n"
                            "access-control-allow-headers: content-type, x-a\n"
                            "access-control-max-age: 90\n"
                            "vary: origin, access-control-request-method, "
                            "access-control-request-headers\n"));
    }

    void order_isBeforeClientKey()
    {
        // So that a preflight, which has no key, is answered.
        QVERIFY(findPolicyType("cors")->info.defaultOrder
                < findPolicyType("client-key")->info.defaultOrder);
    }

    void preflight_ofAnotherMethodOrHeader_isLeftToTheBrowser()
    {
        PolicyRun run("cors", twoOrigins);
        run.ask("OPTIONS /p/x", preflightOf("https://app.example.com", "DELETE", "x-b"));
        QCOMPARE(run.reply.status, 204);
        QVERIFY(run.replyFields().contains("access-control-allow-methods: GET, POST\n"));
        QVERIFY(!run.replyFields().contains("DELETE") && !run.replyFields().contains("x-b"));
    }

    void preflight_forAPrivateNetwork_getsNoLeave()
    {
        PolicyRun run("cors", twoOrigins);
        run.ask("OPTIONS /p/x",
                preflightOf("https://app.example.com", "POST")
                    + "Access-Control-Request-Private-Network: true\r\n");
        QCOMPARE(run.reply.status, 204);
        QVERIFY(!run.replyFields().contains("private-network"));
    }

    void preflight_whereAllIsAllowed_namesWhatWasAsked()
    {
        PolicyRun run("cors", "origins: [\"*\"]\nmethods: [\"*\"]\n");
        run.ask("OPTIONS /p/x", preflightOf("https://a.example", "PURGE", "x-b,X-C"));
        QCOMPARE(run.reply.status, 204);
        QVERIFY(run.replyFields().contains("access-control-allow-origin: *\n"));
        QVERIFY(run.replyFields().contains("access-control-allow-methods: PURGE\n"));
        QVERIFY(run.replyFields().contains("access-control-allow-headers: x-b, X-C\n"));
        run.ask("OPTIONS /p/x", preflightOf("https://a.example", "GET"));
        QVERIFY(!run.replyFields().contains("access-control-allow-headers"));
    }

    void preflight_malformed_isRefused()
    {
        PolicyRun run("cors", "origins: [\"*\"]\n");
        run.ask("OPTIONS /p/x", preflightOf("https://a.example", "GET", "x b"));
        QCOMPARE(run.reply.status, 400);
        QCOMPARE(run.reply.reason, std::string("cors:request"));
    }

    void origin_unlisted_isRefused_data()
    {
        QTest::addColumn<QByteArray>("origin");
        for (const char *origin : {"https://evil.example",
                                   "http://app.example.com",
                                   "https://app.example.com:444",
                                   "https://app.example.com.evil.example",
                                   "https://APP.example.com",
                                   "https://app.example.com,https://evil.example",
                                   "*",
                                   "Null"})
            QTest::newRow(origin) << QByteArray(origin);
    }
    void origin_unlisted_isRefused()
    {
        QFETCH(QByteArray, origin);
        PolicyRun run("cors", twoOrigins);
        const std::string line = "Origin: " + origin.toStdString() + "\r\n";
        for (const char *request : {"POST /p/x", "GET /p", "OPTIONS /p/x"}) {
            run.ask(request, line + "Access-Control-Request-Method: GET\r\n");
            QVERIFY(run.isRefused());
            QCOMPARE(run.reply.status, 403);
            QCOMPARE(run.reply.reason, std::string("cors:origin"));
            QCOMPARE(run.replyFields(), QByteArray("vary: origin\n"));
        }
        QVERIFY(!run.policy()->listsOrigin(origin.toStdString()));
    }

    void origin_null_isListedByItsNameOnly()
    {
        PolicyRun listed("cors", twoOrigins);
        listed.ask("GET /p/x", "Origin: null\r\n");
        QVERIFY(listed.isPassed());
        QVERIFY(listed.respond("").startsWith("access-control-allow-origin: null\n"));
        PolicyRun open("cors", "origins: [\"*\"]\n");
        open.ask("GET /p/x", "Origin: null\r\n");
        QVERIFY(open.isRefused());
        QVERIFY(!open.policy()->listsOrigin("null"));
        QVERIFY(open.policy()->listsOrigin("https://a.example"));
    }

    void answer_toAListedOrigin_getsTheHeadersInPlaceOfTheProviders()
    {
        PolicyRun run("cors", twoOrigins);
        run.ask("POST /p/x", "Origin: https://app.example.com\r\n");
        QVERIFY(run.isPassed());
        QCOMPARE(run.respond("Access-Control-Allow-Origin: *\r\n"
                             "X-A: 1\r\n"
                             "ACCESS-CONTROL-ALLOW-CREDENTIALS: true\r\n"
                             "access-control-expose-headers: x-b\r\n"
                             "Access-Control-Allow-Private-Network: true\r\n"),
                 QByteArray("X-A: 1\n"
                            "access-control-allow-origin: https://app.example.com\n"
                            "access-control-expose-headers: x-request-id\n"
                            "vary: origin\n"));
        QCOMPARE(run.decision(), QByteArray("change"));
    }

    void answer_ofTheGatewayItself_getsTheHeadersToo()
    {
        PolicyRun run("cors", twoOrigins);
        run.ask("POST /p/x", "Origin: https://app.example.com\r\n");
        QVERIFY(run.respond("Content-Length: 0\r\n", 429)
                    .contains("access-control-allow-origin: https://app.example.com\n"));
    }

    void answer_toNoBrowser_hasNoLeaveButVaries()
    {
        PolicyRun run("cors", twoOrigins);
        run.ask("POST /p/x");
        QVERIFY(run.isPassed());
        QCOMPARE(run.respond("Access-Control-Allow-Origin: *\r\nX-A: 1\r\n"),
                 QByteArray("X-A: 1\nvary: origin\n"));
    }

    void vary_thatCoversTheOrigin_isLeftAlone_data()
    {
        QTest::addColumn<QByteArray>("vary");
        QTest::addColumn<QByteArray>("fields");
        QTest::newRow("there") << QByteArray("Vary: accept, ORIGIN\r\n")
                               << QByteArray("Vary: accept, ORIGIN\n");
        QTest::newRow("all") << QByteArray("Vary: *\r\n") << QByteArray("Vary: *\n");
        QTest::newRow("another") << QByteArray("Vary: x-origin\r\n")
                                 << QByteArray("Vary: x-origin\nvary: origin\n");
    }
    void vary_thatCoversTheOrigin_isLeftAlone()
    {
        QFETCH(QByteArray, vary);
        QFETCH(QByteArray, fields);
        PolicyRun run("cors", twoOrigins);
        run.ask("GET /p/x");
        QCOMPARE(run.respond(vary.toStdString()), fields);
    }

    void method_unlisted_isRefusedThoughNobodyAskedFirst()
    {
        PolicyRun run("cors", "origins: [\"https://app.example.com\"]\nmethods: [GET]\n");
        run.ask("POST /p/x", "Origin: https://app.example.com\r\n");
        QVERIFY(run.isRefused());
        QCOMPARE(run.reply.status, 403);
        QCOMPARE(run.reply.reason, std::string("cors:method"));
        QVERIFY(run.replyFields().contains("access-control-allow-origin: https://app.example.com"));
        run.ask("HEAD /p/x", "Origin: https://app.example.com\r\n");
        QVERIFY(run.isPassed());
        run.ask("OPTIONS /p/x", "Origin: https://app.example.com\r\n");
        QVERIFY(run.isRefused());
        run.ask("POST /p/x");
        QVERIFY(run.isPassed());
    }

    void upgrade_ofAnUnlistedOrigin_isRefused()
    {
        PolicyRun run("cors", twoOrigins);
        const std::string upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                    "Sec-WebSocket-Version: 13\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        run.ask("GET /p/x", upgrade + "Origin: https://evil.example\r\n");
        QVERIFY(run.isRefused());
        run.ask("GET /p/x", upgrade + "Origin: https://app.example.com\r\n");
        QVERIFY(run.isPassed());
    }

    void credentials_allowed_areSaid()
    {
        PolicyRun run("cors", "origins: [\"https://*.example.com\"]\ncredentials: true\n");
        run.ask("GET /p/x", "Origin: https://a.example.com\r\n");
        QVERIFY(run.isPassed());
        QCOMPARE(run.respond(""),
                 QByteArray("access-control-allow-origin: https://a.example.com\n"
                            "access-control-allow-credentials: true\n"
                            "vary: origin\n"));
    }

    void group_thatNamesTheOrigin_goesBeforeTheOneForAll()
    {
        PolicyRun run(
            "cors",
            "origins: [\"*\"]\nmethods: [GET]\n"
            "groups: [{origins: [\"https://a.example\"], methods: [POST], maxAge: 1h}]\n");
        QCOMPARE(run.problems, QByteArray());
        run.ask("OPTIONS /p", preflightOf("https://a.example", "POST"));
        QVERIFY(run.replyFields().contains("access-control-allow-origin: https://a.example\n"));
        QVERIFY(run.replyFields().contains("access-control-allow-methods: POST\n"));
        QVERIFY(run.replyFields().contains("access-control-max-age: 3600\n"));
        run.ask("OPTIONS /p", preflightOf("https://b.example", "POST"));
        QVERIFY(run.replyFields().contains("access-control-allow-origin: *\n"));
        QVERIFY(run.replyFields().contains("access-control-allow-methods: GET\n"));
    }

    void observing_refusesAndChangesNothing()
    {
        PolicyRun run("cors", twoOrigins, PolicyRun::Mode::Observe);
        run.ask("POST /p/x", "Origin: https://evil.example\r\n");
        QVERIFY(run.isPassed());
        QCOMPARE(run.decision(), QByteArray("would-refuse"));
        run.ask("POST /p/x", "Origin: https://app.example.com\r\n");
        QVERIFY(run.isPassed());
        QCOMPARE(run.respond("Access-Control-Allow-Origin: *\r\n"),
                 QByteArray("Access-Control-Allow-Origin: *\n"));
        QCOMPARE(run.decision(), QByteArray("would-change"));
    }

    void muleSoft_documentedExample_meansTheSame()
    {
        QByteArray problems;
        const QByteArray native = translated("cors",
                                             "publicResource: false\n"
                                             "supportCredentials: true\n"
                                             "originGroups:\n"
                                             "  - origins: [http://www.the-origin-of-time.com]\n"
                                             "    accessControlMaxAge: 30\n"
                                             "    allowedMethods:\n"
                                             "      - {isAllowed: true, methodName: POST}\n"
                                             "      - {isAllowed: true, methodName: GET}\n"
                                             "      - {isAllowed: false, methodName: DELETE}\n"
                                             "    headers: [x-allow-origin]\n"
                                             "    exposedHeaders: [x-forwarded-for]\n",
                                             problems);
        QCOMPARE(problems, QByteArray());
        PolicyRun run("cors", native);
        QCOMPARE(run.problems, QByteArray());
        run.ask("OPTIONS /p/x", preflightOf("http://www.the-origin-of-time.com", "DELETE"));
        QCOMPARE(run.replyFields(),
                 QByteArray("access-control-allow-origin: http://www.the-origin-of-time.com\n"
                            "access-control-allow-credentials: true\n"
                            "access-control-allow-methods: POST, GET\n"
                            "access-control-allow-headers: x-allow-origin\n"
                            "access-control-max-age: 30\n"
                            "vary: origin, access-control-request-method, "
                            "access-control-request-headers\n"));
    }

    void muleSoft_publicResource_letsAllInAndNamesWhatWasAsked()
    {
        QByteArray problems;
        PolicyRun run("cors", translated("cors", "{}", problems));
        QCOMPARE(problems + run.problems, QByteArray());
        for (const char *origin : {"https://any.example", "null"}) {
            run.ask("OPTIONS /p/x", preflightOf(origin, "PATCH", "x-a"));
            QCOMPARE(run.reply.status, 204);
            QVERIFY(run.replyFields().contains("access-control-allow-methods: PATCH\n"));
            QVERIFY(run.replyFields().contains("access-control-allow-headers: x-a\n"));
        }
    }

    void muleSoft_severalGroups_keepTheirOwnSettings()
    {
        QByteArray problems;
        PolicyRun run("cors",
                      translated("cors",
                                 "publicResource: false\n"
                                 "originGroups:\n"
                                 "  - {origins: [\"*\"], accessControlMaxAge: 200000}\n"
                                 "  - origins: [https://a.example]\n"
                                 "    allowedMethods: [{methodName: PUT, isAllowed: true}]\n",
                                 problems));
        QCOMPARE(problems + run.problems, QByteArray());
        run.ask("OPTIONS /p/x", preflightOf("https://a.example", "PUT"));
        QVERIFY(run.replyFields().contains("access-control-allow-methods: PUT\n"));
        QVERIFY(run.replyFields().contains("access-control-max-age: 30\n"));
        run.ask("OPTIONS /p/x", preflightOf("https://b.example", "PUT"));
        QVERIFY(run.replyFields().contains("access-control-allow-methods: CONNECT, DELETE, GET, "
                                           "OPTIONS, PATCH, POST, PUT, TRACE\n"));
        QVERIFY(run.replyFields().contains("access-control-max-age: 86400\n"));
    }

    void muleSoft_whatCannotMeanTheSame_isRefused_data()
    {
        QTest::addColumn<QByteArray>("flex");
        QTest::addColumn<QByteArray>("problem");
        QTest::newRow("credentials for all")
            << QByteArray("supportCredentials: true") << QByteArray("any web page could act");
        QTest::newRow("public by default though origins are listed")
            << QByteArray("originGroups: [{origins: [https://a.example]}]")
            << QByteArray("publicResource: must be set to false");
        QTest::newRow("nobody") << QByteArray("publicResource: false")
                                << QByteArray("originGroups: must list an origin");
        QTest::newRow("method without a name")
            << QByteArray("publicResource: false\n"
                          "originGroups: [{origins: [https://a.example], "
                          "allowedMethods: [{isAllowed: true}]}]")
            << QByteArray("methodName: is missing");
        QTest::newRow("text for a truth value")
            << QByteArray("publicResource: maybe") << QByteArray("must be true or false");
    }
    void muleSoft_whatCannotMeanTheSame_isRefused()
    {
        QFETCH(QByteArray, flex);
        QFETCH(QByteArray, problem);
        QByteArray problems;
        QCOMPARE(translated("cors", flex, problems), QByteArray());
        QVERIFY2(problems.contains(problem), problems.constData());
    }

    void config_wrong_isRefusedWithItsPlace_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("problem");
        const auto row = [](const char *name, const char *config, const char *problem) {
            QTest::newRow(name) << QByteArray(config) << QByteArray(problem);
        };
        row("no origin", "methods: [GET]", "origins is missing");
        row("empty", "origins: []", "origins must be at least 1 entries long");
        row("path", "origins: [\"https://a.example/\"]", "origins must be an origin");
        row("all with credentials",
            "origins: [\"*\"]\ncredentials: true",
            "must name each origin where credentials are allowed, not *");
        row("all of a group with credentials",
            "origins: [\"https://a.example\"]\ncredentials: true\ngroups: [{origins: [\"*\"]}]",
            "must name each origin");
        row("all exposed with credentials",
            "origins: [\"https://a.example\"]\ncredentials: true\nexposedHeaders: [\"*\"]",
            "must name each header");
        row("method in small letters",
            "origins: [\"*\"]\nmethods: [patch]",
            "methods must be a method in capitals");
        row("header no token", "origins: [\"*\"]\nheaders: [\"a b\"]", "headers must be the name");
        row("too long", "origins: [\"*\"]\nmaxAge: 2d", "maxAge must be at most 1d");
    }
    void config_wrong_isRefusedWithItsPlace()
    {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, problem);
        const PolicyRun run("cors", config);
        QVERIFY2(run.problems.contains(problem), run.problems.constData());
        QVERIFY(!run.isMade);
    }
};

QTEST_APPLESS_MAIN(TestCors)
#include "tst_cors.moc"
