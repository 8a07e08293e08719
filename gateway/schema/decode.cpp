// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/schema/decode.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace gatehouse {

namespace {

std::string_view kindWord(const Node &node)
{
    switch (node.kind) {
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

/// A number of a field as people write it: 30s, 64KiB, 5 USD, 5.
std::string inUnit(FieldKind kind, std::int64_t number)
{
    if (kind == FieldKind::Duration)
        return formatDuration(std::chrono::milliseconds(number));
    if (kind == FieldKind::Size)
        return formatSize(ByteSize{static_cast<std::uint64_t>(number)});
    if (kind == FieldKind::Fraction)
        return formatFraction({number});
    if (kind == FieldKind::Money)
        return formatMoney({number});
    return std::to_string(number);
}

std::string joined(std::span<const std::string_view> words)
{
    std::string text;
    for (const std::string_view word : words) {
        if (!text.empty())
            text += ", ";
        text += word;
    }
    return text;
}

/// Decodes the value of one field.
class FieldDecoder
{
public:
    FieldDecoder(const Field &field, Reporter &reporter)
        : m_field(field)
        , m_reporter(reporter)
    {}

    void decode(const Node &node, const Slot &slot)
    {
        switch (m_field.kind) {
        case FieldKind::Boolean:
            return decodeBoolean(node, *std::get<bool *>(slot));
        case FieldKind::Integer:
            return decodeInteger(node, *std::get<std::int64_t *>(slot));
        case FieldKind::Duration:
            return decodeDuration(node, *std::get<std::chrono::milliseconds *>(slot));
        case FieldKind::Size:
            return decodeSize(node, *std::get<ByteSize *>(slot));
        case FieldKind::Fraction:
            return decodeFraction(node, *std::get<Fraction *>(slot));
        case FieldKind::Money:
            return decodeMoney(node, slot);
        case FieldKind::String:
        case FieldKind::Choice:
            return decodeText(node, *std::get<std::string *>(slot));
        case FieldKind::SecretReference:
            return decodeText(node, std::get<SecretText *>(slot)->text);
        case FieldKind::StringList:
            return decodeList(node, *std::get<std::vector<std::string> *>(slot));
        case FieldKind::StringMap:
            return decodeMap(node, *std::get<std::map<std::string, std::string> *>(slot));
        case FieldKind::Record:
            return decodeRecord(node, std::get<RecordRef>(slot), m_reporter);
        case FieldKind::RecordList:
            return decodeRecords(node, std::get<RecordListRef>(slot));
        case FieldKind::RecordMap:
            return decodeRecordMap(node, std::get<RecordMapRef>(slot));
        case FieldKind::Document:
            if (isKind(node, Node::Kind::Map, "a map"))
                *std::get<Node *>(slot) = node;
            return;
        }
    }

private:
    void refuse(const Node &node, const std::string &problem)
    {
        m_reporter.error(node.place, std::string(m_field.info.key) + " " + problem);
    }

    void refuseText(const Node &node, const std::string &problem)
    {
        const bool isShown = !m_field.info.secret && m_field.kind != FieldKind::SecretReference
                             && node.kind == Node::Kind::Scalar;
        refuse(node, isShown ? problem + ", not " + inQuotes(node.text) : problem);
    }

    [[nodiscard]] bool isInRange(const Node &node, std::int64_t number, std::string_view what = {})
    {
        const FieldInfo &info = m_field.info;
        if (number < info.min)
            refuse(node, "must be at least " + inUnit(m_field.kind, info.min).append(what));
        else if (number > info.max)
            refuse(node, "must be at most " + inUnit(m_field.kind, info.max).append(what));
        else
            return true;
        return false;
    }

    [[nodiscard]] bool isKind(const Node &node, Node::Kind kind, std::string_view wanted)
    {
        if (node.kind == kind)
            return true;
        if (node.kind == Node::Kind::Null)
            refuse(node, "has no value; write one or leave the line out");
        else
            refuse(node,
                   std::string("must be ").append(wanted).append(", not ").append(kindWord(node)));
        return false;
    }

    void decodeBoolean(const Node &node, bool &value)
    {
        if (!isKind(node, Node::Kind::Scalar, "true or false"))
            return;
        if (node.isQuoted || (node.text != "true" && node.text != "false"))
            return refuseText(node, "must be true or false");
        value = node.text == "true";
    }

    void decodeInteger(const Node &node, std::int64_t &value)
    {
        if (!isKind(node, Node::Kind::Scalar, "a whole number"))
            return;
        std::int64_t number = 0;
        const char *end = node.text.data() + node.text.size();
        const auto [rest, problem] = std::from_chars(node.text.data(), end, number);
        if (node.isQuoted || problem != std::errc() || rest != end)
            return refuseText(node, "must be a whole number");
        if (isInRange(node, number))
            value = number;
    }

    void decodeDuration(const Node &node, std::chrono::milliseconds &value)
    {
        if (!isKind(node, Node::Kind::Scalar, "a duration"))
            return;
        const auto duration = parseDuration(node.text);
        if (!duration)
            return refuseText(node, "must be a duration such as 250ms, 30s, 5m, 12h or 90d");
        if (isInRange(node, duration->count()))
            value = *duration;
    }

    void decodeSize(const Node &node, ByteSize &value)
    {
        if (!isKind(node, Node::Kind::Scalar, "a size"))
            return;
        const auto size = parseSize(node.text);
        if (!size)
            return refuseText(node, "must be a size such as 64KiB, 10MiB, 2GiB or plain bytes");
        if (isInRange(node, static_cast<std::int64_t>(size->bytes)))
            value = *size;
    }

    void decodeFraction(const Node &node, Fraction &value)
    {
        if (!isKind(node, Node::Kind::Scalar, "a number such as 0.5"))
            return;
        const auto fraction = parseFraction(node.text);
        if (!fraction)
            return refuseText(node, "must be a number such as 0.5, with at most 6 decimals");
        if (isInRange(node, fraction->millionths))
            value = *fraction;
    }

    void decodeMoney(const Node &node, const Slot &slot)
    {
        if (!isKind(node, Node::Kind::Scalar, "an amount of money"))
            return;
        const auto money = parseMoney(node.text);
        if (!money)
            return refuseText(node, std::string("must be ").append(moneyForm));
        if (!isInRange(node, money->microUsd))
            return;
        if (auto *const *optional = std::get_if<std::optional<Money> *>(&slot))
            **optional = *money;
        else
            *std::get<Money *>(slot) = *money;
    }

    /// The text of a scalar where it is allowed.
    std::optional<std::string> readText(const Node &node, bool mayBeEmpty)
    {
        const FieldInfo &info = m_field.info;
        if (!isKind(node, Node::Kind::Scalar, "a text"))
            return {};
        if (node.text.empty()) {
            if (mayBeEmpty)
                return std::string();
            refuse(node, "must not be empty");
            return {};
        }
        const auto isForbidden = [&info](char c) {
            return isControl(c) && !(info.multiline && (c == '\n' || c == '\t'));
        };
        if (std::ranges::any_of(node.text, isForbidden)) {
            refuse(node,
                   info.multiline ? "must not contain control characters"
                                  : "must not contain control characters or line breaks");
            return {};
        }
        if (info.choices != nullptr) {
            const auto choices = info.choices();
            if (std::ranges::find(choices, node.text) == choices.end()) {
                refuseText(node, "must be one of " + joined(choices));
                return {};
            }
        }
        if (info.problem != nullptr) {
            if (const std::string problem = info.problem(node.text); !problem.empty()) {
                refuse(node, problem); // the text may hold a password or a key
                return {};
            }
        }
        return node.text;
    }

    void decodeText(const Node &node, std::string &value)
    {
        const FieldInfo &info = m_field.info;
        const auto text
            = readText(node, !info.required && info.choices == nullptr && info.problem == nullptr);
        if (text && isInRange(node, static_cast<std::int64_t>(text->size()), " bytes long"))
            value = *text;
    }

    void decodeList(const Node &node, std::vector<std::string> &value)
    {
        if (!isKind(node, Node::Kind::List, "a list")
            || !isInRange(node, static_cast<std::int64_t>(node.items.size()), " entries long"))
            return;
        value.clear();
        for (const Node &item : node.items) {
            if (const auto text = readText(item, false))
                value.push_back(*text);
        }
    }

    void decodeMap(const Node &node, std::map<std::string, std::string> &value)
    {
        if (!isKind(node, Node::Kind::Map, "a map")
            || !isInRange(node, static_cast<std::int64_t>(node.items.size()), " entries long"))
            return;
        value.clear();
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            if (const auto text = readText(node.items[i], true))
                value[node.keys[i].text] = *text;
        }
    }

    void decodeRecords(const Node &node, const RecordListRef &list)
    {
        if (!isKind(node, Node::Kind::List, "a list")
            || !isInRange(node, static_cast<std::int64_t>(node.items.size()), " entries long"))
            return;
        list.resize(list.list, 0); // not what the default list had
        list.resize(list.list, node.items.size());
        for (std::size_t i = 0; i < node.items.size(); ++i)
            decodeRecord(node.items[i], {list.at(list.list, i), list.type}, m_reporter);
    }

    void decodeRecordMap(const Node &node, const RecordMapRef &map)
    {
        if (!isKind(node, Node::Kind::Map, "a map")
            || !isInRange(node, static_cast<std::int64_t>(node.items.size()), " entries long"))
            return;
        map.clear(map.map);
        for (std::size_t i = 0; i < node.items.size(); ++i)
            decodeRecord(
                node.items[i], {map.add(map.map, node.keys[i].text), map.type}, m_reporter);
    }

    const Field &m_field;
    Reporter &m_reporter;
};

} // namespace

void decodeRecord(const Node &node, RecordRef record, Reporter &reporter)
{
    if (node.kind != Node::Kind::Map) {
        reporter.error(node.place,
                       std::string("must be a map of fields, not ").append(kindWord(node)));
        return;
    }
    std::vector<std::string_view> known;
    for (const Field &field : record.type->fields()) {
        known.push_back(field.info.key);
        if (const Node *value = node.find(field.info.key))
            FieldDecoder(field, reporter).decode(*value, field.slot(record.record));
        else if (field.info.required)
            reporter.error(node.place, std::string(field.info.key) + " is missing");
    }
    reportUnknownKeys(node, known, reporter);
}

void reportUnknownKeys(const Node &map, std::span<const std::string_view> known, Reporter &reporter)
{
    for (const Node::Key &key : map.keys) {
        if (std::ranges::find(known, key.text) == known.end())
            reporter.error(key.place,
                           "unknown field " + inQuotes(key.text) + didYouMean(key.text, known));
    }
}

} // namespace gatehouse
