// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/flexconfig.h"
#include "gateway/schema/yaml.h"

#include <QTest>

using namespace gatehouse;

namespace {

/// The config of a YAML text in one line.
class Config
{
public:
    explicit Config(std::string_view text, FlexOrigin origin = {.file = "a.yaml"})
        : m_documents(parseYaml(text, "a.yaml", m_diagnostics))
        , config(m_documents.empty() ? nullptr : &m_documents.front(),
                 {7, 8},
                 m_reporter,
                 std::move(origin))
    {}

    [[nodiscard]] QString said() const
    {
        QStringList lines;
        for (const Diagnostic &diagnostic : m_diagnostics)
            lines.append(QString::fromStdString(diagnostic.text()));
        return lines.join(QLatin1Char('\n'));
    }

private:
    Diagnostics m_diagnostics;
    Reporter m_reporter{"a.yaml", m_diagnostics};
    std::vector<Node> m_documents;

public:
    FlexConfig config;
};

} // namespace

class TestFlexConfig : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void scalars_ofTheirType_areRead()
    {
        Config all("{text: a, number: '7', other: -3, yes: true, no: 'false', list: [a, 1, true]}");
        FlexConfig &config = all.config;
        QCOMPARE(config.text("text"), std::string("a"));
        QCOMPARE(config.requiredText("text"), std::string("a"));
        QCOMPARE(config.text("number"), std::string("7"));
        QCOMPARE(config.integer("number", 0), std::int64_t(7));
        QCOMPARE(config.integer("other", 0), std::int64_t(-3));
        QVERIFY(config.boolean("yes", false));
        QVERIFY(!config.boolean("no", true));
        const Node list = config.list("list");
        QCOMPARE(toYaml(list), std::string("- a\n- \"1\"\n- \"true\"\n"));
        QVERIFY((list.items.at(1).place == Place{1, 69}));
        config.warnOfUnknown();
        QVERIFY(!config.isRefused());
        QCOMPARE(all.said(), QString());
    }

    void absentKeys_giveTheFallback()
    {
        Config all("{empty:}");
        FlexConfig &config = all.config;
        QVERIFY(config.take("empty") == nullptr);
        QCOMPARE(config.text("empty", "x"), std::string("x"));
        QCOMPARE(config.integer("n", 5), std::int64_t(5));
        QVERIFY(config.boolean("b", true));
        QVERIFY(config.list("l").items.empty());
        QVERIFY(config.texts("m").items.empty());
        QVERIFY(config.record("r") == nullptr);
        QVERIFY(config.records("r").empty());
        QVERIFY(config.secret("s").kind == Node::Kind::Null);
        QVERIFY((config.placeOf("r") == Place{7, 8}));
        QVERIFY(!config.isRefused());
        Config nothing("");
        QCOMPARE(nothing.config.text("a", "x"), std::string("x"));
        nothing.config.warnOfUnknown();
        QCOMPARE(nothing.said(), QString());
    }

    void wrongTypes_refuse_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("said");
        const auto row = [](const char *name, const char *text, const char *said) {
            QTest::newRow(name) << QByteArray(text) << QString::fromLatin1(said);
        };
        row("text", "{text: [a]}", "a.yaml:1:8: warning: text: must be a text, not a list");
        row("number", "{number: 7x}", "a.yaml:1:10: warning: number: must be a whole number");
        row("large number",
            "{number: 99999999999999999999}",
            "a.yaml:1:10: warning: number: must be a whole number");
        row("map for a number",
            "{number: {a: b}}",
            "a.yaml:1:10: warning: number: must be a whole number, not a map");
        row("boolean", "{flag: yes}", "a.yaml:1:8: warning: flag: must be true or false");
        row("list", "{list: a}", "a.yaml:1:8: warning: list: must be a list, not a single value");
        row("lists in a list",
            "{list: [a, [b]]}",
            "a.yaml:1:12: warning: list: must be a list of texts, not a list");
        row("map", "{texts: [a]}", "a.yaml:1:9: warning: texts: must be a map, not a list");
        row("map in a map",
            "{texts: {a: {}}}",
            "a.yaml:1:13: warning: texts: must be a map of texts, not a map");
        row("record",
            "{record: a}",
            "a.yaml:1:10: warning: record: must be a map, not a single value");
        row("records",
            "{records: [a]}",
            "a.yaml:1:12: warning: records: must be a map, not a single value");
        row("records that are none",
            "{records: {}}",
            "a.yaml:1:11: warning: records: must be a list, not a map");
    }

    void wrongTypes_refuse()
    {
        QFETCH(const QByteArray, text);
        QFETCH(const QString, said);
        Config all(text.toStdString());
        FlexConfig &config = all.config;
        (void)config.text("text");
        (void)config.integer("number", 1);
        (void)config.boolean("flag", false);
        (void)config.list("list");
        (void)config.texts("texts");
        (void)config.record("record");
        (void)config.records("records");
        config.warnOfUnknown();
        QCOMPARE(all.said(), said + QStringLiteral("; the policy is not loaded"));
        QVERIFY(config.isRefused());
        QVERIFY(said.endsWith(QString::fromStdString(config.refusal())));
    }

    void requiredText_absentOrEmpty_isRefused()
    {
        Config absent("{a: b}");
        QCOMPARE(absent.config.requiredText("key"), std::string());
        QCOMPARE(absent.config.refusal(), std::string("key: is missing"));
        Config empty("{key: ''}");
        QCOMPARE(empty.config.requiredText("key"), std::string());
        QCOMPARE(empty.config.refusal(), std::string("key: must not be empty"));
    }

    void refusal_isTheFirst_andAtTheKeysPlace()
    {
        Config all("{a: 1, b: 2}");
        all.config.refuse("b", "must be 3");
        all.config.refuse({}, "is wrong as a whole");
        all.config.warn("a", "is odd");
        QCOMPARE(all.config.refusal(), std::string("b: must be 3"));
        QCOMPARE(all.said(),
                 QStringLiteral("a.yaml:1:11: warning: b: must be 3; the policy is not loaded\n"
                                "a.yaml:7:8: warning: is wrong as a whole; the policy is not "
                                "loaded\n"
                                "a.yaml:1:5: warning: a: is odd"));
    }

    void unknownKeys_atAnyDepth_areWarnings()
    {
        Config all("{limits: [{maximum: 1, maxmum: 2}], other: 3}");
        for (FlexConfig *limit : all.config.records("limits"))
            (void)limit->integer("maximum", 0);
        all.config.warnOfUnknown();
        QCOMPARE(all.said(),
                 QStringLiteral("a.yaml:1:24: warning: unknown field \"maxmum\"; did you mean "
                                "\"maximum\"?; it has no effect\n"
                                "a.yaml:1:37: warning: unknown field \"other\"; it has no effect"));
        QVERIFY(!all.config.isRefused());
    }

    void refusalOfARecord_refusesTheWhole()
    {
        Config all("{outer: {inner: {n: x}}}");
        FlexConfig *inner = all.config.record("outer")->record("inner");
        (void)inner->integer("n", 0);
        QCOMPARE(all.config.refusal(), std::string("n: must be a whole number"));
        QVERIFY((inner->place() == Place{1, 17}));
    }

    void secret_inTheDocument_becomesAReferenceToItsPlace()
    {
        Config all("{credentials: {password: s3cret}}");
        const Node reference = all.config.record("credentials")->secret("password");
        QCOMPARE(reference.text, std::string("file:a.yaml#1:26"));
        QVERIFY((reference.place == Place{1, 26}));
        const auto secrets = all.config.takeSecrets();
        QCOMPARE(secrets.size(), std::size_t(1));
        QCOMPARE(secrets.front().reference, reference.text);
        QCOMPARE(secrets.front().value.reveal(), std::string_view("s3cret"));
    }

    void secret_fromTheEnvironment_isNamedAndNotKept()
    {
        Config all("{password: s3cret}", {.file = "a.yaml", .variables = {{{1, 12}, "PASSWORD"}}});
        QCOMPARE(all.config.secret("password").text, std::string("env:PASSWORD"));
        QVERIFY(all.config.takeSecrets().empty());
    }

    void secret_thatCannotBeOne_isRefusedAndNotSaid()
    {
        Config all("{password: \"s3c\\nret\"}");
        QVERIFY(all.config.secret("password").kind == Node::Kind::Null);
        QVERIFY(all.config.isRefused());
        QVERIFY2(!all.said().contains(QStringLiteral("s3c")), qPrintable(all.said()));
        Config empty("{password: ''}");
        (void)empty.config.secret("password");
        QVERIFY(empty.config.isRefused());
    }
};

QTEST_GUILESS_MAIN(TestFlexConfig)
#include "tst_flexconfig.moc"
