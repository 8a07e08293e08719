// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/field.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gatehouse {

// What each field means and may hold is in the tables of pricespec.cpp. All prices are per million tokens.

struct LongContextSpec
{
    std::int64_t above = 0;
    Money input = {};
    Money output = {};
    std::optional<Money> cacheRead = {};
    std::optional<Money> cacheWrite5m = {};
    std::optional<Money> cacheWrite1h = {};

    bool operator==(const LongContextSpec &) const = default;
    static std::span<const Field> fields();
};

/// What stands under a model's name.
struct ModelPriceSpec
{
    Money input = {};
    Money output = {};
    std::optional<Money> cacheRead = {};
    std::optional<Money> cacheWrite5m = {};
    std::optional<Money> cacheWrite1h = {};
    std::vector<LongContextSpec> longContext = {};
    std::vector<std::string> aliases = {};

    bool operator==(const ModelPriceSpec &) const = default;
    static std::span<const Field> fields();
};

struct PricesSpec
{
    std::string provider = {};
    bool imported = false;
    Node models = Node::map(); ///< of ModelPriceSpec, by name; decoded where the table is made

    bool operator==(const PricesSpec &) const = default;
    static std::span<const Field> fields();
};

} // namespace gatehouse
