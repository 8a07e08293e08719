// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/build.h"
#include "gateway/config/listeners.h"
#include "gateway/config/loader.h"
#include "gateway/secrets/vault.h"
#include "tests/config/configdir.h"
#include "tests/config/flexdocuments.h"
#include "tests/support/fakeservices.h"

#include <QTest>

using namespace gatehouse;

namespace {

QByteArray served(const QByteArray &name, const QByteArray &port, const QByteArray &rest = {})
{
    return instance(
        name, "{address: 'http://127.0.0.1:" + port + "/" + name + "', " + openai + rest + "}");
}

} // namespace

/// MuleSoft documents through the whole way that documents go, with the policies that there are.
class TestFlexLoad : public QObject
{
    Q_OBJECT

private:
    Vault m_vault{nullptr};
    StateStore m_states;

    BuildOutcome build(const ConfigDir &dir)
    {
        return buildSnapshot(loadDraft(dir.config()), dir.data(), m_vault, m_states);
    }

    static QStringList portsOf(const Snapshot &snapshot)
    {
        QStringList ports;
        for (const ListenerEntry &listener : snapshot.listeners)
            ports.append(QString::fromStdString(listener.name) + QLatin1Char(':')
                         + QString::number(listener.port));
        return ports;
    }

private Q_SLOTS:
    void directory_ofMuleSoftAlone_opensItsPortsOnly()
    {
        const ConfigDir dir;
        dir.write("a.yaml", served("a", "8081") + served("b", "8082"));
        const auto outcome = build(dir);
        QVERIFY2(outcome.snapshot, qPrintable(dir.printed(outcome.diagnostics)));
        QCOMPARE(portsOf(*outcome.snapshot),
                 QStringList({QStringLiteral("flex-8081:8081"), QStringLiteral("flex-8082:8082")}));
    }

    void nativeDocuments_besideThem_openTheirsToo()
    {
        const ConfigDir dir;
        dir.write("a.yaml", served("a", "8081"));
        dir.write("b.yaml",
                  document("Provider", "ollama", "{}")
                      + document("Route", "r", "{basePath: /r, provider: ollama}"));
        QCOMPARE(portsOf(*build(dir).snapshot),
                 QStringList({QStringLiteral("default:4283"), QStringLiteral("flex-8081:8081")}));
        dir.write("b.yaml",
                  document("Gateway", "g", "{listeners: [{name: x, address: '127.0.0.1:9'}]}"));
        QCOMPARE(portsOf(*build(dir).snapshot),
                 QStringList({QStringLiteral("x:9"), QStringLiteral("flex-8081:8081")}));
    }

    void documents_inSeveralFiles_findEachOther()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  binding("r",
                          "{targetRef: {name: i}, policyRef: {name: route}, config: "
                          "{destinationPath: /v1, destinationRef: {name: s}}}"));
        dir.write("b.yaml", instance("i", "{address: 'http://127.0.0.1:8081'}"));
        dir.write("c.yaml", service("s", "'https://api.anthropic.com'"));
        const auto outcome = build(dir);
        QCOMPARE(dir.printed(outcome.diagnostics), QString());
        const RouteEntry &route = outcome.snapshot->routes.front();
        QCOMPARE(route.name, std::string("i"));
        QVERIFY(route.isPublic);
        QCOMPARE(route.dialectName, std::string("anthropic"));
        QCOMPARE(route.firstProvider().basePath, std::string("/v1"));
        QCOMPARE(route.labels.at("gatehouse/service"), std::string("s"));
    }

    void portOfTheGateway_takenByAnApiInstance_isAnErrorAtItsAddress()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Gateway", "g", "{listeners: [{name: x, address: '127.0.0.1:8081'}]}"));
        dir.write("b.yaml", served("a", "8081"));
        const QString said = dir.printed(build(dir).diagnostics);
        QVERIFY2(said.contains(QStringLiteral("b.yaml:3:18: the address 127.0.0.1:8081 is already "
                                              "used at ")),
                 qPrintable(said));
    }

    void nativeName_usedTwice_isAnErrorInTheMuleSoftDocument()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Provider", "ollama", "{}")
                      + document("Route", "a", "{basePath: /r, provider: ollama}"));
        dir.write("b.yaml", served("a", "8081"));
        const QString said = dir.printed(build(dir).diagnostics);
        QVERIFY2(said.contains(QStringLiteral("b.yaml:2:81: another Route has the name \"a\" at ")),
                 qPrintable(said));
    }

    void wrongDialect_ofALabel_isAnErrorAtTheService()
    {
        const ConfigDir dir;
        QByteArray text = served("a", "8081");
        text.replace("gatehouse/public: \"true\"",
                     "gatehouse/public: \"true\", gatehouse/dialect: klingon");
        dir.write("a.yaml", text);
        const QString said = dir.printed(build(dir).diagnostics);
        QVERIFY2(said.contains(QStringLiteral("a.yaml:3:"))
                     && said.contains(QStringLiteral("klingon")),
                 qPrintable(said));
    }

    void secret_inTheDocument_isFoundAndWarnedOf()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  served("a",
                         "8081",
                         ", policies: [{policyRef: {name: http-basic-authentication-flex}, config: "
                         "{username: u, password: s3cr3t}}]"));
        const auto outcome = build(dir);
        const QString said = dir.printed(outcome.diagnostics);
        QVERIFY2(outcome.snapshot, qPrintable(said));
        QVERIFY2(said.contains(QStringLiteral("a secret stands in the document itself")),
                 qPrintable(said));
        QVERIFY(!said.contains(QStringLiteral("s3cr3t")));
        QVERIFY(!said.contains(QStringLiteral("cannot decide")));
    }

    void configThatTheTypeRefuses_isAWarning_andShutsTheDoor()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  served("a",
                         "8081",
                         ", policies: [{policyRef: {name: ip-allowlist-flex}, config: {ips: "
                         "[not-an-address]}}]"));
        const auto outcome = build(dir);
        const QString said = dir.printed(outcome.diagnostics);
        QVERIFY2(outcome.snapshot, qPrintable(said));
        QVERIFY2(said.contains(QStringLiteral("; the policy is not loaded")), qPrintable(said));
        const auto policies = outcome.snapshot->routes.front().pipeline.policies();
        QVERIFY(std::ranges::any_of(
            policies, [](const auto &policy) { return policy->name() == "a.ip-allowlist-flex"; }));
    }

    /// Who has no key yet is not told how the gateway is set up.
    void policyThatIsNotLoaded_saysWhyToItsClientsOnly_data()
    {
        QTest::addColumn<bool>("isKnown");
        QTest::addColumn<QString>("message");
        QTest::newRow("a stranger") << false << QStringLiteral("the gateway's log says why");
        QTest::newRow("a client")
            << true
            << QStringLiteral("the environment variable FLEX_TEST_ABSENT is not set; gatehouse "
                              "check says where");
    }
    void policyThatIsNotLoaded_saysWhyToItsClientsOnly()
    {
        QFETCH(const bool, isKnown);
        QFETCH(const QString, message);
        qunsetenv("FLEX_TEST_ABSENT");
        const ConfigDir dir;
        dir.write("a.yaml",
                  served("a",
                         "8081",
                         ", policies: [{policyRef: {name: ip-allowlist-flex}, config: {ips: "
                         "[$FLEX_TEST_ABSENT]}}]"));
        const auto outcome = build(dir);
        QVERIFY2(outcome.snapshot, qPrintable(dir.printed(outcome.diagnostics)));
        const RouteEntry &route = outcome.snapshot->routes.front();
        const std::string head = "GET /a/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
        http::RequestHead request;
        QVERIFY(http::parseRequestHead(head, 4096, request));
        test::FakeServices services;
        const Peer peer{.address = "127.0.0.1", .isLoopback = true};
        const ClientEntry client{.name = "c"};
        Exchange exchange;
        QVERIFY(exchange.begin(std::move(request),
                               {.route = &route,
                                .peer = &peer,
                                .services = &services,
                                .clients = &outcome.snapshot->clients,
                                .path = "/x"}));
        if (isKnown)
            exchange.setClient(client);
        Reply reply;
        QCOMPARE(route.pipeline.runRequestHead(exchange, reply), Pipeline::Outcome::Refused);
        QCOMPARE(reply.reason, std::string("ip-allow:unloaded"));
        QCOMPARE(QString::fromStdString(reply.message),
                 QStringLiteral("a policy of this route is not loaded: ") + message);
    }

    void policy_ofAnApiInstance_isOnNoOtherRoute()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  served("a", "8081", ", policies: [{policyRef: {name: cors-flex}}]")
                      + served("b", "8082"));
        const auto outcome = build(dir);
        QVERIFY2(outcome.snapshot, qPrintable(dir.printed(outcome.diagnostics)));
        for (const RouteEntry &route : outcome.snapshot->routes)
            QCOMPARE(
                std::ranges::any_of(route.pipeline.policies(),
                                    [](const auto &policy) { return policy->type() == "cors"; }),
                route.name == "a");
    }

    void rulesThatDoNotCompile_shutTheWholeDoor()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  served("a",
                         "8081",
                         ", policies: [{policyRef: {name: ip-allowlist-flex}, config: {ips: "
                         "[127.0.0.1]}, rules: [{path: '['}]}]"));
        const auto outcome = build(dir);
        const QString said = dir.printed(outcome.diagnostics);
        QVERIFY2(outcome.snapshot, qPrintable(said));
        QVERIFY2(
            said.contains(QStringLiteral("warning: rule 1, path: must be a regular expression")),
            qPrintable(said));
        for (const auto &policy : outcome.snapshot->routes.front().pipeline.policies())
            QVERIFY(policy->settings().rules.isEmpty());
    }

    void path_ofARouteWithRules_goesOnAsItsGroupsSay_data()
    {
        QTest::addColumn<QByteArray>("rule");
        QTest::addColumn<QByteArray>("target");
        QTest::addColumn<QByteArray>("path");
        const auto row
            = [](const char *name, const char *rule, const char *target, const char *path) {
                  QTest::newRow(name) << QByteArray(rule) << QByteArray(target) << QByteArray(path);
              };
        row("no group", "/x/.*", "/a/x/y?q", "/x/y");
        row("one group", "/x(/.*)", "/a/x/y", "/y");
        row("several", "/x(/.*)/z(/.*)", "/a/x/1/z/2", "/1/2");
        row("without its slash", "/(.*)", "/a/x/y", "/x/y");
        row("nothing captured", "/x(.*)", "/a/x", "");
        row("escapes in a group", "/x(/.*)", "/a/x/%2Fy%20z", "/%2Fy%20z");
        row("escapes that hide the rule's own", "/x(/.*)", "/a/%78/y", "none");
        row("escapes that make the rule's own", "/x%79(/.*)", "/a/x%79/y", "none");
        row("one dot", "/x(/.)y(/.*)", "/a/x/.y/z", "none");
        row("two dots", "/x(/.)y(.)", "/a/x/.y.", "none");
        row("two dots, escaped", "/x(/..)y(.*)", "/a/x/%2y%2e", "none");
        row("no match", "/x(/.*)", "/a/y", "none");
        row("a part of the path", "x", "/a/x", "none");
    }

    void path_ofARouteWithRules_goesOnAsItsGroupsSay()
    {
        QFETCH(const QByteArray, rule);
        QFETCH(const QByteArray, target);
        const ConfigDir dir;
        dir.write("a.yaml",
                  instance("a",
                           "{address: 'http://127.0.0.1:8081/a', services: {s: {address: "
                           "'https://api.openai.com', routes: [{rules: [{path: '"
                               + rule + "'}]}]}}}"));
        const auto outcome = build(dir);
        QVERIFY2(outcome.snapshot, qPrintable(dir.printed(outcome.diagnostics)));
        const QByteArray head = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
        http::RequestHead request;
        const std::string_view bytes(head.constData(), static_cast<std::size_t>(head.size()));
        QByteArray found = "none";
        if (http::parseRequestHead(bytes, 4096, request)) {
            if (const RouteEntry *route = outcome.snapshot->findRoute("flex-8081", request))
                found = QByteArray::fromStdString(route->providerPath(request).value());
        }
        QTEST(found, "path");
    }

    void hosts_ofTheDocuments_areAnsweredTo()
    {
        const ConfigDir dir;
        QByteArray text = served("a", "8081");
        text.replace("gatehouse/public: \"true\"",
                     "gatehouse/public: \"true\", gatehouse/hosts: 'LLM.example.org'");
        dir.write("a.yaml", text);
        const auto hosts = build(dir).snapshot->hosts;
        QVERIFY(std::ranges::find(hosts, "llm.example.org") != hosts.end());
        QVERIFY(std::ranges::find(hosts, "localhost") != hosts.end());
    }
};

QTEST_GUILESS_MAIN(TestFlexLoad)
#include "tst_flexload.moc"
