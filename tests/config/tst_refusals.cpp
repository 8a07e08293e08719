// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/config/refusals.h"

#include <QTest>

using namespace gatehouse;
using test::basics;
using test::compare;
using test::row;

namespace {

const QByteArray hashA = "'hmac-sha256:" + QByteArray(64, 'a') + "'";

} // namespace

/// Everything that the configuration refuses, each with its exact place.
class TestRefusals : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void envelope_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("expected");
        row("a list",
            "- a\n",
            "a.yaml:1:1: a document must be a map with apiVersion, kind, metadata and spec");
        row("no apiVersion", "kind: Route\n", "a.yaml:1:1: apiVersion is missing");
        row("nothing in it",
            "{}\n",
            "a.yaml:1:1: apiVersion is missing\na.yaml:1:1: kind is missing");
        row("another apiVersion",
            "apiVersion: gatehouse/v2\nkind: Route\n",
            "a.yaml:1:13: unknown apiVersion \"gatehouse/v2\"; this version reads "
            "\"gatehouse/v1\"");
        row("MuleSoft",
            "apiVersion: gateway.mulesoft.com/v1alpha1\nkind: ApiInstance\n",
            "a.yaml:1:1: metadata is missing\na.yaml:1:1: spec is missing");
        row("kind of later",
            "apiVersion: gatehouse/v1\nkind: Alert\n",
            "a.yaml:2:7: kind Alert is not supported by this version yet; take this document out "
            "of the "
            "directory");
        row("unknown kind",
            "apiVersion: gatehouse/v1\nkind: Provder\n",
            "a.yaml:2:7: unknown kind \"Provder\"; did you mean \"Provider\"?");
        row("unknown field",
            "apiVersion: gatehouse/v1\nkind: Provider\nmetadata: {name: groq}\nspecs: {}\nspec: "
            "{}\n",
            "a.yaml:4:1: unknown field \"specs\"; did you mean \"spec\"?");
        row("no metadata",
            "{apiVersion: gatehouse/v1, kind: Client, spec: {}}",
            "a.yaml:1:1: metadata is missing");
        row("no spec",
            "{apiVersion: gatehouse/v1, kind: Client, metadata: {name: x}}",
            "a.yaml:1:1: spec is missing");
        row("no name",
            "{apiVersion: gatehouse/v1, kind: Client, metadata: {}, spec: {}}",
            "a.yaml:1:52: name is missing");
        row("upper case in a name",
            document("Client", "Tool", "{}"),
            "a.yaml:2:59: name must be 1 to 63 of a-z, 0-9 and . _ -, beginning with a letter or "
            "digit");
        row("name of 64",
            document("Client", QByteArray(64, 'x'), "{}"),
            "a.yaml:2:59: name must be 1 to 63 of a-z, 0-9 and . _ -, beginning with a letter or "
            "digit");
        row("name of 63", document("Client", QByteArray(63, 'x'), "{}"), "");
        row("name used twice",
            document("Provider", "ollama", "{}"),
            "b.yaml:2:61: another Provider has the name \"ollama\" at a.yaml:2");
        row("name of another kind", document("Client", "ollama", "{}"), "");
        row("two gateways",
            document("Gateway", "one", "{}") + document("Gateway", "two", "{}"),
            "a.yaml:5:60: there may be only one Gateway; the first is at a.yaml:2");
        row("every mistake at once",
            "apiVersion: gatehouse/v1\nkind: Gateway\nmetadata: {name: x}\nspec:\n  workers: -1\n"
            "  hosts: a\n  limts: {}\n  workers: 2\n",
            "a.yaml:5:12: workers must be at least 0\n"
            "a.yaml:6:10: hosts must be a list, not a single value\n"
            "a.yaml:7:3: unknown field \"limts\"; did you mean \"limits\"?\n"
            "a.yaml:8:3: duplicate field \"workers\"");
    }
    void envelope_wrong_isRefused()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, expected);
        compare(text, expected);
    }

    void gateway_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("spec");
        QTest::addColumn<QString>("expected");
        row("no listeners", "{listeners: []}", "19: listeners must be at least 1 entries long");
        row("no address", "{listeners: [{name: default}]}", "20: address is missing");
        row("address without a port",
            "{listeners: [{name: default, address: 127.0.0.1}]}",
            "45: address must be an address and a port, such as 127.0.0.1:4283 or [::1]:4283");
        row("a name for an address",
            "{listeners: [{name: default, address: 'example.org:1'}]}",
            "45: address must begin with an IP address or localhost, not with another name");
        row("port beyond 65535",
            "{listeners: [{name: default, address: '127.0.0.1:65536'}]}",
            "45: address must end with a port from 0 to 65535");
        row("wildcard",
            "{listeners: [{name: default, address: '0.0.0.0:1'}]}",
            "45: other machines would reach 0.0.0.0:1 without TLS; add tls, use a loopback address "
            "or set "
            "insecure: true");
        row("IPv6 wildcard",
            "{listeners: [{name: default, address: '[::]:1'}]}",
            "45: other machines would reach [::]:1 without TLS; add tls, use a loopback address or "
            "set "
            "insecure: true");
        row("another loopback", "{listeners: [{name: default, address: '127.9.9.9:1'}]}", "");
        row("wildcard that is wanted",
            "{listeners: [{name: default, address: '0.0.0.0:1', insecure: true}]}",
            "45: warning: other machines reach 0.0.0.0:1 without TLS: keys, prompts and answers "
            "can be "
            "read on the way");
        row("name twice",
            "{listeners: [{name: default, address: 'localhost:0'}, {name: default, address: "
            "'localhost:0'}]}",
            "68: the listener name \"default\" is already used at a.yaml:3");
        row("address twice",
            "{listeners: [{name: default, address: 'localhost:1'}, {name: b, address: "
            "'127.0.0.1:1'}]}",
            "80: the address 127.0.0.1:1 is already used at a.yaml:3");
        row("address of the administration",
            "{admin: '127.0.0.1:4283'}",
            "15: the address 127.0.0.1:4283 is already used at a.yaml:3");
        row("administration for all",
            "{admin: '0.0.0.0:1'}",
            "15: admin must be a loopback address: health and metrics have neither TLS nor keys");
        row("administration empty", "{admin: ''}", "15: admin must not be empty");
        row("no certificate file",
            "{listeners: [{name: default, address: '0.0.0.0:1', tls: {certificate: none.pem, key: "
            "k}}]}",
            "77: CONFIG/none.pem does not exist");
        row("PEM with a misspelt first line",
            "{listeners: [{name: default, address: '0.0.0.0:1', tls: {certificate: "
            "\"-BEGIN CERTIFICATE-\\nsecret\", key: k}}]}",
            "77: this text holds no PEM certificate that can be read");
        row("TLS without a key",
            "{listeners: [{name: default, address: '0.0.0.0:1', tls: {certificate: none.pem}}]}",
            "63: key is missing\na.yaml:3:77: CONFIG/none.pem does not exist");
        row("too many workers", "{workers: 257}", "17: workers must be at most 256");
        row("workers in quotes", "{workers: '2'}", "17: workers must be a whole number, not \"2\"");
        row("workers as a fraction",
            "{workers: 2.5}",
            "17: workers must be a whole number, not \"2.5\"");
        row("no value", "{workers: }", "8: workers has no value; write one or leave the line out");
        row("host with a port",
            "{hosts: ['localhost:80']}",
            "16: hosts must be a host name or IP address without port (IPv6 in brackets)");
        row("origin without a scheme",
            "{origins: [app.example.org]}",
            "18: origins must be an origin as browsers send it, such as https://app.example.org");
        row("origin with a path",
            "{origins: ['https://app.example.org/']}",
            "18: origins must be an origin as browsers send it, such as https://app.example.org");
        row("unknown time zone",
            "{timezone: Mars/Olympus}",
            "18: timezone must be local, UTC or a name such as Europe/Paris that this system "
            "knows");
        row("duration without a unit",
            "{limits: {headTimeout: 30}}",
            "30: headTimeout must be a duration such as 250ms, 30s, 5m, 12h or 90d, not \"30\"");
        row("timeout too short",
            "{limits: {headTimeout: 9ms}}",
            "30: headTimeout must be at least 10ms");
        row("timeout too long",
            "{limits: {headTimeout: 25h}}",
            "30: headTimeout must be at most 1d");
        row("head too small", "{limits: {head: 1023}}", "23: head must be at least 1KiB");
        row("head too large", "{limits: {head: 1048577}}", "23: head must be at most 1MiB");
        row("unknown content",
            "{audit: {content: all}}",
            "25: content must be one of none, redacted, full, not \"all\"");
        row("a switch that is no switch",
            "{listeners: [{name: default, address: 'localhost:0', insecure: yes}]}",
            "70: insecure must be true or false, not \"yes\"");
    }
    void gateway_wrong_isRefused()
    {
        QFETCH(QByteArray, spec);
        QFETCH(QString, expected);
        if (!expected.isEmpty())
            expected.prepend(QStringLiteral("a.yaml:3:"));
        const ConfigDir dir;
        dir.write("b.yaml", basics());
        dir.write("a.yaml", document("Gateway", "main", spec));
        Vault vault(nullptr);
        const Diagnostics diagnostics = checkDraft(loadDraft(dir.config()), vault);
        expected.replace(QStringLiteral("CONFIG/"), QString());
        QCOMPARE(dir.printed(diagnostics), expected);
    }

    void provider_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("spec");
        QTest::addColumn<QString>("expected");
        row("nothing known of it",
            "{}",
            "7: dialect is missing; name one, or a preset that has one\n"
            "a.yaml:3:7: baseUrl is missing; name one, or a preset that has one");
        row("preset without an address",
            "{preset: azure-openai}",
            "7: baseUrl is missing; name one, or a preset that has one");
        row("credential over plain HTTP",
            "{dialect: openai, baseUrl: 'http://example.org', credential: 'file:none'}",
            "34: a credential would go over plain http:// to another machine; use https:// or set "
            "insecure: true");
        row("plain HTTP without a credential",
            "{dialect: openai, baseUrl: 'http://example.org'}",
            "");
        row("plain HTTP to oneself", "{dialect: openai, baseUrl: 'http://127.0.0.1:1'}", "");
        row("insecure",
            "{dialect: openai, baseUrl: 'http://example.org', insecure: true}",
            "66: warning: provider \"mine\" is insecure: whoever is on the way can read and change "
            "everything");
        row("password in the address",
            "{dialect: openai, baseUrl: 'https://u:sk-1@example.org'}",
            "34: baseUrl must not have a user name or password; use credential");
        row("the key itself",
            "{dialect: openai, baseUrl: 'https://h', credential: sk-1}",
            "59: credential must be keychain:NAME, env:NAME, file:PATH or none; the secret itself "
            "never "
            "stands in the configuration");
        row("unknown credential header",
            "{dialect: openai, baseUrl: 'https://h', credentialHeader: cookie}",
            "65: credentialHeader must be one of bearer, x-api-key, api-key, x-goog-api-key, not "
            "\"cookie\"");
        row("no CA file",
            "{dialect: openai, baseUrl: 'https://h', ca: ca.pem}",
            "51: ca.pem does not exist");
        row("health check of nothing",
            "{dialect: openai, baseUrl: 'https://h', healthCheck: {}}",
            "60: path is missing");
        row("health check of a URL",
            "{dialect: openai, baseUrl: 'https://h', healthCheck: {path: 'https://h/x'}}",
            "67: path must begin with a slash");
        row("health check with a fragment",
            "{dialect: openai, baseUrl: 'https://h', healthCheck: {path: '/x?a#b'}}",
            "67: path must have only characters that a URL's query may have");
        row("health check all the time",
            "{dialect: openai, baseUrl: 'https://h', healthCheck: {path: /x, interval: 10ms}}",
            "81: interval must be at least 1s");
        row("ejection after nothing",
            "{dialect: openai, baseUrl: 'https://h', outlierEjection: {}}",
            "64: failures is missing");
        row("ejection after no failure",
            "{dialect: openai, baseUrl: 'https://h', outlierEjection: {failures: 0}}",
            "75: failures must be at least 1");
        row("field that is not there",
            "{dialect: openai, baseURL: 'https://h'}",
            "7: baseUrl is missing; name one, or a preset that has one\n"
            "a.yaml:3:25: unknown field \"baseURL\"; did you mean \"baseUrl\"?");
    }
    void provider_wrong_isRefused()
    {
        QFETCH(QByteArray, spec);
        QFETCH(QString, expected);
        if (!expected.isEmpty())
            expected.prepend(QStringLiteral("a.yaml:3:"));
        compare(document("Provider", "mine", spec), expected);
    }

    void client_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("spec");
        QTest::addColumn<QString>("expected");
        row("unknown route", "{routes: [r, q]}", "20: there is no route \"q\"");
        row("key without a hash", "{keys: [{id: k1}]}", "15: hash is missing");
        row("hash that is a key",
            "{keys: [{id: k1, hash: ghk_x}]}",
            "30: hash must be hmac-sha256: and 64 lower-case hexadecimal digits; make keys with "
            "gatehouse "
            "client add");
        row("hash twice",
            "{keys: [{id: k1, hash: " + hashA + "}, {id: k2, hash: " + hashA + "}]}",
            "126: this key hash is already used at a.yaml:3; each key has one client");
        row("id twice",
            "{keys: [{id: k1, hash: " + hashA
                + "}, {id: k1, hash: 'hmac-sha256:" + QByteArray(64, 'b') + "'}]}",
            "116: the key id \"k1\" is already used at a.yaml:3");
        row("expiry without an offset",
            "{keys: [{id: k1, hash: " + hashA + ", expires: 2026-11-23T09:00:00}]}",
            "119: expires must be a time such as 2026-11-23T09:00:00Z or a date");
        row("line break in a text",
            "{models: [\"a\\nb\"]}",
            "17: models must not contain control characters or line breaks");
    }
    void client_wrong_isRefused()
    {
        QFETCH(QByteArray, spec);
        QFETCH(QString, expected);
        compare(document("Client", "tool", spec), QStringLiteral("a.yaml:3:") + expected);
    }
};

QTEST_APPLESS_MAIN(TestRefusals)
#include "tst_refusals.moc"
