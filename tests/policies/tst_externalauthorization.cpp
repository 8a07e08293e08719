// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policytest.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

namespace {

const QByteArray yaml = "url: https://authz.example/check?v=1\n";

QByteArray textOf(const std::vector<Header> &headers)
{
    QByteArray text;
    for (const Header &header : headers)
        text += QByteArray::fromStdString(header.name + ": " + header.value + '\n');
    return text;
}

} // namespace

class TestExternalAuthorization : public QObject
{
    Q_OBJECT

    std::unique_ptr<PolicyTest> m_policy;

    void make(const QByteArray &config, bool observes = false, bool allowsOnError = false)
    {
        QVERIFY2(m_policy->make(config, observes, allowsOnError),
                 m_policy->context.said().constData());
    }
    const FetchRequest &asked() const { return m_policy->services.fetches.front().request; }
    void answer(int status, std::vector<Header> headers = {}, const char *body = "")
    {
        m_policy->services.answer(status, body, std::move(headers));
    }

private Q_SLOTS:
    void init()
    {
        m_policy = std::make_unique<PolicyTest>("external-authorization");
        make(yaml);
    }

    void question_saysMethodPathAndClientAlone()
    {
        m_policy->addClient("ci");
        m_policy->knownClient = m_policy->clients.findClient("ci");
        m_policy->send("DELETE /p/v1/files?key=ghk_abc&x=1 HTTP/1.1\r\n"
                       "Authorization: Bearer t\r\nCookie: a=b\r\nX-Own: 1\r\n");
        QVERIFY(m_policy->isPaused());
        QCOMPARE(asked().method, std::string("GET"));
        QCOMPARE(asked().endpoint->target, std::string("/check?v=1"));
        QCOMPARE(textOf(asked().headers),
                 QByteArray("x-original-method: DELETE\n"
                            "x-original-uri: /p/v1/files?x=1\n"
                            "x-gatehouse-client: ci\n"));
        QVERIFY(asked().body.empty());
        answer(200);
        QVERIFY(m_policy->isPassed());
        QCOMPARE(m_policy->fields(),
                 QByteArray("Authorization: Bearer t\nCookie: a=b\nX-Own: 1\n"));
    }

    void sendHeaders_named_areSentAndNoVirtualKey()
    {
        make(yaml
             + "sendHeaders: [Authorization, x-own, x-api-key]\n"
               "serviceHeaders: [{name: x-secret, value: s}]\n");
        const auto request = m_policy->start("authorization: Bearer jwt\r\nX-Own: 1\r\nx-own: 2\r\n"
                                             "x-api-key: ghk_abc\r\nX-Other: 3\r\n");
        QCOMPARE(textOf(asked().headers),
                 QByteArray("x-original-method: POST\nx-original-uri: /p/v1?x=1\n"
                            "x-secret: s\nauthorization: Bearer jwt\nX-Own: 1\nx-own: 2\n"));
        m_policy->services.fetches.clear();
        const auto second = m_policy->start("Authorization: Bearer ghk_abc\r\n");
        QVERIFY(!textOf(asked().headers).contains("ghk_"));
    }

    void appendPath_set_asksAsEnvoyDoes()
    {
        make("url: https://authz.example/prefix/\nappendPath: true\n");
        const auto request = m_policy->start({});
        QCOMPARE(asked().method, std::string("POST"));
        QCOMPARE(asked().endpoint->target, std::string("/prefix/p/v1?x=1"));
        QCOMPARE(asked().endpoint->origin.host, std::string("authz.example"));
        QVERIFY(asked().headers.empty());
        make("url: https://authz.example\nappendPath: true\n");
        m_policy->services.fetches.clear();
        const auto second = m_policy->start({});
        QCOMPARE(asked().endpoint->target, std::string("/p/v1?x=1"));
    }

    void answer_decides_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("outcome");
        const auto row = [](int status, const char *outcome) {
            QTest::addRow("%d", status) << status << QByteArray(outcome);
        };
        row(200, "pass");
        row(204, "pass");
        row(299, "pass");
        row(300, "403 external-authorization:denied");
        row(302, "403 external-authorization:denied");
        row(400, "400 external-authorization:denied");
        row(401, "401 external-authorization:denied");
        row(403, "403 external-authorization:denied");
        row(404, "404 external-authorization:denied");
        row(407, "403 external-authorization:denied");
        row(429, "429 external-authorization:denied");
        row(499, "499 external-authorization:denied");
        row(101, "503 external-authorization:unavailable");
        row(500, "503 external-authorization:unavailable");
        row(503, "503 external-authorization:unavailable");
        row(999, "503 external-authorization:unavailable");
    }
    void answer_decides()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, outcome);
        const auto request = m_policy->start({});
        answer(status);
        QCOMPARE(request->result(), outcome);
        if (outcome.endsWith("denied"))
            QCOMPARE(request->reply.retryable, status == 429);
    }

    void refusal_keepsItsHeadersAndOurBody()
    {
        make(yaml + "refusalHeaders: [X-Why]\n");
        const auto request = m_policy->start({});
        answer(401,
               {{"WWW-Authenticate", "Bearer realm=\"a\""},
                {"Retry-After", "3"},
                {"x-why", "expired"},
                {"set-cookie", "a=b"},
                {"content-type", "text/html"},
                {"x-gatehouse-reason", "spoofed"}},
               "<html>");
        QCOMPARE(
            textOf(request->reply.headers),
            QByteArray("WWW-Authenticate: Bearer realm=\"a\"\nRetry-After: 3\nx-why: expired\n"));
        QVERIFY(!request->reply.hasOwnBody);
        QVERIFY(request->reply.message.find("html") == std::string::npos);
    }

    void service_thatDoesNotAnswer_isUndecided()
    {
        const auto request = m_policy->start({});
        m_policy->services.fail(ErrorCode::ProviderFirstByteTimeout);
        QCOMPARE(request->result(), QByteArray("503 external-authorization:unavailable"));
        make(yaml, false, true);
        const auto allowed = m_policy->start({});
        m_policy->services.fail();
        QCOMPARE(allowed->result(), QByteArray("pass"));
        const auto refused = m_policy->start({});
        answer(403);
        QCOMPARE(refused->result(), QByteArray("403 external-authorization:denied"));
    }

    void addHeaders_areTheServicesWordAlone()
    {
        make(yaml + "addHeaders: [X-User, x-groups, x-absent]\n");
        const auto request
            = m_policy->start("x-user: root\r\nX-USER: admin\r\nx-absent: forged\r\nX-Own: 1\r\n");
        answer(200, {{"X-User", "anne"}, {"x-groups", "a"}, {"x-groups", "b"}, {"x-other", "no"}});
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->fields(),
                 QByteArray("X-Own: 1\nX-User: anne\nx-groups: a\nx-groups: b\n"));
    }

    void addHeaders_ofTheClient_doNotPassWhereNobodyDecided()
    {
        make(yaml + "addHeaders: [x-user]\nsendHeaders: [x-user]\n", false, true);
        const auto request = m_policy->start("X-User: admin\r\nX-Own: 1\r\n");
        QVERIFY(textOf(asked().headers).contains("X-User: admin\n"));
        m_policy->services.fail();
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray("X-Own: 1\n"));
        const auto broken = m_policy->start("X-User: admin\r\n");
        answer(500, {{"x-user", "anne"}});
        QCOMPARE(broken->result(), QByteArray("pass"));
        QCOMPARE(broken->fields(), QByteArray());
        make(yaml + "addHeaders: [x-user]\n", true, true);
        const auto observed = m_policy->start("X-User: admin\r\n");
        m_policy->services.fail();
        QCOMPARE(observed->fields(), QByteArray("X-User: admin\n"));
    }

    void appendHeaders_standBesideTheClients()
    {
        make(yaml + "appendHeaders: [x-tag]\n");
        const auto request = m_policy->start("X-Tag: mine\r\n");
        answer(200, {{"x-tag", "theirs"}, {"x-tag", ""}});
        QCOMPARE(request->fields(), QByteArray("X-Tag: mine\nx-tag: theirs\n"));
    }

    void responseHeaders_goIntoTheAnswer()
    {
        make(yaml + "responseHeaders: [x-own, x-new]\n");
        const auto request = m_policy->start({});
        answer(200, {{"X-Own", "service"}, {"x-own", "twice"}, {"x-other", "no"}});
        QCOMPARE(request->respond("x-own: provider\r\n"),
                 QByteArray("X-Own: service\nx-own: twice\n"));
    }

    void observed_changesNothing()
    {
        make(yaml + "addHeaders: [x-user]\n", true);
        const auto request = m_policy->start("x-user: root\r\n");
        answer(200, {{"x-user", "anne"}});
        QCOMPARE(request->fields(), QByteArray("x-user: root\n"));
        const auto refused = m_policy->start({});
        answer(403);
        QCOMPARE(refused->result(), QByteArray("pass"));
    }

    void client_thatGoesAway_leavesNothingBehind()
    {
        auto request = m_policy->start({});
        request.reset();
        answer(200, {{"x-user", "anne"}});
    }

    void config_mistakes_areRefused()
    {
        const QByteArray url = "url: https://authz.example/\n";
        const QByteArrayList configs{
            {},
            "url: http://authz.example/\n",
            "url: https://authz.example/?a=b\nappendPath: true\n",
            url + "addHeaders: [content-length]\n",
            url + "addHeaders: [host]\n",
            url + "addHeaders: ['x y']\n",
            url + "sendHeaders: [x-original-uri]\n",
            url + "sendHeaders: [X-Gatehouse-Client]\n",
            url + "serviceHeaders: [{name: x-original-method, value: GET}]\n",
            url + "serviceHeaders: [{name: x}]\n",
            url + "refusalHeaders: [Content-Type]\n",
            url + "responseHeaders: [transfer-encoding]\n",
            url + "timeout: 61s\n"};
        for (const QByteArray &config : configs)
            QVERIFY2(!m_policy->make(config), config.constData());
    }

    void flex_httpService_meansTheSame()
    {
        QByteArray said;
        const QByteArray node = translated("external-authorization",
                                           "uri: https://authz.example:9001/\nserverType: http\n"
                                           "serverApiVersion: v3\npathPrefix: /check\n"
                                           "requestTimeout: 2000\nincludePeerCertificate: false\n"
                                           "allowedHeaders: [access-token]\n"
                                           "serviceRequestHeadersToAdd: [{key: x-a, value: b}]\n"
                                           "serviceResponseUpstreamHeaders: [x-user]\n"
                                           "serviceResponseUpstreamHeadersToAppend: [x-tag]\n"
                                           "serviceResponseClientHeaders: [x-why]\n"
                                           "serviceResponseClientHeadersOnSuccess: [x-ok]\n",
                                           said);
        QCOMPARE(said, QByteArray());
        make(node);
        const auto request = m_policy->start("Access-Token: t\r\n");
        QCOMPARE(asked().endpoint->target, std::string("/check/p/v1?x=1"));
        QCOMPARE(asked().timeout, 2'000ms);
        QCOMPARE(textOf(asked().headers), QByteArray("x-a: b\nAccess-Token: t\n"));
    }

    void flex_whatCannotMeanTheSame_isNotLoaded()
    {
        QByteArray said;
        for (const char *config :
             {"uri: h2://ext-authz-grpc-service:9001\nserverType: grpc\n"
              "includePeerCertificate: \"true\"\nallowedHeaders: [access-token]\n",
              "uri: https://authz.example\n",
              "serverType: http\n",
              "uri: https://authz.example/path\nserverType: http\n",
              "uri: https://authz.example\nserverType: http\n"
              "includePeerCertificate: true\n"})
            QCOMPARE(translated("external-authorization", config, said), QByteArray());
    }
};

QTEST_APPLESS_MAIN(TestExternalAuthorization)
#include "tst_externalauthorization.moc"
