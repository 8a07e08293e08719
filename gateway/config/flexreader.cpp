// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/flexreader.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <charconv>

namespace gatehouse {

std::size_t indexOf(const Node &map, std::string_view key)
{
    const auto exact = std::ranges::find(map.keys, key, &Node::Key::text);
    const auto found = exact != map.keys.end()
                           ? exact
                           : std::ranges::find_if(map.keys, [key](const Node::Key &other) {
                                 return equalsIgnoreCase(other.text, key);
                             });
    return static_cast<std::size_t>(found - map.keys.begin());
}

const Node *FlexReader::field(const Node &map, std::string_view key)
{
    const std::size_t index = indexOf(map, key);
    if (index == map.items.size() || map.items[index].kind == Node::Kind::Null)
        return nullptr;
    return &map.items[index];
}

std::string FlexReader::text(const Node &map, std::string_view key)
{
    const Node *value = field(map, key);
    if (value == nullptr)
        return {};
    if (value->kind == Node::Kind::Scalar)
        return value->text;
    error(value->place, std::string(key) + " must be a text");
    return {};
}

std::string FlexReader::requiredText(const Node &map, std::string_view key)
{
    const Node *value = field(map, key);
    if (value == nullptr)
        error(map.place, std::string(key) + " is missing");
    else if (value->kind != Node::Kind::Scalar || value->text.empty())
        error(value->place, std::string(key) + " must be a text");
    else
        return value->text;
    return {};
}

std::int64_t FlexReader::integer(const Node &value, std::string_view key, std::int64_t fallback)
{
    std::int64_t number = 0;
    const char *end = value.text.data() + value.text.size();
    const auto [rest, problem] = std::from_chars(value.text.data(), end, number);
    if (value.kind == Node::Kind::Scalar && problem == std::errc() && rest == end)
        return number;
    error(value.place, std::string(key) + " must be a whole number");
    return fallback;
}

const Node *FlexReader::map(const Node &map, std::string_view key)
{
    const Node *value = field(map, key);
    if (value == nullptr || value->kind == Node::Kind::Map)
        return value;
    error(value->place, std::string(key) + " must be a map");
    return nullptr;
}

const Node *FlexReader::requiredMap(const Node &map, std::string_view key)
{
    if (field(map, key) == nullptr)
        error(map.place, std::string(key) + " is missing");
    return this->map(map, key);
}

std::vector<const Node *> FlexReader::maps(const Node &map, std::string_view key)
{
    std::vector<const Node *> list;
    const Node *value = field(map, key);
    if (value == nullptr)
        return list;
    if (value->kind != Node::Kind::List) {
        error(value->place, std::string(key) + " must be a list");
        return list;
    }
    for (const Node &item : value->items) {
        if (item.kind == Node::Kind::Map)
            list.push_back(&item);
        else
            error(item.place, std::string(key) + " must be a list of maps");
    }
    return list;
}

FlexLabels FlexReader::texts(const Node &map, std::string_view key)
{
    FlexLabels texts;
    const Node *value = this->map(map, key);
    if (value == nullptr)
        return texts;
    for (std::size_t i = 0; i < value->items.size(); ++i) {
        if (value->items[i].kind == Node::Kind::Scalar)
            texts[value->keys[i].text] = value->items[i].text;
        else
            error(value->keys[i].place, inQuotes(value->keys[i].text) + " must be a text");
    }
    return texts;
}

FlexName FlexReader::name(const Node &map, std::string_view defaultSpace)
{
    FlexName name{.name = requiredText(map, "name")};
    name.space = text(map, "namespace");
    if (name.space.empty())
        name.space = defaultSpace;
    return name;
}

void FlexReader::warnUnknown(const Node &map, std::initializer_list<std::string_view> known)
{
    for (std::size_t i = 0; i < map.keys.size(); ++i) {
        const Node::Key &key = map.keys[i];
        if (std::ranges::find(known, key.text) != known.end())
            continue;
        const auto meant = std::ranges::find_if(
            known, [&key](std::string_view word) { return equalsIgnoreCase(key.text, word); });
        if (meant == known.end() || indexOf(map, *meant) != i)
            warning(key.place,
                    "unknown field " + inQuotes(key.text) + didYouMean(key.text, known)
                        + "; it is kept and has no effect");
        else
            warning(key.place, inQuotes(key.text) + " is read as " + std::string(*meant));
    }
}

} // namespace gatehouse
