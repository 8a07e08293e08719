// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/options.h"
#include "app/cli/policyhelp.h"
#include "gateway/base/text.h"

#include <QJsonDocument>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <vector>

namespace gatehouse {

namespace {

constexpr std::string_view help
    = R"(Usage: gatehouse policies describe [TYPE] [--format markdown|json|schema]
       gatehouse policies list [--json]

describe  tells what a type of policy does and what its config may hold; without TYPE, of all types
list      prints the types, one a line

  --format F    markdown: for people (default); json: for forms; schema: the JSON Schema of
                the policy's document
  --json        list: print a JSON array instead of lines; describe: the same as --format json
  --config DIR  configuration directory; not read
  --data DIR    data directory; not read
  --help        print this

Exit code: 0 done, 2 wrong usage
)";

template<typename Json>
void print(const Json &json)
{
    std::cout << QJsonDocument(json).toJson(QJsonDocument::Indented).constData();
}

void printMarkdown(std::span<const PolicyType> types)
{
    for (const PolicyType &type : types)
        std::cout << (&type == types.data() ? "" : "\n") << policyMarkdown(type);
}

void printForms(std::span<const PolicyType> types, bool isOne)
{
    QJsonArray forms;
    for (const PolicyType &type : types)
        forms.append(policyForm(type));
    if (isOne)
        print(forms.first().toObject());
    else
        print(forms);
}

int describeTypes(const CommandLine &line, const QStringList &words)
{
    std::span<const PolicyType> types = policyTypes();
    if (words.size() > 1)
        return line.refuse("describe takes one type at most");
    if (!words.isEmpty()) {
        const std::string id = words.first().toStdString();
        const PolicyType *type = findPolicyType(id);
        if (type == nullptr) {
            std::vector<std::string_view> ids;
            for (const PolicyType &known : types)
                ids.push_back(known.info.id);
            return line.refuse("there is no policy type " + inQuotes(id) + didYouMean(id, ids));
        }
        types = {type, 1};
    }
    const bool isFormatSet = line.isSet(QStringLiteral("format"));
    std::string format = line.value(QStringLiteral("format"));
    if (!isFormatSet)
        format = line.isSet(QStringLiteral("json")) ? "json" : "markdown";
    if (format == "markdown")
        printMarkdown(types);
    else if (format == "json")
        printForms(types, !words.isEmpty());
    else if (format == "schema")
        print(policySchema(types));
    else
        return line.refuse("--format takes markdown, json or schema");
    return ExitDone;
}

int listTypes(const CommandLine &line, const QStringList &words)
{
    if (!words.isEmpty())
        return line.refuse("list takes no arguments");
    if (line.isSet(QStringLiteral("format")))
        return line.refuse("--format belongs to describe");
    QJsonArray rows;
    std::size_t width = 0;
    for (const PolicyType &type : policyTypes())
        width = std::max(width, type.info.id.size());
    for (const PolicyType &type : policyTypes()) {
        const std::string id(type.info.id);
        const std::string category(categoryName(type.info.category));
        if (line.isSet(QStringLiteral("json")))
            rows.append(QJsonObject{
                {QStringLiteral("type"), QString::fromStdString(id)},
                {QStringLiteral("category"), QString::fromStdString(category)},
                {QStringLiteral("title"), QString::fromStdString(std::string(type.info.title))}});
        else
            std::cout << std::left << std::setw(static_cast<int>(width + 2)) << id
                      << type.info.title << " (" << category << ")\n";
    }
    if (line.isSet(QStringLiteral("json")))
        print(rows);
    return ExitDone;
}

} // namespace

int runPolicies(const QStringList &args)
{
    CommandLine line(help);
    line.addOption(QStringLiteral("format"), QStringLiteral("FORMAT"));
    line.addOption(QStringLiteral("json"));
    if (const auto code = line.parse(args))
        return *code;
    QStringList words = line.words();
    const QString action = words.isEmpty() ? QString() : words.takeFirst();
    if (action == QLatin1String("describe"))
        return describeTypes(line, words);
    if (action == QLatin1String("list"))
        return listTypes(line, words);
    return line.refuse("say what to do: describe or list");
}

} // namespace gatehouse
