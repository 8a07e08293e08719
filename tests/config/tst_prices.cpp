// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/config/prices.h"
#include "gateway/schema/yaml.h"
#include "gateway/secrets/vault.h"
#include "tests/config/configdir.h"

#include <QElapsedTimer>
#include <QTest>

#include <set>

using namespace gatehouse;

namespace {

struct Compiled
{
    std::shared_ptr<const PriceTable> table;
    QString problems;
};

Compiled compiled(const QByteArray &text)
{
    ConfigDir dir;
    dir.write("a.yaml", text);
    Draft draft = loadDraft(dir.config());
    Diagnostics diagnostics = draft.diagnostics;
    auto table = compilePrices(draft, diagnostics);
    return {std::move(table), dir.printed(diagnostics)};
}

QByteArray prices(const QByteArray &name, const QByteArray &spec)
{
    return document("Prices", name, spec);
}

} // namespace

class TestPrices : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void builtIn_table_isWithoutFault()
    {
        const auto [table, problems] = compiled({});
        QCOMPARE(problems, QString());
        QVERIFY(table->rows().size() >= 80);
        QCOMPARE(table->version().size(), std::size_t(10));
        std::set<std::string> providers;
        for (const PriceRow &row : table->rows()) {
            QVERIFY(row.layer == PriceLayer::BuiltIn);
            providers.insert(row.provider);
            // Reading a cache is never dearer than having none, and more input never cheaper.
            QVERIFY2(row.prices.read() <= row.prices.input, row.model.c_str());
            QVERIFY2(row.prices.write1h() >= row.prices.write5m(), row.model.c_str());
            for (const LongContext &step : row.longContext) {
                QVERIFY2(step.prices.input > row.prices.input, row.model.c_str());
                QVERIFY2(step.prices.output >= row.prices.output, row.model.c_str());
                QVERIFY2(step.prices.cacheWrite5m.has_value()
                             == row.prices.cacheWrite5m.has_value(),
                         row.model.c_str());
            }
        }
        QVERIFY(providers.size() >= 12);
    }

    void builtIn_rows_costWhatTheVendorsSay_data()
    {
        QTest::addColumn<QString>("provider");
        QTest::addColumn<QString>("model");
        QTest::addColumn<quint64>("input");
        QTest::addColumn<quint64>("read");
        QTest::addColumn<quint64>("output");
        QTest::addColumn<qint64>("microUsd"); // -1: not known
        const auto row = [](const char *provider,
                            const char *model,
                            quint64 input,
                            quint64 read,
                            quint64 output,
                            qint64 microUsd) {
            QTest::addRow("%s %s %llu", provider, model, input)
                << QString::fromLatin1(provider) << QString::fromLatin1(model) << input << read
                << output << microUsd;
        };
        row("openai", "gpt-6.1-sol-2026-09-29", 1000, 1000, 1000, 2000 + 100 + 10'000);
        row("openai", "gpt-6.1-sol", 272'000, 0, 1, 544'000 + 10);
        row("openai", "gpt-6.1-sol", 272'001, 0, 1, 1'088'004 + 15);
        row("openai", "gpt-4o-2024-05-13", 1000, 0, 1000, 5000 + 15'000);
        row("openai", "gpt-4o-2024-11-20", 1000, 0, 1000, 2500 + 10'000);
        row("anthropic", "claude-opus-5-5", 1000, 1000, 1000, 4000 + 200 + 20'000);
        row("anthropic", "claude-haiku-5-5", 100'000, 0, 1000, 10'000 + 500);
        row("anthropic", "claude-haiku-5-5", 99'999, 2, 1000, 50'000 + 2500);
        row("gemini", "models/gemini-2.5-pro", 200'000, 0, 0, 250'000);
        row("gemini", "gemini-2.5-pro", 200'001, 0, 0, 500'003);
        row("mistral", "mistral-large-latest", 1'000'000, 0, 0, 500'000);
        row("groq", "openai/gpt-oss-120b", 1'000'000, 0, 1'000'000, 750'000);
        row("groq", "gpt-6-sol", 1, 0, 1, -1);
        row("openrouter", "anthropic/claude-opus-4.5", 1000, 0, 0, 5000);
        row("openrouter", "openai/gpt-oss-120b", 1'000'000, 0, 0, 39'000);
        row("azure-openai", "gpt-4.1", 1000, 0, 0, 2000);
        row("my-proxy", "claude-sonnet-5-5", 1000, 0, 0, 2000);
        row("my-proxy", "no-such-model", 1, 0, 1, -1);
        row("ollama", "llama3.3:70b", 1'000'000, 0, 1'000'000, 0);
        row("zai", "GLM-5.3", 1000, 0, 0, 1400);
    }
    void builtIn_rows_costWhatTheVendorsSay()
    {
        QFETCH(QString, provider);
        QFETCH(QString, model);
        QFETCH(quint64, input);
        QFETCH(quint64, read);
        QFETCH(quint64, output);
        QFETCH(qint64, microUsd);
        Usage usage;
        usage.input = input;
        usage.cacheRead = read;
        usage.output = output;
        const auto cost
            = compiled({}).table->cost(usage, provider.toStdString(), model.toStdString());
        QCOMPARE(cost ? qint64(cost->microUsd) : -1, microUsd);
    }

    void builtIn_reading_isQuick()
    {
        QElapsedTimer timer;
        qint64 best = 1'000'000'000;
        for (int i = 0; i < 5; ++i) {
            timer.start();
            Diagnostics diagnostics;
            QCOMPARE(parseYaml(builtInPriceText(), "f", diagnostics).size(), std::size_t(1));
            best = std::min(best, timer.nsecsElapsed());
        }
        qInfo("%lld us", static_cast<long long>(best / 1000));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        QVERIFY(best < 100'000'000); // 4 ms where nothing else runs
#endif
    }

    void document_rows_winOverBuiltIn()
    {
        const auto [table, problems] = compiled(
            prices("mine",
                   "{models: {gpt-6-sol: {input: 3 USD, output: 12 USD, aliases: [sol]}, "
                   "\"own-*\": {input: 0.075 USD, output: 0.30 USD, cacheRead: 0.01 USD, "
                   "cacheWrite5m: 0.1 USD, cacheWrite1h: 0.2 USD, "
                   "longContext: [{above: 1000, input: 1 USD, output: 2 USD}]}}}")
            + prices(
                "theirs",
                "{provider: groq, imported: true, models: {gpt-6-sol: {input: 4 USD, output: 4 "
                "USD}, x: {input: 5 USD, output: 5 USD}}}")
            + document("Provider", "my-groq", "{preset: groq}"));
        QCOMPARE(problems, QString());
        const auto input = [&table](const char *provider, const char *model) {
            const PriceRow *row = table->find(provider, model);
            return row == nullptr ? -1 : row->prices.input;
        };
        QCOMPARE(input("openai", "gpt-6-sol"), 3'000'000);
        QCOMPARE(input("openai", "sol-latest"), 3'000'000);
        QCOMPARE(input("groq", "gpt-6-sol"),
                 3'000'000); // own before imported, whatever the provider
        QCOMPARE(input("groq", "x"), 5'000'000);
        QCOMPARE(input("my-groq", "x"), 5'000'000);
        QCOMPARE(input("openai", "x"), -1);
        QCOMPARE(input("openai", "gpt-6-luna"), 100'000);
        const PriceRow *own = table->find("any", "own-model");
        QVERIFY(own != nullptr);
        QVERIFY((own->prices == TokenPrices{75'000, 10'000, 100'000, 200'000, 300'000}));
        QCOMPARE(own->longContext.size(), std::size_t(1));
        QVERIFY(own->source.ends_with("a.yaml:3"));
    }

    void version_otherPrices_isAnother()
    {
        const std::string builtIn = compiled({}).table->version();
        const auto versionOf = [](const char *input) {
            return compiled(prices("p",
                                   QByteArray("{models: {m: {output: 1 USD, input: ") + input
                                       + " USD}}}"))
                .table->version();
        };
        QVERIFY(versionOf("1").starts_with(builtIn + "+"));
        QCOMPARE(versionOf("1"), versionOf("1.00"));
        QVERIFY(versionOf("1") != versionOf("1.000001"));
    }

    void document_wrong_isReportedWithItsPlace_data()
    {
        QTest::addColumn<QByteArray>("spec");
        QTest::addColumn<QString>("problem");
        const auto row = [](const char *name, const char *spec, const char *problem) {
            QTest::newRow(name) << QByteArray(spec) << QString::fromLatin1(problem);
        };
        row("no models", "{}", "a.yaml:3:7: models is missing");
        row("models that are a list",
            "{models: []}",
            "a.yaml:3:16: models must be a map, not a list");
        row("unknown field",
            "{model: {}, models: {}}",
            "a.yaml:3:8: unknown field \"model\"; did you mean \"models\"?");
        row("unknown field of a model",
            "{models: {m: {input: 1 USD, output: 1 USD, cacheread: 1 USD}}}",
            "a.yaml:3:50: unknown field \"cacheread\"; did you mean \"cacheRead\"?");
        row("no output", "{models: {m: {input: 1 USD}}}", "a.yaml:3:20: output is missing");
        row("bare number",
            "{models: {m: {input: 1, output: 1 USD}}}",
            "a.yaml:3:28: input must be an amount such as 25 USD or 0.50 USD, in USD with at most "
            "6 decimals, not \"1\"");
        row("dearer than a dollar a token",
            "{models: {m: {input: 1000000.000001 USD, output: 1 USD}}}",
            "a.yaml:3:28: input must be at most 1000000 USD");
        row("asterisk within a name",
            "{models: {\"a*b\": {input: 1 USD, output: 1 USD}}}",
            "a.yaml:3:17: the model's name must be 1 to 256 bytes without spaces, a * at its end "
            "only");
        row("empty name",
            "{models: {\"\": {input: 1 USD, output: 1 USD}}}",
            "a.yaml:3:17: the model's name must be 1 to 256 bytes without spaces, a * at its end "
            "only");
        row("name twice, in another case",
            "{models: {m: {input: 1 USD, output: 1 USD},\n M: {input: 1 USD, output: 1 USD}}}",
            "a.yaml:4:2: \"M\" has a price already, at a.yaml:3");
        row("alias of another",
            "{models: {m: {input: 1 USD, output: 1 USD},\n n: {input: 1 USD, output: 1 USD, "
            "aliases: [m]}}}",
            "a.yaml:4:2: \"m\" has a price already, at a.yaml:3");
        row("long context without its number",
            "{models: {m: {input: 1 USD, output: 1 USD, longContext: [{input: 1 USD, output: 1 "
            "USD}]}}}",
            "a.yaml:3:64: above is missing");
        row("provider that is no name",
            "{provider: \"My Own\", models: {}}",
            "a.yaml:3:18: provider must be 1 to 63 of a-z, 0-9 and . _ -, beginning with a letter "
            "or digit");
    }
    void document_wrong_isReportedWithItsPlace()
    {
        QFETCH(QByteArray, spec);
        QFETCH(QString, problem);
        ConfigDir dir;
        dir.write("a.yaml", prices("p", spec));
        const Draft draft = loadDraft(dir.config());
        Vault vault(nullptr);
        QString problems = dir.printed(checkDraft(draft, vault));
        QCOMPARE(problems, problem);
    }

    void snapshot_prices_areThere()
    {
        ConfigDir dir;
        dir.write("a.yaml", prices("p", "{models: {m: {input: 1 USD, output: 1 USD}}}"));
        Vault vault(nullptr);
        StateStore states;
        const auto outcome = buildSnapshot(loadDraft(dir.config()), dir.data(), vault, states);
        QVERIFY(outcome.snapshot && outcome.snapshot->prices);
        QVERIFY(outcome.snapshot->prices->find("", "m") != nullptr);
        QVERIFY(outcome.snapshot->prices->find("openai", "gpt-6-sol") != nullptr);
    }
};

QTEST_GUILESS_MAIN(TestPrices)
#include "tst_prices.moc"
