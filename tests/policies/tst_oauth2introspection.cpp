// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policytest.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

namespace {

const QByteArray yaml = "url: https://login.example/introspect?realm=a\n"
                        "authorization: env:ASK\n";
const QByteArray token = "Authorization: Bearer abc.DEF-1_~+/==\r\n";

QByteArray bearer(int number)
{
    return "Authorization: Bearer t" + QByteArray::number(number) + "\r\n";
}

} // namespace

class TestOAuth2Introspection : public QObject
{
    Q_OBJECT

    std::unique_ptr<PolicyTest> m_policy;

    void make(const QByteArray &config, bool observes = false)
    {
        QVERIFY2(m_policy->make(config, observes), m_policy->context.said().constData());
    }
    /// What becomes of a request whose token the server says this of.
    QByteArray outcomeOf(const QByteArray &fields, int status, const char *body)
    {
        const auto request = m_policy->start(fields);
        if (request->result() == "paused")
            m_policy->services.answer(status, body);
        return request->result();
    }

private Q_SLOTS:
    void init()
    {
        m_policy = std::make_unique<PolicyTest>("oauth2-introspection");
        m_policy->context.secrets["env:ASK"] = "Basic YTpi";
        m_policy->addClient("ci");
        m_policy->addClient("elsewhere", {"another"});
        make(yaml);
    }

    void question_isRfc7662s()
    {
        const auto request = m_policy->start(token + "X-Other: 1\r\n");
        QCOMPARE(request->result(), QByteArray("paused"));
        const FetchRequest &asked = m_policy->services.fetches.front().request;
        QCOMPARE(asked.method, std::string("POST"));
        QCOMPARE(asked.endpoint->target, std::string("/introspect?realm=a"));
        QCOMPARE(asked.body,
                 std::string("token=abc.DEF-1_%7E%2B%2F%3D%3D&token_type_hint=access_token"));
        QVERIFY((asked.headers
                 == std::vector<Header>{{"content-type", "application/x-www-form-urlencoded"},
                                        {"accept", "application/json"},
                                        {"authorization", "Basic YTpi"}}));
        m_policy->services.answer(200, R"({"active":true})");
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray("X-Other: 1\n"));
    }

    void request_withoutAToken_isRefused_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QByteArray>("outcome");
        const auto row = [](const char *name, const QByteArray &fields, const char *outcome) {
            QTest::newRow(name) << fields << QByteArray(outcome);
        };
        const char *missing = "401 oauth2-introspection:missing";
        const char *malformed = "401 oauth2-introspection:malformed";
        row("nothing", {}, missing);
        row("basic", "Authorization: Basic YTpi\r\n", missing);
        row("virtual key", "Authorization: Bearer ghk_abc\r\n", missing);
        row("two", token + token, "400 oauth2-introspection:authorization");
        row("two in one", "Authorization: Bearer abc, Bearer def\r\n", malformed);
        row("form characters", "Authorization: Bearer a&token_type_hint=x\r\n", malformed);
        row("equals within", "Authorization: Bearer a=b\r\n", malformed);
        row("equals alone", "Authorization: Bearer ==\r\n", malformed);
        row("percent", "Authorization: Bearer a%20b\r\n", malformed);
        row("space within", "Authorization: Bearer a b\r\n", malformed);
        row("too long", "Authorization: Bearer " + QByteArray(16'385, 'a') + "\r\n", malformed);
    }
    void request_withoutAToken_isRefused()
    {
        QFETCH(QByteArray, fields);
        QFETCH(QByteArray, outcome);
        const auto request = m_policy->start(fields);
        QCOMPARE(request->result(), outcome);
        QCOMPARE(m_policy->services.fetchCount, 0);
    }

    void answer_decides_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("outcome");
        const auto row = [](const char *name, int status, const char *body, const char *outcome) {
            QTest::newRow(name) << status << QByteArray(body) << QByteArray(outcome);
        };
        const char *inactive = "401 oauth2-introspection:inactive";
        const char *unavailable = "503 oauth2-introspection:unavailable";
        row("active", 200, R"({"active":true})", "pass");
        row("inactive", 200, R"({"active":false})", inactive);
        row("a second left", 200, R"({"active":true,"exp":1800000001})", "pass");
        row("expired now", 200, R"({"active":true,"exp":1800000000})", inactive);
        row("not allowed to ask", 401, R"({"active":true})", unavailable);
        row("server error", 500, "", unavailable);
        row("redirect", 302, "", unavailable);
        row("HTML", 200, "<html>", unavailable);
        row("active as text", 200, R"({"active":"true"})", unavailable);
        row("active twice", 200, R"({"active":false,"active":true})", unavailable);
    }
    void answer_decides()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        QFETCH(QByteArray, outcome);
        QCOMPARE(outcomeOf(token, status, body.constData()), outcome);
    }

    void server_thatDoesNotAnswer_isUndecidedAndAskedAgain()
    {
        const auto request = m_policy->start(token);
        m_policy->services.fail(ErrorCode::ProviderFirstByteTimeout);
        QCOMPARE(request->result(), QByteArray("503 oauth2-introspection:unavailable"));
        QVERIFY(request->reply.message.find("DEF") == std::string::npos);
        QCOMPARE(outcomeOf(token, 200, R"({"active":true})"), QByteArray("pass"));
        QCOMPARE(m_policy->services.fetchCount, 2);
    }

    void onError_allow_passesWithoutTheToken()
    {
        QVERIFY2(m_policy->make(yaml, false, true), m_policy->context.said().constData());
        const auto request = m_policy->start(token + "X-Other: 1\r\n");
        m_policy->services.fail();
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray("X-Other: 1\n"));
        QVERIFY(m_policy->make(yaml + "forward: true\n", false, true));
        const auto forwarded = m_policy->start(token);
        m_policy->services.fail();
        QVERIFY(forwarded->fields().contains("Authorization"));
        m_policy->context.secrets.clear(); // and where it cannot even be asked
        QVERIFY(m_policy->make(yaml, false, true));
        const auto unasked = m_policy->start(token + "X-Other: 1\r\n");
        QCOMPARE(unasked->result(), QByteArray("pass"));
        QCOMPARE(unasked->fields(), QByteArray("X-Other: 1\n"));
    }

    void scopes_decide_data()
    {
        QTest::addColumn<QByteArray>("match");
        QTest::addColumn<QByteArray>("has");
        QTest::addColumn<bool>("passes");
        const auto row = [](const char *match, const char *has, bool passes) {
            QTest::addRow("%s of %s", match, has) << QByteArray(match) << QByteArray(has) << passes;
        };
        row("all", "read llm", true);
        row("all", "llm read write", true);
        row("all", "read", false);
        row("all", "read LLM", false);
        row("all", "read llm2", false);
        row("all", "", false);
        row("any", "llm", true);
        row("any", "write", false);
        row("any", "readllm", false);
    }
    void scopes_decide()
    {
        QFETCH(QByteArray, match);
        QFETCH(QByteArray, has);
        QFETCH(bool, passes);
        make(yaml + "scopes: [read, llm]\nscopeMatch: " + match + "\n");
        const QByteArray body = "{\"active\":true,\"scope\":\"" + has + "\"}";
        QCOMPARE(outcomeOf(token, 200, body.constData()),
                 QByteArray(passes ? "pass" : "403 oauth2-introspection:scope"));
    }

    void scopes_absent_areNone()
    {
        make(yaml + "scopes: [read]\nscopeMatch: any\n");
        QCOMPARE(outcomeOf(token, 200, R"({"active":true})"),
                 QByteArray("403 oauth2-introspection:scope"));
        make(yaml + "scopeMatch: any\n"); // none asked for
        QCOMPARE(outcomeOf(token, 200, R"({"active":true})"), QByteArray("pass"));
    }

    void answer_isKept_noLongerThanItMayBe()
    {
        QCOMPARE(outcomeOf(bearer(1), 200, R"({"active":true,"exp":1800000030})"),
                 QByteArray("pass"));
        QCOMPARE(outcomeOf(bearer(2), 200, R"({"active":true})"), QByteArray("pass"));
        QCOMPARE(outcomeOf(bearer(3), 200, R"({"active":false})"),
                 QByteArray("401 oauth2-introspection:inactive"));
        QCOMPARE(m_policy->services.fetchCount, 3);
        m_policy->services.advance(5s - 1ms);
        for (int i = 1; i <= 3; ++i)
            QCOMPARE(m_policy->outcomeOf(bearer(i)),
                     QByteArray(i == 3 ? "401 oauth2-introspection:inactive" : "pass"));
        m_policy->services.advance(1ms); // refusals are believed for five seconds
        QCOMPARE(outcomeOf(bearer(3), 200, R"({"active":true})"), QByteArray("pass"));
        m_policy->services.advance(25s - 1ms);
        QCOMPARE(m_policy->outcomeOf(bearer(1)), QByteArray("pass"));
        m_policy->services.advance(1ms);
        QCOMPARE(m_policy->outcomeOf(bearer(1)), QByteArray("401 oauth2-introspection:inactive"));
        m_policy->services.advance(30s - 1ms);
        QCOMPARE(m_policy->outcomeOf(bearer(2)), QByteArray("pass"));
        m_policy->services.advance(1ms);
        QCOMPARE(m_policy->outcomeOf(bearer(2)), QByteArray("paused"));
        QCOMPARE(m_policy->services.fetchCount, 5);
    }

    void cacheTtl_zero_asksEachTime()
    {
        make(yaml + "cacheTtl: 0s\n");
        for (int i = 1; i <= 3; ++i) {
            QCOMPARE(outcomeOf(token, 200, R"({"active":true})"), QByteArray("pass"));
            QCOMPARE(m_policy->services.fetchCount, i);
        }
    }

    void cacheEntries_limit_isHeld()
    {
        make(yaml + "cacheEntries: 2\n");
        for (int i = 1; i <= 3; ++i)
            QCOMPARE(outcomeOf(bearer(i), 200, R"({"active":true})"), QByteArray("pass"));
        QCOMPARE(m_policy->outcomeOf(bearer(3)), QByteArray("pass"));
        QCOMPARE(m_policy->outcomeOf(bearer(2)), QByteArray("pass"));
        QCOMPARE(m_policy->outcomeOf(bearer(1)), QByteArray("paused"));
    }

    void sameToken_ofManyWorkers_isOneQuestion()
    {
        FakeServices other;
        other.steady = m_policy->services.steady;
        other.wall = m_policy->services.wall;
        std::vector<std::unique_ptr<TestRequest>> requests;
        for (int i = 0; i < 10; ++i)
            requests.push_back(m_policy->start(token, i % 2 == 0 ? nullptr : &other));
        auto gone = m_policy->start(token);
        gone.reset();
        QCOMPARE(m_policy->services.fetchCount + other.fetchCount, 1);
        m_policy->services.answer(200, R"({"active":true})");
        other.run();
        for (const auto &request : requests)
            QCOMPARE(request->result(), QByteArray("pass"));
    }

    void worker_thatEndsWhileItAsks_leavesNobodyWaiting()
    {
        auto ending = std::make_unique<FakeServices>();
        ending->steady = m_policy->services.steady;
        auto lost = m_policy->start(token, ending.get());
        const auto waiting = m_policy->start(token);
        QCOMPARE(m_policy->services.fetchCount, 0);
        lost.reset();
        ending->fetches.clear();
        m_policy->services.run();
        QCOMPARE(waiting->result(), QByteArray("503 oauth2-introspection:unavailable"));
    }

    void clientClaim_namesWhoAsks()
    {
        make(yaml + "clientClaim: client_id\n");
        const auto request = m_policy->start(token);
        m_policy->services.answer(200, R"({"active":true,"client_id":"ci"})");
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->client(), QByteArray("ci"));
        QCOMPARE(m_policy->start(token)->client(), QByteArray("ci")); // kept
        QCOMPARE(outcomeOf(bearer(1), 200, R"({"active":true,"client_id":"nobody"})"),
                 QByteArray("403 oauth2-introspection:client"));
        QCOMPARE(outcomeOf(bearer(2), 200, R"({"active":true})"),
                 QByteArray("403 oauth2-introspection:client"));
        QCOMPARE(outcomeOf(bearer(3), 200, R"({"active":true,"client_id":"elsewhere"})"),
                 QByteArray("403 oauth2-introspection:scope"));
    }

    void reload_ofAnotherServer_asksAnew()
    {
        QCOMPARE(outcomeOf(token, 200, R"({"active":true})"), QByteArray("pass"));
        make(yaml + "scopes: [llm]\n");
        QCOMPARE(m_policy->outcomeOf(token), QByteArray("403 oauth2-introspection:scope"));
        make("url: https://other.example/\nauthorization: env:ASK\n");
        QCOMPARE(m_policy->outcomeOf(token), QByteArray("paused"));
    }

    void authorization_thatCannotBeRead_isUndecided()
    {
        m_policy->context.secrets.clear();
        make(yaml);
        QCOMPARE(m_policy->outcomeOf(token), QByteArray("503 oauth2-introspection:unavailable"));
        make("url: https://login.example/\n"); // none is needed
        QCOMPARE(m_policy->outcomeOf(token), QByteArray("paused"));
        QCOMPARE(m_policy->services.fetches.front().request.headers.size(), std::size_t(2));
    }

    void observed_changesNothing()
    {
        make(yaml + "clientClaim: client_id\n", true);
        const auto request = m_policy->start(token);
        m_policy->services.answer(200, R"({"active":true,"client_id":"ci"})");
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->client(), QByteArray());
        QVERIFY(request->fields().contains("Authorization"));
    }

    void config_mistakes_areRefused()
    {
        for (const char *config : {"",
                                   "url: http://login.example/",
                                   "url: https://a/\nscopeMatch: one",
                                   "url: https://a/\nauthorization: Basic YTpi",
                                   "url: https://a/\nclientClaim: /a~",
                                   "url: https://a/\ncacheEntries: 0"}) {
            QVERIFY2(!m_policy->make(config), config);
            QVERIFY(!m_policy->context.said().contains("YTpi"));
        }
    }

    void flex_documentedExample_isNotHalfApplied()
    {
        const QByteArray example = "introspectionURL: https://my-introspection.com/introspect\n"
                                   "authorizationValue: Basic am9obkBleGFtcGxlLmNvbTphYmMxMjM=\n"
                                   "validatedTokenTTL: 600\nauthenticationTimeout: 10000\n"
                                   "skipClientIdValidation: false\nconsumerBy: \"client_id\"\n"
                                   "exposeHeaders: true\nscopes: \"profile email shopping\"\n"
                                   "scopeValidationCriteria: \"AND\"\nmaxCacheEntries: 1000\n";
        QByteArray said;
        QCOMPARE(translated("oauth2-introspection", example, said), QByteArray());
        QVERIFY2(said.contains("exposeHeaders"), said.constData());
        QVERIFY(!said.contains("am9ob"));
        QByteArray loadable = example;
        loadable.replace("exposeHeaders: true", "exposeHeaders: false");
        const QByteArray node = translated("oauth2-introspection", loadable, said);
        QCOMPARE(said, QByteArray());
        for (const char *part : {"clientClaim: client_id",
                                 "cacheTtl: 600s",
                                 "timeout: 10000ms",
                                 "cacheEntries: 1000",
                                 "scopeMatch: all",
                                 "shopping",
                                 "forward: true",
                                 "authorization: file:"})
            QVERIFY2(says(node, part), node.constData());
        QVERIFY2(m_policy->make(node), m_policy->context.said().constData());
    }

    void flex_orAndSkip_meanAnyAndNobody()
    {
        QByteArray said;
        const QByteArray node = translated("oauth2-introspection",
                                           "introspectionURL: https://a.example/\n"
                                           "authorizationValue: Bearer x\n"
                                           "skipClientIdValidation: true\nconsumerBy: username\n"
                                           "scopeValidationCriteria: OR\n",
                                           said);
        QVERIFY(says(node, "scopeMatch: any") && !says(node, "clientClaim"));
        QCOMPARE(translated("oauth2-introspection", "introspectionURL: https://a.example/\n", said),
                 QByteArray());
    }
};

QTEST_APPLESS_MAIN(TestOAuth2Introspection)
#include "tst_oauth2introspection.moc"
