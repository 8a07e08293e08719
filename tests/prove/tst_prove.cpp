// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/prove/provetext.h"

#include <QDir>
#include <QFile>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <string>

using namespace gatehouse;

class TestProve : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    static void broken_isFound_andMendedIsProven_data()
    {
        QTest::addColumn<QByteArray>("broken");
        QTest::addColumn<QByteArray>(
            "said"); // begins the policy's line, and a word of what follows
        QTest::addColumn<QByteArray>("word");
        QTest::addColumn<QByteArray>("mended"); // empty: there is none with the same policy
        const auto row = [](const char *name,
                            const QByteArray &broken,
                            const char *said,
                            const char *word,
                            const QByteArray &mended) {
            QTest::newRow(name) << broken << QByteArray(said) << QByteArray(word) << mended;
        };
        const QByteArray models = policy("model-access", "{allow: [gpt-5*]}");
        row("01 target is no route",
            policy("model-access", "{allow: [gpt-5*]}", "  target: {labels: {team: b}}\n"),
            "not proven p",
            "no client",
            models);
        row("02 observe left on",
            policy("model-access", "{allow: [gpt-5*]}", "  mode: observe\n"),
            "not proven p",
            "observe",
            models);
        row("03 disabled",
            policy("model-access", "{allow: [gpt-5*]}", "  enabled: false\n"),
            "not proven p",
            "enabled: false",
            models);
        row("04 allows all models",
            policy("model-access", R"({allow: ["*"]})"),
            "not proven p",
            "every model",
            models);
        row("05 names no model",
            policy("model-access", "{}"),
            "not proven p",
            "names no model",
            models);
        row("06 one endpoint of many",
            policy(
                "model-access", "{allow: [gpt-5*]}", "  rules: [{path: \"/chat/completions\"}]\n"),
            "not proven p",
            "/responses",
            models);
        row("07 one method of many",
            policy("endpoint-access",
                   R"({deny: [{methods: GET, path: "/files"}]})",
                   "  rules: [{methods: POST}]\n"),
            "not proven p",
            "GET /files",
            policy("endpoint-access", R"({deny: [{methods: GET, path: "/files"}]})"));
        row("08 all addresses allowed",
            policy("ip-allow", "{ranges: [0.0.0.0/0, \"::/0\"]}"),
            "bypassable p",
            "203.0.113.77",
            policy("ip-allow", "{ranges: [127.0.0.0/8]}"));
        row("09 address by a header that anybody sends",
            policy("ip-allow",
                   "{ranges: [10.1.0.0/16], source: \"header:x-forwarded-for\", trustedProxies: "
                   "[0.0.0.0/0]}"),
            "bypassable p",
            "which says that it is 10.1.0.0",
            policy("ip-allow",
                   "{ranges: [10.1.0.0/16, 127.0.0.1], source: \"header:x-forwarded-for\", "
                   "trustedProxies: [127.0.0.1]}"));
        row("10 limit by a header that the client chooses",
            policy("rate-limit", "{limits: [{requests: 5, per: 1m}], key: \"header:x-user\"}"),
            "bypassable p",
            "which the client chooses",
            policy("rate-limit", "{limits: [{requests: 5, per: 1m}]}"));
        row("11 limit with rules for one endpoint",
            policy("rate-limit",
                   "{limits: [{requests: 5, per: 1m}]}",
                   "  rules: [{path: \"/chat/.*\"}]\n"),
            "not proven p",
            "/responses",
            policy("rate-limit", "{limits: [{requests: 5, per: 1m}]}"));
        row("12 limit beyond reach",
            policy("rate-limit", "{limits: [{requests: 100000000, per: 1m}]}"),
            "not proven p",
            "so many",
            policy("rate-limit", "{limits: [{requests: 3, per: 1m}]}"));
        row("13 shadowed by a mock",
            policy("model-access", "{deny: [gpt-4*]}")
                + "---\napiVersion: gatehouse/v1\nkind: Policy\nmetadata: {name: mock}\nspec: "
                  "{type: mock-response, order: 20, config: {status: 200}}\n",
            "not proven p",
            "shadowed: policy mock",
            policy("model-access", "{deny: [gpt-4*]}"));
        row("14 service down lets pass",
            policy("external-authorization",
                   "{url: \"https://auth.example/check\"}",
                   "  onError: allow\n"),
            "bypassable p",
            "cannot be reached",
            policy("external-authorization", "{url: \"https://auth.example/check\"}"));
        row("15 concurrency by a header",
            policy("concurrency", "{max: 2, key: \"header:x-user\"}"),
            "bypassable p",
            "which the client chooses",
            policy("concurrency", "{max: 2}"));
        row("16 models without a price pass",
            policy("budget", "{limits: [{amount: 1 USD}], unknownPrice: allow}"),
            "bypassable p",
            "without a price",
            policy("budget", "{limits: [{amount: 1 USD}]}"));
        row("loop guard of one endpoint",
            policy("loop-guard", "{repeats: 4}", "  rules: [{path: \"/responses\"}]\n"),
            "not proven p",
            "/chat/completions",
            policy("loop-guard", "{repeats: 4}"));
        row("circuit breaker of one endpoint",
            policy("circuit-breaker", "{minRequests: 3}", "  rules: [{path: \"/chat/.*\"}]\n"),
            "not proven p",
            "/responses",
            policy("circuit-breaker", "{minRequests: 3}"));
        row("tier without a limit",
            policy("sla-tier", "{tiers: {standard: {}}}"),
            "not proven p",
            "may use everything",
            policy("sla-tier", "{tiers: {standard: {requests: 3, tokens: 1000}}}"));
        row("tiers of one endpoint",
            policy("sla-tier",
                   "{tiers: {standard: {tokens: 1000, amount: 1 USD}}}",
                   "  rules: [{path: \"/responses\"}]\n"),
            "not proven p",
            "/chat/completions",
            policy("sla-tier", "{tiers: {standard: {tokens: 1000, amount: 1 USD}}}"));
        row("one cache for all",
            policy("response-cache", "{key: [body]}"),
            "not proven p",
            "all clients share their answers",
            policy("response-cache", "{}"));
        row("a cache where nothing can be kept",
            policy("response-cache", "{}", "  rules: [{path: \"/responses\"}]\n"),
            "not proven p",
            "it keeps no answers of",
            policy("response-cache", "{}"));
        row("17 says what the client's key says already",
            policy("model-access",
                   "{allow: [gpt-5*]}",
                   "  target: {client: other}\n"
                   "---\napiVersion: gatehouse/v1\nkind: Client\nmetadata: {name: nobody}\nspec: "
                   "{routes: [openai]}\n"
                   "---\napiVersion: gatehouse/v1\nkind: Client\nmetadata: {name: other}\nspec: "
                   "{routes: [openai], models: [gpt-5*]}\n"),
            "not proven p",
            "shadowed: policy client-key",
            models);
        row("18 tokens of one endpoint only",
            policy("token-limit",
                   "{limits: [{tokens: 100, per: 1m}]}",
                   "  rules: [{path: \"/embeddings\"}]\n"),
            "not proven p",
            "/chat/completions",
            policy("token-limit", "{limits: [{tokens: 100, per: 1m}]}"));
        row("19 faults left in",
            policy("fault-injection", "{delay: 1s}"),
            "not proven p",
            "on purpose",
            {});
        row("20 header that the client may set",
            policy("header-injection",
                   "{request: [{name: x-team, value: a}]}",
                   "  rules: [{path: \"/chat/.*\"}]\n"),
            "not proven p",
            "/responses",
            policy("header-injection", "{request: [{name: x-team, value: a}]}"));
        row("21 before client-key",
            policy("rate-limit", "{limits: [{requests: 5, per: 1m}]}", "  order: 5\n"),
            "not proven p",
            "without a key count too",
            policy("rate-limit", "{limits: [{requests: 5, per: 1m}]}", "  order: 50\n"));
        row("22 case of a path",
            policy("endpoint-access", R"({deny: [{path: "/Files"}]})"),
            "bypassable p",
            "POST /files",
            policy("endpoint-access", R"({deny: [{path: "/files"}]})"));
        row("23 one of two spellings",
            policy("endpoint-access", R"({deny: [{path: "/v1/files"}]})"),
            "bypassable p",
            "POST /files",
            policy("endpoint-access", R"({deny: [{path: "/v1/files"}, {path: "/files"}]})"));
        row("24 limit by a header in an expression",
            policy("rate-limit",
                   "{limits: [{requests: 5, per: 1m}], key: \"#[attributes.headers['x-user']]\"}"),
            "bypassable p",
            "x-user, which the client chooses",
            policy("rate-limit", "{limits: [{requests: 5, per: 1m}], key: global}"));
        row("25 one method of many, for models",
            policy("model-access", "{allow: [gpt-5*]}", "  rules: [{methods: POST}]\n"),
            "bypassable p",
            "method PUT",
            models);
    }
    static void broken_isFound_andMendedIsProven()
    {
        QFETCH(const QByteArray, broken);
        QFETCH(const QByteArray, said);
        QFETCH(const QByteArray, word);
        QFETCH(const QByteArray, mended);
        const QByteArray found = textOf(proveText(base + broken, "p"));
        QVERIFY2(found.startsWith(said) && found.contains(word), found.constData());
        if (mended.isEmpty())
            return;
        const QByteArray good = textOf(proveText(base + mended, "p"));
        QVERIFY2(good.startsWith("proven p on openai\n"), good.constData());
    }

    static void publicRoute_isNotProven()
    {
        const QByteArray open
            = QByteArray(base).replace("provider: openai}", "provider: openai, public: true}");
        const QByteArray found = textOf(proveText(open));
        QVERIFY2(found.startsWith("not proven client-key on openai\n  public: true"),
                 found.constData());
        const QByteArray closed = textOf(proveText(base));
        QVERIFY2(closed.startsWith("proven client-key on openai\n"), closed.constData());
    }

    static void routes_andClients_data()
    {
        QTest::addColumn<QByteArray>("documents");
        QTest::addColumn<QByteArray>("line");
        const QByteArray models = policy("model-access", "{allow: [gpt-5*]}");
        const QByteArray labelled
            = policy("model-access", "{allow: [gpt-5*]}", "  target: {labels: {team: a}}\n");
        const QByteArray below = "---\napiVersion: gatehouse/v1\nkind: Route\nmetadata: {name: "
                                 "below}\nspec: {basePath: /openai/v1/chat, provider: openai}\n";
        const QByteArray beside = "---\napiVersion: gatehouse/v1\nkind: Route\nmetadata: {name: "
                                  "beside}\nspec: {basePath: /other, provider: openai}\n";
        const auto client = [](const char *spec) -> QByteArray {
            return QByteArray("---\napiVersion: gatehouse/v1\nkind: Client\nmetadata: {name: "
                              "other}\nspec: ")
                   + spec + '\n';
        };
        const auto row = [](const char *name, const QByteArray &more, const char *line) {
            QTest::newRow(name) << base + more << QByteArray(line);
        };
        row("all is well", models, "proven route openai: with a key; p\n");
        row("no policies at all", {}, "proven route openai: with a key; \n");
        row("a route below takes requests",
            labelled + below,
            "bypassable route openai: with a key; p\n");
        row("a route below with the same policies",
            models + below,
            "proven route openai: with a key; p\n");
        row("a route beside leads to the same provider",
            labelled + beside,
            "not proven route openai: with a key; p\n");
        row("no policy on a route", labelled + beside, "not proven route beside: with a key; \n");
        row("client without limits", {}, "proven client agent\n");
        row("client without limits among limited ones",
            client("{models: [gpt-5*]}"),
            "not proven client agent\n");
        row("client limited to models", client("{models: [gpt-5*]}"), "proven client other\n");
        row("client limited to all models",
            client("{models: [\"*\"]}"),
            "not proven client other\n");
        row("client limited to a route",
            beside + client("{routes: [beside]}"),
            "proven client other\n");
    }
    static void routes_andClients()
    {
        QFETCH(const QByteArray, documents);
        QFETCH(const QByteArray, line);
        const QByteArray found = scopesOf(proveText(documents));
        QVERIFY2(QByteArray("\n" + found).contains(QByteArray("\n" + line)), found.constData());
    }

    static void openRoute_isSaid()
    {
        const QByteArray open
            = QByteArray(base).replace("provider: openai}", "provider: openai, public: true}");
        const QByteArray found = scopesOf(proveText(open));
        QVERIFY2(found.startsWith("not proven route openai: open"), found.constData());
    }

    static void nothing_leavesTheMachine_orIsWritten()
    {
        QTcpServer provider;
        QVERIFY(provider.listen(QHostAddress::LocalHost));
        const QByteArray address = "127.0.0.1:" + QByteArray::number(provider.serverPort());
        const QByteArray spec = "dialect: openai, baseUrl: \"http://" + address + "/v1\",";
        const QByteArray config = "{url: \"http://" + address + "/check\"}";
        const QByteArray documents = QByteArray(base).replace("preset: openai,", spec)
                                     + policy("external-authorization", config.constData());
        const QTemporaryDir directory;
        QFile file(directory.filePath(QStringLiteral("gatehouse.yaml")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(documents);
        file.close();
        const ProofReport report = prove(loadDraft(directory.path().toStdString()), {});
        QVERIFY2(!report.proofs.empty(), textOf(report).constData());
        QVERIFY(!provider.waitForNewConnection(0));
        QVERIFY(!provider.hasPendingConnections());
        QCOMPARE(QDir(directory.path()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot),
                 QStringList(QStringLiteral("gatehouse.yaml")));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), documents);
    }

    static void commandOfAProbe_leavesTheKeyToTheShell()
    {
        const ProofReport report
            = proveText(base + policy("endpoint-access", R"({deny: [{path: "/Files"}]})"), "p");
        QVERIFY(!report.proofs.empty());
        const QByteArray command = QByteArray::fromStdString(report.proofs.front().probe);
        QVERIFY2(command.contains("'Authorization: Bearer '\"$KEY\"''"), command.constData());
        QVERIFY2(!command.contains("ghk_"), command.constData());
    }

    static void errorThatWasLetPass_isNoRefusal()
    {
        const QByteArray found = textOf(proveText(
            base + policy("model-access", "{deny: [gpt-4*]}")
                + "---\napiVersion: gatehouse/v1\nkind: Policy\nmetadata: {name: service}\n"
                  "spec: {type: external-authorization, order: 20, onError: allow, config: "
                  "{url: \"https://auth.example/check\"}}\n",
            "p"));
        QVERIFY2(found.startsWith("proven p on openai\n"), found.constData());
    }

    static void policyOfOneClient_isNotTriedWhereItMayNotGo()
    {
        const QByteArray found = textOf(proveText(
            base + policy("model-access", "{allow: [gpt-5*]}", "  target: {client: other}\n")
                + "---\napiVersion: gatehouse/v1\nkind: Client\nmetadata: "
                  "{name: other}\nspec: {routes: [second]}\n"
                  "---\napiVersion: gatehouse/v1\nkind: Route\nmetadata: "
                  "{name: second}\nspec: {basePath: /second, provider: "
                  "openai}\n",
            "p"));
        QVERIFY2(found.startsWith("proven p on second\n"), found.constData());
        QCOMPARE(found.count("on openai"), 0);
    }

    static void brokenConfiguration_isNotTried()
    {
        const ProofReport report = proveText(
            "apiVersion: gatehouse/v1\nkind: Route\nmetadata: {name: r}\nspec: {provider: no}\n");
        QVERIFY(hasErrors(report.diagnostics));
        QVERIFY(report.proofs.empty());
    }
};

QTEST_GUILESS_MAIN(TestProve)
#include "tst_prove.moc"
