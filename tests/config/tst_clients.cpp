// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/clients.h"
#include "tests/config/commandline.h"

#include <QTest>

using namespace gatehouse;

namespace {

QByteArray hashOf(char fill)
{
    return "'hmac-sha256:" + QByteArray(64, fill) + "'";
}

QByteArray key(const char *id, char fill, const QByteArray &more = {})
{
    return QByteArray("{id: ") + id + ", hash: " + hashOf(fill) + more + "}";
}

/// Clients and their keys that are valid, as "one k1 k2, two": what a gateway goes by.
QString told(const ClientResources &clients)
{
    QStringList all;
    for (const auto &client : clients) {
        QStringList words{QString::fromStdString(client.name)};
        for (const KeySpec &spec : client.spec.keys) {
            if (!spec.revoked)
                words.append(QString::fromStdString(spec.id));
        }
        all.append(words.join(QLatin1Char(' ')));
    }
    return all.join(QStringLiteral(", "));
}

} // namespace

/// Clients of a configuration in force, apart from the rest of it.
class TestClients : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takeKeys_faultElsewhere_takesWhatClientsHaveNow_data()
    {
        QTest::addColumn<QByteArray>("one"); // one.yaml after the edit; "" where it is removed
        QTest::addColumn<QString>("expected");
        const QByteArray k1 = key("k1", '1');
        const QByteArray k2 = key("k2", '2');
        const QByteArray revoked = key("k1", '1', ", revoked: true");
        const auto one = [](const QByteArray &keys, const QByteArray &more = {}) {
            return document("Client", "one", "{keys: [" + keys + "]" + more + "}");
        };
        QTest::newRow("nothing") << one(k1) << QStringLiteral("one k1, two k9");
        QTest::newRow("revoked") << one(revoked) << QStringLiteral("one, two k9");
        QTest::newRow("rotated") << one(revoked + ", " + k2) << QStringLiteral("one k2, two k9");
        QTest::newRow("a key taken out") << one({}) << QStringLiteral("one, two k9");
        QTest::newRow("removed") << QByteArray() << QStringLiteral("two k9");
        QTest::newRow("no client any more")
            << document("Provider", "ollama", "{}") << QStringLiteral("two k9");
        QTest::newRow("a new client beside it")
            << one(k1) + document("Client", "new", "{keys: [" + k2 + "]}")
            << QStringLiteral("one k1, two k9");
        QTest::newRow("another's key")
            << one(k1 + ", " + key("k3", '9')) << QStringLiteral("one k1, two k9");
        QTest::newRow("a file that does not read")
            << one(revoked) + "---\n{" << QStringLiteral("one k1, two k9");
        QTest::newRow("an error in its document")
            << one(revoked, ", tiers: gold") << QStringLiteral("one k1, two k9");
        QTest::newRow("a route that is not there")
            << one(revoked, ", routes: [gone]") << QStringLiteral("one, two k9");
    }
    void takeKeys_faultElsewhere_takesWhatClientsHaveNow()
    {
        QFETCH(QByteArray, one);
        QFETCH(QString, expected);
        const ConfigDir dir;
        dir.write("one.yaml", document("Client", "one", "{keys: [" + key("k1", '1') + "]}"));
        dir.write("two.yaml", document("Client", "two", "{keys: [" + key("k9", '9') + "]}"));
        ClientResources clients = loadDraft(dir.config()).clients;
        const QString before = told(clients);
        dir.write("bad.yaml", "{");
        if (one.isEmpty())
            QVERIFY(QFile::remove(dir.file("one.yaml")));
        else
            dir.write("one.yaml", one);
        const Draft read = loadDraft(dir.config());
        QVERIFY(hasErrors(read.diagnostics));
        QCOMPARE(takeKeys(clients, read), expected != before);
        QCOMPARE(told(clients), expected);
        QVERIFY(!takeKeys(clients, read)); // it has them already
    }

    void takeKeys_ofAClient_leavesItsScope()
    {
        const ConfigDir dir;
        dir.write("one.yaml",
                  document("Client", "one", "{tier: low, models: [a], routes: [r], keys: []}"));
        ClientResources clients = loadDraft(dir.config()).clients;
        dir.write("one.yaml",
                  document("Client", "one", "{tier: gold, keys: [" + key("k1", '1') + "]}"));
        QVERIFY(takeKeys(clients, loadDraft(dir.config())));
        const ClientSpec &spec = clients.at(0).spec;
        QCOMPARE(spec.keys.size(), std::size_t(1));
        QCOMPARE(spec.tier, std::string("low"));
        QVERIFY(spec.models == std::vector<std::string>{"a"});
        QVERIFY(spec.routes == std::vector<std::string>{"r"});
    }

    void takeKeys_movedIntoAFileWithErrors_leavesTheClient()
    {
        const ConfigDir dir;
        const QByteArray one = document("Client", "one", "{keys: [" + key("k1", '1') + "]}");
        dir.write("one.yaml", one);
        ClientResources clients = loadDraft(dir.config()).clients;
        QVERIFY(QFile::remove(dir.file("one.yaml")));
        dir.write("all.yaml", one + document("Client", "two", "{tiers: gold}"));
        QVERIFY(!takeKeys(clients, loadDraft(dir.config())));
        QCOMPARE(told(clients), QStringLiteral("one k1"));
    }

    void takeKeys_noDirectory_leavesAll()
    {
        const ConfigDir dir;
        dir.write("one.yaml", document("Client", "one", "{keys: [" + key("k1", '1') + "]}"));
        ClientResources clients = loadDraft(dir.config()).clients;
        QVERIFY(!takeKeys(clients, loadDraft(dir.config() + "/gone")));
        QCOMPARE(told(clients), QStringLiteral("one k1"));
    }

    void withClients_ofASnapshot_changesNothingElse()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Provider", "ollama", "{}")
                      + document("Route", "r", "{basePath: /x, provider: ollama}"));
        const std::string one = keyOf(client(dir, "add one"));
        const std::string two = keyOf(client(dir, "add two"));
        const auto before = snapshotOf(dir);
        ClientResources clients = loadDraft(dir.config()).clients;
        std::erase_if(clients, [](const auto &client) { return client.name == "one"; });
        QVERIFY(QDir(QString::fromStdString(dir.config())).removeRecursively()); // nothing is read
        const auto after = withClients(*before, clients);
        QVERIFY(findKey(*after, one) == nullptr && findKey(*after, two) != nullptr);
        QVERIFY(findKey(*before, one) != nullptr); // the one before is as it was
        QVERIFY(after->routes.at(0).providers == before->routes.at(0).providers);
        QCOMPARE(after->revision, before->revision);
        QCOMPARE(after->hashKey, before->hashKey);
    }
};

QTEST_GUILESS_MAIN(TestClients)
#include "tst_clients.moc"
