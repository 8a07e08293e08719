// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/priceimport.h"
#include "tests/config/commandline.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <algorithm>

using namespace gatehouse;

namespace {

const char *const genai = R"([{"id": "google", "models": [
  {"id": "g-1", "match": {"or": [{"starts_with": "g-1-"}, {"equals": "g-one"}, {"contains": "gg"}]},
   "prices": {"input_mtok": {"base": 1.25, "tiers": [{"start": 200000, "price": 2.5}]},
              "cache_read_mtok": 0.125, "output_mtok": 10, "cache_write_1h_mtok": 3,
              "cache_write_mtok": 1.5}},
  {"id": "dated", "match": {"equals": "dated"}, "prices": [
    {"prices": {"input_mtok": 1, "output_mtok": 1}},
    {"constraint": {"start_date": "2026-11-23"}, "prices": {"input_mtok": 2, "output_mtok": 2}},
    {"constraint": {"start_date": "2026-11-24"}, "prices": {"input_mtok": 3, "output_mtok": 3}}]},
  {"id": "hours", "match": {"equals": "hours"}, "prices": [
    {"prices": {"input_mtok": 1, "output_mtok": 1}},
    {"constraint": {"start_time": "01:00:00Z", "end_time": "02:00:00Z"},
     "prices": {"input_mtok": 4, "output_mtok": 4}},
    {"constraint": {"start_time": "03:00:00Z", "end_time": "04:00:00Z"},
     "prices": {"input_mtok": 2, "output_mtok": 2}}]},
  {"id": "g-embed", "match": {"equals": "g-embed"}, "prices": {"input_mtok": 0.1}},
  {"id": "talk", "match": {"equals": "talk"},
   "prices": {"input_mtok": 1, "output_mtok": 1, "input_audio_mtok": 9}},
  {"id": "G-1", "match": {"equals": "G-1"}, "prices": {"input_mtok": 9, "output_mtok": 9}},
  {"id": "half", "match": {"equals": "half"}, "prices": {"input_mtok": 1}},
  {"id": "a b", "match": {"equals": "a b"}, "prices": {"input_mtok": 1, "output_mtok": 1}},
  {"id": "minus", "match": {"equals": "minus"}, "prices": {"input_mtok": -1, "output_mtok": 1}},
  {"id": "hear", "match": {"equals": "hear"}, "prices": {"audio_hours": 1}}]}])";

const char *const liteLlm = R"({"sample_spec": {"litellm_provider": "one of", "mode": "one of"},
  "groq/openai/m": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 7.5e-08,
    "output_cost_per_token": 3e-7, "cache_read_input_token_cost": 2.9999999999999997e-08},
  "claude-x": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06,
    "output_cost_per_token": 1.5e-05, "cache_creation_input_token_cost": 3.75e-06,
    "cache_creation_input_token_cost_above_1hr": 6e-06,
    "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05,
    "search_context_cost_per_query": {"search_context_size_high": 0.01}},
  "dashscope/q": {"litellm_provider": "dashscope", "mode": "chat", "tiered_pricing": [
    {"range": [0, 32000], "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06},
    {"range": [32000, 128000], "input_cost_per_token": 2e-06, "output_cost_per_token": 9e-06}]},
  "vertex_ai/c": {"litellm_provider": "vertex_ai-anthropic_models", "mode": "chat",
    "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
  "e": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 2e-08},
  "d": {"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image": 0.04},
  "s": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0,
    "output_cost_per_token": 0, "input_cost_per_second": 0.01},
  "f": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
  "n": {"litellm_provider": "openai", "mode": "chat", "max_tokens": 1},
  "p": {"mode": "chat"}})";

ImportedPrices imported(const char *json)
{
    auto prices = importPrices(json, "2026-11-23");
    return prices ? std::move(*prices) : ImportedPrices{};
}

} // namespace

class TestPricesImport : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void genaiPrices_everyForm_isRead()
    {
        const ImportedPrices prices = imported(genai);
        QCOMPARE(prices.format, std::string("genai-prices"));
        QCOMPARE(prices.providers.size(), std::size_t(1));
        const auto &models = prices.providers.at("gemini");
        QCOMPARE(prices.modelCount(), std::size_t(5));
        const ModelPriceSpec &first = models.at("g-1");
        QVERIFY(first.input == Money{1'250'000} && first.output == Money{10'000'000});
        QVERIFY(first.cacheRead == Money{125'000} && first.cacheWrite5m == Money{1'500'000}
                && first.cacheWrite1h == Money{3'000'000});
        QCOMPARE(first.longContext.size(), std::size_t(1));
        const LongContextSpec &step = first.longContext.front();
        QCOMPARE(step.above, std::int64_t(200'000));
        QVERIFY(step.input == Money{2'500'000} && step.output == first.output
                && step.cacheRead == first.cacheRead);
        QVERIFY((first.aliases == std::vector<std::string>{"g-one"}));
        QVERIFY(models.at("dated").input == Money{2'000'000});
        QVERIFY(models.at("hours").input == Money{4'000'000});
        QVERIFY(models.at("g-embed").output == Money{0});
        QVERIFY(models.at("talk").input == Money{1'000'000});
        const std::map<std::string, std::size_t> skipped{
            {"another has the same name", 1},
            {"billed by other things than text tokens (images, audio, queries, …)", 1},
            {"no price for input or output tokens", 2},
            {"their names cannot be used", 1}};
        QVERIFY(prices.skipped == skipped);
        const std::map<std::string, std::size_t> notes{
            {"further prices (images, audio, searches, …) left out", 1},
            {"patterns of names left out", 1}};
        QVERIFY(prices.notes == notes);
    }

    void liteLlm_everyForm_isRead()
    {
        const ImportedPrices prices = imported(liteLlm);
        QCOMPARE(prices.format, std::string("LiteLLM"));
        const ModelPriceSpec &groq = prices.providers.at("groq").at("openai/m");
        QVERIFY(groq.input == Money{75'000} && groq.output == Money{300'000}
                && groq.cacheRead == Money{30'000});
        const ModelPriceSpec &claude = prices.providers.at("anthropic").at("claude-x");
        QVERIFY(claude.cacheWrite5m == Money{3'750'000} && claude.cacheWrite1h == Money{6'000'000});
        QCOMPARE(claude.longContext.size(), std::size_t(1));
        QCOMPARE(claude.longContext.front().above, std::int64_t(200'000));
        QVERIFY(claude.longContext.front().output == Money{22'500'000});
        const ModelPriceSpec &tiered = prices.providers.at("alibaba").at("q");
        QVERIFY(tiered.input == Money{1'000'000});
        QCOMPARE(tiered.longContext.front().above, std::int64_t(32'000));
        QVERIFY(tiered.longContext.front().input == Money{2'000'000});
        QVERIFY(prices.providers.at("vertex-ai-anthropic-models").contains("c"));
        const auto &openai = prices.providers.at("openai");
        QCOMPARE(openai.size(), std::size_t(2));
        QVERIFY(openai.contains("e") && openai.contains("f"));
        const std::map<std::string, std::size_t> skipped{
            {"billed by other things than text tokens (images, audio, queries, …)", 2},
            {"no price for input or output tokens", 1},
            {"no provider or mode", 1}};
        QVERIFY(prices.skipped == skipped);
    }

    void importPrices_somethingElse_isRefused_data()
    {
        QTest::addColumn<QByteArray>("json");
        for (const char *json :
             {"",
              "{",
              "[]",
              "{}",
              "1",
              "null",
              R"("x")",
              R"([1, [], {}])",
              R"([{"id": 1, "models": 2}])",
              R"({"providers": []})",
              R"({"a": 1, "b": {"litellm_provider": 3}})",
              R"([{"id": "x", "models": [{"id": "m", "prices": []}]}])",
              R"([{"id": "x", "models": [{"id": "m", "prices": [1, {"prices": 2}]}]}])"})
            QTest::newRow(json) << QByteArray(json);
    }
    void importPrices_somethingElse_isRefused()
    {
        QFETCH(QByteArray, json);
        const auto prices = importPrices(json.toStdString(), "2026-11-23");
        QVERIFY(!prices.has_value() && !prices.error().empty());
    }

    void command_import_writesWhatCanBeRead_data()
    {
        QTest::addColumn<QByteArray>("json");
        QTest::newRow("genai-prices") << QByteArray(genai);
        QTest::newRow("LiteLLM") << QByteArray(liteLlm);
    }
    void command_import_writesWhatCanBeRead()
    {
        QFETCH(QByteArray, json);
        const ConfigDir dir;
        dir.write("list.json", json);
        const std::string line = "import " + dir.file("list.json").toStdString();
        const Ran ran = run(runPrices, words(dir, line.c_str()));
        QCOMPARE(ran.err, std::string());
        QCOMPARE(ran.code, 0);
        QVERIFY(ran.out.find("skipped") != std::string::npos);
        const Draft draft = loadDraft(dir.config());
        QVERIFY(!hasErrors(draft.diagnostics));
        QVERIFY(!draft.prices.empty());
        QVERIFY(snapshotOf(dir) != nullptr);
        QCOMPARE(run(runPrices, words(dir, line.c_str())).code, 0); // over what it wrote
        QCOMPARE(loadDraft(dir.config()).prices.size(), draft.prices.size());
    }

    void command_import_leavesOtherFilesAlone()
    {
        const ConfigDir dir;
        dir.write("list.json", genai);
        dir.write("prices-imported.yaml", "# mine\n");
        const std::string line = "import " + dir.file("list.json").toStdString();
        QCOMPARE(run(runPrices, words(dir, line.c_str())).code, 1);
        QCOMPARE(read(dir.file("prices-imported.yaml")), QByteArray("# mine\n"));
    }

    void command_show_tellsPriceAndPlace()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Prices",
                           "p",
                           "{provider: mine, models: {m: {input: 1 USD, output: 2 USD}}}"));
        const Ran ran = run(runPrices, words(dir, "m --provider mine"));
        QCOMPARE(ran.code, 0);
        QVERIFY(ran.out.find("m of mine, per million tokens\n  input               1 USD\n")
                != std::string::npos);
        QVERIFY(ran.out.find("own: " + dir.file("a.yaml").toStdString() + ":3")
                != std::string::npos);
        const Ran json = run(runPrices, words(dir, "claude-opus-5-5 --json"));
        const QJsonObject row
            = QJsonDocument::fromJson(QByteArray::fromStdString(json.out)).object();
        QCOMPARE(row[QStringLiteral("cacheRead")].toString(), QStringLiteral("0.20 USD"));
        QCOMPARE(row[QStringLiteral("provider")].toString(), QStringLiteral("anthropic"));
        QCOMPARE(row[QStringLiteral("from")].toString(), QStringLiteral("built-in"));
        QVERIFY(row[QStringLiteral("source")].toString().startsWith(QLatin1String("https://")));
        QVERIFY(row[QStringLiteral("version")].toString().contains(QLatin1Char('+')));
    }

    void command_lists()
    {
        const ConfigDir dir;
        const Ran all = run(runPrices, words(dir, ""));
        QVERIFY(all.code == 0 && std::count(all.out.begin(), all.out.end(), '\n') >= 80);
        const Ran groq = run(runPrices, words(dir, "--provider groq"));
        QVERIFY(
            groq.out.find("groq\topenai/gpt-oss-120b\tinput 0.15 USD\toutput 0.60 USD\tbuilt-in")
            != std::string::npos);
        QVERIFY(groq.out.find("anthropic") == std::string::npos);
        QCOMPARE(run(runPrices, {QStringLiteral("--config"), QStringLiteral("/nowhere")}).code, 3);
        const Ran described = run(runPrices, words(dir, "describe"));
        QVERIFY(described.out.find("| `longContext[].above` |") != std::string::npos);
    }

    void command_wrong_saysSo_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<int>("code");
        QTest::newRow("no such model") << QByteArray("no-such-model") << 1;
        QTest::newRow("not of this provider") << QByteArray("gpt-6-sol --provider groq") << 1;
        QTest::newRow("two models") << QByteArray("a b") << 2;
        QTest::newRow("import of nothing") << QByteArray("import") << 2;
        QTest::newRow("import of two") << QByteArray("import a b") << 2;
        QTest::newRow("import as JSON") << QByteArray("import a --json") << 2;
        QTest::newRow("describe of something") << QByteArray("describe x") << 2;
        QTest::newRow("unknown option") << QByteArray("--frobnicate") << 2;
        QTest::newRow("file that is not there") << QByteArray("import /nowhere.json") << 3;
    }
    void command_wrong_saysSo()
    {
        QFETCH(QByteArray, line);
        QFETCH(int, code);
        const ConfigDir dir;
        const Ran ran = run(runPrices, words(dir, line.constData()));
        QCOMPARE(ran.code, code);
        QVERIFY(!ran.err.empty() && ran.out.empty());
    }
};

QTEST_GUILESS_MAIN(TestPricesImport)
#include "tst_pricesimport.moc"
