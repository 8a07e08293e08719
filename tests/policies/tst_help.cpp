// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/policyhelp.h"
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/secrets/vault.h"

#include <QDir>
#include <QJsonDocument>
#include <QTest>

#include <iostream>
#include <sstream>

using namespace gatehouse;

namespace {

struct Ran
{
    int code = -1;
    QByteArray out;
    QByteArray err;
};

/// `gatehouse policies` and the words of a line.
Ran policies(const char *line)
{
    std::ostringstream out;
    std::ostringstream err;
    std::streambuf *const oldOut = std::cout.rdbuf(out.rdbuf());
    std::streambuf *const oldErr = std::cerr.rdbuf(err.rdbuf());
    const int code
        = runPolicies(QString::fromLatin1(line).split(QLatin1Char(' '), Qt::SkipEmptyParts));
    std::cout.rdbuf(oldOut);
    std::cerr.rdbuf(oldErr);
    return {code, QByteArray::fromStdString(out.str()), QByteArray::fromStdString(err.str())};
}

QString toQString(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

void addTypes()
{
    QTest::addColumn<QString>("id");
    for (const PolicyType &type : policyTypes())
        QTest::newRow(std::string(type.info.id).c_str()) << toQString(type.info.id);
}

const PolicyType &typeOf(const QString &id)
{
    return *findPolicyType(id.toStdString());
}

QJsonObject at(const QJsonObject &object, std::initializer_list<const char *> path)
{
    QJsonObject inner = object;
    for (const char *key : path)
        inner = inner[QLatin1String(key)].toObject();
    return inner;
}

QStringList keysOf(std::span<const Field> fields)
{
    QStringList keys;
    for (const Field &field : fields)
        keys.append(toQString(field.info.key));
    keys.sort();
    return keys;
}

} // namespace

class TestHelp : public QObject
{
    Q_OBJECT

private:
    QDir m_directory{QStringLiteral(POLICY_HELP)};

private Q_SLOTS:
    void file_ofEachType_isWhatTheProgramSays_data() { addTypes(); }
    void file_ofEachType_isWhatTheProgramSays()
    {
        QFETCH(QString, id);
        QFile file(m_directory.filePath(id + QStringLiteral(".md")));
        QVERIFY2(file.open(QIODevice::ReadOnly), "no file; make it with the target policy_help");
        const Ran ran = policies(qPrintable(QStringLiteral("describe ") + id));
        QCOMPARE(ran.code, 0);
        const bool isEqual = file.readAll() == ran.out;
        QVERIFY2(isEqual, "the file is not up to date; renew it with the target policy_help");
    }

    void files_withoutAType_areNotThere()
    {
        const QStringList files = m_directory.entryList(QDir::Files);
        QVERIFY(!files.isEmpty());
        for (const QString &file : files) {
            QVERIFY2(file.endsWith(QLatin1String(".md")), qPrintable(file));
            QVERIFY2(findPolicyType(file.chopped(3).toStdString()) != nullptr, qPrintable(file));
        }
    }

    void example_ofEachType_isAValidDocument_data() { addTypes(); }
    void example_ofEachType_isAValidDocument()
    {
        QFETCH(QString, id);
        const std::string text = policyExample(typeOf(id));
        QVERIFY(policyMarkdown(typeOf(id)).find("```yaml\n" + text + "```\n") != std::string::npos);
        Draft draft;
        addDocuments(draft, text, "example");
        QCOMPARE(draft.policies.size(), std::size_t(1));
        Vault vault(nullptr);
        for (const Diagnostic &diagnostic : checkDraft(draft, vault))
            QVERIFY2(diagnostic.severity == Diagnostic::Severity::Warning,
                     diagnostic.text().c_str());
    }

    void schema_ofEachType_isThatOfItsDocument_data() { addTypes(); }
    void schema_ofEachType_isThatOfItsDocument()
    {
        QFETCH(QString, id);
        const Ran ran = policies(qPrintable(QStringLiteral("describe --format schema ") + id));
        QCOMPARE(ran.code, 0);
        const QJsonObject schema = QJsonDocument::fromJson(ran.out).object();
        QCOMPARE(schema[QStringLiteral("$schema")].toString(),
                 QStringLiteral("https://json-schema.org/draft/2020-12/schema"));
        const QJsonObject spec = at(schema, {"properties", "spec", "properties"});
        QCOMPARE(at(spec, {"type"})[QStringLiteral("const")].toString(), id);
        QCOMPARE(at(spec, {"order"})[QStringLiteral("default")].toInt(),
                 typeOf(id).info.defaultOrder);
        QCOMPARE(at(spec, {"config", "properties"}).keys(), keysOf(typeOf(id).config->fields()));
        QCOMPARE(spec.keys(), keysOf(PolicySpec::fields()));
        QVERIFY(!at(schema, {"properties", "spec"})[QStringLiteral("additionalProperties")].toBool(
            true));
        const bool hasRequired = std::ranges::any_of(
            typeOf(id).config->fields(), [](const Field &field) { return field.info.required; });
        QCOMPARE(at(schema, {"properties", "spec"})[QStringLiteral("required")].toArray().contains(
                     QStringLiteral("config")),
                 hasRequired);
    }

    void schema_ofAllTypes_hasEach()
    {
        const Ran ran = policies("describe --format schema");
        QCOMPARE(ran.code, 0);
        const QJsonObject schema = QJsonDocument::fromJson(ran.out).object();
        QCOMPARE(static_cast<std::size_t>(schema[QStringLiteral("oneOf")].toArray().size()),
                 policyTypes().size());
        QStringList ids;
        for (const PolicyType &type : policyTypes())
            ids.append(toQString(type.info.id));
        ids.sort();
        QCOMPARE(at(schema, {"$defs"}).keys(), ids);
    }

    void json_ofEachType_hasTheRowsOfItsForm_data() { addTypes(); }
    void json_ofEachType_hasTheRowsOfItsForm()
    {
        QFETCH(QString, id);
        const Ran ran = policies(qPrintable(QStringLiteral("describe --json ") + id));
        QCOMPARE(ran.code, 0);
        const QJsonObject form = QJsonDocument::fromJson(ran.out).object();
        QCOMPARE(form[QStringLiteral("type")].toString(), id);
        QCOMPARE(form[QStringLiteral("title")].toString(), toQString(typeOf(id).info.title));
        const QJsonArray rows = form[QStringLiteral("fields")].toArray();
        const auto fields = typeOf(id).config->fields();
        QCOMPARE(static_cast<std::size_t>(rows.size()), fields.size());
        for (std::size_t i = 0; i < fields.size(); ++i)
            QCOMPARE(
                rows.at(static_cast<qsizetype>(i)).toObject()[QStringLiteral("key")].toString(),
                toQString(fields[i].info.key));
        QCOMPARE(form[QStringLiteral("common")].toArray().size(), 6);
    }

    void json_ofAllTypes_isAnArray()
    {
        const Ran ran = policies("describe --format json");
        QCOMPARE(ran.code, 0);
        QCOMPARE(static_cast<std::size_t>(QJsonDocument::fromJson(ran.out).array().size()),
                 policyTypes().size());
    }

    void markdown_ofAllTypes_isThatOfEach()
    {
        QByteArray pages;
        for (const PolicyType &type : policyTypes())
            pages
                += (pages.isEmpty() ? "" : "\n") + QByteArray::fromStdString(policyMarkdown(type));
        const Ran ran = policies("describe --format markdown");
        QCOMPARE(ran.code, 0);
        QCOMPARE(ran.out, pages);
        QVERIFY(ran.err.isEmpty());
    }

    void list_oneLineEach_inTheirOrder()
    {
        const Ran ran = policies("list");
        QCOMPARE(ran.code, 0);
        const QList<QByteArray> lines = ran.out.trimmed().split('\n');
        QCOMPARE(static_cast<std::size_t>(lines.size()), policyTypes().size());
        for (qsizetype i = 0; i < lines.size(); ++i) {
            const std::string id(policyTypes()[static_cast<std::size_t>(i)].info.id);
            QCOMPARE(lines.at(i).split(' ').first().toStdString(), id);
        }
        const QJsonArray rows = QJsonDocument::fromJson(policies("list --json").out).array();
        QCOMPARE(rows.size(), lines.size());
    }

    void usage_wrong_isRefusedWithWhatHelps_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("unknown type")
            << QByteArray("describe corss") << QByteArray("did you mean \"cors\"?");
        QTest::newRow("no type near") << QByteArray("describe zzzzzzzz")
                                      << QByteArray("there is no policy type \"zzzzzzzz\"");
        QTest::newRow("unknown format")
            << QByteArray("describe cors --format yaml") << QByteArray("markdown, json or schema");
        QTest::newRow("two types") << QByteArray("describe cors jwt") << QByteArray("one type");
        QTest::newRow("nothing") << QByteArray() << QByteArray("describe or list");
        QTest::newRow("unknown action") << QByteArray("explain") << QByteArray("describe or list");
        QTest::newRow("list of one") << QByteArray("list cors") << QByteArray("no arguments");
        QTest::newRow("list in a format")
            << QByteArray("list --format json") << QByteArray("belongs to describe");
        QTest::newRow("unknown option") << QByteArray("list --frmat x") << QByteArray("frmat");
    }
    void usage_wrong_isRefusedWithWhatHelps()
    {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, said);
        const Ran ran = policies(line.constData());
        QCOMPARE(ran.code, 2);
        QVERIFY(ran.out.isEmpty());
        QVERIFY2(ran.err.contains(said), ran.err.constData());
        QVERIFY(ran.err.contains("Usage: gatehouse policies"));
    }

    void help_asked_isPrinted()
    {
        const Ran ran = policies("describe --help");
        QCOMPARE(ran.code, 0);
        QVERIFY(ran.out.startsWith("Usage: gatehouse policies") && ran.err.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestHelp)
#include "tst_help.moc"
