// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/flexconfig.h"

#include "gateway/base/text.h"
#include "gateway/schema/encode.h"
#include "gateway/secrets/secretref.h"

#include <algorithm>
#include <charconv>

namespace gatehouse {

namespace {

constexpr std::string_view notLoaded = "; the policy is not loaded";

std::string_view kindWord(Node::Kind kind)
{
    switch (kind) {
    case Node::Kind::Null:
        return "nothing";
    case Node::Kind::Scalar:
        return "a single value";
    case Node::Kind::List:
        return "a list";
    case Node::Kind::Map:
        return "a map";
    }
    return {};
}

std::string withKey(std::string_view key, std::string_view message)
{
    std::string text(key);
    if (!key.empty())
        text += ": ";
    return text.append(message);
}

Node textNode(const Node &scalar)
{
    Node node = encodeText(scalar.text);
    node.place = scalar.place;
    return node;
}

} // namespace

const Node *FlexConfig::take(std::string_view key)
{
    m_taken.emplace(key);
    const Node *value = m_config == nullptr ? nullptr : m_config->find(key);
    return value == nullptr || value->kind == Node::Kind::Null ? nullptr : value;
}

const Node *FlexConfig::takeScalar(std::string_view key, std::string_view wanted)
{
    const Node *value = take(key);
    if (value == nullptr || value->kind == Node::Kind::Scalar)
        return value;
    refuseKind(key, wanted, *value);
    return nullptr;
}

std::string FlexConfig::text(std::string_view key, std::string_view fallback)
{
    const Node *value = takeScalar(key, "a text");
    return value == nullptr ? std::string(fallback) : value->text;
}

std::string FlexConfig::requiredText(std::string_view key)
{
    if (take(key) == nullptr) {
        refuse(key, "is missing");
        return {};
    }
    std::string value = text(key);
    if (value.empty() && !isRefused())
        refuse(key, "must not be empty");
    return value;
}

std::int64_t FlexConfig::integer(std::string_view key, std::int64_t fallback)
{
    const Node *value = takeScalar(key, "a whole number");
    if (value == nullptr)
        return fallback;
    std::int64_t number = 0;
    const char *end = value->text.data() + value->text.size();
    const auto [rest, problem] = std::from_chars(value->text.data(), end, number);
    if (problem == std::errc() && rest == end)
        return number;
    refuse(key, "must be a whole number");
    return fallback;
}

bool FlexConfig::boolean(std::string_view key, bool fallback)
{
    const Node *value = takeScalar(key, "true or false");
    if (value == nullptr)
        return fallback;
    if (value->text == "true" || value->text == "false")
        return value->text == "true";
    refuse(key, "must be true or false");
    return fallback;
}

Node FlexConfig::list(std::string_view key)
{
    Node list = Node::list();
    const Node *value = take(key);
    if (value == nullptr)
        return list;
    list.place = value->place;
    if (value->kind != Node::Kind::List) {
        refuseKind(key, "a list", *value);
        return list;
    }
    for (const Node &item : value->items) {
        if (item.kind == Node::Kind::Scalar)
            list.items.push_back(textNode(item));
        else
            refuseKind(key, "a list of texts", item);
    }
    return list;
}

Node FlexConfig::texts(std::string_view key)
{
    Node map = Node::map();
    const Node *value = take(key);
    if (value == nullptr)
        return map;
    map.place = value->place;
    if (value->kind != Node::Kind::Map) {
        refuseKind(key, "a map", *value);
        return map;
    }
    for (std::size_t i = 0; i < value->items.size(); ++i) {
        if (value->items[i].kind != Node::Kind::Scalar) {
            refuseKind(key, "a map of texts", value->items[i]);
            continue;
        }
        map.append(value->keys[i].text, textNode(value->items[i]));
        map.keys.back().place = value->keys[i].place;
    }
    return map;
}

Node FlexConfig::secret(std::string_view key)
{
    const Node *value = takeScalar(key, "a text");
    if (value == nullptr)
        return {};
    FlexConfig &outer = root();
    const auto variable
        = std::ranges::find(outer.m_origin.variables, value->place, &FlexOrigin::Variable::place);
    std::string reference;
    if (variable != outer.m_origin.variables.end()) {
        reference = "env:" + variable->name;
    } else if (const std::string problem = secretProblem(value->text); !problem.empty()) {
        refuse(key, problem);
        return {};
    } else {
        reference = "file:" + outer.m_origin.file + "#" + std::to_string(value->place.line) + ":"
                    + std::to_string(value->place.column);
        outer.m_secrets.push_back({reference, Secret(value->text)});
    }
    Node node = encodeText(reference);
    node.place = value->place;
    return node;
}

Node FlexConfig::requiredSecret(std::string_view key)
{
    if (take(key) == nullptr)
        refuse(key, "is missing");
    return secret(key);
}

FlexConfig *FlexConfig::record(std::string_view key)
{
    const Node *value = take(key);
    return value == nullptr ? nullptr : adopt(*value, key);
}

std::vector<FlexConfig *> FlexConfig::records(std::string_view key)
{
    std::vector<FlexConfig *> list;
    const Node *value = take(key);
    if (value == nullptr)
        return list;
    if (value->kind != Node::Kind::List) {
        refuseKind(key, "a list", *value);
        return list;
    }
    for (const Node &item : value->items) {
        if (FlexConfig *record = adopt(item, key))
            list.push_back(record);
    }
    return list;
}

FlexConfig *FlexConfig::adopt(const Node &map, std::string_view key)
{
    if (map.kind != Node::Kind::Map) {
        refuseKind(key, "a map", map);
        return nullptr;
    }
    m_records.push_back(std::make_unique<FlexConfig>(&map, map.place, m_reporter));
    m_records.back()->m_parent = this;
    return m_records.back().get();
}

FlexConfig &FlexConfig::root()
{
    FlexConfig *config = this;
    while (config->m_parent != nullptr)
        config = config->m_parent;
    return *config;
}

Place FlexConfig::placeOf(std::string_view key) const
{
    const Node *value = m_config == nullptr ? nullptr : m_config->find(key);
    return value == nullptr ? m_place : value->place;
}

void FlexConfig::refuse(std::string_view key, const std::string &message)
{
    refuseAt(placeOf(key), withKey(key, message));
}

void FlexConfig::refuseKind(std::string_view key, std::string_view wanted, const Node &found)
{
    refuseAt(found.place,
             withKey(key, "must be ").append(wanted).append(", not ").append(kindWord(found.kind)));
}

void FlexConfig::refuseAt(Place place, const std::string &reason)
{
    m_reporter.warning(place, reason + std::string(notLoaded));
    for (FlexConfig *config = this; config != nullptr; config = config->m_parent) {
        if (config->m_refusal.empty())
            config->m_refusal = reason;
    }
}

void FlexConfig::warn(std::string_view key, const std::string &message)
{
    m_reporter.warning(placeOf(key), withKey(key, message));
}

void FlexConfig::warnOfUnknown()
{
    for (const auto &record : m_records)
        record->warnOfUnknown();
    if (m_config == nullptr)
        return;
    const std::vector<std::string_view> known(m_taken.begin(), m_taken.end());
    for (const Node::Key &key : m_config->keys) {
        if (!m_taken.contains(key.text))
            m_reporter.warning(key.place,
                               "unknown field " + inQuotes(key.text) + didYouMean(key.text, known)
                                   + "; it has no effect");
    }
}

} // namespace gatehouse
