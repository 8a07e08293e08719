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

QJsonArray choicesOf(const FieldInfo &info)
{
    QJsonArray choices;
    if (info.choices != nullptr) {
        for (const std::string_view choice : info.choices())
            choices.append(toQString(choice));
    }
    return choices;
}

QJsonObject textSchema(const FieldInfo &info)
{
    QJsonObject schema{{QStringLiteral("type"), QStringLiteral("string")}};
    if (info.choices != nullptr)
        schema.insert(QStringLiteral("enum"), choicesOf(info));
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
    case FieldKind::Fraction:
        return {{type, QStringLiteral("number")},
                {QStringLiteral("minimum"), Fraction{info.min}.value()},
                {QStringLiteral("maximum"), Fraction{info.max}.value()}};
    case FieldKind::Money:
        return patternSchema(QLatin1String("^[0-9]+(\\.[0-9]{1,6})? USD$"));
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
    case FieldKind::RecordMap:
        schema = {{type, QStringLiteral("object")},
                  {QStringLiteral("additionalProperties"), recordSchema(field.nested())}};
        addBounds(schema, info, QLatin1String("minProperties"), QLatin1String("maxProperties"));
        return schema;
    case FieldKind::Document:
        return {{type, QStringLiteral("object")}};
    }
    return schema;
}

/// True where a default says something: an absent text or record has none.
bool hasDefault(const Field &field, const Node &value)
{
    return !field.info.required && field.kind != FieldKind::Record && value.kind != Node::Kind::Null
           && (value.kind != Node::Kind::Scalar || !value.text.empty());
}

QLatin1String kindId(FieldKind kind)
{
    switch (kind) {
    case FieldKind::Boolean:
        return QLatin1String("boolean");
    case FieldKind::Integer:
        return QLatin1String("integer");
    case FieldKind::Duration:
        return QLatin1String("duration");
    case FieldKind::Size:
        return QLatin1String("size");
    case FieldKind::Fraction:
        return QLatin1String("fraction");
    case FieldKind::Money:
        return QLatin1String("money");
    case FieldKind::String:
        return QLatin1String("string");
    case FieldKind::Choice:
        return QLatin1String("choice");
    case FieldKind::SecretReference:
        return QLatin1String("secret-reference");
    case FieldKind::StringList:
        return QLatin1String("string-list");
    case FieldKind::StringMap:
        return QLatin1String("string-map");
    case FieldKind::Record:
        return QLatin1String("record");
    case FieldKind::RecordList:
        return QLatin1String("record-list");
    case FieldKind::RecordMap:
        return QLatin1String("record-map");
    case FieldKind::Document:
        return QLatin1String("document");
    }
    return {};
}

QLatin1String unitId(Unit unit)
{
    switch (unit) {
    case Unit::None:
        return {};
    case Unit::Milliseconds:
        return QLatin1String("milliseconds");
    case Unit::Bytes:
        return QLatin1String("bytes");
    case Unit::Connections:
        return QLatin1String("connections");
    case Unit::Threads:
        return QLatin1String("threads");
    case Unit::Percent:
        return QLatin1String("percent");
    }
    return {};
}

QJsonObject formField(const Field &field, const Node &defaultValue)
{
    const FieldInfo &info = field.info;
    QJsonObject row{{QStringLiteral("key"), toQString(info.key)},
                    {QStringLiteral("label"), toQString(info.label)},
                    {QStringLiteral("help"), toQString(info.help)},
                    {QStringLiteral("kind"), kindId(field.kind)},
                    {QStringLiteral("required"), info.required},
                    {QStringLiteral("secret"), info.secret},
                    {QStringLiteral("multiline"), info.multiline}};
    if (info.unit != Unit::None)
        row.insert(QStringLiteral("unit"), unitId(info.unit));
    addBounds(row, info, QLatin1String("min"), QLatin1String("max"));
    if (info.choices != nullptr)
        row.insert(QStringLiteral("choices"), choicesOf(info));
    if (hasDefault(field, defaultValue))
        row.insert(QStringLiteral("default"), toJson(defaultValue));
    if (field.nested != nullptr)
        row.insert(QStringLiteral("fields"), formFields(field.nested()));
    return row;
}

} // namespace

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

QJsonArray formFields(const RecordType &type)
{
    QJsonArray rows;
    for (const Field &field : type.fields())
        rows.append(formField(field, encodeField(field, type.defaults)));
    return rows;
}

std::string jsonSchema(const RecordType &type, std::string_view title)
{
    QJsonObject schema = recordSchema(type);
    schema.insert(QStringLiteral("$schema"),
                  QStringLiteral("https://json-schema.org/draft/2020-12/schema"));
    schema.insert(QStringLiteral("title"), toQString(title));
    return QJsonDocument(schema).toJson(QJsonDocument::Indented).toStdString();
}

} // namespace gatehouse
