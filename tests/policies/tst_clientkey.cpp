// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "gateway/secrets/virtualkey.h"
#include "tests/policies/policytest.h"

#include <QTest>

using namespace gatehouse;
using test::PolicyTest;
using Outcome = Pipeline::Outcome;

namespace {

std::string newKey()
{
    return *virtualkey::generate();
}

/// A policy of a route with one client, whose key is `key`.
class KeyTest : public PolicyTest
{
public:
    explicit KeyTest(const std::string &config = {})
        : PolicyTest("client-key", config)
        , key(newKey())
    {
        client->name = "c";
        route.modelFinder
            = std::make_shared<const ModelFinder>(findDialect("openai")->modelPlaces());
    }

    /// Sends what begins so with its key as a bearer, after the client was made as it is now.
    std::string ask(const std::string &line = "GET /p/models", const std::string &body = {})
    {
        return askWith(line, "Authorization: Bearer " + key + "\r\n", body);
    }
    std::string
    askWith(const std::string &line, const std::string &fields, const std::string &body = {})
    {
        clients = ClientDirectory();
        clients.add(client);
        clients.addKey(services.hashKey(key), {client, "k1", expires});
        send(line + " HTTP/1.1\r\n" + fields, body);
        return refusal();
    }

    std::string key;
    std::shared_ptr<ClientEntry> client = std::make_shared<ClientEntry>();
    std::optional<std::chrono::system_clock::time_point> expires;
};

std::vector<Glob> globs(std::initializer_list<const char *> texts)
{
    std::vector<Glob> list;
    for (const char *text : texts)
        list.push_back(*Glob::parse(text, Glob::Kind::Name));
    return list;
}

} // namespace

class TestClientKey : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void key_inEveryCarrier_isTaken()
    {
        KeyTest policy;
        for (const std::string &field : {"Authorization: Bearer " + policy.key,
                                         "authorization: bearer  " + policy.key,
                                         "x-api-key: " + policy.key,
                                         "X-Goog-Api-Key: " + policy.key,
                                         "api-key: " + policy.key}) {
            QCOMPARE(policy.askWith("GET /p/models", field + "\r\n"), std::string());
            QCOMPARE(policy.exchange.client(), policy.client.get());
            QCOMPARE(policy.exchange.key()->id, std::string("k1"));
            QCOMPARE(policy.exchange.keyHash(), policy.services.hashKey(policy.key));
        }
        QCOMPARE(policy.askWith("GET /p/models?a=1&key=" + policy.key, {}), std::string());
        QCOMPARE(policy.exchange.query(), std::string_view("?a=1"));
    }

    void key_missing_isRefused()
    {
        KeyTest policy;
        for (const char *fields : {"",
                                   "Authorization: Basic YTpi\r\n",
                                   "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n",
                                   "x-api-key: sk-ant-api03-x\r\n",
                                   "x-api-key: \r\n"}) {
            QCOMPARE(policy.askWith("GET /p/models", fields),
                     std::string("401 client-key:missing"));
            QVERIFY(policy.exchange.client() == nullptr && policy.exchange.key() == nullptr);
        }
    }

    void key_missingOnAPublicRoute_passes()
    {
        KeyTest policy;
        policy.route.isPublic = true;
        policy.client->models = globs({"a"});
        QCOMPARE(policy.askWith("POST /p/responses", {}, "{"), std::string());
        QVERIFY(policy.exchange.client() == nullptr);
        QVERIFY(policy.exchange.body().isEmpty()); // nobody reads it
        // One that is there has to be good.
        QCOMPARE(policy.askWith("GET /p/models", "x-api-key: " + newKey() + "\r\n"),
                 std::string("401 client-key:unknown"));
        QCOMPARE(policy.ask(), std::string());
        QCOMPARE(policy.exchange.client(), policy.client.get());
    }

    void key_unknownOrMalformed_isRefusedAlike()
    {
        KeyTest policy;
        std::string mistyped = policy.key;
        mistyped.back() = mistyped.back() == 'a' ? 'b' : 'a';
        QByteArray answer;
        for (const std::string &key : {newKey(),
                                       mistyped,
                                       policy.key + "x",
                                       policy.key.substr(0, 39),
                                       std::string("ghk_"),
                                       "ghk_" + std::string(4000, 'x')}) {
            QCOMPARE(policy.askWith("GET /p/models", "Authorization: Bearer " + key + "\r\n"),
                     std::string("401 client-key:unknown"));
            // What is wrong with a key is nobody's business, and the key is in no answer.
            const QByteArray message = QByteArray::fromStdString(policy.reply.message);
            QVERIFY(answer.isEmpty() || message == answer);
            answer = message;
            QVERIFY(!message.contains("ghk_"));
        }
    }

    void key_revoked_isUnknown()
    {
        KeyTest policy;
        QCOMPARE(policy.ask(), std::string());
        policy.clients = ClientDirectory();
        policy.clients.add(policy.client);
        QCOMPARE(policy.send("GET /p/models HTTP/1.1\r\nx-api-key: " + policy.key + "\r\n"),
                 Outcome::Refused);
        QCOMPARE(policy.refusal(), std::string("401 client-key:unknown"));
    }

    void key_atItsExpiry_isRefused()
    {
        KeyTest policy;
        policy.expires = policy.services.wall + std::chrono::seconds(1);
        QCOMPARE(policy.ask(), std::string());
        policy.services.advance(std::chrono::milliseconds(999));
        QCOMPARE(policy.ask(), std::string());
        policy.services.advance(std::chrono::milliseconds(1));
        QCOMPARE(policy.ask(), std::string("401 client-key:expired"));
        QVERIFY(policy.exchange.client() == nullptr);
        policy.expires.reset();
        QCOMPARE(policy.ask(), std::string());
    }

    void keys_thatDisagree_areRefused()
    {
        KeyTest policy;
        const std::string other = newKey();
        const auto both = [&policy](const std::string &first, const std::string &second) {
            return policy.askWith("GET /p/models",
                                  "Authorization: Bearer " + first + "\r\nx-api-key: " + second
                                      + "\r\n");
        };
        QCOMPARE(both(policy.key, policy.key), std::string());
        QCOMPARE(both(policy.key, "sk-of-the-provider"), std::string());
        QCOMPARE(both(policy.key, other), std::string("400 client-key:conflict"));
        QCOMPARE(both(other, policy.key), std::string("400 client-key:conflict"));
        QCOMPARE(both(policy.key, "ghk_x"), std::string("400 client-key:conflict"));
        QCOMPARE(policy.ask("GET /p/models?key=" + other), std::string("400 client-key:conflict"));
        QCOMPARE(policy.ask("GET /p/models?key=" + policy.key), std::string());
        const std::string twice = "x-api-key: " + policy.key + "\r\nx-api-key: " + other + "\r\n";
        QCOMPARE(policy.askWith("GET /p/models", twice), std::string("400 client-key:conflict"));
    }

    void carrier_thatIsNotListed_isRefused()
    {
        KeyTest policy("carriers: [x-api-key, query]");
        const std::string inField = "x-api-key: " + policy.key + "\r\n";
        QCOMPARE(policy.askWith("GET /p/models", inField), std::string());
        QCOMPARE(policy.askWith("GET /p/models?key=" + policy.key, {}), std::string());
        QCOMPARE(policy.ask(), std::string("401 client-key:carrier"));
        QCOMPARE(policy.askWith("GET /p/models", "api-key: " + policy.key + "\r\n"),
                 std::string("401 client-key:carrier"));
        // Also beside one that is.
        QCOMPARE(policy.askWith("GET /p/models",
                                inField + "Authorization: Bearer " + policy.key + "\r\n"),
                 std::string("401 client-key:carrier"));
    }

    void route_outsideTheScope_isRefused()
    {
        KeyTest policy;
        policy.client->routes = {"other", "r"};
        QCOMPARE(policy.ask(), std::string());
        policy.client->routes = {"other"};
        QCOMPARE(policy.ask(), std::string("403 client-key:scope"));
        QVERIFY(policy.exchange.client() == nullptr);
        QVERIFY(QString::fromStdString(policy.reply.message).contains(QLatin1String("route r")));
    }

    void model_outsideTheScope_isRefused_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("refusal");
        const auto row = [](const char *line, const char *body, const char *refusal) {
            const QByteArray name = QByteArray(line) + ' ' + body;
            QTest::newRow(name.constData())
                << QByteArray(line) << QByteArray(body) << QByteArray(refusal);
        };
        row("POST /p/responses", R"({"model":"gpt-x"})", "");
        row("POST /p/responses", R"({"model":"o4"})", "");
        row("POST /p/responses", R"({"model":"gpt"})", "403 client-key:scope");
        row("POST /p/responses", R"({"model":"o4","Model":"x"})", "403 client-key:scope");
        row("POST /p/unknown", R"({"model":"x"})", "403 client-key:scope");
        row("POST /p/responses", "{}", "403 client-key:scope");
        row("POST /p/responses", "", "403 client-key:scope");
        row("POST /p/batches", R"({"input_file_id":"f"})", "403 client-key:scope");
        row("POST /p/responses", "{", "400 request:json");
        row("GET /p/models", "", "");
        row("DELETE /p/responses/r", "", "");
        row("POST /p/files", "x", "");
    }
    void model_outsideTheScope_isRefused()
    {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, body);
        QFETCH(QByteArray, refusal);
        KeyTest policy;
        policy.client->models = globs({"gpt-*", "o4"});
        QCOMPARE(QByteArray::fromStdString(policy.ask(line.toStdString(), body.toStdString())),
                 refusal);
    }

    void upgrade_isHeldToTheModels()
    {
        const std::string fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                   "Sec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
        KeyTest policy;
        policy.client->models = globs({"gpt-realtime"});
        const auto connect = [&](const std::string &target) {
            return policy.askWith("GET /p" + target, fields + "x-api-key: " + policy.key + "\r\n");
        };
        QCOMPARE(connect("/realtime?model=gpt-realtime"), std::string());
        QCOMPARE(connect("/realtime?model=gpt-x"), std::string("403 client-key:scope"));
        QCOMPARE(connect("/responses"), std::string("403 client-key:scope"));
        policy.client->models.clear();
        QCOMPARE(connect("/responses"), std::string());
    }

    void body_withoutModelScope_isNotGathered()
    {
        KeyTest policy;
        QCOMPARE(policy.ask("POST /p/responses", "{"), std::string());
        QVERIFY(policy.exchange.body().isEmpty());
        policy.client->models = globs({"*"});
        QCOMPARE(policy.ask("POST /p/responses", R"({"model":"x"})"), std::string());
        QVERIFY(!policy.exchange.body().isEmpty());
    }

    void observed_unknownKey_passesWithoutAClient()
    {
        KeyTest policy;
        policy.settings.observes = true;
        QCOMPARE(policy.askWith("GET /p/models", "x-api-key: " + newKey() + "\r\n"), std::string());
        QVERIFY(policy.exchange.client() == nullptr);
        QCOMPARE(policy.exchange.decisions().front().kind, Decision::Kind::WouldRefuse);
        QCOMPARE(policy.exchange.decisions().front().detail, std::string("client-key:unknown"));
    }

    void config_withAnUnknownCarrier_isRefused()
    {
        for (const char *config :
             {"carriers: []", "carriers: [cookie]", "carriers: bearer", "carrier: [bearer]"}) {
            KeyTest policy(config);
            QVERIFY2(!policy.make(), config);
        }
        KeyTest policy("carriers: [cookie]");
        QVERIFY(!policy.make());
        QVERIFY(policy.context.said().contains("x-goog-api-key"));
    }
};

QTEST_APPLESS_MAIN(TestClientKey)
#include "tst_clientkey.moc"
