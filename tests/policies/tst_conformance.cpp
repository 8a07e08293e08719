// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/schema/describe.h"
#include "tests/policies/everytype.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTest>

#include <set>

// What holds for the declaration of every type of policy. A new type is covered without an edit, but for
// its row in the golden order. How requests fare with them: tst_passage.cpp.

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

/// What a type needs before it is a policy.
enum class Needs : std::uint8_t { Nothing, Config };

struct GoldenRow
{
    std::string_view id;
    int order;
    Needs needs;
};

/// By list.def. An order or a place here changes what existing configurations do.
constexpr auto golden = std::to_array<GoldenRow>({
    {"client-key", 10, Needs::Nothing},
    {"basic-auth", 20, Needs::Config},
    {"jwt", 20, Needs::Config},
    {"oauth2-introspection", 20, Needs::Config},
    {"external-authorization", 30, Needs::Config},
    {"ip-allow", 50, Needs::Config},
    {"ip-block", 50, Needs::Config},
    {"client-certificate", 50, Needs::Nothing},
    {"process-identity", 50, Needs::Config},
    {"endpoint-access", 50, Needs::Nothing},
    {"model-access", 50, Needs::Nothing},
    {"json-threat", 50, Needs::Nothing},
    {"cors", 5, Needs::Config},
    {"header-injection", 50, Needs::Nothing},
    {"header-removal", 50, Needs::Nothing},
    {"request-size", 50, Needs::Nothing},
    {"rate-limit", 50, Needs::Config},
    {"sla-tier", 58, Needs::Config},
    {"spike-control", 55, Needs::Nothing},
    {"concurrency", 56, Needs::Config},
    {"loop-guard", 57, Needs::Nothing},
    {"response-cache", 57, Needs::Nothing},
    {"token-limit", 58, Needs::Config},
    {"budget", 59, Needs::Config},
    {"timeout", 50, Needs::Nothing},
    {"retry", 50, Needs::Nothing},
    {"circuit-breaker", 60, Needs::Nothing},
    {"mock-response", 90, Needs::Nothing},
    {"fault-injection", 80, Needs::Nothing},
});

void checkFields(const RecordType &type, const QByteArray &path)
{
    static const QRegularExpression keyPattern(QStringLiteral("^[a-z][A-Za-z0-9]*$"));
    std::set<std::string_view> keys;
    for (const Field &field : type.fields()) {
        const QByteArray where = path + field.info.key.data();
        QVERIFY2(keyPattern.match(toQString(field.info.key)).hasMatch(), where.constData());
        QVERIFY2(keys.insert(field.info.key).second, where.constData());
        for (const std::string_view text : {field.info.label, field.info.help}) {
            QVERIFY2(!text.empty() && !text.ends_with('.') && !text.ends_with(' '),
                     where.constData());
            QVERIFY2(text.find('\n') == std::string_view::npos, where.constData());
        }
        QVERIFY2(field.info.min <= field.info.max, where.constData());
        QVERIFY2((field.kind == FieldKind::Choice) == (field.info.choices != nullptr),
                 where.constData());
        QVERIFY2(field.kind != FieldKind::SecretReference || field.info.secret, where.constData());
        if (field.nested != nullptr)
            checkFields(field.nested(), where + '.');
    }
}

} // namespace

class TestConformance : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void types_inTheirOrder_areTheGoldenOnes()
    {
        QStringList expected;
        QStringList found;
        for (const GoldenRow &row : golden)
            expected.append(toQString(row.id) + QLatin1Char(' ') + QString::number(row.order));
        for (const PolicyType &type : policyTypes())
            found.append(toQString(type.info.id) + QLatin1Char(' ')
                         + QString::number(type.info.defaultOrder));
        QCOMPARE(found, expected);
    }

    void texts_ofEachType_areFitToBeShown_data() { addTypes(); }
    void texts_ofEachType_areFitToBeShown()
    {
        QFETCH(QString, id);
        static const QRegularExpression idPattern(QStringLiteral("^[a-z0-9]+(-[a-z0-9]+)*$"));
        const PolicyInfo &info = typeOf(id).info;
        QVERIFY(idPattern.match(id).hasMatch());
        QVERIFY(!info.title.empty() && !info.title.ends_with('.'));
        QVERIFY(!info.summary.empty() && !info.summary.ends_with('.'));
        QVERIFY(!info.example.empty() && info.example.ends_with('\n'));
        QVERIFY(info.defaultOrder >= 0);
        checkFields(*typeOf(id).config, id.toUtf8() + ": ");
    }

    void counterparts_ofMuleSoft_belongToOneTypeEach()
    {
        std::set<std::string_view> names;
        for (const PolicyType &type : policyTypes()) {
            for (const FlexCounterpart &counterpart : type.info.flex) {
                QVERIFY(!counterpart.policyRef.empty() && counterpart.translate != nullptr);
                QVERIFY2(names.insert(counterpart.policyRef).second, counterpart.policyRef.data());
            }
        }
    }

    void defaults_whereNothingIsNeeded_areAPolicy_data() { addTypes(); }
    void defaults_whereNothingIsNeeded_areAPolicy()
    {
        QFETCH(QString, id);
        const auto row = std::ranges::find(golden, id.toStdString(), &GoldenRow::id);
        QVERIFY(row != golden.end());
        Maker maker(typeOf(id));
        const auto policy = maker.make({});
        QVERIFY2((policy != nullptr) == (row->needs == Needs::Nothing), maker.said().constData());
        QCOMPARE(maker.said().isEmpty(), policy != nullptr);
        const bool hasRequired = std::ranges::any_of(
            typeOf(id).config->fields(), [](const Field &field) { return field.info.required; });
        QVERIFY(!hasRequired || row->needs == Needs::Config);
    }

    void example_ofEachType_isValid_data() { addTypes(); }
    void example_ofEachType_isValid()
    {
        QFETCH(QString, id);
        Maker maker(typeOf(id));
        QVERIFY2(maker.make(std::string(typeOf(id).info.example)) != nullptr,
                 maker.said().constData());
        QVERIFY2(!maker.read().items.empty(), "it shows nothing but defaults");
    }

    void config_writtenAndReadAgain_isTheSame_data() { addTypes(); }
    void config_writtenAndReadAgain_isTheSame()
    {
        QFETCH(QString, id);
        Maker maker(typeOf(id));
        QVERIFY(maker.make(std::string(typeOf(id).info.example)));
        const Node first = maker.read();
        QVERIFY2(maker.make(toYaml(first)), maker.said().constData());
        QVERIFY(maker.read() == first);
        const QJsonDocument json(toJson(first).toObject());
        QVERIFY2(maker.make(json.toJson().toStdString()), maker.said().constData());
        QVERIFY(maker.read() == first);
    }

    void key_misspelt_isRefusedWithTheRightOne_data() { addTypes(); }
    void key_misspelt_isRefusedWithTheRightOne()
    {
        QFETCH(QString, id);
        Maker maker(typeOf(id));
        for (const Field &field : typeOf(id).config->fields()) {
            const std::string key = std::string(field.info.key) + "x";
            QVERIFY(maker.make(std::string(typeOf(id).info.example) + key + ": 1\n") == nullptr);
            const QString expected
                = QStringLiteral("unknown field \"%1\"; did you mean \"%2\"?")
                      .arg(QString::fromStdString(key), toQString(field.info.key));
            QVERIFY2(maker.said().contains(expected.toUtf8()), maker.said().constData());
        }
    }

    void value_ofTheWrongKind_isRefused_data() { addTypes(); }
    void value_ofTheWrongKind_isRefused()
    {
        QFETCH(QString, id);
        Maker maker(typeOf(id));
        for (const Field &field : typeOf(id).config->fields()) {
            const bool isMap = field.kind == FieldKind::StringMap || field.kind == FieldKind::Record
                               || field.kind == FieldKind::Document;
            const std::string key(field.info.key);
            QVERIFY2(maker.make(key + (isMap ? ": [1]\n" : ": {a: 1}\n")) == nullptr, key.c_str());
            QVERIFY2(maker.make(key + ":\n") == nullptr, key.c_str());
        }
    }

    void pipeline_sorts_byOrderThenTypeThenName()
    {
        std::vector<std::shared_ptr<const PolicyEntry>> entries;
        const auto add = [&entries](const PolicyType &type, std::string name, std::int64_t order) {
            Maker maker(type);
            PolicyEntry::Settings settings;
            settings.name = std::move(name);
            settings.type = &type;
            settings.order = order;
            entries.push_back(std::make_shared<const PolicyEntry>(
                std::move(settings), maker.make(std::string(type.info.example))));
        };
        QStringList expected;
        for (const char *order : {"20", "40"}) {
            for (const PolicyType &type : policyTypes()) {
                for (const char *name : {"a", "b"})
                    expected.append(QStringLiteral("%1 %2 %3")
                                        .arg(QLatin1String(order),
                                             toQString(type.info.id),
                                             QLatin1String(name)));
            }
        }
        for (std::size_t i = policyTypes().size(); i-- > 0;) {
            for (const char *name : {"b", "a"}) {
                add(policyTypes()[i], name, 40);
                add(policyTypes()[i], name, 20);
            }
        }
        QStringList found;
        const Pipeline pipeline(std::move(entries));
        for (const auto &entry : pipeline.policies())
            found.append(QStringLiteral("%1 %2 %3")
                             .arg(QString::number(entry->settings().order),
                                  toQString(entry->type()),
                                  toQString(entry->name())));
        QCOMPARE(found, expected);
    }

    void config_random_neverCrashes_data() { addTypes(); }
    void config_random_neverCrashes()
    {
        QFETCH(QString, id);
        std::mt19937 random(20261123); // NOLINT: the same bytes in every run
        Maker maker(typeOf(id));
        const std::string example(typeOf(id).info.example);
        for (int i = 0; i < 300; ++i) {
            std::string text = example;
            const std::size_t at = random() % (text.size() + 1);
            text.replace(at, random() % 8, randomText(random, 12));
            const bool isMade = maker.make(text) != nullptr;
            QVERIFY(isMade || !maker.said().isEmpty() || text.empty());
        }
        for (const Field &field : typeOf(id).config->fields()) {
            for (int i = 0; i < 100; ++i) {
                std::string value = randomText(random, 40);
                std::erase_if(value, [](char c) { return c == '\n' || c == '\r'; });
                (void)maker.make(std::string(field.info.key) + ": " + value + "\n");
                (void)maker.make(std::string(field.info.key) + ": [\"" + value + "\"]\n");
            }
        }
    }

    void order_equal_isThatOfTheListAndUnknownTypesComeLast()
    {
        static const PolicyType unknown{{.id = "policy", .title = {}, .summary = {}}, {}, {}};
        std::vector<std::shared_ptr<const PolicyEntry>> entries;
        const auto add = [&entries](std::string_view name, const PolicyType &type) {
            entries.push_back(std::make_shared<const PolicyEntry>(
                PolicyEntry::Settings{.name = std::string(name), .type = &type},
                Maker(*findPolicyType("header-removal")).make({})));
        };
        add("a", unknown);
        add("z", *findPolicyType("client-key"));
        add("c", *findPolicyType("fault-injection"));
        add("b", *findPolicyType("fault-injection"));
        const Pipeline pipeline(std::move(entries));
        QByteArray names;
        for (const auto &entry : pipeline.policies())
            names += QByteArray::fromStdString(std::string(entry->name()));
        QCOMPARE(names, QByteArray("zbca"));
    }

    void translation_random_neverCrashes()
    {
        std::mt19937 random(20261125); // NOLINT: the same bytes in every run
        for (const PolicyType &type : policyTypes()) {
            for (const FlexCounterpart &counterpart : type.info.flex) {
                for (int i = 0; i < 100; ++i) {
                    Diagnostics diagnostics;
                    const auto documents
                        = parseYaml(i == 0 ? "" : randomText(random, 80), "f", diagnostics);
                    diagnostics.clear();
                    Reporter reporter("f", diagnostics);
                    const bool isMap
                        = !documents.empty() && documents.front().kind == Node::Kind::Map;
                    FlexConfig config(isMap ? &documents.front() : nullptr, {}, reporter);
                    const auto node = counterpart.translate(config);
                    QCOMPARE(node.has_value(), !config.isRefused());
                }
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestConformance)
#include "tst_conformance.moc"
