// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/schema/describe.h"
#include "gateway/schema/encode.h"
#include "gateway/schema/yaml.h"
#include "gateway/secrets/vault.h"
#include "tests/config/configdir.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QRandomGenerator>
#include <QTest>

#include <unistd.h>

using namespace gatehouse;

namespace {

constexpr uid_t nobody = 65534;

} // namespace

class TestLoader : public QObject
{
    Q_OBJECT

private:
    Vault m_vault{nullptr};

    template<Record Spec>
    static void compareSchema()
    {
        const QByteArray text = QByteArray::fromStdString(jsonSchema(recordType<Spec>(), "T"));
        const QJsonObject properties
            = QJsonDocument::fromJson(text).object()[QStringLiteral("properties")].toObject();
        for (const Field &field : Spec::fields()) {
            QVERIFY(properties.contains(QString::fromStdString(std::string(field.info.key))));
            QVERIFY(!field.info.label.empty() && !field.info.help.empty());
        }
    }

private Q_SLOTS:
    void files_ofADirectory_areSortedAndOneLevelDeep()
    {
        const ConfigDir dir;
        for (const char *name : {"b.yaml",
                                 "a.yml",
                                 "clients/c.yaml",
                                 "clients/deep/d.yaml",
                                 ".hidden.yaml",
                                 ".git/e.yaml",
                                 "f.yaml~",
                                 "#g.yaml",
                                 "h.yaml.bak",
                                 "i.json",
                                 "dir.yaml/j.yaml"})
            dir.write(name, "");
        QVERIFY(
            (configFiles(dir.config())
             == std::vector<std::string>{"a.yml", "b.yaml", "clients/c.yaml", "dir.yaml/j.yaml"}));
    }

    void directory_absent_isAnError()
    {
        const Draft draft = loadDraft("/no/such/directory");
        QCOMPARE(draft.diagnostics.size(), std::size_t(1));
        QCOMPARE(
            draft.diagnostics.front().text(),
            std::string("/no/such/directory:1:1: this directory cannot be read: No such file or "
                        "directory"));
    }

    void folder_unreadable_isAnErrorAndTheOthersAreRead()
    {
        const ConfigDir dir;
        dir.write("a.yaml", document("Provider", "ollama", "{}"));
        dir.write("hidden/b.yaml", document("Policy", "p", "{type: json-threat}"));
        const QString above = QFileInfo(QString::fromStdString(dir.config())).path();
        QVERIFY(QFile(above).setPermissions(QFile::ReadOwner | QFile::ExeOwner));
        QVERIFY(QFile(dir.file("hidden")).setPermissions({}));
        const bool isRoot = ::geteuid() == 0; // who may read everything
        if (isRoot)
            QVERIFY(::chown(qPrintable(above), nobody, nobody) == 0 && ::seteuid(nobody) == 0);
        const std::vector<std::string> files = configFiles(dir.config());
        const Draft draft = loadDraft(dir.config());
        if (isRoot)
            QVERIFY(::seteuid(0) == 0 && ::chown(qPrintable(above), 0, 0) == 0);
        QVERIFY(
            QFile(above).setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
        QVERIFY(QFile(dir.file("hidden"))
                    .setPermissions(QFile::ReadOwner | QFile::ExeOwner | QFile::WriteOwner));
        QVERIFY(files == std::vector<std::string>{"a.yaml"});
        QCOMPARE(dir.printed(draft.diagnostics).section(QLatin1Char('\n'), 0, 0),
                 QStringLiteral("hidden:1:1: this directory cannot be read: Permission denied"));
    }

    void file_unreadable_isAnErrorAndTheOthersAreRead()
    {
        const ConfigDir dir;
        dir.write("b.yaml", document("Provider", "ollama", "{}"));
        QVERIFY(QFile::link(QStringLiteral("/no/such/file"), dir.file("a.yaml")));
        const Draft draft = loadDraft(dir.config());
        QCOMPARE(dir.printed(draft.diagnostics),
                 QStringLiteral("a.yaml:1:1: a.yaml does not exist"));
        QCOMPARE(draft.providers.size(), std::size_t(1));
    }

    void file_tooLarge_isAnError()
    {
        const ConfigDir dir;
        dir.write("a.yaml", QByteArray(4 * 1024 * 1024, '#'));
        QCOMPARE(dir.printed(loadDraft(dir.config()).diagnostics), QString());
        dir.write("a.yaml", QByteArray(4 * 1024 * 1024 + 1, '#'));
        QCOMPARE(dir.printed(loadDraft(dir.config()).diagnostics),
                 QStringLiteral("a.yaml:1:1: a.yaml is larger than 4MiB"));
    }

    void resources_allKinds_areCounted()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Gateway", "default", "{}") + document("Provider", "ollama", "{}")
                      + document("Route", "r", "{basePath: /x, provider: ollama}")
                      + QByteArray("---\n# nothing here\n"));
        dir.write(
            "b.yaml",
            "apiVersion: gatehouse/v1\nkind: Client\nmetadata:\n  name: tool\n  labels: {team: "
            "core}\nspec: {tier: gold}\n");
        const Draft draft = loadDraft(dir.config());
        QCOMPARE(dir.printed(checkDraft(draft, m_vault)), QString());
        QCOMPARE(draft.resourceCount(), std::size_t(4));
        QCOMPARE(draft.clients.front().labels.at("team"), std::string("core"));
        QCOMPARE(draft.clients.front().spec.tier, std::string("gold"));
    }

    void schema_everyFieldOfEveryKind_isThere()
    {
        compareSchema<Metadata>();
        compareSchema<GatewaySpec>();
        compareSchema<ListenerSpec>();
        compareSchema<TlsSpec>();
        compareSchema<AuditSpec>();
        compareSchema<LimitsSpec>();
        compareSchema<ProviderSpec>();
        compareSchema<RouteSpec>();
        compareSchema<ClientSpec>();
        compareSchema<KeySpec>();
    }

    void gateway_writtenAndRead_isEqual()
    {
        GatewaySpec spec;
        spec.listeners = {{"default", "127.0.0.1:0", {}, false},
                          {"b", "[::1]:1", {"c.pem", "k.pem", ""}, true}};
        spec.workers = 2;
        spec.origins = {"https://a.example"};
        spec.audit = {"full", "power", std::chrono::hours(24), ByteSize{1ULL << 30}};
        spec.limits.body = {12345};
        spec.limits.drainTimeout = std::chrono::milliseconds(0);
        Node root = Node::map();
        root.append("apiVersion", encodeText(configApiVersion));
        root.append("kind", encodeText("Gateway"));
        root.append("metadata", encode(Metadata{"default", {{"a", "b"}}}));
        root.append("spec", encode(spec));
        Draft draft;
        addDocuments(draft, toYaml(root), "f");
        QVERIFY(draft.diagnostics.empty());
        QVERIFY(draft.gateways.at(0).spec == spec);
    }

    void bytes_random_neverFail()
    {
        const QByteArray valid
            = document(
                  "Gateway", "default", "{listeners: [{name: default, address: 'localhost:0'}]}")
              + document("Provider", "ollama", "{credential: 'env:X', limits: {head: 1KiB}}")
              + document("Route", "r", "{basePath: /x, provider: ollama}")
              + document("Client", "tool", "{keys: [{id: k1, expires: 2026-01-01}]}");
        QRandomGenerator random(1);
        for (int round = 0; round < 3000; ++round) {
            QByteArray text = valid;
            const int changes = 1 + random.bounded(8);
            for (int i = 0; i < changes; ++i) {
                const auto at
                    = static_cast<qsizetype>(random.bounded(static_cast<int>(text.size())));
                if (random.bounded(3) == 0)
                    text.remove(at, random.bounded(1, 30));
                else if (random.bounded(2) == 0)
                    text[at] = static_cast<char>(random.bounded(256));
                else
                    text.insert(at, text.mid(random.bounded(100), random.bounded(40)));
            }
            Draft draft;
            addDocuments(draft, text.toStdString(), "f");
            const Diagnostics diagnostics = checkDraft(draft, m_vault);
            QVERIFY(diagnostics.size() < 1000);
        }
    }
};

QTEST_APPLESS_MAIN(TestLoader)
#include "tst_loader.moc"
