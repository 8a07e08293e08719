// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/schema/encode.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>

namespace gatehouse {

namespace {

// What YAML 1.1 or 1.2 readers take for something else than text.
constexpr auto yamlWords = std::to_array<std::string_view>(
    {"true", "false", "yes", "no", "on", "off", "y", "n", "null"});

bool isPlainText(std::string_view text)
{
    constexpr std::string_view others = "._/-";
    const bool isWord = !text.empty() && !isDigit(text.front())
                        && (isAlphanumeric(text.front()) || text.front() == '/')
                        && std::ranges::all_of(text, [&](char c) {
                               return isAlphanumeric(c) || others.find(c) != std::string_view::npos;
                           });
    return isWord && std::ranges::none_of(yamlWords, [text](std::string_view word) {
               return equalsIgnoreCase(text, word);
           });
}

template<typename T>
const T &read(const Slot &slot)
{
    return *std::get<T *>(slot);
}

/// Nothing for an optional amount that is not there.
Node encodeMoney(const Slot &slot)
{
    std::optional<Money> money;
    if (std::holds_alternative<std::optional<Money> *>(slot))
        money = read<std::optional<Money>>(slot);
    else
        money = read<Money>(slot);
    return money ? Node::scalar(formatMoney(*money), false) : Node();
}

Node encodeList(const std::vector<std::string> &texts)
{
    Node node = Node::list();
    for (const std::string &text : texts)
        node.items.push_back(encodeText(text));
    return node;
}

Node encodeMap(const std::map<std::string, std::string> &map)
{
    Node node = Node::map();
    for (const auto &[key, text] : map)
        node.append(key, encodeText(text));
    return node;
}

Node encodeRecordList(const RecordListRef &list)
{
    Node node = Node::list();
    for (std::size_t i = 0; i < list.size(list.list); ++i)
        node.items.push_back(encodeRecord(list.at(list.list, i), *list.type));
    return node;
}

Node encodeRecordMap(const RecordMapRef &map)
{
    Node node = Node::map();
    for (std::size_t i = 0; i < map.size(map.map); ++i)
        node.append(map.keyAt(map.map, i), encodeRecord(map.at(map.map, i), *map.type));
    return node;
}

} // namespace

Node encodeText(std::string_view text)
{
    return Node::scalar(text, !isPlainText(text));
}

Node encodeField(const Field &field, const void *record)
{
    // A slot serves reading and writing alike; here it is only read.
    const Slot slot = field.slot(const_cast<void *>(record));
    switch (field.kind) {
    case FieldKind::Boolean:
        return Node::scalar(read<bool>(slot) ? "true" : "false", false);
    case FieldKind::Integer:
        return Node::scalar(std::to_string(read<std::int64_t>(slot)), false);
    case FieldKind::Duration:
        return Node::scalar(formatDuration(read<std::chrono::milliseconds>(slot)), false);
    case FieldKind::Size:
        return Node::scalar(formatSize(read<ByteSize>(slot)), false);
    case FieldKind::Fraction:
        return Node::scalar(formatFraction(read<Fraction>(slot)), false);
    case FieldKind::Money:
        return encodeMoney(slot);
    case FieldKind::String:
    case FieldKind::Choice:
        return encodeText(read<std::string>(slot));
    case FieldKind::SecretReference:
        return encodeText(read<SecretText>(slot).text);
    case FieldKind::StringList:
        return encodeList(read<std::vector<std::string>>(slot));
    case FieldKind::StringMap:
        return encodeMap(read<std::map<std::string, std::string>>(slot));
    case FieldKind::Record: {
        const auto &nested = std::get<RecordRef>(slot);
        return encodeRecord(nested.record, *nested.type);
    }
    case FieldKind::RecordList:
        return encodeRecordList(std::get<RecordListRef>(slot));
    case FieldKind::RecordMap:
        return encodeRecordMap(std::get<RecordMapRef>(slot));
    case FieldKind::Document:
        return read<Node>(slot);
    }
    return {};
}

Node encodeRecord(const void *record, const RecordType &type)
{
    Node node = Node::map();
    for (const Field &field : type.fields()) {
        Node value = encodeField(field, record);
        if (field.info.required || value != encodeField(field, type.defaults))
            node.append(field.info.key, std::move(value));
    }
    return node;
}

} // namespace gatehouse
