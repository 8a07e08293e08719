// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/turnplaces.h"
#include "gateway/usage/outputcap.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

namespace json {
class Value;
} // namespace json

class ModelFinder;

/// What policies know of a route.
struct RouteInfo
{
    std::string name;
    std::string basePath; ///< "/openai/v1", never with a last slash; "" is the whole listener
    std::string dialectName;
    std::map<std::string, std::string> labels = {};
    std::shared_ptr<const ModelFinder> modelFinder = {}; ///< of the dialect
    bool isPublic = false;                               ///< answers without a virtual key
    std::vector<std::string> providerNames = {};         ///< who may answer; the usual one first
    std::size_t optionCount = 1; ///< the first of them, chosen among; behind them the fallbacks
    /// How much output a request for the path allows, by its body; of the dialect.
    std::function<OutputCap(std::string_view path, const json::Value &body)> outputCap = {};
    /// The last turn of a conversation, as Dialect::lastTurn(); of the dialect.
    std::function<std::optional<std::string>(
        std::string_view path, const json::Value &body, TurnForm form)>
        lastTurn = {};
    /// A request with POST asks for nothing but an answer, as Dialect::isStateless(); of the dialect.
    std::function<bool(std::string_view path, const json::Value *body)> isStateless = {};

    /// True where it has all of \a wanted, with these values.
    [[nodiscard]] bool hasLabels(const std::map<std::string, std::string> &wanted) const;
};

} // namespace gatehouse
