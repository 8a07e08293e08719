// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "tests/config/flexdocuments.h"

#include <QDir>
#include <QFile>
#include <QRandomGenerator>
#include <QTest>

using namespace gatehouse;

namespace {

QByteArray readFixture(const QString &name)
{
    QFile file(QStringLiteral(FLEX_EXAMPLES "/") + name);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("a fixture cannot be read");
    return file.readAll();
}

} // namespace

class TestFlex : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("FLEX_TEST_NAME", "reader");
        qputenv("FLEX_TEST_PASSWORD", "from-the-environment");
        qputenv("FLEX_TEST_NUMBER", "12");
        qunsetenv("FLEX_TEST_ABSENT");
    }

    void documents_ofAnExample_areTranslatedAsKept_data()
    {
        QTest::addColumn<QString>("name");
        const QDir directory(QStringLiteral(FLEX_EXAMPLES));
        const auto names = directory.entryList({QStringLiteral("*.yaml")}, QDir::Files, QDir::Name);
        QVERIFY(names.size() >= 9);
        for (const QString &name : names)
            QTest::newRow(qPrintable(name)) << name;
    }

    void documents_ofAnExample_areTranslatedAsKept()
    {
        QFETCH(const QString, name);
        const QString found = translated(readFixture(name), name.toStdString());
        QString expectedName = name;
        expectedName.chop(5);
        const QString expected
            = QString::fromUtf8(readFixture(expectedName + QStringLiteral(".native")));
        if (found != expected) // whole, so that it can be looked at and kept
            fputs(qPrintable(found), stderr);
        QVERIFY(found == expected);
    }

    void ports_ofEveryAddress_areSharedAsTheyOverlap()
    {
        const QByteArray anywhere
            = instance("a", QByteArray("{address: 'http://0.0.0.0:1/a', ") + openai + "}");
        const QByteArray local
            = instance("b", QByteArray("{address: 'http://localhost:1/b', ") + openai + "}");
        const QString together = translated(local + anywhere, "f");
        QCOMPARE(together.count(QStringLiteral("kind: Listener")), 1);
        QVERIFY(together.contains(QStringLiteral("address: \"127.0.0.1:1\"")));
        QCOMPARE(together.count(QStringLiteral("listener: flex-1")), 2);
        const QString apart = translated(local + instance("c", "{address: 'http://[::1]:1'}"), "f");
        QCOMPARE(apart.count(QStringLiteral("kind: Listener")), 2);
        QVERIFY(apart.contains(QStringLiteral("address: \"[::1]:1\"")));
    }

    void names_thatNativeDocumentsDoNotAllow_areChangedAndStayUnique()
    {
        const QByteArray spec = QByteArray("{address: 'http://127.0.0.1:1/a', ") + openai + "}";
        const QByteArray other = QByteArray("{address: 'http://127.0.0.1:1/b', ") + openai + "}";
        const QString found = translated(
            instance("'A b'", spec) + instance("a_B", other).replace("a_B", "'A:b'"), "f");
        QVERIFY(found.contains(QStringLiteral("name: a-b\n")));
        QVERIFY(found.contains(QStringLiteral("name: a-b-2\n")));
        const QByteArray longName(80, 'n');
        const QString cut = translated(instance(longName, spec), "f");
        QVERIFY(cut.contains(QStringLiteral("name: ") + QString(63, QLatin1Char('n'))
                             + QStringLiteral("\n")));
    }

    void methods_ofAnyExpression_becomeAList_data()
    {
        QTest::addColumn<QByteArray>("written");
        QTest::addColumn<QString>("native");
        const auto row = [](const char *written, const char *native) {
            QTest::newRow(written) << QByteArray(written) << QString::fromLatin1(native);
        };
        row("GET", "methods: GET\n");
        row("'GET|PUT'", "methods: \"GET|PUT\"\n");
        row("[GET, PUT]", "methods: \"GET|PUT\"\n");
        row("(GET|PUT)", "methods: \"GET|PUT\"\n");
        row("'P.*'", "methods: \"POST|PUT|PATCH\"\n");
        row("'.*'", "rules:\n    - path: /x\n");
        row("", "rules:\n    - path: /x\n");
        row("'[^G].*'", "methods: \"POST|PUT|PATCH|DELETE|OPTIONS|HEAD|TRACE|CONNECT\"\n");
        row("get.*", "# unloaded: methods match none of the methods that there are\n");
    }

    void methods_ofAnyExpression_becomeAList()
    {
        QFETCH(const QByteArray, written);
        QFETCH(const QString, native);
        const QByteArray spec = QByteArray("{address: 'http://127.0.0.1:1', ") + openai
                                + ", policies: [{policyRef: {name: cors-flex}, rules: [{path: /x, "
                                  "methods: "
                                + written + "}]}]}";
        const QString found = translated(instance("a", spec), "f");
        QVERIFY2(found.contains(native), qPrintable(found));
    }

    void secrets_neverStandInWhatIsSaid()
    {
        const QByteArray spec
            = QByteArray("{address: 'http://127.0.0.1:1', ") + openai
              + ", policies: [{policyRef: {name: http-basic-authentication-flex}, "
                "config: {username: [x], password: s3cr3t, passwort: s3cr3t}}]}";
        const QString found = translated(instance("a", spec), "f");
        QVERIFY(found.contains(QStringLiteral("username: must be a text")));
        QVERIFY2(!found.contains(QStringLiteral("s3cr3t")), qPrintable(found));
    }

    void emptyDocuments_ofEachKind_neverCrash()
    {
        for (const char *kind : {"ApiInstance", "Service", "PolicyBinding", "Configuration", "X"}) {
            for (const char *rest : {"",
                                     ", spec: ",
                                     ", spec: []",
                                     ", metadata: x, spec: {}",
                                     ", metadata: {name: {}}, spec: {}",
                                     ", metadata: {name: a, labels: [x]}, spec: {address: {}, "
                                     "services: {s: x}, policies: [x, {policyRef: x}]}",
                                     ", metadata: {name: a}, spec: {targetRef: x, policyRef: {}}"})
                (void)translated(QByteArray("{apiVersion: gateway.mulesoft.com/v1alpha1, kind: ")
                                     + kind + rest + "}",
                                 "f");
        }
    }

    void examples_withBytesChanged_neverCrash_andSayNoControls()
    {
        QRandomGenerator random(11);
        const QByteArray alphabet = "\n\"'[]{}: -#$x\t\x7f";
        const QDir directory(QStringLiteral(FLEX_EXAMPLES));
        for (const QString &name : directory.entryList({QStringLiteral("*.yaml")})) {
            const QByteArray whole = readFixture(name);
            for (int round = 0; round < 200; ++round) {
                QByteArray text = whole;
                for (quint32 left = 1 + random.bounded(4U); left > 0; --left) {
                    const auto at = static_cast<qsizetype>(random.bounded(quint32(text.size())));
                    if (random.bounded(2U) == 0)
                        text.remove(at, static_cast<qsizetype>(random.bounded(12U)));
                    else
                        text[at] = alphabet[static_cast<qsizetype>(
                            random.bounded(quint32(alphabet.size())))];
                }
                Diagnostics diagnostics;
                const auto documents = documentsOf(text, "f", diagnostics);
                (void)translateFlex(documents, types(), diagnostics);
                for (const Diagnostic &diagnostic : diagnostics)
                    QVERIFY(std::ranges::none_of(diagnostic.text(), isControl));
            }
        }
    }

    void rule_fieldInAnotherCase_isReadAsMeant()
    {
        const QByteArray spec
            = "{address: 'http://127.0.0.1:1', services: {s: {address: 'https://api.openai.com', "
              "routes: [{rules: [{Path: /x, METHODS: GET}]}]}}}";
        const QString found = translated(instance("a", spec), "f");
        QVERIFY2(found.startsWith(QStringLiteral("f:3:109: warning: \"Path\" is read as path\n"
                                                 "f:3:119: warning: \"METHODS\" is read as "
                                                 "methods\n--- ")),
                 qPrintable(found));
        QVERIFY2(found.contains(QStringLiteral("  rules:\n    - path: /x\n      methods: GET\n")),
                 qPrintable(found));
    }

    void field_inTwoCases_isReadOnceAndReported()
    {
        const QString found = translated(
            instance("a",
                     "{Services: {}, SERVICES: {}, Address: x, address: 'http://127.0.0.1:1'}"),
            "f");
        QVERIFY2(
            found.startsWith(QStringLiteral(
                "f:3:9: warning: \"Services\" is read as services\n"
                "f:3:23: warning: unknown field \"SERVICES\"; did you mean \"services\"?; it is "
                "kept and has no effect\n"
                "f:3:37: warning: unknown field \"Address\"; did you mean \"address\"?; it is "
                "kept and has no effect\n"
                "f:2:81: warning: ApiInstance \"a\" has neither services")),
            qPrintable(found));
    }

    /// "space/name" is how the documents of other namespaces are called, and may be a name itself.
    void services_thatAreCalledAlike_haveTheirOwnProviders()
    {
        QByteArray other = service("s", "'https://b.example'");
        other.replace("name: s", "name: s, namespace: x");
        const QByteArray route = "policyRef: {name: route}, config: {destinationRef: {name: ";
        const QString found = translated(
            service("x/s", "'https://a.example'") + other
                + instance("a", "{address: 'http://127.0.0.1:1/a'}")
                + instance("b", "{address: 'http://127.0.0.1:1/b'}")
                + binding("p", "{targetRef: {name: a}, " + route + "x/s}}}")
                + binding("q", "{targetRef: {name: b}, " + route + "s, namespace: x}}}"),
            "f");
        for (const char *line : {"baseUrl: \"https://a.example\"",
                                 "baseUrl: \"https://b.example\"",
                                 "provider: x.s\n",
                                 "provider: x.s-2\n"})
            QVERIFY2(found.contains(QLatin1String(line)), qPrintable(found));
    }

    void service_isSharedByApiInstances_withOneProvider()
    {
        const QByteArray route = "policyRef: {name: route}, config: {destinationRef: {name: s}}}";
        const QString found
            = translated(service("s", "'https://api.openai.com'")
                             + instance("a", "{address: 'http://127.0.0.1:1/a'}")
                             + instance("b", "{address: 'http://127.0.0.1:1/b'}")
                             + binding("x", "{targetRef: {kind: Selector}, " + route),
                         "f");
        QCOMPARE(found.count(QStringLiteral("kind: Provider")), 1);
        QCOMPARE(found.count(QStringLiteral("provider: s\n")), 2);
    }
};

QTEST_GUILESS_MAIN(TestFlex)
#include "tst_flex.moc"
