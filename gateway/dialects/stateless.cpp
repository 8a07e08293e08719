// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/pathsegments.h"
#include "gateway/dialects/dialect.h"

#include <algorithm>
#include <vector>

namespace gatehouse {

namespace {

using Texts = std::vector<std::string_view>;

/// What all dialects look for.
struct Places
{
    Places();

    Texts endpoints;
    Texts keeping;
    Texts state;
    Texts tools;
};

Places::Places()
{
    const auto add = [](Texts &all, std::span<const std::string_view> more) {
        all.insert(all.end(), more.begin(), more.end());
    };
    for (const Dialect *dialect : dialects()) {
        const StatelessPlaces places = dialect->statelessPlaces();
        add(endpoints, places.endpoints);
        add(keeping, places.keeping);
        add(state, places.state);
        add(tools, places.tools);
    }
}

const Places &allPlaces()
{
    static const Places places;
    return places;
}

bool isOff(const json::Value &value)
{
    return value.kind() == json::Kind::Null || value.boolean() == false;
}

bool runsAtProvider(const json::Value &tool)
{
    const auto type = tool.find("type");
    const auto text = type ? type->text() : std::nullopt;
    return text && std::ranges::any_of(allPlaces().tools, [&text](std::string_view begin) {
               return text->starts_with(begin);
           });
}

} // namespace

bool Dialect::isStateless(std::string_view path, const json::Value *body) const
{
    const Places &places = allPlaces();
    const bool isKeeping = isEndpoint(path, places.keeping);
    if (!isKeeping && !isEndpoint(path, places.endpoints))
        return false;
    if (body == nullptr)
        return true;
    const auto store = body->find("store");
    const bool isKept = isKeeping && !(store && store->boolean() == false);
    const bool namesState = std::ranges::any_of(places.state, [body](std::string_view name) {
        const auto member = body->find(name);
        return member && !isOff(*member);
    });
    if (!body->isObject() || isKept || namesState)
        return false;
    const auto tools = body->find("tools");
    return !tools || std::ranges::none_of(tools->elements(), &runsAtProvider);
}

} // namespace gatehouse
