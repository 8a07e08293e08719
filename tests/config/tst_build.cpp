// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/secrets/vault.h"
#include "tests/config/configdir.h"

#include <QTest>

using namespace gatehouse;

namespace {

BuildOutcome build(const ConfigDir &dir)
{
    Vault vault(nullptr);
    StateStore states;
    return buildSnapshot(loadDraft(dir.config()), dir.data(), vault, states);
}

} // namespace

class TestBuild : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void empty_directory_hasTheDefaults()
    {
        const ConfigDir dir;
        const auto [snapshot, diagnostics] = build(dir);
        QCOMPARE(dir.printed(diagnostics), QString());
        QVERIFY(snapshot);
        QCOMPARE(snapshot->listeners.size(), std::size_t(1));
        QCOMPARE(snapshot->listeners.front().name, std::string("default"));
        QCOMPARE(snapshot->listeners.front().address, std::string("127.0.0.1"));
        QCOMPARE(snapshot->listeners.front().port, 4283);
        QVERIFY(!snapshot->listeners.front().tls);
        QVERIFY(snapshot->admin);
        QCOMPARE(snapshot->admin->port, 4284);
        QVERIFY((snapshot->hosts == std::vector<std::string>{"localhost", "127.0.0.1", "[::1]"}));
        QVERIFY(snapshot->origins.empty());
        QVERIFY(snapshot->workers >= 1);
        QCOMPARE(snapshot->limits.head, Limits{}.head);
        QCOMPARE(snapshot->limits.body, Limits{}.body);
        QVERIFY(snapshot->limits.streamTimeout == Limits{}.streamTimeout);
        QCOMPARE(snapshot->hashKey.size(), std::size_t(32));
        QCOMPARE(snapshot->revision.size(), std::size_t(16));
    }

    void policy_forExec_needsNoClientOfThatName()
    {
        const ConfigDir dir;
        const QByteArray spec
            = "{type: model-access, target: {client: NAME}, config: {allow: [a]}}";
        dir.write("a.yaml", document("Policy", "p", QByteArray(spec).replace("NAME", "exec")));
        QCOMPARE(dir.printed(build(dir).diagnostics), QString());
        dir.write("a.yaml", document("Policy", "p", QByteArray(spec).replace("NAME", "exek")));
        QCOMPARE(dir.printed(build(dir).diagnostics),
                 QStringLiteral("a.yaml:3:45: there is no client \"exek\"; did you mean "
                                "\"exec\"?"));
    }

    void gateway_everyField_isCompiled()
    {
        const ConfigDir dir;
        dir.write(
            "gateway.yaml",
            document("Gateway",
                     "main",
                     "{listeners: [{name: a, address: 'localhost:0'}, {name: b, address: "
                     "'[::1]:8080'}], admin: none, workers: 3, hosts: [LocalHost, '[0:0::1]'], "
                     "origins: ['https://App.example:8443'], timezone: UTC, limits: {head: 8KiB, "
                     "target: 1000, body: 1MiB, connections: 7, headTimeout: 250ms, bodyTimeout: "
                     "2s, idleTimeout: 3s, connectTimeout: 4s, firstByteTimeout: 5s, "
                     "streamTimeout: 6s, policyTimeout: 7s, drainTimeout: 0s}}"));
        const auto [snapshot, diagnostics] = build(dir);
        QCOMPARE(dir.printed(diagnostics), QString());
        QCOMPARE(snapshot->listeners.at(0).address, std::string("127.0.0.1"));
        QCOMPARE(snapshot->listeners.at(0).port, 0);
        QCOMPARE(snapshot->listeners.at(1).address, std::string("::1"));
        QCOMPARE(snapshot->listeners.at(1).port, 8080);
        QVERIFY(!snapshot->admin);
        QCOMPARE(snapshot->workers, 3U);
        QVERIFY((snapshot->hosts == std::vector<std::string>{"localhost", "[::1]"}));
        QVERIFY((snapshot->origins == std::vector<std::string>{"https://app.example:8443"}));
        const Limits &limits = snapshot->limits;
        QCOMPARE(limits.head, std::size_t(8192));
        QCOMPARE(limits.target, std::size_t(1000));
        QCOMPARE(limits.body, std::uint64_t(1048576));
        QCOMPARE(limits.connections, 7U);
        QCOMPARE(limits.headTimeout.count(), 250);
        QCOMPARE(limits.bodyTimeout.count(), 2000);
        QCOMPARE(limits.idleTimeout.count(), 3000);
        QCOMPARE(limits.connectTimeout.count(), 4000);
        QCOMPARE(limits.firstByteTimeout.count(), 5000);
        QCOMPARE(limits.streamTimeout.count(), 6000);
        QCOMPARE(limits.policyTimeout.count(), 7000);
        QCOMPARE(limits.drainTimeout.count(), 0);
    }

    void route_ofAProvider_isCompiled()
    {
        const ConfigDir dir;
        qputenv("GATEHOUSE_TEST_KEY", "sk-1");
        dir.write("a.yaml",
                  document("Provider",
                           "mine",
                           "{dialect: openai, baseUrl: 'https://API.example.org:8443/v1/', "
                           "credential: 'env:GATEHOUSE_TEST_KEY'}")
                      + document("Route", "r", "{basePath: /x, provider: mine, public: true}"));
        const auto [snapshot, diagnostics] = build(dir);
        QCOMPARE(dir.printed(diagnostics), QString());
        const RouteEntry &route = snapshot->routes.at(0);
        QCOMPARE(route.name, std::string("r"));
        QCOMPARE(route.listener, std::string("default"));
        QCOMPARE(route.basePath, std::string("/x"));
        QVERIFY(route.isPublic);
        QCOMPARE(route.dialect, findDialect("openai"));
        const ProviderEntry &provider = route.firstProvider();
        QVERIFY((provider.origin == Origin{true, "api.example.org", 8443, "api.example.org:8443"}));
        QCOMPARE(provider.basePath, std::string("/v1"));
        QCOMPARE(provider.credentialReference, std::string("env:GATEHOUSE_TEST_KEY"));
        QCOMPARE(provider.credentialLine->reveal(),
                 std::string_view("Authorization: Bearer sk-1\r\n"));
        QVERIFY(!provider.credentialError);
    }

    void provider_credentialHeader_isTheDialectsOrItsOwn_data()
    {
        QTest::addColumn<QByteArray>("spec");
        QTest::addColumn<QByteArray>("line");
        QTest::newRow("none") << QByteArray("dialect: anthropic, credential: none") << QByteArray();
        QTest::newRow("bearer") << QByteArray("dialect: anthropic, credentialHeader: bearer")
                                << QByteArray("Authorization: Bearer sk-1\r\n");
        QTest::newRow("x-api-key") << QByteArray("dialect: openai, credentialHeader: x-api-key")
                                   << QByteArray("x-api-key: sk-1\r\n");
        QTest::newRow("api-key") << QByteArray("dialect: openai, credentialHeader: api-key")
                                 << QByteArray("api-key: sk-1\r\n");
        QTest::newRow("x-goog-api-key")
            << QByteArray("dialect: openai, credentialHeader: x-goog-api-key")
            << QByteArray("x-goog-api-key: sk-1\r\n");
        QTest::newRow("azure's preset")
            << QByteArray("preset: azure-openai") << QByteArray("api-key: sk-1\r\n");
    }
    void provider_credentialHeader_isTheDialectsOrItsOwn()
    {
        QFETCH(QByteArray, spec);
        QFETCH(QByteArray, line);
        const ConfigDir dir;
        dir.write("key", "sk-1\n");
        if (!spec.contains("credential:"))
            spec += ", credential: 'file:key'";
        dir.write("a.yaml",
                  document("Provider", "mine", "{baseUrl: 'https://h', " + spec + "}")
                      + document("Route", "r", "{basePath: /, provider: mine}"));
        const auto [snapshot, diagnostics] = build(dir);
        QCOMPARE(dir.printed(diagnostics), QString());
        const auto &credential = snapshot->routes.at(0).firstProvider().credentialLine;
        QCOMPARE(credential ? credential->reveal() : std::string_view(), line.toStdString());
    }

    void provider_namedAsAPreset_needsNothingElse()
    {
        const ConfigDir dir;
        dir.write(
            "a.yaml",
            document("Provider", "anthropic", "{}") + document("Provider", "mine", "{preset: groq}")
                + document("Provider", "ollama", "{dialect: ollama, baseUrl: 'http://[::1]:1'}")
                + document("Route", "a", "{basePath: /a, provider: anthropic}")
                + document("Route", "b", "{basePath: /b, provider: mine}")
                + document("Route", "c", "{basePath: /c, provider: ollama}"));
        const auto [snapshot, diagnostics] = build(dir);
        QCOMPARE(dir.printed(diagnostics), QString());
        QCOMPARE(snapshot->routes.at(0).firstProvider().origin.host,
                 std::string("api.anthropic.com"));
        QCOMPARE(snapshot->routes.at(0).dialect, findDialect("anthropic"));
        QCOMPARE(snapshot->routes.at(1).firstProvider().origin.authority,
                 std::string("api.groq.com"));
        QCOMPARE(snapshot->routes.at(1).dialect, findDialect("openai"));
        QVERIFY(
            (snapshot->routes.at(2).firstProvider().origin == Origin{false, "::1", 1, "[::1]:1"}));
    }

    void credential_unavailable_isAWarningAndA503_data()
    {
        QTest::addColumn<QByteArray>("credential");
        QTest::newRow("no such variable") << QByteArray("env:GATEHOUSE_TEST_NONE");
        QTest::newRow("no such file") << QByteArray("file:none");
        QTest::newRow("keychain") << QByteArray("keychain:openai");
        QTest::newRow("header smuggled in") << QByteArray("file:smuggled");
    }
    void credential_unavailable_isAWarningAndA503()
    {
        QFETCH(QByteArray, credential);
        const ConfigDir dir;
        dir.write("smuggled", "sk-1\r\nX-Evil: 1\r\n");
        dir.write("a.yaml",
                  document("Provider", "openai", "{credential: '" + credential + "'}")
                      + document("Route", "r", "{basePath: /x, provider: openai}"));
        const auto [snapshot, diagnostics] = build(dir);
        QVERIFY(snapshot);
        const ProviderEntry &provider = snapshot->routes.at(0).firstProvider();
        QVERIFY(provider.credentialError);
        QCOMPARE(provider.credentialError->code, ErrorCode::CredentialUnavailable);
        QVERIFY(provider.credentialLine == nullptr);
        QCOMPARE(diagnostics.size(), std::size_t(1));
        QVERIFY((diagnostics.front().place == Place{3, 20}));
        QCOMPARE(snapshot->warnings.size(), std::size_t(1));
        QVERIFY(snapshot->warnings.front().find("get 503") != std::string::npos);
        QVERIFY(snapshot->warnings.front().find("sk-1") == std::string::npos);
    }

    void keys_notRevoked_areFoundByHash()
    {
        const ConfigDir dir;
        const auto hashText = [](char digit) -> QByteArray {
            return QByteArray("'hmac-sha256:") + QByteArray(64, digit) + "'";
        };
        dir.write("a.yaml",
                  document("Provider", "ollama", "{}")
                      + document("Route", "r", "{basePath: /x, provider: ollama}")
                      + document("Client",
                                 "tool",
                                 "{routes: [r], keys: [{id: k1, hash: " + hashText('1')
                                     + "}, {id: k2, hash: " + hashText('2')
                                     + ", expires: 2026-01-01T00:00:00Z}, {id: k3, hash: "
                                     + hashText('3') + ", revoked: true}]}"));
        const auto [snapshot, diagnostics] = build(dir);
        QCOMPARE(dir.printed(diagnostics), QString());
        QCOMPARE(snapshot->clients.keyCount(), std::size_t(2));
        KeyHash hash;
        hash.fill(0x11);
        const KeyEntry &first = *snapshot->clients.findKey(hash);
        QCOMPARE(first.id, std::string("k1"));
        QCOMPARE(first.client->name, std::string("tool"));
        QVERIFY((first.client->routes == std::vector<std::string>{"r"}));
        QVERIFY(!first.expires);
        hash.fill(0x22);
        QVERIFY(snapshot->clients.findKey(hash)->expires == parseInstant("2026-01-01"));
    }

    void revision_sameBytes_isEqual()
    {
        const ConfigDir one;
        const ConfigDir two;
        for (const ConfigDir *dir : {&one, &two}) {
            dir->write("b.yaml", document("Provider", "ollama", "{}"));
            dir->write("a/c.yml", document("Provider", "groq", "{}"));
        }
        QCOMPARE(build(one).snapshot->revision, build(two).snapshot->revision);
        two.write("b.yaml", document("Provider", "ollama", "{}") + "#");
        QVERIFY(build(one).snapshot->revision != build(two).snapshot->revision);
    }

    void findRoute_wholeSegments_longestWins_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("route");
        QTest::newRow("itself") << QByteArray("/openai") << QByteArray("openai");
        QTest::newRow("with a last slash") << QByteArray("/openai/") << QByteArray("openai");
        QTest::newRow("below") << QByteArray("/openai/chat") << QByteArray("openai");
        QTest::newRow("nested") << QByteArray("/openai/v1/chat") << QByteArray("nested");
        QTest::newRow("nested itself") << QByteArray("/openai/v1") << QByteArray("nested");
        QTest::newRow("half a segment") << QByteArray("/openai/v10") << QByteArray("openai");
        QTest::newRow("half the first segment") << QByteArray("/openaix") << QByteArray("root");
        QTest::newRow("upper case") << QByteArray("/OpenAI") << QByteArray("root");
        QTest::newRow("the root") << QByteArray("/") << QByteArray("root");
        QTest::newRow("asterisk") << QByteArray("*") << QByteArray();
    }
    void findRoute_wholeSegments_longestWins()
    {
        QFETCH(QByteArray, path);
        QFETCH(QByteArray, route);
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Provider", "ollama", "{}")
                      + document("Route", "root", "{basePath: /, provider: ollama}")
                      + document("Route", "openai", "{basePath: /openai, provider: ollama}")
                      + document("Route", "nested", "{basePath: /openai/v1, provider: ollama}"));
        const auto [snapshot, diagnostics] = build(dir);
        QCOMPARE(dir.printed(diagnostics), QString());
        const std::string head = (path == "*" ? "OPTIONS" : "GET") + (" " + path.toStdString())
                                 + " HTTP/1.1\r\nHost: h\r\n\r\n";
        http::RequestHead request;
        QVERIFY(http::parseRequestHead(head, 1024, request));
        const RouteEntry *found = snapshot->findRoute("default", request);
        QCOMPARE(found == nullptr ? std::string() : found->name, route.toStdString());
        QVERIFY(snapshot->findRoute("other", request) == nullptr);
    }

    void routes_ofOneBasePath_areAllUsedOrRefused_data()
    {
        QTest::addColumn<QByteArray>("firstRules");
        QTest::addColumn<QByteArray>("secondRules");
        QTest::addColumn<QString>("found");
        const auto row = [](const char *name, const char *first, const char *second, auto found) {
            QTest::newRow(name) << QByteArray(first) << QByteArray(second)
                                << QString::fromLatin1(found);
        };
        row("without rules behind some", "[{path: /x}]", "[]", "one two");
        row("an empty rule behind some", "[{path: /x}]", "[{path: /y}, {}]", "one two");
        row("both with rules", "[{path: /x}]", "[{path: /z, methods: GET}]", "one two");
        row("some behind none", "[]", "[{path: /z}]", "refused");
        row("some behind an empty rule", "[{path: /x}, {}]", "[{path: /z}]", "refused");
        row("none behind none", "[]", "[]", "refused");
    }
    void routes_ofOneBasePath_areAllUsedOrRefused()
    {
        QFETCH(const QByteArray, firstRules);
        QFETCH(const QByteArray, secondRules);
        const ConfigDir dir;
        const QByteArray spec = "{basePath: /r, provider: ollama, rules: ";
        dir.write("a.yaml",
                  document("Provider", "ollama", "{}")
                      + document("Route", "one", spec + firstRules + "}")
                      + document("Route", "two", spec + secondRules + "}"));
        const auto [snapshot, diagnostics] = build(dir);
        QString found = QStringLiteral("refused");
        if (snapshot == nullptr) {
            QCOMPARE(
                dir.printed(diagnostics),
                QStringLiteral("a.yaml:9:18: the base path /r of listener \"default\" is already "
                               "used at a.yaml:6 by a route that takes every request, so this "
                               "one would never be used; a route without rules comes last"));
        } else {
            http::RequestHead request;
            request.method = "GET";
            request.path = "/r/x";
            found = QString::fromStdString(snapshot->findRoute("default", request)->name);
            request.path = "/r/z";
            found += QLatin1Char(' ');
            found += QString::fromStdString(snapshot->findRoute("default", request)->name);
        }
        QTEST(found, "found");
    }

    void dataDirectory_unusable_isAnError()
    {
        const ConfigDir dir;
        Vault vault(nullptr);
        StateStore states;
        const auto [snapshot, diagnostics]
            = buildSnapshot(loadDraft(dir.config()), "/dev/null/x", vault, states);
        QVERIFY(!snapshot);
        QCOMPARE(diagnostics.size(), std::size_t(1));
        QCOMPARE(diagnostics.front().file, std::string("/dev/null/x"));
    }

    void check_ofADraft_makesNoHashKey()
    {
        const ConfigDir dir;
        Vault vault(nullptr);
        QVERIFY(checkDraft(loadDraft(dir.config()), vault).empty());
        QVERIFY(!QFile::exists(QString::fromStdString(dir.data())));
    }
};

QTEST_APPLESS_MAIN(TestBuild)
#include "tst_build.moc"
