// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/schema/describe.h"
#include "gateway/schema/encode.h"

namespace gatehouse {

namespace {

std::string_view kindName(FieldKind kind)
{
    switch (kind) {
    case FieldKind::Boolean:
        return "true or false";
    case FieldKind::Integer:
        return "whole number";
    case FieldKind::Duration:
        return "duration";
    case FieldKind::Size:
        return "size";
    case FieldKind::Fraction:
        return "number";
    case FieldKind::Money:
        return "amount in USD";
    case FieldKind::String:
        return "text";
    case FieldKind::Choice:
        return "choice";
    case FieldKind::SecretReference:
        return "secret reference";
    case FieldKind::StringList:
        return "list of texts";
    case FieldKind::StringMap:
        return "map of texts";
    case FieldKind::Record:
    case FieldKind::Document:
        return "map";
    case FieldKind::RecordList:
        return "list of maps";
    case FieldKind::RecordMap:
        return "map of maps";
    }
    return {};
}

/// What the bounds of a field count where they do not say so themselves.
std::string_view countedWord(const Field &field)
{
    switch (field.kind) {
    case FieldKind::String:
    case FieldKind::SecretReference:
        return " bytes";
    case FieldKind::StringList:
    case FieldKind::StringMap:
    case FieldKind::RecordList:
    case FieldKind::RecordMap:
        return " entries";
    case FieldKind::Integer:
        return field.info.unit == Unit::Percent ? " %" : "";
    case FieldKind::Boolean:
    case FieldKind::Duration:
    case FieldKind::Size:
    case FieldKind::Fraction:
    case FieldKind::Money:
    case FieldKind::Choice:
    case FieldKind::Record:
    case FieldKind::Document:
        break;
    }
    return {};
}

std::string boundText(FieldKind kind, std::int64_t bound)
{
    if (kind == FieldKind::Duration)
        return formatDuration(std::chrono::milliseconds(bound));
    if (kind == FieldKind::Size)
        return formatSize(ByteSize{static_cast<std::uint64_t>(bound)});
    if (kind == FieldKind::Fraction)
        return formatFraction({bound});
    if (kind == FieldKind::Money)
        return formatMoney({bound});
    return std::to_string(bound);
}

/// ", 1 to 100 entries"; nothing where any number will do.
std::string rangeText(const Field &field)
{
    const FieldInfo &info = field.info;
    const bool hasMin = info.min != 0;
    const bool hasMax = info.max != FieldInfo{}.max;
    if (!hasMin && !hasMax)
        return {};
    std::string text = ", ";
    if (hasMin)
        text += hasMax ? boundText(field.kind, info.min) + " to "
                       : "at least " + boundText(field.kind, info.min);
    else
        text += field.kind == FieldKind::Integer ? "0 to " : "up to ";
    if (hasMax)
        text += boundText(field.kind, info.max);
    return text.append(countedWord(field));
}

std::string allowedText(const Field &field)
{
    std::string text(kindName(field.kind));
    if (field.info.choices == nullptr)
        return text + rangeText(field);
    text += ":";
    for (const std::string_view choice : field.info.choices())
        text.append(" `").append(choice).append("`");
    return text;
}

/// A value as it would stand in one line of YAML.
std::string inlineText(const Node &node)
{
    switch (node.kind) {
    case Node::Kind::Null:
        return "null";
    case Node::Kind::Scalar:
        return node.text;
    case Node::Kind::List:
    case Node::Kind::Map:
        break;
    }
    std::string text;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        text += i == 0 ? "" : ", ";
        text += node.kind == Node::Kind::Map ? node.keys[i].text + ": " : "";
        text += inlineText(node.items[i]);
    }
    return node.kind == Node::Kind::Map ? "{" + text + "}" : "[" + text + "]";
}

std::string defaultText(const Field &field, const RecordType &type)
{
    if (field.info.required)
        return "required";
    if (field.kind == FieldKind::Record)
        return {};
    const Node value = encodeField(field, type.defaults);
    const std::string text = value.kind == Node::Kind::Null ? std::string() : inlineText(value);
    return text.empty() ? text : "`" + text + "`";
}

/// A cell ends at a bar, also within code; the others mean something outside of it only.
std::string cell(std::string_view text)
{
    std::string escaped;
    bool isCode = false;
    for (const char c : text) {
        if (c == '|' || (!isCode && (c == '*' || c == '<')))
            escaped += '\\';
        isCode = isCode != (c == '`');
        escaped += c;
    }
    return escaped;
}

void addRows(std::string &table, const RecordType &type, const std::string &path)
{
    for (const Field &field : type.fields()) {
        const std::string key = path + std::string(field.info.key);
        table.append("| `").append(key).append("` | ").append(cell(allowedText(field)));
        table.append(" | ").append(cell(defaultText(field, type)));
        table.append(" | ").append(cell(field.info.help)).append(" |\n");
        if (field.kind == FieldKind::Record)
            addRows(table, field.nested(), key + ".");
        else if (field.kind == FieldKind::RecordList)
            addRows(table, field.nested(), key + "[].");
        else if (field.kind == FieldKind::RecordMap)
            addRows(table, field.nested(), key + ".NAME.");
    }
}

} // namespace

std::string markdownTable(const RecordType &type)
{
    std::string table = "| field | value | default | meaning |\n| --- | --- | --- | --- |\n";
    addRows(table, type, {});
    return table;
}

std::string markdown(const RecordType &type, std::string_view title)
{
    return "## " + std::string(title) + "\n\n" + markdownTable(type);
}

} // namespace gatehouse
