// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/pricespec.h"

#include "gateway/config/problems.h"

#include <array>

namespace gatehouse {

namespace {

/// A dollar a token: who exceeds it has most likely taken the price of a million for that of one.
constexpr std::int64_t dearest = 1'000'000'000'000;

consteval FieldInfo
price(std::string_view key, std::string_view label, std::string_view help, bool isRequired = false)
{
    return {.key = key, .label = label, .help = help, .max = dearest, .required = isRequired};
}

constexpr std::string_view outputHelp
    = "A million output tokens, reasoning included; 0 USD where there are none";
constexpr std::string_view readHelp = "A million tokens read from a cache; not set: as input";
constexpr std::string_view write5mHelp
    = "A million tokens written to a cache, for 5 minutes or as long as the vendor keeps it; not "
      "set: as input";
constexpr std::string_view write1hHelp
    = "A million tokens written to a cache for an hour; not set: as for 5 minutes";

} // namespace

std::span<const Field> LongContextSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&LongContextSpec::above>({.key = "above",
                                        .label = "Above",
                                        .help = "With more input tokens than that, caches "
                                                "included, all tokens cost as here",
                                        .min = 1,
                                        .max = 1'000'000'000,
                                        .required = true}),
        field<&LongContextSpec::input>(
            price("input", "Input", "A million input tokens that no cache has to do with", true)),
        field<&LongContextSpec::output>(price("output", "Output", outputHelp, true)),
        field<&LongContextSpec::cacheRead>(price("cacheRead", "Cache read", readHelp)),
        field<&LongContextSpec::cacheWrite5m>(
            price("cacheWrite5m", "Cache write, 5 min", write5mHelp)),
        field<&LongContextSpec::cacheWrite1h>(
            price("cacheWrite1h", "Cache write, 1 h", write1hHelp)),
    });
    return table;
}

std::span<const Field> ModelPriceSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&ModelPriceSpec::input>(
            price("input", "Input", "A million input tokens that no cache has to do with", true)),
        field<&ModelPriceSpec::output>(price("output", "Output", outputHelp, true)),
        field<&ModelPriceSpec::cacheRead>(price("cacheRead", "Cache read", readHelp)),
        field<&ModelPriceSpec::cacheWrite5m>(
            price("cacheWrite5m", "Cache write, 5 min", write5mHelp)),
        field<&ModelPriceSpec::cacheWrite1h>(
            price("cacheWrite1h", "Cache write, 1 h", write1hHelp)),
        field<&ModelPriceSpec::longContext>(
            {.key = "longContext",
             .label = "Long context",
             .help = "Other prices for exchanges with much input; the highest step passed counts",
             .max = 16}),
        field<&ModelPriceSpec::aliases>({.key = "aliases",
                                         .label = "Aliases",
                                         .help = "Other names of the model",
                                         .max = 64,
                                         .problem = modelNameProblem}),
    });
    return table;
}

std::span<const Field> PricesSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&PricesSpec::provider>(
            {.key = "provider",
             .label = "Provider",
             .help = "Whose prices these are: the name of a Provider; not set: anybody's",
             .problem = nameProblem}),
        field<&PricesSpec::imported>(
            {.key = "imported",
             .label = "Imported",
             .help = "Prices from elsewhere: those of other documents come before them"}),
        field<&PricesSpec::models>(
            {.key = "models",
             .label = "Models",
             .help = "Prices by the model's name; a `*` at its end stands for any rest",
             .required = true}),
    });
    return table;
}

} // namespace gatehouse
