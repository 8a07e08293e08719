// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/prices.h"

#include "gateway/base/text.h"
#include "gateway/config/problems.h"
#include "gateway/schema/decode.h"
#include "gateway/schema/yaml.h"

#include <QCryptographicHash>

#include <map>

namespace gatehouse {

namespace {

/// One provider of the built-in table.
struct BuiltInProvider
{
    std::string provider = {};
    std::vector<std::string> makers = {};
    bool reseller = false;
    std::string source = {};
    std::string checked = {};
    Node models = Node::map();

    bool operator==(const BuiltInProvider &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto table = std::to_array<Field>({
            field<&BuiltInProvider::provider>(
                {.key = "provider", .label = "", .help = "", .required = true}),
            field<&BuiltInProvider::makers>({.key = "makers", .label = "", .help = ""}),
            field<&BuiltInProvider::reseller>({.key = "reseller", .label = "", .help = ""}),
            field<&BuiltInProvider::source>({.key = "source", .label = "", .help = ""}),
            field<&BuiltInProvider::checked>(
                {.key = "checked", .label = "", .help = "", .required = true}),
            field<&BuiltInProvider::models>({.key = "models", .label = "", .help = ""}),
        });
        return table;
    }
};

struct BuiltInPrices
{
    std::string version = {};
    std::vector<BuiltInProvider> providers = {};

    bool operator==(const BuiltInPrices &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto table = std::to_array<Field>({
            field<&BuiltInPrices::version>(
                {.key = "version", .label = "", .help = "", .required = true}),
            field<&BuiltInPrices::providers>(
                {.key = "providers", .label = "", .help = "", .required = true}),
        });
        return table;
    }
};

TokenPrices::Price microsOf(const std::optional<Money> &money)
{
    return money ? TokenPrices::Price(money->microUsd) : TokenPrices::Price();
}

template<typename Spec>
TokenPrices pricesOf(const Spec &spec)
{
    return {.input = spec.input.microUsd,
            .cacheRead = microsOf(spec.cacheRead),
            .cacheWrite5m = microsOf(spec.cacheWrite5m),
            .cacheWrite1h = microsOf(spec.cacheWrite1h),
            .output = spec.output.microUsd};
}

/// Makes rows of maps of models.
class RowReader
{
public:
    explicit RowReader(std::vector<PriceRow> &rows)
        : m_rows(rows)
    {}

    /// \a common: what all these rows share. \a file is where they are from; empty: told by common.
    void read(const Node &models,
              const PriceRow &common,
              const std::string &file,
              Reporter &reporter,
              Diagnostics &diagnostics)
    {
        for (std::size_t i = 0; i < models.items.size(); ++i) {
            const Node::Key &key = models.keys[i];
            const std::size_t before = diagnostics.size();
            const auto spec = decode<ModelPriceSpec>(models.items[i], reporter);
            if (const std::string problem = modelNameProblem(key.text); !problem.empty())
                reporter.error(key.place, "the model's name " + problem);
            PriceRow row = common;
            row.model = key.text;
            row.aliases = spec.aliases;
            row.prices = pricesOf(spec);
            for (const LongContextSpec &step : spec.longContext)
                row.longContext.push_back({static_cast<std::uint64_t>(step.above), pricesOf(step)});
            if (!file.empty())
                row.source = file + ":" + std::to_string(key.place.line);
            checkNames(row, key.place, reporter);
            if (diagnostics.size() == before)
                m_rows.push_back(std::move(row));
        }
    }

private:
    void checkNames(const PriceRow &row, Place place, Reporter &reporter)
    {
        std::vector<std::string> names{row.model};
        names.insert(names.end(), row.aliases.begin(), row.aliases.end());
        for (const std::string &name : names) {
            const auto [other, isNew]
                = m_names.try_emplace({row.layer, row.provider, toLowerAscii(name)}, row.source);
            if (!isNew)
                reporter.error(place, inQuotes(name) + " has a price already, at " + other->second);
        }
    }

    std::vector<PriceRow> &m_rows;
    /// Where each name of a layer and provider was found first.
    std::map<std::tuple<PriceLayer, std::string, std::string>, std::string> m_names;
};

/// The built-in table, read.
struct BuiltIn
{
    std::string version = {};
    std::vector<PriceRow> rows = {};
    std::vector<PriceProvider> providers = {};
    Diagnostics faults = {}; ///< of the program, not of the configuration
};

BuiltIn readBuiltIn()
{
    BuiltIn builtIn;
    const std::string file = "built-in prices";
    const auto documents = parseYaml(builtInPriceText(), file, builtIn.faults);
    Reporter reporter(file, builtIn.faults);
    if (documents.size() != 1) {
        reporter.error({}, "must be one document");
        return builtIn;
    }
    const auto prices = decode<BuiltInPrices>(documents.front(), reporter);
    builtIn.version = prices.version;
    RowReader reader(builtIn.rows);
    for (const BuiltInProvider &provider : prices.providers) {
        reader.read(
            provider.models,
            {.provider = provider.provider,
             .source = provider.source + (provider.source.empty() ? "" : ", ") + provider.checked,
             .layer = PriceLayer::BuiltIn},
            {},
            reporter,
            builtIn.faults);
        builtIn.providers.push_back({.name = provider.provider,
                                     .makers = provider.makers,
                                     .isMaker = !provider.makers.empty(),
                                     .isReseller = provider.reseller});
    }
    return builtIn;
}

/// Read once: it is a constant, and to read it takes longer than all else in a small configuration.
const BuiltIn &builtInPrices()
{
    static const BuiltIn builtIn = readBuiltIn();
    return builtIn;
}

std::string digestOf(const std::vector<PriceRow> &rows, std::size_t count)
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    const auto add = [&hash](const std::string &text) {
        const std::string framed = std::to_string(text.size()) + ":" + text;
        hash.addData(QByteArrayView(framed.data(), static_cast<qsizetype>(framed.size())));
    };
    const auto addPrices = [&add](const TokenPrices &prices) {
        for (const std::int64_t price :
             {prices.input, prices.read(), prices.write5m(), prices.write1h(), prices.output})
            add(std::to_string(price));
    };
    for (std::size_t i = 0; i < count; ++i) {
        const PriceRow &row = rows[i];
        add(row.provider);
        add(row.model);
        add(std::to_string(static_cast<int>(row.layer)));
        add(std::to_string(row.aliases.size()));
        for (const std::string &alias : row.aliases)
            add(alias);
        addPrices(row.prices);
        for (const LongContext &step : row.longContext) {
            add(std::to_string(step.above));
            addPrices(step.prices);
        }
    }
    constexpr qsizetype digestBytes = 8;
    return hash.result().left(digestBytes).toHex().toStdString();
}

} // namespace

std::shared_ptr<const PriceTable> compilePrices(const Draft &draft, Diagnostics &diagnostics)
{
    std::vector<PriceRow> rows;
    RowReader reader(rows);
    for (const Resource<PricesSpec> &document : draft.prices) {
        Reporter reporter(document.file, diagnostics);
        const PricesSpec &spec = document.spec;
        reader.read(spec.models,
                    {.provider = spec.provider,
                     .layer = spec.imported ? PriceLayer::Imported : PriceLayer::Own},
                    document.file,
                    reporter,
                    diagnostics);
    }
    const std::size_t own = rows.size();
    const BuiltIn &builtIn = builtInPrices();
    diagnostics.insert(diagnostics.end(), builtIn.faults.begin(), builtIn.faults.end());
    rows.insert(rows.end(), builtIn.rows.begin(), builtIn.rows.end());
    std::map<std::string, std::string, std::less<>> presets;
    for (const Resource<ProviderSpec> &provider : draft.providers) {
        if (!provider.spec.preset.empty())
            presets.emplace(provider.name, provider.spec.preset);
    }
    std::string version = builtIn.version;
    if (own > 0)
        version += "+" + digestOf(rows, own);
    return std::make_shared<const PriceTable>(
        std::move(version), std::move(rows), builtIn.providers, std::move(presets));
}

} // namespace gatehouse
