// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/secrets/vault.h"
#include "tests/config/configdir.h"

#include <QTest>

using namespace gatehouse;

/// Which policy has to stand behind which.
class TestPolicyOrder : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void ofAClient_beforeATokenNamesIt_isRefused_data()
    {
        QTest::addColumn<QByteArray>("token"); ///< of the token's policy, at order 20
        QTest::addColumn<QByteArray>("target");
        QTest::addColumn<QString>("place"); ///< of the error; empty: there is none
        const auto add = [](const char *name,
                            const QByteArray &token,
                            const QByteArray &target,
                            const char *place = "") {
            QTest::newRow(name) << token << target << QString::fromUtf8(place);
        };
        const QByteArray claim = "{type: oauth2-introspection, config: {url: 'https://a.example/', "
                                 "clientClaim: sub}";
        add("before", claim + "}", "{client: c}, order: 15", "3:59");
        add("of labels", claim + "}", "{labels: {a: b}}, order: 15", "3:64");
        add("behind", claim + "}", "{client: c}, order: 21");
        add("on the key's route", claim + "}", "{client: c, route: r}, order: 15");
        add("on another route", claim + ", target: {route: r}}", "{client: c}, order: 15");
        add("no claim",
            "{type: oauth2-introspection, config: {url: 'https://a.example/'}}",
            "{client: c}, order: 15");
        add("observing", claim + ", mode: observe}", "{client: c}, order: 15");
        add("for that client only", claim + ", target: {client: c}}", "{client: c}, order: 15");
    }

    void ofAClient_beforeATokenNamesIt_isRefused()
    {
        QFETCH(QByteArray, token);
        QFETCH(QByteArray, target);
        QFETCH(QString, place);
        const ConfigDir dir;
        dir.write(
            "a.yaml",
            document("Policy", "p", "{type: endpoint-access, target: " + target + "}")
                + document("Policy", "token", token) + document("Client", "c", "{}")
                + document("Provider", "ollama", "{}")
                + document("Route", "r", "{basePath: /r, provider: ollama}")
                + document("Route", "open", "{basePath: /o, provider: ollama, public: true}"));
        Vault vault(nullptr);
        StateStore states;
        const auto outcome = buildSnapshot(loadDraft(dir.config()), dir.data(), vault, states);
        const QString expected = QStringLiteral(
            "a.yaml:%1: policy \"p\" is for some clients only, so on route \"open\" it must have "
            "an order over 20, where oauth2-introspection \"token\" has found out who asks");
        QCOMPARE(dir.printed(outcome.diagnostics), place.isEmpty() ? place : expected.arg(place));
        QCOMPARE(outcome.snapshot == nullptr, !place.isEmpty());
    }
};

QTEST_APPLESS_MAIN(TestPolicyOrder)
#include "tst_policyorder.moc"
