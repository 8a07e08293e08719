// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/config/flexdocuments.h"

#include <QTest>

using namespace gatehouse;

class TestFlexRefusals : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { qunsetenv("FLEX_TEST_ABSENT"); }

    void documents_thatCannotBeServed_areErrors_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("error");
        const auto row = [](const char *name, const QByteArray &text, const char *error) {
            QTest::newRow(name) << text << QString::fromUtf8(error);
        };
        const QByteArray good
            = instance("a", QByteArray("{address: 'http://127.0.0.1:1', ") + openai + "}");
        const auto bound
            = [&good](const QByteArray &spec) -> QByteArray { return good + binding("b", spec); };
        row("version",
            "{apiVersion: gateway.mulesoft.com/v2, kind: Service}",
            "1:14: unknown apiVersion \"gateway.mulesoft.com/v2\"; did you mean");
        row("no kind", "{apiVersion: gateway.mulesoft.com/v1alpha1}", "1:1: kind is missing");
        row("no name",
            "{apiVersion: gateway.mulesoft.com/v1alpha1, kind: Service, metadata: {}, spec: {}}",
            "1:70: name is missing");
        row("no spec",
            "{apiVersion: gateway.mulesoft.com/v1alpha1, kind: Service, metadata: {name: a}}",
            "1:1: spec is missing");
        row("no address", instance("a", "{services: {}}"), "3:8: address is missing");
        row("address without scheme",
            instance("a", "{address: 'localhost:1'}"),
            "3:18: address must begin with https:// or http://");
        row("address of a name",
            instance("a", "{address: 'http://api.example.org:1'}"),
            "3:18: address must have an IP address or localhost as its host");
        row("services that are a list",
            instance("a", "{address: 'http://127.0.0.1:1', services: []}"),
            "3:50: services must be a map");
        row("service address",
            instance("a", "{address: 'http://127.0.0.1:1', services: {s: {address: 'ftp://x'}}}"),
            "3:64: address must begin with");
        row("destination path",
            instance("a",
                     "{address: 'http://127.0.0.1:1', services: {s: {address: 'http://x', routes: "
                     "[{config: {destinationPath: /a/../b}}]}}}"),
            "3:85: destinationPath must not have . or .. as a segment");
        row("rules that are none",
            instance("a",
                     "{address: 'http://127.0.0.1:1', services: {s: {address: 'http://x', routes: "
                     "[{rules: x}]}}}"),
            "3:85: a route without its rules would answer what it must not");
        row("the same name twice", good + good, "5:81: another ApiInstance has the name \"a\"");
        row("the same base path twice",
            good + instance("b", "{address: 'http://127.0.0.1:1'}"),
            "6:18: the base paths of \"a\" and \"b\" on port 1 are the same");
        row("https without a certificate",
            instance("a", "{address: 'https://127.0.0.1:1'}"),
            "3:18: https needs the policy tls");
        row("hosts",
            "{apiVersion: gateway.mulesoft.com/v1alpha1, kind: ApiInstance, metadata: {name: a, "
            "labels: {gatehouse/hosts: 'a b'}}, spec: {address: 'http://127.0.0.1:1'}}",
            "1:81: label gatehouse/hosts: \"a b\" is no host name");
        row("no target", bound("{policyRef: {name: x}}"), "6:8: targetRef is missing");
        row("no policy", bound("{targetRef: {name: a}}"), "6:8: policyRef is missing");
        row("target that is not there",
            bound("{targetRef: {name: z}, policyRef: {name: x}}"),
            "6:27: there is no ApiInstance \"z\"");
        row("target of another namespace",
            bound("{targetRef: {name: a, namespace: x}, policyRef: {name: x}}"),
            "6:27: there is no ApiInstance \"x/a\"");
        row("service that is not there",
            bound("{targetRef: {kind: Service, name: z}, policyRef: {name: x}}"),
            "6:42: there is no Service \"z\"");
        row("kind of target",
            bound("{targetRef: {kind: Route, name: a}, policyRef: {name: x}}"),
            "6:27: kind must be ApiInstance, Service or Selector, not \"Route\"");
        row("kind of selector",
            bound("{targetRef: {kind: Selector, selector: {kind: Service}}, policyRef: {name: x}}"),
            "6:54: only ApiInstances are selected here");
        row("order",
            bound("{targetRef: {name: a}, policyRef: {name: x}, order: first}"),
            "6:60: order must be a whole number");
        row("config twice",
            bound("{targetRef: {name: a}, policyRef: {name: x, config: {}}, config: {}}"),
            "6:60: config stands within policyRef and beside it");
        row("route to nowhere",
            bound(
                "{targetRef: {name: a}, policyRef: {name: route}, config: {destinationRef: {name: "
                "z}}}"),
            "6:49: this route leads nowhere");
        row("route without a destination",
            bound("{targetRef: {name: a}, policyRef: {name: route}}"),
            "6:49: this route leads nowhere");
        row("weights without routes",
            bound("{targetRef: {name: a}, policyRef: {name: route-weighted}}"),
            "6:49: this route-weighted leads nowhere");
        row("tls without a certificate",
            bound("{targetRef: {name: a}, policyRef: {name: tls}}"),
            "6:49: port 1 cannot be opened without its policy tls");
        row("tls with a key that is not there",
            bound(
                "{targetRef: {name: a}, policyRef: {name: tls}, config: {certificate: {crt: x}}}"),
            "6:49: port 1 cannot be opened");
        row("tls for clients without an authority",
            bound("{targetRef: {name: a}, policyRef: {name: tls}, config: {certificate: {crt: x, "
                  "key: "
                  "y}, requireClientCertificate: true}}"),
            "6:49: port 1 cannot be opened");
        row("tls of 1.3 alone",
            bound("{targetRef: {name: a}, policyRef: {name: tls}, config: {certificate: {crt: x, "
                  "key: "
                  "y}, minversion: '1.3'}}"),
            "6:49: port 1 cannot be opened");
        row("tls from an environment that lacks it",
            bound("{targetRef: {name: a}, policyRef: {name: tls}, config: {certificate: {crt: "
                  "$FLEX_TEST_ABSENT, key: y}}}"),
            "6:49: port 1 cannot be opened");
        row("two certificates on a port",
            bound("{targetRef: {name: a}, policyRef: {name: tls}, config: {certificate: {crt: x, "
                  "key: "
                  "y}}}")
                + binding("c",
                          "{targetRef: {name: a}, policyRef: {name: tls}, config: {certificate: "
                          "{crt: z, key: y}}}"),
            "9:49: TLS belongs to the port, and port 1 has another TLS policy at f:6");
        const QByteArray outbound
            = "{targetRef: {kind: Service, name: a-s}, policyRef: {name: tls-outbound}, config: ";
        row("two TLS policies of a service",
            bound(outbound + "{trustedCA: x}}")
                + binding("c", outbound + "{skipValidation: true}}"),
            "9:66: Service \"a-s\" has another TLS policy at f:6");
    }

    void names_ofTwoServices_areErrors_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("error");
        const auto api = [](const QByteArray &name, const QByteArray &service) {
            return instance(name,
                            "{address: 'http://127.0.0.1:1/" + name + "', services: {" + service
                                + ": {address: 'https://" + name + "'}}}");
        };
        QTest::newRow("two documents")
            << service("s", "'https://x'") + service("s", "'https://y'")
            << QStringLiteral("5:77: another Service has the name \"s\"");
        QTest::newRow("a document, then one within")
            << service("a-s", "'https://x'") + api("a", "s")
            << QStringLiteral("6:53: another Service has the name \"a-s\"");
        QTest::newRow("one within, then a document")
            << api("a", "s") + service("a-s", "'https://x'")
            << QStringLiteral("5:77: another Service has the name \"a-s\"");
        QTest::newRow("both within, cut elsewhere")
            << api("a", "b-c") + api("a-b", "c")
            << QStringLiteral("6:55: another Service has the name \"a-b-c\"");
    }
    void names_ofTwoServices_areErrors() { compare(); }

    /// A port has one address: what asks for less of it would be served to more.
    void addresses_widenedByANeighbour_areErrors_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("error");
        const auto api = [](const QByteArray &name, const QByteArray &address) {
            return instance(name, "{address: '" + address + "/" + name + "'}");
        };
        const auto insecure = [](QByteArray text) {
            return text.replace("labels: {", "labels: {gatehouse/insecure: \"true\", ");
        };
        const QByteArray tls = binding("t",
                                       "{targetRef: {name: wide}, policyRef: {name: tls}, config: "
                                       "{certificate: {crt: x, key: y}}}");
        const QByteArray wide = api("wide", "https://0.0.0.0:1");
        const QString said = QStringLiteral(
            "3:18: would be reached beyond %1: another ApiInstance opens port 1 on "
            "0.0.0.0; give this one a port of its own, or 0.0.0.0 as its address too");
        const QString local = said.arg(QStringLiteral("127.0.0.1:1"));
        QTest::newRow("by TLS") << api("admin", "http://127.0.0.1:1") + wide + tls << local;
        QTest::newRow("by TLS that comes first")
            << wide + api("admin", "http://127.0.0.1:1") + tls
            << QString(local).replace(0, 1, QStringLiteral("6"));
        QTest::newRow("by its name") << api("admin", "http://localhost:1") + wide + tls
                                     << said.arg(QStringLiteral("localhost:1"));
        QTest::newRow("by TLS that both have")
            << api("admin", "https://127.0.0.1:1") + wide
                   + QByteArray(tls).replace("{name: wide}", "{kind: Selector}")
            << local;
        QTest::newRow("without TLS")
            << insecure(api("admin", "http://127.0.0.1:1") + api("wide", "http://0.0.0.0:1"))
            << local;
        QTest::newRow("from one network to all") << api("admin", "http://192.0.2.1:1") + wide + tls
                                                 << said.arg(QStringLiteral("192.0.2.1:1"));
    }
    void addresses_widenedByANeighbour_areErrors() { compare(); }

    void rules_ofARoute_areErrorsWhereUnknown_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("error");
        const auto row = [](const char *name, const QByteArray &rule) {
            QTest::newRow(name)
                << instance("a",
                            "{address: 'http://127.0.0.1:1', services: {s: {address: 'http://x', "
                            "routes: [{rules: ["
                                + rule + "]}]}}}")
                << QStringLiteral("3:85: a route without its rules would answer what it must not");
        };
        row("unknown field", "{path: /x, query: a}");
        row("misspelt field", "{pth: /x}");
        row("a field in two cases", "{path: /x, Path: /y}");
    }
    void rules_ofARoute_areErrorsWhereUnknown() { compare(); }

    void documents_thatCannotBeServed_areErrors() { compare(); }

private:
    static void compare()
    {
        QFETCH(const QByteArray, text);
        QFETCH(const QString, error);
        Diagnostics diagnostics;
        const auto documents = documentsOf(text, "f", diagnostics);
        (void)translateFlex(documents, types(), diagnostics);
        QStringList errors;
        for (const Diagnostic &diagnostic : diagnostics) {
            if (diagnostic.severity == Diagnostic::Severity::Error)
                errors.append(QString::fromStdString(diagnostic.text()));
        }
        QCOMPARE(errors.size(), 1);
        QVERIFY2(errors.front().startsWith(QStringLiteral("f:") + error),
                 qPrintable(errors.front()));
    }
};

QTEST_GUILESS_MAIN(TestFlexRefusals)
#include "tst_flexrefusals.moc"
