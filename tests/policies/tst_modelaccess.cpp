// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "tests/policies/policytest.h"

#include <QTest>

using namespace gatehouse;
using test::PolicyTest;
using Outcome = Pipeline::Outcome;

namespace {

const std::string chat
    = "POST /p/v1/chat/completions HTTP/1.1\r\nContent-Type: application/json\r\n";

std::string asking(std::string_view model)
{
    return std::string(R"({"messages":[],"model":")").append(model) + "\"}";
}

/// A policy on a route of that dialect.
class AccessTest : public PolicyTest
{
public:
    explicit AccessTest(const std::string &config, const char *dialect = "openai")
        : PolicyTest("model-access", config)
    {
        route.dialectName = dialect;
        route.modelFinder
            = std::make_shared<const ModelFinder>(findDialect(dialect)->modelPlaces());
    }
    /// "" where the model passes.
    std::string ask(std::string_view model)
    {
        send(chat, asking(model));
        return refusal();
    }
};

} // namespace

class TestModelAccess : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void model_byLists_isDecided_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("model");
        QTest::addColumn<bool>("passes");
        const auto row = [](const char *config, const char *model, bool passes) {
            const QByteArray name = QByteArray(config) + " " + model;
            QTest::newRow(name.constData()) << QByteArray(config) << QByteArray(model) << passes;
        };
        row("allow: [gpt-x]", "gpt-x", true);
        row("allow: [gpt-x]", "gpt-x2", false);
        row("allow: [gpt-x]", "GPT-X", false);
        row("allow: [gpt-x]", "a/gpt-x", false);
        row("allow: [gpt-*]", "gpt-", true);
        row("allow: [gpt-*]", "gpt-x/y:z", true);
        row("allow: ['gpt-?']", "gpt-x", true);
        row("allow: ['gpt-?']", "gpt-xy", false);
        row("allow: [a, 'b*']", "bc", true);
        row("deny: [gpt-x]", "gpt-x", false);
        row("deny: [gpt-x]", "gpt-y", true);
        row("deny: ['*']", "gpt-y", false);
        row("{allow: [gpt-*], deny: [gpt-x]}", "gpt-y", true);
        row("{allow: [gpt-*], deny: [gpt-x]}", "gpt-x", false);
        row("{allow: [gpt-*], deny: [gpt-x]}", "o4", false);
    }
    void model_byLists_isDecided()
    {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, model);
        QFETCH(bool, passes);
        AccessTest policy(config.toStdString());
        QCOMPARE(policy.ask(model.toStdString()),
                 std::string(passes ? "" : "403 model-access:model"));
    }

    void model_anyOfSeveral_decides()
    {
        AccessTest policy("{allow: [a, b], deny: [c]}");
        const auto ask = [&policy](const char *models) {
            policy.send(chat, std::string(R"({"model":"a","models":[)") + models + "]}");
            return policy.refusal();
        };
        QCOMPARE(ask(R"("b")"), std::string());
        QCOMPARE(ask(R"("b","c")"), std::string("403 model-access:model"));
        QCOMPARE(ask(R"("b","d")"), std::string("403 model-access:model"));
    }

    void request_thatSaysNoModel_isRefused_data()
    {
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("refusal");
        const auto row =
            [](const char *name, const char *head, const char *body, const char *refusal) {
                QTest::newRow(name) << QByteArray(head) << QByteArray(body) << QByteArray(refusal);
            };
        row("none", "POST /p/v1/responses HTTP/1.1\r\n", "{}", "403 model-access:none");
        row("no body", "POST /p/v1/responses HTTP/1.1\r\n", "", "403 model-access:none");
        row("unknown endpoint", "POST /p/v1/new HTTP/1.1\r\n", "{}", "403 model-access:none");
        row("batch", "POST /p/v1/batches HTTP/1.1\r\n", "{}", "403 model-access:hidden");
        row("opaque",
            "POST /p/v1/new?model=a HTTP/1.1\r\nContent-Type: audio/wav\r\n",
            "RIFF",
            "403 model-access:hidden");
        row("white space",
            "POST /p/v1/x HTTP/1.1\r\n",
            R"({"model":"a "})",
            "403 model-access:hidden");
        row("upgrade",
            "GET /p/v1/responses?model=a HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
            "",
            "403 model-access:hidden");
        row("no text",
            "POST /p/v1/x HTTP/1.1\r\n",
            R"({"model":1})",
            "400 model-access:unreadable");
        row("no JSON", "POST /p/v1/x HTTP/1.1\r\n", "{", "400 model-access:unreadable");
        row("twice",
            "POST /p/x HTTP/1.1\r\n",
            R"({"model":"a","model":"b"})",
            "400 model-access:unreadable");
        row("coding",
            "POST /p/v1/x HTTP/1.1\r\nContent-Encoding: x\r\n",
            R"({"model":"a"})",
            "415 model-access:unreadable");
        row("query",
            "POST /p/v1/x?a=%zz HTTP/1.1\r\n",
            asking("a").c_str(),
            "400 model-access:unreadable");
    }
    void request_thatSaysNoModel_isRefused()
    {
        QFETCH(QByteArray, head);
        QFETCH(QByteArray, body);
        QFETCH(QByteArray, refusal);
        // With a list of denied models alone too: the provider might choose one of them.
        for (const char *config : {"allow: ['*']", "deny: [x]"}) {
            AccessTest policy(config);
            QCOMPARE(policy.send(head.toStdString(), body.toStdString()), Outcome::Refused);
            QCOMPARE(QByteArray::fromStdString(policy.refusal()), refusal);
            QVERIFY(!policy.reply.retryable);
        }
    }

    void request_thatNeedsNone_passes()
    {
        AccessTest policy("allow: [a]");
        for (const char *head : {"GET /p/v1/models HTTP/1.1\r\n",
                                 "GET /p/v1/models/b HTTP/1.1\r\n",
                                 "GET /p/v1/files HTTP/1.1\r\n",
                                 "DELETE /p/v1/responses/r HTTP/1.1\r\n",
                                 "HEAD /p HTTP/1.1\r\n",
                                 "POST /p/v1/responses/r/cancel HTTP/1.1\r\n"})
            QCOMPARE(policy.send(head), Outcome::Passed);
        QCOMPARE(policy.send("POST /p/v1/files HTTP/1.1\r\n", "anything"), Outcome::Passed);
        QVERIFY(policy.exchange.body().isEmpty()); // not gathered
    }

    void policy_withoutLists_looksAtNothing()
    {
        AccessTest policy({});
        QCOMPARE(policy.send(chat, "{"), Outcome::Passed);
        QVERIFY(policy.exchange.body().isEmpty());
    }

    void spelling_ofADeniedModel_makesNoDifference()
    {
        AccessTest gemini("deny: [gemini-x]", "gemini");
        QCOMPARE(gemini.ask("models/gemini-x"), std::string("403 model-access:model"));
        QCOMPARE(gemini.send("POST /p/v1/models/gemini-x:generateContent HTTP/1.1\r\n", "{}"),
                 Outcome::Refused);
        AccessTest ollama("deny: ['hf.co/Org/Llama*', 'library/mistral']", "ollama");
        for (const char *model : {"hf.co/Org/Llama3",
                                  "hf.co/org/llama3",
                                  "HF.co/ORG/LLAMA3:q4",
                                  "mistral",
                                  "Mistral:latest",
                                  "registry.ollama.ai/library/mistral",
                                  "mistral:local"})
            QCOMPARE(ollama.ask(model), std::string("403 model-access:model"));
        QCOMPARE(ollama.ask("mistral:7b"), std::string());
        // Elsewhere names are compared in their case.
        AccessTest openai("deny: [GPT-*]");
        QCOMPARE(openai.ask("gpt-x"), std::string());
    }

    void spelling_ofAnAllowedModel_makesNoDifference()
    {
        AccessTest policy("allow: [llama3]", "ollama");
        for (const char *model : {"llama3", "llama3:latest", "library/llama3", "Llama3"})
            QCOMPARE(policy.ask(model), std::string());
        QCOMPARE(policy.ask("llama3:70b"), std::string("403 model-access:model"));
    }

    void message_namesModelAndAllowedOnes()
    {
        AccessTest policy("allow: [gpt-x, 'o*']");
        QCOMPARE(policy.ask("a\\u00e9\\u0022"), std::string("403 model-access:model"));
        QCOMPARE(
            policy.reply.message,
            std::string("The model \"a\u00e9\"\" is not allowed here; allowed are: gpt-x, o*"));
        QCOMPARE(policy.ask(std::string(200, 'm')), std::string("403 model-access:model"));
        QVERIFY(policy.reply.message.size() < 150);
        std::string many = "allow: [";
        for (int i = 0; i < 100; ++i)
            many += "model" + std::to_string(i) + ", ";
        AccessTest longer(many + "x]");
        QCOMPARE(longer.ask("y"), std::string("403 model-access:model"));
        QCOMPARE(longer.reply.message, std::string("The model \"y\" is not allowed here"));
    }

    void observed_model_passesAndIsRecorded()
    {
        AccessTest policy("allow: [a]");
        policy.settings.observes = true;
        QCOMPARE(policy.ask("b"), std::string());
        QCOMPARE(policy.exchange.decisions().back().kind, Decision::Kind::WouldRefuse);
        QCOMPARE(policy.exchange.decisions().back().detail, std::string("model-access:model"));
    }

    void config_thatIsNoGlob_isRefused()
    {
        for (const char *config : {"allow: ['']", "deny: [a, '']", "allow: a", "models: [a]"}) {
            AccessTest policy(config);
            QVERIFY2(!policy.make(), config);
        }
    }
};

QTEST_APPLESS_MAIN(TestModelAccess)
#include "tst_modelaccess.moc"
