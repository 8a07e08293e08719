// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/authbench.h"
#include "tests/support/policybench.h"

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

    std::unique_ptr<AuthBench> m_bench;

    void make(const QByteArray &config, bool observes = false, bool allowsOnError = false)
    {
        QVERIFY2(m_bench->make(config, observes, allowsOnError), m_bench->said().constData());
    }
    const FetchRequest &asked() const { return m_bench->services.fetches.front().request; }
    void answer(int status, std::vector<Header> headers = {}, const char *body = "")
    {
        FetchResponse response;
        response.status = status;
        response.headers = std::move(headers);
        response.body = body;
        const auto fetch = std::move(m_bench->services.fetches.front());
        m_bench->services.fetches.pop_front();
        fetch.done(std::move(response));
    }

private Q_SLOTS:
    void init()
    {
        m_bench = std::make_unique<AuthBench>("external-authorization");
        make(yaml);
    }

    void question_saysMethodPathAndClientAlone()
    {
        m_bench->line = "DELETE /api/v1/files?key=ghk_abc&x=1 HTTP/1.1";
        m_bench->client = m_bench->clients.findClient("ci");
        const auto request
            = m_bench->send("Authorization: Bearer t\r\nCookie: a=b\r\nX-Own: 1\r\n");
        QCOMPARE(request->outcome, QByteArray("paused"));
        QCOMPARE(asked().method, std::string("GET"));
        QCOMPARE(asked().endpoint->target, std::string("/check?v=1"));
        QCOMPARE(textOf(asked().headers),
                 QByteArray("x-original-method: DELETE\n"
                            "x-original-uri: /api/v1/files?x=1\n"
                            "x-gatehouse-client: ci\n"));
        QVERIFY(asked().body.empty());
        answer(200);
        QCOMPARE(request->outcome, QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray("Authorization: Bearer t\nCookie: a=b\nX-Own: 1\n"));
    }

    void sendHeaders_named_areSentAndNoVirtualKey()
    {
        make(yaml
             + "sendHeaders: [Authorization, x-own, x-api-key]\n"
               "serviceHeaders: [{name: x-secret, value: s}]\n");
        const auto request = m_bench->send("authorization: Bearer jwt\r\nX-Own: 1\r\nx-own: 2\r\n"
                                           "x-api-key: ghk_abc\r\nX-Other: 3\r\n");
        QCOMPARE(textOf(asked().headers),
                 QByteArray("x-original-method: POST\nx-original-uri: /api/v1?x=1\n"
                            "x-secret: s\nauthorization: Bearer jwt\nX-Own: 1\nx-own: 2\n"));
        m_bench->services.fetches.clear();
        const auto second = m_bench->send("Authorization: Bearer ghk_abc\r\n");
        QVERIFY(!textOf(asked().headers).contains("ghk_"));
    }

    void appendPath_set_asksAsEnvoyDoes()
    {
        make("url: https://authz.example/prefix/\nappendPath: true\n");
        const auto request = m_bench->send({});
        QCOMPARE(asked().method, std::string("POST"));
        QCOMPARE(asked().endpoint->target, std::string("/prefix/api/v1?x=1"));
        QCOMPARE(asked().endpoint->origin.host, std::string("authz.example"));
        QVERIFY(asked().headers.empty());
        make("url: https://authz.example\nappendPath: true\n");
        m_bench->services.fetches.clear();
        const auto second = m_bench->send({});
        QCOMPARE(asked().endpoint->target, std::string("/api/v1?x=1"));
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
        const auto request = m_bench->send({});
        answer(status);
        QCOMPARE(request->outcome, outcome);
        if (outcome.endsWith("denied"))
            QCOMPARE(request->reply.retryable, status == 429);
    }

    void refusal_keepsItsHeadersAndOurBody()
    {
        make(yaml + "refusalHeaders: [X-Why]\n");
        const auto request = m_bench->send({});
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
        const auto request = m_bench->send({});
        m_bench->services.fail(ErrorCode::ProviderFirstByteTimeout);
        QCOMPARE(request->outcome, QByteArray("503 external-authorization:unavailable"));
        make(yaml, false, true);
        const auto allowed = m_bench->send({});
        m_bench->services.fail();
        QCOMPARE(allowed->outcome, QByteArray("pass"));
        const auto refused = m_bench->send({});
        answer(403);
        QCOMPARE(refused->outcome, QByteArray("403 external-authorization:denied"));
    }

    void addHeaders_areTheServicesWordAlone()
    {
        make(yaml + "addHeaders: [X-User, x-groups, x-absent]\n");
        const auto request
            = m_bench->send("x-user: root\r\nX-USER: admin\r\nx-absent: forged\r\nX-Own: 1\r\n");
        answer(200, {{"X-User", "anne"}, {"x-groups", "a"}, {"x-groups", "b"}, {"x-other", "no"}});
        QCOMPARE(request->outcome, QByteArray("pass"));
        QCOMPARE(request->fields(),
                 QByteArray("X-Own: 1\nX-User: anne\nx-groups: a\nx-groups: b\n"));
    }

    void addHeaders_ofTheClient_doNotPassWhereNobodyDecided()
    {
        make(yaml + "addHeaders: [x-user]\nsendHeaders: [x-user]\n", false, true);
        const auto request = m_bench->send("X-User: admin\r\nX-Own: 1\r\n");
        QVERIFY(textOf(asked().headers).contains("X-User: admin\n"));
        m_bench->services.fail();
        QCOMPARE(request->outcome, QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray("X-Own: 1\n"));
        const auto broken = m_bench->send("X-User: admin\r\n");
        answer(500, {{"x-user", "anne"}});
        QCOMPARE(broken->outcome, QByteArray("pass"));
        QCOMPARE(broken->fields(), QByteArray());
        make(yaml + "addHeaders: [x-user]\n", true, true);
        const auto observed = m_bench->send("X-User: admin\r\n");
        m_bench->services.fail();
        QCOMPARE(observed->fields(), QByteArray("X-User: admin\n"));
    }

    void appendHeaders_standBesideTheClients()
    {
        make(yaml + "appendHeaders: [x-tag]\n");
        const auto request = m_bench->send("X-Tag: mine\r\n");
        answer(200, {{"x-tag", "theirs"}, {"x-tag", ""}});
        QCOMPARE(request->fields(), QByteArray("X-Tag: mine\nx-tag: theirs\n"));
    }

    void responseHeaders_goIntoTheAnswer()
    {
        make(yaml + "responseHeaders: [x-own, x-new]\n");
        const auto request = m_bench->send({});
        answer(200, {{"X-Own", "service"}, {"x-own", "twice"}, {"x-other", "no"}});
        QCOMPARE(m_bench->answerHeader(*request, "X-Own"), QByteArray("service|"));
        QCOMPARE(m_bench->answerHeader(*request, "x-own"), QByteArray("twice|"));
        QCOMPARE(m_bench->answerHeader(*request, "x-new"), QByteArray());
        QCOMPARE(m_bench->answerHeader(*request, "x-other"), QByteArray());
    }

    void observed_changesNothing()
    {
        make(yaml + "addHeaders: [x-user]\n", true);
        const auto request = m_bench->send("x-user: root\r\n");
        answer(200, {{"x-user", "anne"}});
        QCOMPARE(request->fields(), QByteArray("x-user: root\n"));
        const auto refused = m_bench->send({});
        answer(403);
        QCOMPARE(refused->outcome, QByteArray("pass"));
    }

    void client_thatGoesAway_leavesNothingBehind()
    {
        auto request = m_bench->send({});
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
            QVERIFY2(!m_bench->make(config), config.constData());
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
        const auto request = m_bench->send("Access-Token: t\r\n");
        QCOMPARE(asked().endpoint->target, std::string("/check/api/v1?x=1"));
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
            QCOMPARE(translated("external-authorization", config, said), QByteArray("null"));
    }
};

QTEST_APPLESS_MAIN(TestExternalAuthorization)
#include "tst_externalauthorization.moc"
