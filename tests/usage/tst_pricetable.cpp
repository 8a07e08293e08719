// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/usage/pricetable.h"

#include <QTest>

#include <array>

using namespace gatehouse;

namespace {

constexpr std::uint64_t most = UINT64_MAX;

/// 2 USD a million tokens, 0.20 read, 2.50 and 4 written, 10 out; all twice beyond 1000, output 15.
PriceRow fullRow()
{
    return {.provider = "openai",
            .model = "full",
            .prices = {2'000'000, 200'000, 2'500'000, 4'000'000, 10'000'000},
            .longContext = {{1000, {4'000'000, 400'000, 5'000'000, 8'000'000, 15'000'000}},
                            {5000, {8'000'000, {}, {}, {}, 30'000'000}}}};
}

PriceRow plainRow(std::string provider, std::string model, std::int64_t input, PriceLayer layer)
{
    return {.provider = std::move(provider),
            .model = std::move(model),
            .prices = {.input = input, .output = input},
            .layer = layer};
}

PriceTable table()
{
    std::vector<PriceRow> rows{
        fullRow(),
        {.model = "input-only", .prices = {.input = 1'000'000}},
        {.model = "free"},
        {.model = "fine", .prices = {.input = 1, .output = 1}},
        {.model = "dear", .prices = {.input = INT64_MAX, .output = INT64_MAX}},
        {.model = "write-only-5m", .prices = {.input = 1'000'000, .cacheWrite5m = 3'000'000}}};
    return {"2026-11-23", rows};
}

Usage used(Usage::Tokens input, Usage::Tokens output)
{
    Usage usage;
    usage.input = input;
    usage.output = output;
    return usage;
}

} // namespace

class TestPriceTable : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cost_ofARow_isExact_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<quint64>("input");
        QTest::addColumn<quint64>("read");
        QTest::addColumn<quint64>("write5m");
        QTest::addColumn<quint64>("write1h");
        QTest::addColumn<quint64>("output");
        QTest::addColumn<qint64>("microUsd");
        const auto row = [](const char *name,
                            const char *model,
                            std::array<quint64, 5> tokens,
                            qint64 microUsd) {
            QTest::newRow(name) << QString::fromLatin1(model) << tokens[0] << tokens[1] << tokens[2]
                                << tokens[3] << tokens[4] << microUsd;
        };
        row("nothing", "full", {0, 0, 0, 0, 0}, 0);
        row("every part", "full", {100, 100, 100, 100, 100}, 200 + 20 + 250 + 400 + 1000);
        row("last before the tier", "full", {1000, 0, 0, 0, 10}, 2000 + 100);
        row("first of the tier", "full", {1001, 0, 0, 0, 10}, 4004 + 150);
        row("caches count for the tier", "full", {1, 400, 300, 300, 1}, 4 + 160 + 1500 + 2400 + 15);
        row("output does not", "full", {1000, 0, 0, 0, 9999}, 2000 + 99'990);
        row("last of the tier", "full", {0, 5000, 0, 0, 0}, 2000);
        row("the tier after, read as input", "full", {0, 5001, 0, 0, 0}, 40'008);
        row("written as input", "input-only", {1, 2, 3, 4, 5}, 10);
        row("an hour as 5 minutes", "write-only-5m", {0, 0, 1, 1, 0}, 6);
        row("free", "free", {most, most, most, most, most}, 0);
        row("a part of a micro is one", "fine", {1, 0, 0, 0, 0}, 1);
        row("a micro in parts", "fine", {250'000, 250'000, 250'000, 250'000, 0}, 1);
        row("rounded up once", "fine", {250'000, 250'000, 250'000, 250'000, 1}, 2);
        row("as it can be", "dear", {most, most, most, most, most}, largestMoney.microUsd);
        row("beyond 64 bits of picos", "input-only", {most, 0, 0, 0, 0}, largestMoney.microUsd);
        row("within 64 bits of micros",
            "input-only",
            {8'000'000'000'000'000'000, 0, 0, 0, 0},
            8'000'000'000'000'000'000);
    }
    void cost_ofARow_isExact()
    {
        QFETCH(QString, model);
        QFETCH(quint64, input);
        QFETCH(quint64, read);
        QFETCH(quint64, write5m);
        QFETCH(quint64, write1h);
        QFETCH(quint64, output);
        QFETCH(qint64, microUsd);
        Usage usage = used(input, output);
        usage.cacheRead = read;
        usage.cacheWrite5m = write5m;
        usage.cacheWrite1h = write1h;
        const PriceTable prices = table();
        const auto cost = prices.cost(usage, "openai", model.toStdString());
        QVERIFY(cost.has_value());
        QCOMPARE(qint64(cost->microUsd), microUsd);
        const Usage::Tokens total = usage.totalInput();
        if (model != QLatin1String("free") && input != most) {
            const auto worst = prices.worstCase("openai", model.toStdString(), *total, output);
            QVERIFY(worst && worst->microUsd >= microUsd);
        }
    }

    void cost_notTold_isNone()
    {
        const PriceTable prices = table();
        QVERIFY(!prices.cost(used(1, {}), "openai", "full"));
        QVERIFY(!prices.cost(used({}, 1), "openai", "full"));
        QVERIFY(!prices.cost(used({}, {}), "openai", "full"));
        QVERIFY(!prices.cost(used(1, 1), "openai", "unknown"));
        QVERIFY(!prices.cost(used(1, 1), "other", "full"));
        QVERIFY((prices.cost(used(7, {}), "", "input-only") == Money{7}));
        QVERIFY((prices.cost(used({}, {}), "", "free") == Money{0}));
    }

    void cost_reported_wins()
    {
        const PriceTable prices = table();
        Usage usage = used(1000, 1000);
        usage.reportedMicroUsd = 3;
        QVERIFY((prices.cost(usage, "openai", "full") == Money{3}));
        QVERIFY((prices.cost(usage, "nobody", "unknown") == Money{3}));
        usage.reportedMicroUsd = 0;
        QVERIFY((prices.cost(usage, "openai", "full") == Money{0}));
        usage.reportedMicroUsd = -1; // no provider pays for being asked
        QVERIFY((prices.cost(usage, "openai", "full") == Money{12'000}));
    }

    void worstCase_boundary_isTheDearestPart()
    {
        const PriceTable prices = table();
        QVERIFY((prices.worstCase("openai", "full", 1000, 10) == Money{4000 + 100}));
        QVERIFY((prices.worstCase("openai", "full", 1001, 10) == Money{8008 + 150}));
        QVERIFY((prices.worstCase("openai", "full", 5001, 10) == Money{40'008 + 300}));
        QVERIFY((prices.worstCase("openai", "full", most, most) == largestMoney));
        QVERIFY(!prices.worstCase("openai", "unknown", 1, 1));
    }

    void worstCase_cheaperBeyond_isStillABound()
    {
        PriceRow row = plainRow("", "m", 10'000'000, PriceLayer::Own);
        row.longContext = {{10, {.input = 1'000'000, .output = 1'000'000}}};
        const PriceTable prices("v", {row});
        QVERIFY((prices.worstCase("", "m", 11, 1) == Money{120})); // fewer may have been counted
    }

    void find_names_data()
    {
        QTest::addColumn<QString>("provider");
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("input"); // of the row; -1: none
        const auto row = [](const char *provider, const char *model, int input) {
            QTest::addRow("%s %s", provider, model)
                << QString::fromLatin1(provider) << QString::fromLatin1(model) << input;
        };
        row("openai", "gpt-x", 10);
        row("openai", "GPT-X", 10);
        row("openai", "models/gpt-x", 10);
        row("openai", "gpt-x-latest", 10);
        row("openai", "gpt-x-2026-01-01", 10);
        row("openai", "gpt-x-20261231", 10);
        row("openai", "gpt-x@20261231", 10);
        row("openai", "gpt-x-2025-05-05", 11); // a row of its own
        row("openai", "gpt-x-2026-13-01", -1);
        row("openai", "gpt-x-2026-00-01", -1);
        row("openai", "gpt-x-2026-01-32", -1);
        row("openai", "gpt-x-1999-01-01", -1);
        row("openai", "gpt-x-20261", -1);
        row("openai", "gpt-x-mini", -1);
        row("openai", "gpt-x-mini-2026-01-01", -1);
        row("openai", "gpt-x-2026-01-01-latest", -1);
        row("openai", "gpt-", -1);
        row("openai", "-latest", -1);
        row("openai", "", -1);
        row("openai", "gpt-alias", 10);
        row("openai", "gpt-alias-2026-01-01", 10);
        row("openai", "gpt-y-mini", 12);
        row("openai", "gpt-y", 35);        // imported before built in
        row("openai", "gpt-y-nano-1", 13); // the longer beginning
        row("openai", "gpt-y-exact", 14);
        row("openai", "openai/gpt-x", -1);
        row("groq", "gpt-x", -1); // its rows are known, and this is none of them
        row("groq", "openai/gpt-x", 20);
        row("router", "openai/gpt-x", 10);
        row("router", "open-ai/gpt-x-2026-01-01", 10);
        row("router", "groq/openai/gpt-x", -1); // no maker
        row("router", "nobody/gpt-x", -1);
        row("router", "gpt-x", 10);
        row("my-own", "gpt-x", 10);
        row("my-own", "openai/gpt-x", 10);
        row("", "gpt-x", 10);
        row("local", "gpt-x", 0);
        row("my-groq", "openai/gpt-x", 20);
        row("my-groq", "gpt-x", -1);
        row("my-groq", "named", 36);            // by its own name before its preset's
        row("local-named", "openai/gpt-x", 20); // its name is not what it is
        row("openai", "mine", 30);
        row("openai", "gpt-z", 31);
        row("groq", "gpt-z", 32);   // of this provider before that of any
        row("openai", "gpt-w", 33); // any row of the user's before a built-in one
        row("openai", "gpt-w-latest", 33);
    }
    void find_names()
    {
        QFETCH(QString, provider);
        QFETCH(QString, model);
        QFETCH(int, input);
        PriceRow gptX = plainRow("openai", "gpt-x", 10, PriceLayer::BuiltIn);
        gptX.aliases = {"gpt-alias"};
        const PriceTable prices(
            "v",
            {gptX,
             plainRow("openai", "gpt-x-2025-05-05", 11, PriceLayer::BuiltIn),
             plainRow("openai", "gpt-y*", 12, PriceLayer::BuiltIn),
             plainRow("openai", "gpt-y-nano*", 13, PriceLayer::BuiltIn),
             plainRow("openai", "gpt-y-exact", 14, PriceLayer::BuiltIn),
             plainRow("openai", "gpt-w", 15, PriceLayer::BuiltIn),
             plainRow("groq", "openai/gpt-x", 20, PriceLayer::BuiltIn),
             plainRow("local", "*", 0, PriceLayer::BuiltIn),
             plainRow("", "mine", 30, PriceLayer::Own),
             plainRow("", "gpt-z", 31, PriceLayer::Own),
             plainRow("groq", "gpt-z", 32, PriceLayer::Own),
             plainRow("", "gpt-w", 33, PriceLayer::Own),
             plainRow("openai", "gpt-w", 34, PriceLayer::Imported),
             plainRow("", "gpt-y", 35, PriceLayer::Imported),
             plainRow("groq", "named", 37, PriceLayer::Own),
             plainRow("my-groq", "named", 36, PriceLayer::Own),
             plainRow("local-named", "*", 38, PriceLayer::BuiltIn)},
            {{.name = "groq"},
             {.name = "openai", .makers = {"openai", "open-ai"}, .isMaker = true},
             {.name = "router", .isReseller = true},
             {.name = "local"}},
            {{"my-groq", "groq"}, {"local-named", "groq"}});
        const PriceRow *row = prices.find(provider.toStdString(), model.toStdString());
        QCOMPARE(row == nullptr ? -1 : int(row->prices.input), input);
        QCOMPARE(prices.version(), std::string("v"));
    }

    void find_emptyTable_isNone()
    {
        QVERIFY(PriceTable().find("openai", "gpt-x") == nullptr);
        QVERIFY(!PriceTable().cost(used(1, 1), "openai", "gpt-x"));
    }
};

QTEST_APPLESS_MAIN(TestPriceTable)
#include "tst_pricetable.moc"
