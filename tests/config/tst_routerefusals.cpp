// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/config/refusals.h"

#include <QTest>

using namespace gatehouse;
using test::compare;
using test::row;

/// What the configuration refuses of routes, each with its exact place.
class TestRouteRefusals : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void route_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("spec");
        QTest::addColumn<QString>("expected");
        row("nothing in it",
            "{}",
            "7: basePath is missing\na.yaml:3:7: provider is missing, or "
            "providers where there are several");
        row("unknown provider",
            "{basePath: /x, provider: olama}",
            "32: there is no provider \"olama\"; did you mean \"ollama\"?");
        row("unknown listener",
            "{basePath: /x, provider: ollama, listener: defualt}",
            "50: there is no listener \"defualt\"; did you mean \"default\"?");
        row("base path of another", "{basePath: /r, provider: ollama}", "b");
        row("no slash first",
            "{basePath: x, provider: ollama}",
            "18: basePath must begin with a slash");
        row("slash at the end",
            "{basePath: /x/, provider: ollama}",
            "18: basePath must not end with a slash");
        row("dot segment",
            "{basePath: /x/../y, provider: ollama}",
            "18: basePath must not have . or .. as a segment");
        row("percent-encoding",
            "{basePath: '/x%2fy', provider: ollama}",
            "18: basePath must not have percent-encoding");
        row("query",
            "{basePath: '/x?y', provider: ollama}",
            "18: basePath must not have a query or a fragment");
        row("fragment",
            "{basePath: '/x#y', provider: ollama}",
            "18: basePath must not have a query or a fragment");
        row("empty segment",
            "{basePath: //x, provider: ollama}",
            "18: basePath must not have an empty segment (//)");
        row("backslash",
            "{basePath: '/x\\y', provider: ollama}",
            "18: basePath must have only characters that a URL's path may have");
        row("unknown usage",
            "{basePath: /x, provider: ollama, usage: guess}",
            "47: usage must be one of inject, observe, not \"guess\"");
        row("unknown fallback",
            "{basePath: /x, provider: ollama, fallbacks: [olama]}",
            "52: there is no provider \"olama\"; did you mean \"ollama\"?");
        row("fallback to itself",
            "{basePath: /x, provider: ollama, fallbacks: [ollama]}",
            "52: the provider \"ollama\" is asked before already; a retry policy asks a provider "
            "again");
        row("neither provider nor providers",
            "{basePath: /x}",
            "7: provider is missing, or providers where there are several");
        row("both provider and providers",
            "{basePath: /x, provider: ollama, providers: [{name: ollama}]}",
            "51: a route has either provider or providers, not both");
        row("unknown one of the providers",
            "{basePath: /x, providers: [{name: olama}]}",
            "41: there is no provider \"olama\"; did you mean \"ollama\"?");
        row("the same twice",
            "{basePath: /x, providers: [{name: ollama}, {name: ollama}]}",
            "57: the provider \"ollama\" is asked before already; a retry policy asks a provider "
            "again");
        row("fallback that is one of the providers",
            "{basePath: /x, providers: [{name: ollama}], fallbacks: [ollama]}",
            "63: the provider \"ollama\" is asked before already; a retry policy asks a provider "
            "again");
        row("weight below none",
            "{basePath: /x, providers: [{name: ollama, weight: -1}]}",
            "57: weight must be at least 0");
        row("empty glob",
            "{basePath: /x, providers: [{name: ollama, models: ['']}]}",
            "58: models must not be empty");
        row("unknown balance",
            "{basePath: /x, provider: ollama, balance: luck}",
            "49: balance must be one of weights, least-latency, sticky, not \"luck\"");
        row("another dialect",
            "{basePath: /x, provider: ollama, dialect: openai}",
            "49: warning: the clients speak openai and the provider speaks ollama: nothing "
            "translates "
            "between them");
    }
    void route_wrong_isRefused()
    {
        QFETCH(QByteArray, spec);
        QFETCH(QString, expected);
        if (expected == QStringLiteral("b"))
            expected
                = QStringLiteral("b.yaml:6:18: the base path /r of listener \"default\" is already "
                                 "used at a.yaml:3 by a route that takes every request, so this "
                                 "one would never be used; a route without rules comes last");
        else
            expected.prepend(QStringLiteral("a.yaml:3:"));
        compare(document("Route", "mine", spec), expected);
    }
};

QTEST_APPLESS_MAIN(TestRouteRefusals)
#include "tst_routerefusals.moc"
