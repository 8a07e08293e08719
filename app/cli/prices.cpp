// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/prices.h"

#include "app/cli/commands.h"
#include "gateway/base/text.h"
#include "gateway/config/loader.h"
#include "gateway/config/prices.h"
#include "gateway/schema/describe.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <iostream>

namespace gatehouse {

namespace {

constexpr std::string_view help = R"(Usage: gatehouse prices [MODEL] [--provider NAME] [--json]
       gatehouse prices import FILE
       gatehouse prices describe

MODEL     prints the price in force for a model, per million tokens, and where it is from;
          without MODEL, all prices, one a line
import    reads the prices of genai-prices (data.json) or LiteLLM
          (model_prices_and_context_window.json) into prices-imported.yaml of the
          configuration; prices of your own documents come before them
describe  tells what a document of kind Prices may hold

  --provider N  as asked of that provider: a name of the configuration, or a known one
                (gatehouse's own table has openai, anthropic, gemini, …)
  --json        print JSON
  --config DIR  configuration directory (default: $XDG_CONFIG_HOME/gatehouse)
  --data DIR    data directory; not read
  --help        print this

Exit code: 0 done, 1 there is no such price, or the file has none, 2 wrong usage, 3 cannot run
)";

std::string layerName(PriceLayer layer)
{
    switch (layer) {
    case PriceLayer::Own:
        return "own";
    case PriceLayer::Imported:
        return "imported";
    case PriceLayer::BuiltIn:
        return "built-in";
    }
    return {};
}

QString amount(std::int64_t price)
{
    return QString::fromStdString(formatMoney({price}));
}

QJsonValue amountOrNull(const TokenPrices::Price &price)
{
    return price ? QJsonValue(amount(*price)) : QJsonValue();
}

QJsonObject toJson(const TokenPrices &prices)
{
    return {{QStringLiteral("input"), amount(prices.input)},
            {QStringLiteral("cacheRead"), amountOrNull(prices.cacheRead)},
            {QStringLiteral("cacheWrite5m"), amountOrNull(prices.cacheWrite5m)},
            {QStringLiteral("cacheWrite1h"), amountOrNull(prices.cacheWrite1h)},
            {QStringLiteral("output"), amount(prices.output)}};
}

QJsonObject toJson(const PriceRow &row)
{
    QJsonObject object = toJson(row.prices);
    QJsonArray steps;
    for (const LongContext &step : row.longContext) {
        QJsonObject entry = toJson(step.prices);
        entry.insert(QStringLiteral("above"), static_cast<qint64>(step.above));
        steps.append(entry);
    }
    object.insert(QStringLiteral("longContext"), steps);
    object.insert(QStringLiteral("model"), QString::fromStdString(row.model));
    object.insert(QStringLiteral("provider"), textOrNull(row.provider));
    object.insert(QStringLiteral("from"), QString::fromStdString(layerName(row.layer)));
    object.insert(QStringLiteral("source"), textOrNull(row.source));
    return object;
}

void printJson(const QJsonDocument &document)
{
    std::cout << document.toJson(QJsonDocument::Compact).constData() << '\n';
}

void printPrices(const TokenPrices &prices)
{
    const auto line = [](std::string_view what, std::int64_t price, bool isSet) {
        std::cout << "  " << what << formatMoney({price}) << (isSet ? "\n" : " (not set)\n");
    };
    line("input               ", prices.input, true);
    line("cache read          ", prices.read(), prices.cacheRead.has_value());
    line("cache write, 5 min  ", prices.write5m(), prices.cacheWrite5m.has_value());
    line("cache write, 1 h    ", prices.write1h(), prices.cacheWrite1h.has_value());
    line("output              ", prices.output, true);
}

std::string origin(const PriceRow &row)
{
    return layerName(row.layer) + (row.source.empty() ? "" : ": " + row.source);
}

void print(const PriceRow &row)
{
    std::cout << row.model << " of " << (row.provider.empty() ? "any provider" : row.provider)
              << ", per million tokens\n";
    printPrices(row.prices);
    for (const LongContext &step : row.longContext) {
        std::cout << "with more than " << step.above << " input tokens\n";
        printPrices(step.prices);
    }
    std::cout << origin(row) << '\n';
}

int showOne(const CommandLine &line, const PriceTable &table, const std::string &model)
{
    const std::string provider = line.value(QStringLiteral("provider"));
    const PriceRow *row = table.find(provider, model);
    if (row == nullptr)
        return fail(ExitNo,
                    "there is no price for " + inQuotes(model)
                        + (provider.empty() ? "" : " of " + inQuotes(provider))
                        + "; a document of kind Prices can tell it");
    if (!line.isSet(QStringLiteral("json"))) {
        print(*row);
        return ExitDone;
    }
    QJsonObject object = toJson(*row);
    object.insert(QStringLiteral("version"), QString::fromStdString(table.version()));
    printJson(QJsonDocument(object));
    return ExitDone;
}

int showAll(const CommandLine &line, const PriceTable &table)
{
    const std::string provider = line.value(QStringLiteral("provider"));
    QJsonArray rows;
    for (const PriceRow &row : table.rows()) {
        if (!provider.empty() && table.find(provider, row.model) != &row)
            continue;
        if (line.isSet(QStringLiteral("json")))
            rows.append(toJson(row));
        else
            std::cout << (row.provider.empty() ? "*" : row.provider) << '\t' << row.model
                      << "\tinput " << formatMoney({row.prices.input}) << "\toutput "
                      << formatMoney({row.prices.output}) << '\t' << origin(row) << '\n';
    }
    if (line.isSet(QStringLiteral("json")))
        printJson(QJsonDocument(
            QJsonObject{{QStringLiteral("version"), QString::fromStdString(table.version())},
                        {QStringLiteral("prices"), rows}}));
    return ExitDone;
}

int describe(const CommandLine &line)
{
    if (line.words().size() != 1)
        return line.refuse("describe takes no arguments");
    std::cout << "# Prices\n\nWhat models cost, for budgets and records. All amounts are for a "
                 "million tokens.\n\n"
              << markdown(recordType<PricesSpec>(), "Spec") << '\n'
              << markdown(recordType<ModelPriceSpec>(), "A model, under its name in models");
    return ExitDone;
}

} // namespace

int runPrices(const QStringList &args)
{
    CommandLine line(help);
    line.addOption(QStringLiteral("provider"), QStringLiteral("NAME"));
    line.addOption(QStringLiteral("json"));
    if (const auto code = line.parse(args))
        return *code;
    const QStringList words = line.words();
    const QString first = words.isEmpty() ? QString() : words.first();
    const bool isShow = first != QLatin1String("import") && first != QLatin1String("describe");
    if (!isShow && (line.isSet(QStringLiteral("json")) || line.isSet(QStringLiteral("provider"))))
        return line.refuse("--json and --provider belong to the prices that are shown");
    if (first == QLatin1String("import"))
        return importPriceFile(line);
    if (first == QLatin1String("describe"))
        return describe(line);
    if (words.size() > 1)
        return line.refuse("say one model");
    const std::string directory = line.directories().config;
    const bool isThere = QFileInfo(QString::fromStdString(directory)).isDir();
    if (!isThere && line.isSet(QStringLiteral("config")))
        return fail(ExitCannotRun, "the configuration directory " + directory + " is not there");
    const Draft draft = isThere ? loadDraft(directory) : Draft{};
    Diagnostics diagnostics = draft.diagnostics;
    const auto table = compilePrices(draft, diagnostics);
    for (const Diagnostic &diagnostic : diagnostics)
        std::cerr << diagnostic.text() << '\n';
    return first.isEmpty() ? showAll(line, *table) : showOne(line, *table, first.toStdString());
}

} // namespace gatehouse
