// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/policyhelp.h"

#include "gateway/base/text.h"
#include "gateway/config/loader.h"
#include "gateway/config/resources.h"
#include "gateway/schema/describe.h"

#include <algorithm>
#include <vector>

namespace gatehouse {

namespace {

QString toQString(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

/// What every policy has beside its type and config.
std::span<const Field> commonFields()
{
    static const auto rows = [] {
        std::vector<Field> common;
        std::ranges::copy_if(
            PolicySpec::fields(), std::back_inserter(common), [](const Field &row) {
                return row.info.key != "type" && row.info.key != "config";
            });
        return common;
    }();
    return rows;
}

PolicySpec defaultsOf(const PolicyType &type)
{
    PolicySpec spec;
    spec.order = type.info.defaultOrder;
    return spec;
}

std::string flexNames(const PolicyType &type)
{
    std::string names;
    for (const FlexCounterpart &counterpart : type.info.flex)
        names.append(names.empty() ? "`" : ", `").append(counterpart.policyRef).append("`");
    return names;
}

QJsonObject constant(std::string_view text)
{
    return {{QStringLiteral("const"), toQString(text)}};
}

QJsonObject specSchema(const PolicyType &type)
{
    const PolicySpec defaults = defaultsOf(type);
    QJsonObject schema = recordSchema({&commonFields, &defaults});
    QJsonObject properties = schema[QStringLiteral("properties")].toObject();
    properties.insert(QStringLiteral("type"), constant(type.info.id));
    QJsonObject config = recordSchema(*type.config);
    config.insert(QStringLiteral("description"), toQString(type.info.summary));
    properties.insert(QStringLiteral("config"), config);
    QJsonArray required{QStringLiteral("type")};
    if (config.contains(QStringLiteral("required")))
        required.append(QStringLiteral("config"));
    schema.insert(QStringLiteral("properties"), properties);
    schema.insert(QStringLiteral("required"), required);
    return schema;
}

QJsonObject documentSchema(const PolicyType &type)
{
    const QJsonObject properties{{QStringLiteral("apiVersion"), constant(configApiVersion)},
                                 {QStringLiteral("kind"), constant("Policy")},
                                 {QStringLiteral("metadata"), recordSchema(recordType<Metadata>())},
                                 {QStringLiteral("spec"), specSchema(type)}};
    return {{QStringLiteral("title"), toQString(type.info.title)},
            {QStringLiteral("type"), QStringLiteral("object")},
            {QStringLiteral("properties"), properties},
            {QStringLiteral("required"), QJsonArray::fromStringList(properties.keys())},
            {QStringLiteral("additionalProperties"), false}};
}

} // namespace

std::string policyExample(const PolicyType &type)
{
    const std::string id(type.info.id);
    std::string text = "apiVersion: gatehouse/v1\nkind: Policy\nmetadata: {name: " + id
                       + "}\nspec:\n  type: " + id + "\n";
    if (type.info.example.empty())
        return text;
    text += "  config:\n";
    for (const std::string_view line : split(type.info.example, '\n'))
        text.append(line.empty() ? "" : "    ").append(line).append("\n");
    return text.erase(text.find_last_not_of('\n') + 2);
}

std::string policyMarkdown(const PolicyType &type)
{
    const PolicyInfo &info = type.info;
    const PolicySpec defaults = defaultsOf(type);
    std::string text = "# " + std::string(info.title) + "\n\n";
    text.append("Type `").append(info.id).append("` · ").append(categoryName(info.category));
    text.append(" · order ").append(std::to_string(info.defaultOrder));
    if (!info.flex.empty())
        text.append(" · in MuleSoft documents ").append(flexNames(type));
    text.append("\n\n").append(info.summary).append(".\n\n");
    text += "```yaml\n" + policyExample(type) + "```\n\n";
    text += "## Config\n\n" + markdownTable(*type.config);
    text += "\n## Common fields\n\nEvery policy has these beside its type and its config.\n\n";
    return text + markdownTable({&commonFields, &defaults});
}

QJsonObject policyForm(const PolicyType &type)
{
    const PolicyInfo &info = type.info;
    const PolicySpec defaults = defaultsOf(type);
    QJsonArray flex;
    for (const FlexCounterpart &counterpart : info.flex)
        flex.append(toQString(counterpart.policyRef));
    return {{QStringLiteral("type"), toQString(info.id)},
            {QStringLiteral("title"), toQString(info.title)},
            {QStringLiteral("category"), toQString(categoryName(info.category))},
            {QStringLiteral("summary"), toQString(info.summary)},
            {QStringLiteral("order"), info.defaultOrder},
            {QStringLiteral("flex"), flex},
            {QStringLiteral("fields"), formFields(*type.config)},
            {QStringLiteral("common"), formFields({&commonFields, &defaults})},
            {QStringLiteral("example"), toQString(policyExample(type))}};
}

QJsonObject policySchema(std::span<const PolicyType> types)
{
    QJsonObject schema{{QStringLiteral("title"), QStringLiteral("Policy")}};
    if (types.size() == 1) {
        schema = documentSchema(types.front());
    } else {
        QJsonObject definitions;
        QJsonArray any;
        for (const PolicyType &type : types) {
            const QString id = toQString(type.info.id);
            definitions.insert(id, documentSchema(type));
            any.append(
                QJsonObject{{QStringLiteral("$ref"), QString(QStringLiteral("#/$defs/") + id)}});
        }
        schema.insert(QStringLiteral("$defs"), definitions);
        schema.insert(QStringLiteral("oneOf"), any);
    }
    schema.insert(QStringLiteral("$schema"),
                  QStringLiteral("https://json-schema.org/draft/2020-12/schema"));
    return schema;
}

} // namespace gatehouse
