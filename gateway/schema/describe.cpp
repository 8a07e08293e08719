// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/schema/describe.h"

#include "gateway/schema/encode.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace gatehouse {

namespace {

QString toQString(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QJsonValue toJson(const Node &node)
{
    switch (node.kind) {
    case Node::Kind::Null:
        return QJsonValue::Null;
    case Node::Kind::Scalar: {
        bool isNumber = false;
        const qint64 number = toQString(node.text).toLongLong(&isNumber);
        if (!node.isQuoted && isNumber)
            return number;
        if (!node.isQuoted && (node.text == "true" || node.text == "false"))
            return node.text == "true";
        return toQString(node.text);
    }
    case Node::Kind::List: {
        QJsonArray array;
        for (const Node &item : node.items)
            array.append(toJson(item));
        return array;
    }
    case Node::Kind::Map: {
        QJsonObject object;
        for (std::size_t i = 0; i < node.items.size(); ++i)
            object.insert(toQString(node.keys[i].text), toJson(node.items[i]));
        return object;
    }
    }
    return {};
}

/// Adds a bound under \a key unless it is the one that every number has.
void addBound(QJsonObject &schema, QLatin1String key, std::int64_t bound, std::int64_t none)
{
    if (bound != none)
        schema.insert(key, static_cast<qint64>(bound));
}

void addBounds(QJsonObject &schema,
               const FieldInfo &info,
               QLatin1String minKey,
               QLatin1String maxKey)
{
    addBound(schema, minKey, info.min, 0);
    addBound(schema, maxKey, info.max, FieldInfo{}.max);
}

QJsonObject recordSchema(const RecordType &type);

QJsonObject textSchema(const FieldInfo &info)
{
    QJsonObject schema{{QStringLiteral("type"), QStringLiteral("string")}};
    if (info.choices == nullptr)
        return schema;
    QJsonArray choices;
    for (const std::string_view choice : info.choices())
        choices.append(toQString(choice));
    schema.insert(QStringLiteral("enum"), choices);
    return schema;
}

QJsonObject patternSchema(QLatin1String pattern)
{
    return {{QStringLiteral("type"), QStringLiteral("string")},
            {QStringLiteral("pattern"), pattern}};
}

QJsonObject typeSchema(const Field &field)
{
    const FieldInfo &info = field.info;
    const QString type = QStringLiteral("type");
    QJsonObject schema;
    switch (field.kind) {
    case FieldKind::Boolean:
        return {{type, QStringLiteral("boolean")}};
    case FieldKind::Integer:
        schema = {{type, QStringLiteral("integer")},
                  {QStringLiteral("minimum"), static_cast<qint64>(info.min)}};
        addBound(schema, QLatin1String("maximum"), info.max, FieldInfo{}.max);
        return schema;
    case FieldKind::Duration:
        return patternSchema(QLatin1String("^[0-9]+(ms|s|m|h|d)$"));
    case FieldKind::Size:
        schema = patternSchema(QLatin1String("^[0-9]+([KMGT]iB)?$"));
        schema.insert(type, QJsonArray{QStringLiteral("string"), QStringLiteral("integer")});
        return schema;
    case FieldKind::String:
    case FieldKind::Choice:
        schema = textSchema(info);
        addBounds(schema, info, QLatin1String("minLength"), QLatin1String("maxLength"));
        return schema;
    case FieldKind::SecretReference:
        return patternSchema(QLatin1String("^(none|(env|file|keychain):.+)$"));
    case FieldKind::StringList:
        schema = {{type, QStringLiteral("array")}, {QStringLiteral("items"), textSchema(info)}};
        addBounds(schema, info, QLatin1String("minItems"), QLatin1String("maxItems"));
        return schema;
    case FieldKind::StringMap:
        schema = {{type, QStringLiteral("object")},
                  {QStringLiteral("additionalProperties"), textSchema(info)}};
        addBounds(schema, info, QLatin1String("minProperties"), QLatin1String("maxProperties"));
        return schema;
    case FieldKind::Record:
        return recordSchema(field.nested());
    case FieldKind::RecordList:
        schema = {{type, QStringLiteral("array")},
                  {QStringLiteral("items"), recordSchema(field.nested())}};
        addBounds(schema, info, QLatin1String("minItems"), QLatin1String("maxItems"));
        return schema;
    }
    return schema;
}

/// True where a default says something: an absent text or record has none.
bool hasDefault(const Field &field, const Node &value)
{
    return !field.info.required && field.kind != FieldKind::Record
           && (value.kind != Node::Kind::Scalar || !value.text.empty());
}

QJsonObject recordSchema(const RecordType &type)
{
    QJsonObject properties;
    QJsonArray required;
    for (const Field &field : type.fields()) {
        const QString key = toQString(field.info.key);
        QJsonObject schema = typeSchema(field);
        schema.insert(QStringLiteral("title"), toQString(field.info.label));
        schema.insert(QStringLiteral("description"), toQString(field.info.help));
        if (const Node value = encodeField(field, type.defaults); hasDefault(field, value))
            schema.insert(QStringLiteral("default"), toJson(value));
        if (field.info.required)
            required.append(key);
        properties.insert(key, schema);
    }
    QJsonObject schema{{QStringLiteral("type"), QStringLiteral("object")},
                       {QStringLiteral("properties"), properties},
                       {QStringLiteral("additionalProperties"), false}};
    if (!required.isEmpty())
        schema.insert(QStringLiteral("required"), required);
    return schema;
}

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
        return "map";
    case FieldKind::RecordList:
        return "list of maps";
    }
    return {};
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

std::string allowedText(const Field &field)
{
    std::string text(kindName(field.kind));
    if (field.info.choices == nullptr)
        return text;
    text += ":";
    for (const std::string_view choice : field.info.choices())
        text.append(" `").append(choice).append("`");
    return text;
}

void addRows(std::string &table, const RecordType &type, const std::string &path)
{
    for (const Field &field : type.fields()) {
        const std::string key = path + std::string(field.info.key);
        const Node value = encodeField(field, type.defaults);
        std::string initial = field.info.required ? "required" : "";
        if (hasDefault(field, value))
            initial = "`" + inlineText(value) + "`";
        table.append("| `").append(key).append("` | ").append(allowedText(field));
        table.append(" | ").append(initial).append(" | ").append(field.info.help).append(" |\n");
        if (field.kind == FieldKind::Record)
            addRows(table, field.nested(), key + ".");
        else if (field.kind == FieldKind::RecordList)
            addRows(table, field.nested(), key + "[].");
    }
}

} // namespace

std::string jsonSchema(const RecordType &type, std::string_view title)
{
    QJsonObject schema = recordSchema(type);
    schema.insert(QStringLiteral("$schema"),
                  QStringLiteral("https://json-schema.org/draft/2020-12/schema"));
    schema.insert(QStringLiteral("title"), toQString(title));
    return QJsonDocument(schema).toJson(QJsonDocument::Indented).toStdString();
}

std::string markdown(const RecordType &type, std::string_view title)
{
    std::string text = "## " + std::string(title) + "\n\n";
    text += "| field | kind | default | meaning |\n| --- | --- | --- | --- |\n";
    addRows(text, type, {});
    return text;
}

} // namespace gatehouse
