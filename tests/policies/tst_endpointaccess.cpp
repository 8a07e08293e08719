// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "tests/policies/policytest.h"

#include <QTest>

using namespace gatehouse;
using test::PolicyTest;
using Outcome = Pipeline::Outcome;

namespace {

constexpr const char *unlisted = "endpoint-access:unlisted";
constexpr const char *denied = "endpoint-access:denied";

const char *const config = "allow:\n"
                           "  - {methods: POST, path: /chat/completions}\n"
                           "  - {methods: GET|DELETE, path: /files/*}\n"
                           "  - {path: \"/models/**\"}\n"
                           "  - {path: /x}\n"
                           "deny:\n"
                           "  - {path: \"/models/secret/**\"}\n"
                           "  - {methods: PUT, path: \"/**\"}\n";

} // namespace

class TestEndpointAccess : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void request_byMethodAndPath_isDecided_data()
    {
        QTest::addColumn<QByteArray>("reason");
        const auto row = [](const char *request, const char *reason = "") {
            QTest::newRow(request) << QByteArray(reason);
        };
        row("POST /chat/completions");
        row("POST /chat/completions?x=1");
        row("GET /chat/completions", unlisted);
        row("POST /chat", unlisted);
        row("POST /chat/completions/x", unlisted);
        row("GET /files/f");
        row("HEAD /files/f");
        row("DELETE /files/f");
        row("POST /files/f", unlisted);
        row("GET /files", unlisted);
        row("GET /files/f/content", unlisted);
        row("QUERY /x");
        row("PUT /x", denied);
        row("GET /models/m");
        row("PATCH /models/a/b/c");
        row("GET /models", unlisted);
        row("GET /models/secret/m", denied);
        row("GET /models/secret", denied);
        row("GET /models/secrets");
        row("GET /unknown", unlisted);
        row("GET ", unlisted);
        row("GET /", unlisted);
        // case
        row("POST /Chat/Completions", unlisted);
        row("post /chat/completions", unlisted);
        row("put /x", denied);
        // other methods behind this one
        row("POST /chat/completions X-HTTP-Method-Override: POST");
        row("POST /chat/completions X-HTTP-Method-Override: GET", unlisted);
        row("POST /chat/completions X-HTTP-Method: PUT", denied);
        row("POST /x x-method-override: put", denied);
        row("POST /x?$httpMethod=PUT", denied);
        row("POST /x?a=%zz&%5Fmethod=PUT", denied);
        row("POST /x?a;_method=PUT", denied);
        row("POST /x?a=_method=PUT");
        // other readings of the path
        row("POST /chat%2Fcompletions", unlisted);
        row("POST /%63hat/completions");
        row("POST /%63%68at/completions");
        row("POST /%2563hat/completions", unlisted);
        row("POST //chat/completions", unlisted);
        row("POST /chat//completions", unlisted);
        row("POST /chat/completions/", unlisted);
        row("POST /chat/completions;x=1", unlisted);
        row("POST /chat/completions%3Bx", unlisted);
        row("POST /chat%5Ccompletions", unlisted);
        row("GET /files/a%2Fb", unlisted);
        row("GET /models/a%2Fb");
        row("GET /models/a%20b");
        row("GET /models//secret/m", denied);
        row("GET //models/secret/m", denied);
        row("GET /models/secret/", denied);
        row("GET /models/secret%2Fm", denied);
        row("GET /models/%73ecret/m", denied);
        row("GET /models/%2573ecret/m", denied);
        row("GET /models/secret;v=1/m", denied);
        row("GET /models/secret%3bv/m", denied);
        row("GET /models%5csecret%5cm", denied);
        row("GET /models;a//%2573ecret/;x/m/", denied);
        row("GET /models/x/%252e%252e/secret/m", denied);
        row("GET /x/%252E%252e/models/%252e/secret", denied);
        row("GET /%252e%252e/models/secret/m", denied);
        row("GET /models/secret/x/%252e%252e", denied);
        row("GET /models/SECRET/m");
    }
    void request_byMethodAndPath_isDecided()
    {
        QFETCH(QByteArray, reason);
        const auto words = split(QTest::currentDataTag(), ' ');
        std::string head(words[0]);
        head.append(" /p").append(words[1]).append(" HTTP/1.1\r\n");
        if (words.size() > 2)
            head.append(words[2]).append(" ").append(words[3]).append("\r\n");
        PolicyTest policy("endpoint-access", config);
        const bool isRefused = policy.send(head) == Outcome::Refused;
        QCOMPARE(QByteArray::fromStdString(policy.reply.reason), reason);
        QCOMPARE(isRefused, !reason.isEmpty());
        if (isRefused)
            QCOMPARE(policy.reply.status, 403);
    }

    void upgrade_isARequestLikeOthers()
    {
        const std::string fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                   "Sec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
        PolicyTest policy("endpoint-access", "deny: [{methods: GET, path: /realtime}]");
        QCOMPARE(policy.send("GET /p/realtime?model=m HTTP/1.1\r\n" + fields), Outcome::Refused);
        QCOMPARE(policy.send("GET /p/responses HTTP/1.1\r\n" + fields), Outcome::Passed);
    }

    void lists_alone_decideAlone()
    {
        PolicyTest none("endpoint-access");
        QCOMPARE(none.send("POST /p/anything HTTP/1.1\r\n"), Outcome::Passed);
        PolicyTest deny("endpoint-access", "deny: [{path: /a}]");
        QCOMPARE(deny.send("POST /p/b HTTP/1.1\r\n"), Outcome::Passed);
        QCOMPARE(deny.send("POST /p/a HTTP/1.1\r\n"), Outcome::Refused);
        PolicyTest allow("endpoint-access", "allow: [{path: /}]");
        QCOMPARE(allow.send("GET /p HTTP/1.1\r\n"), Outcome::Passed);
        QCOMPARE(allow.send("GET /p/ HTTP/1.1\r\n"), Outcome::Passed);
        QCOMPARE(allow.send("GET /p// HTTP/1.1\r\n"), Outcome::Refused);
        PolicyTest all("endpoint-access", "allow: [{methods: GET, path: \"**\"}]");
        QCOMPARE(all.send("GET /p HTTP/1.1\r\n"), Outcome::Passed);
        QCOMPARE(all.send("GET /p//a/;b%2F/ HTTP/1.1\r\n"), Outcome::Passed);
        QCOMPARE(all.send("POST /p HTTP/1.1\r\n"), Outcome::Refused);
    }

    void path_onRouteOfAll_isTheWholePath()
    {
        PolicyTest policy("endpoint-access", "allow: [{path: /v1/models}]");
        policy.route.basePath = "";
        QCOMPARE(policy.send("GET /v1/models HTTP/1.1\r\n"), Outcome::Passed);
        QCOMPARE(policy.send("GET /models HTTP/1.1\r\n"), Outcome::Refused);
    }

    void message_saysWhatIsAllowed()
    {
        PolicyTest policy("endpoint-access", "allow: [{methods: GET, path: /models}, {path: /x}]");
        QCOMPARE(policy.send("POST /p/a%20b%3F HTTP/1.1\r\n"), Outcome::Refused);
        QCOMPARE(policy.reply.message,
                 std::string("POST \"/a b?\" is not allowed here; allowed are: GET /models, /x"));
        std::string many = "allow:\n";
        for (int i = 0; i < 100; ++i)
            many += "  - {path: /endpoint" + std::to_string(i) + "}\n";
        PolicyTest longer("endpoint-access", many);
        QCOMPARE(longer.send("GET /p/x HTTP/1.1\r\n"), Outcome::Refused);
        QCOMPARE(longer.reply.message, std::string("GET \"/x\" is not allowed here"));
    }

    void path_longAndAmbiguous_isDecidedInTime()
    {
        std::string path = "/p";
        for (int i = 0; i < 1000; ++i)
            path += "/%2F;%255";
        PolicyTest policy("endpoint-access", "deny: [{path: \"/**/a/**/b\"}]");
        QCOMPARE(policy.send("GET " + path + " HTTP/1.1\r\n"), Outcome::Passed);
        // Rules of any policy see the same readings.
        PolicyTest ruled("endpoint-access", "deny: [{path: \"**\"}]");
        RuleSpec spec;
        spec.path = "/(.*/)?a/(.*/)?b";
        const std::vector<RuleSpec> specs(100, spec);
        ruled.settings.rules = *Rules::compile(specs);
        QCOMPARE(ruled.send("GET " + path + " HTTP/1.1\r\n"), Outcome::Passed);
        QCOMPARE(ruled.send("GET " + path + "/a/c/b HTTP/1.1\r\n"), Outcome::Refused);
    }

    void config_thatWouldNeverMatch_isRefused()
    {
        for (const char *entry : {"{methods: GET}",
                                  "{path: ''}",
                                  "{path: files}",
                                  "{path: /files/}",
                                  "{path: /a//b}",
                                  "{path: /a%20b}",
                                  "{path: /a;b}",
                                  "{path: 'https://x/y'}",
                                  "{path: /a, methods: get}",
                                  "{path: /a, methods: GET POST}",
                                  "{path: /a, methods: GET|}",
                                  "{path: /a, method: GET}"}) {
            PolicyTest policy("endpoint-access", std::string("deny: [") + entry + "]");
            QVERIFY2(!policy.make(), entry);
        }
    }
};

QTEST_APPLESS_MAIN(TestEndpointAccess)
#include "tst_endpointaccess.moc"
