// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/schema/decode.h"
#include "gateway/schema/describe.h"
#include "gateway/schema/encode.h"
#include "gateway/schema/yaml.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <array>

using namespace gatehouse;

namespace {

constexpr auto colours = std::to_array<std::string_view>({"red", "green"});

struct Inner
{
    std::string name;
    std::int64_t weight = 1;

    bool operator==(const Inner &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto table = std::to_array<Field>({
            field<&Inner::name>({.key = "name", .label = "Name", .help = "n", .required = true}),
            field<&Inner::weight>(
                {.key = "weight", .label = "Weight", .help = "w", .min = -5, .max = 5}),
        });
        return table;
    }
};

/// One field of every kind.
struct Outer
{
    bool flag = true;
    std::int64_t count = 3;
    std::chrono::milliseconds wait{1500};
    ByteSize size{2048};
    Fraction share{250'000};
    Money price{500'000};
    std::string text = "hello";
    std::string colour = "red";
    SecretText secret;
    std::vector<std::string> list{"a"};
    std::map<std::string, std::string> map;
    Inner inner{"inner", 2};
    std::vector<Inner> inners;
    std::map<std::string, Inner> named;
    std::string note;
    std::optional<Money> extra;

    bool operator==(const Outer &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto table = std::to_array<Field>({
            field<&Outer::flag>({.key = "flag", .label = "Flag", .help = "f"}),
            field<&Outer::count>({.key = "count", .label = "Count", .help = "c", .max = 9}),
            field<&Outer::wait>({.key = "wait", .label = "Wait", .help = "w", .min = 1000}),
            field<&Outer::size>({.key = "size", .label = "Size", .help = "s", .max = 4096}),
            field<&Outer::share>(
                {.key = "share", .label = "Share", .help = "s", .min = 1, .max = 1'000'000}),
            field<&Outer::price>(
                {.key = "price", .label = "Price", .help = "p", .min = 1, .max = 2'000'000}),
            field<&Outer::text>({.key = "text", .label = "Text", .help = "t", .max = 8}),
            choice<&Outer::colour>(
                {.key = "colour",
                 .label = "Colour",
                 .help = "c",
                 .choices = [] { return std::span<const std::string_view>(colours); }}),
            field<&Outer::secret>({.key = "secret",
                                   .label = "Secret",
                                   .help = "s",
                                   .secret = true,
                                   .problem =
                                       [](std::string_view text) {
                                           return std::string(text == "none" ? "" : "must be none");
                                       }}),
            field<&Outer::list>({.key = "list", .label = "List", .help = "l", .max = 2}),
            field<&Outer::map>({.key = "map", .label = "Map", .help = "m"}),
            field<&Outer::inner>({.key = "inner", .label = "Inner", .help = "i"}),
            field<&Outer::inners>({.key = "inners", .label = "Inners", .help = "i"}),
            field<&Outer::named>({.key = "named", .label = "Named", .help = "n", .max = 2}),
            field<&Outer::note>({.key = "note",
                                 .label = "Note",
                                 .help = "one | two* `*`",
                                 .unit = Unit::Bytes,
                                 .min = 1,
                                 .max = 9,
                                 .multiline = true}),
            field<&Outer::extra>({.key = "extra", .label = "Extra", .help = "e"}),
        });
        return table;
    }
};

struct Decoded
{
    Outer record;
    QString problems;
};

Decoded decodeText(const std::string &text)
{
    Diagnostics diagnostics;
    const auto documents = parseYaml(text, "f", diagnostics);
    Reporter reporter("f", diagnostics);
    Decoded decoded{decode<Outer>(documents.at(0), reporter), {}};
    QStringList lines;
    for (const Diagnostic &diagnostic : diagnostics)
        lines.append(QString::fromStdString(diagnostic.text()));
    decoded.problems = lines.join(QLatin1Char('\n'));
    return decoded;
}

QJsonObject schemaOf(const RecordType &type)
{
    return QJsonDocument::fromJson(QByteArray::fromStdString(jsonSchema(type, "T"))).object();
}

/// Each field of the table, nested ones too, is in the schema with its label and help.
void compareWithTable(const RecordType &type, const QJsonObject &schema)
{
    const QJsonObject properties = schema[QStringLiteral("properties")].toObject();
    QCOMPARE(static_cast<std::size_t>(properties.size()), type.fields().size());
    for (const Field &field : type.fields()) {
        const QJsonObject property
            = properties[QString::fromStdString(std::string(field.info.key))].toObject();
        QCOMPARE(property[QStringLiteral("title")].toString().toStdString(), field.info.label);
        QCOMPARE(property[QStringLiteral("description")].toString().toStdString(), field.info.help);
        if (field.kind == FieldKind::Record)
            compareWithTable(field.nested(), property);
        if (field.kind == FieldKind::RecordList)
            compareWithTable(field.nested(), property[QStringLiteral("items")].toObject());
        if (field.kind == FieldKind::RecordMap)
            compareWithTable(field.nested(),
                             property[QStringLiteral("additionalProperties")].toObject());
    }
}

} // namespace

class TestSchema : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void decode_everyKind_isRead()
    {
        const auto [record, problems] = decodeText(
            "{flag: false, count: 9, wait: 2s, size: 4KiB, share: 0.75, price: 2 USD, extra: 0 "
            "USD, text: hi, "
            "colour: green, "
            "secret: none, list: [x, y], map: {k: v}, inner: {name: n}, inners: [{name: p, weight: "
            "-5}], named: {two: {name: q}, one: {name: r, weight: 4}}}");
        QCOMPARE(problems, QString());
        Outer expected;
        expected.flag = false;
        expected.count = 9;
        expected.wait = std::chrono::seconds(2);
        expected.size = {4096};
        expected.share = {750'000};
        expected.price = {2'000'000};
        expected.extra = Money{0};
        expected.text = "hi";
        expected.colour = "green";
        expected.list = {"x", "y"};
        expected.map = {{"k", "v"}};
        expected.inner = {"n", 2};
        expected.inners = {{"p", -5}};
        expected.named = {{"one", {"r", 4}}, {"two", {"q", 1}}};
        QVERIFY(record == expected);
    }

    void decode_nothing_isTheDefaults()
    {
        const auto [record, problems] = decodeText("{}");
        QCOMPARE(problems, QString());
        QVERIFY(record == Outer{});
    }

    void decode_wrong_isReportedAndTheDefaultKept_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("problem");
        const auto row = [](const char *name, const char *text, const char *problem) {
            QTest::newRow(name) << QByteArray(text) << QString::fromUtf8(problem);
        };
        row("one beyond", "{count: 10}", "f:1:9: count must be at most 9");
        row("one below", "{count: -1}", "f:1:9: count must be at least 0");
        row("beyond 64 bits",
            "{count: 9223372036854775808}",
            "f:1:9: count must be a whole number, not \"9223372036854775808\"");
        row("duration below", "{wait: 999ms}", "f:1:8: wait must be at least 1s");
        row("size beyond", "{size: 4097}", "f:1:8: size must be at most 4KiB");
        row("size in words",
            "{size: big}",
            "f:1:8: size must be a size such as 64KiB, 10MiB, 2GiB or plain bytes, not \"big\"");
        row("amount without its currency",
            "{price: 1}",
            "f:1:9: price must be an amount such as 25 USD or 0.50 USD, in USD with at most 6 "
            "decimals, not \"1\"");
        row("no fraction",
            "{share: half}",
            "f:1:9: share must be a number such as 0.5, with at most 6 decimals, not \"half\"");
        row("fraction beyond", "{share: 1.000001}", "f:1:9: share must be at most 1");
        row("fraction below", "{share: 0}", "f:1:9: share must be at least 0.000001");
        row("amount beyond", "{price: 2.000001 USD}", "f:1:9: price must be at most 2 USD");
        row("amount below", "{price: 0 USD}", "f:1:9: price must be at least 0.000001 USD");
        row("amount that is a list",
            "{price: [1 USD]}",
            "f:1:9: price must be an amount of money, not a list");
        row("too many names",
            "{named: {a: {name: x}, b: {name: x}, c: {name: x}}}",
            "f:1:9: named must be at most 2 entries long");
        row("list of what has names",
            "{named: [{name: x}]}",
            "f:1:9: named must be a map, not a list");
        row("text too long", "{text: 123456789}", "f:1:8: text must be at most 8 bytes long");
        row("line break where texts have none",
            "{text: \"a\\nb\"}",
            "f:1:8: text must not contain control characters or line breaks");
        row("control among lines",
            "{note: \"a\\n\\x1b\"}",
            "f:1:8: note must not contain control characters");
        row("text that is a list", "{text: [a]}", "f:1:8: text must be a text, not a list");
        row("text with a control",
            "{text: \"\\x07\"}",
            "f:1:8: text must not contain control characters or line breaks");
        row("no such choice",
            "{colour: rde}",
            "f:1:10: colour must be one of red, green, not \"rde\"");
        row("choice empty", "{colour: ''}", "f:1:10: colour must not be empty");
        row("secret is not shown", "{secret: sk-1}", "f:1:10: secret must be none");
        row("list too long", "{list: [a, b, c]}", "f:1:8: list must be at most 2 entries long");
        row("list that is a text", "{list: a}", "f:1:8: list must be a list, not a single value");
        row("map that is a list", "{map: [a]}", "f:1:7: map must be a map, not a list");
        row("nested unknown field",
            "{inner: {name: n, wieght: 1}}",
            "f:1:19: unknown field \"wieght\"; did you mean \"weight\"?");
        row("nested required field", "{inners: [{weight: 1}]}", "f:1:11: name is missing");
        row("nested that is a text",
            "{inner: a}",
            "f:1:9: must be a map of fields, not a single value");
        row("null", "{count: }", "f:1:2: count has no value; write one or leave the line out");
        row("boolean in quotes",
            "{flag: 'true'}",
            "f:1:8: flag must be true or false, not \"true\"");
        row("boolean of YAML 1.1", "{flag: off}", "f:1:8: flag must be true or false, not \"off\"");
    }
    void decode_wrong_isReportedAndTheDefaultKept()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, problem);
        const auto [record, problems] = decodeText(text.toStdString());
        QCOMPARE(problems, problem);
        QVERIFY(record.count == 3 && record.colour == "red" && record.secret == SecretText{});
    }

    void encode_defaults_areLeftOut()
    {
        QVERIFY(encode(Outer{}).items.empty());
        QCOMPARE(encode(Inner{}).keys.size(), std::size_t(1)); // required
    }

    void encode_anyRecord_isReadBack()
    {
        Outer record;
        record.flag = false;
        record.count = 0;
        record.wait = std::chrono::milliseconds(86'400'001);
        record.size = {4095};
        record.share = {1};
        record.price = {1};
        record.extra = Money{2};
        record.text = "";
        record.list = {"true", "12", "a: b", "- x", "é"};
        record.list.resize(2);
        record.map = {{"true", "null"}, {"a b", ""}, {"#", "\"'\\"}};
        record.inner = {"~", -5};
        record.inners = {{"1", 1}, {"*x", 5}};
        const auto [again, problems] = decodeText(toYaml(encode(record)));
        QCOMPARE(problems, QString());
        QVERIFY(again == record);
    }

    void jsonSchema_everyField_isThere()
    {
        const QJsonObject schema = schemaOf(recordType<Outer>());
        compareWithTable(recordType<Outer>(), schema);
        QCOMPARE(schema[QStringLiteral("$schema")].toString(),
                 QStringLiteral("https://json-schema.org/draft/2020-12/schema"));
        QCOMPARE(schema[QStringLiteral("additionalProperties")].toBool(true), false);
        const QJsonObject properties = schema[QStringLiteral("properties")].toObject();
        const QJsonObject count = properties[QStringLiteral("count")].toObject();
        QCOMPARE(count[QStringLiteral("default")].toInt(), 3);
        QCOMPARE(count[QStringLiteral("maximum")].toInt(), 9);
        QCOMPARE(
            properties[QStringLiteral("price")].toObject()[QStringLiteral("pattern")].toString(),
            QStringLiteral("^[0-9]+(\\.[0-9]{1,6})? USD$"));
        const QJsonObject inner = properties[QStringLiteral("inner")].toObject();
        QCOMPARE(inner[QStringLiteral("required")].toArray(), QJsonArray{QStringLiteral("name")});
        QCOMPARE(properties[QStringLiteral("colour")]
                     .toObject()[QStringLiteral("enum")]
                     .toArray()
                     .size(),
                 2);
    }

    void text_ofSeveralLines_isReadAndWrittenBack()
    {
        const auto [record, problems] = decodeText("note: |\n  a\n  \tb\n");
        QCOMPARE(problems, QString());
        QCOMPARE(record.note, std::string("a\n\tb\n"));
        const auto [again, problemsAgain] = decodeText(toYaml(encode(record)));
        QCOMPARE(problemsAgain, QString());
        QCOMPARE(again.note, record.note);
    }

    void formFields_everyField_saysWhatAFormNeeds()
    {
        const QJsonArray rows = formFields(recordType<Outer>());
        QCOMPARE(static_cast<std::size_t>(rows.size()), Outer::fields().size());
        const auto rowOf = [&rows](const char *key) {
            for (const auto &row : rows) {
                if (row.toObject()[QStringLiteral("key")].toString() == QLatin1String(key))
                    return row.toObject();
            }
            return QJsonObject();
        };
        QCOMPARE(rows.first().toObject()[QStringLiteral("key")].toString(), QStringLiteral("flag"));
        const QJsonObject wait = rowOf("wait");
        QCOMPARE(wait[QStringLiteral("kind")].toString(), QStringLiteral("duration"));
        QCOMPARE(wait[QStringLiteral("label")].toString(), QStringLiteral("Wait"));
        QCOMPARE(wait[QStringLiteral("help")].toString(), QStringLiteral("w"));
        QCOMPARE(wait[QStringLiteral("min")].toInt(), 1000);
        QVERIFY(!wait.contains(QStringLiteral("max")) && !wait.contains(QStringLiteral("unit")));
        QCOMPARE(wait[QStringLiteral("default")].toString(), QStringLiteral("1500ms"));
        QCOMPARE(rowOf("count")[QStringLiteral("default")].toInt(), 3);
        QCOMPARE(rowOf("price")[QStringLiteral("kind")].toString(), QStringLiteral("money"));
        QCOMPARE(rowOf("price")[QStringLiteral("default")].toString(), QStringLiteral("0.50 USD"));
        QVERIFY(!rowOf("extra").contains(QStringLiteral("default")));
        QCOMPARE(rowOf("price")[QStringLiteral("max")].toInt(), 2'000'000);
        QCOMPARE(rowOf("colour")[QStringLiteral("choices")].toArray().size(), 2);
        QVERIFY(rowOf("secret")[QStringLiteral("secret")].toBool());
        const QJsonObject note = rowOf("note");
        QVERIFY(note[QStringLiteral("multiline")].toBool());
        QVERIFY(!note[QStringLiteral("secret")].toBool());
        QVERIFY(!note.contains(QStringLiteral("default")));
        QCOMPARE(note[QStringLiteral("unit")].toString(), QStringLiteral("bytes"));
        const QJsonArray inner = rowOf("inners")[QStringLiteral("fields")].toArray();
        QVERIFY(inner.at(0).toObject()[QStringLiteral("required")].toBool());
        QCOMPARE(inner.at(1).toObject()[QStringLiteral("min")].toInt(), -5);
    }

    void markdown_everyField_hasARow()
    {
        const std::string text = markdown(recordType<Outer>(), "Outer");
        for (const char *row :
             {"| `flag` | true or false | `true` | f |",
              "| `count` | whole number, 0 to 9 | `3` | c |",
              "| `wait` | duration, at least 1s | `1500ms` | w |",
              "| `size` | size, up to 4KiB | `2KiB` | s |",
              "| `share` | number, 0.000001 to 1 | `0.25` | s |",
              "| `price` | amount in USD, 0.000001 USD to 2 USD | `0.50 USD` | p |",
              "| `extra` | amount in USD |  | e |",
              "| `text` | text, up to 8 bytes | `hello` | t |",
              "| `colour` | choice: `red` `green` | `red` | c |",
              "| `list` | list of texts, up to 2 entries | `[a]` | l |",
              "| `map` | map of texts | `{}` | m |",
              "| `inner` | map |  | i |",
              "| `inner.name` | text | required | n |",
              "| `inners[].weight` | whole number, -5 to 5 | `1` | w |",
              "| `note` | text, 1 to 9 bytes |  | one \\| two\\* `*` |"})
            QVERIFY2(text.find(row) != std::string::npos, row);
    }
};

QTEST_APPLESS_MAIN(TestSchema)
#include "tst_schema.moc"
