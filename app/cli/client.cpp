// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/options.h"
#include "gateway/base/file.h"
#include "gateway/base/text.h"
#include "gateway/config/documentfile.h"
#include "gateway/config/loader.h"
#include "gateway/config/problems.h"
#include "gateway/schema/yaml.h"
#include "gateway/secrets/virtualkey.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <iostream>

namespace gatehouse {

namespace {

constexpr std::string_view help
    = R"(Usage: gatehouse client add NAME [--route ROUTE]... [--expires WHEN] [--label KEY=VALUE]...
       gatehouse client list [--json]
       gatehouse client revoke NAME
       gatehouse client remove NAME

add     makes a client with a virtual key and prints the key, this once
list    prints the clients and the state of their keys
revoke  makes all keys of a client invalid; the client stays in the configuration
remove  takes the client out of the configuration

  --route ROUTE      a route that the client may use; may be repeated (default: all)
  --expires WHEN     90d, or a time such as 2027-01-31T00:00:00Z (default: never)
  --label KEY=VALUE  a label of the client; may be repeated
  --json             print a JSON array instead of lines
  --config DIR       configuration directory (default: $XDG_CONFIG_HOME/gatehouse)
  --data DIR         data directory (default: $XDG_DATA_HOME/gatehouse)
  --help             print this

Exit code: 0 done, 1 the client is there already or is not there, 2 wrong usage, 3 cannot run
)";

using ClientResource = Resource<ClientSpec>;

int fail(ExitCode code, std::string_view problem)
{
    std::cerr << "gatehouse: " << problem << '\n';
    return code;
}

/// Where a file does not read, what it holds is not known.
void warnOfErrors(const Draft &draft)
{
    if (hasErrors(draft.diagnostics))
        std::cerr << "gatehouse: the configuration has errors, see: gatehouse check --config "
                  << draft.directory << '\n';
}

const ClientResource *findClient(const Draft &draft, const std::string &name)
{
    const auto found = std::ranges::find(draft.clients, name, &ClientResource::name);
    return found == draft.clients.end() ? nullptr : &*found;
}

/// The time of --expires; empty where it is none or has passed.
std::string expiryFrom(const std::string &when)
{
    const Instant now = std::chrono::system_clock::now();
    auto instant = parseInstant(when);
    if (const auto duration = parseDuration(when))
        instant = now + *duration;
    return instant && *instant > now ? formatInstant(*instant) : std::string();
}

/// What `add` was asked for; a message where that is wrong.
Result<ClientResource, std::string> requestedClient(const CommandLine &line)
{
    ClientResource client;
    client.name = line.words().at(1).toStdString();
    if (const std::string problem = nameProblem(client.name); !problem.empty())
        return Unexpected("the name " + problem);
    for (const QString &route : line.values(QStringLiteral("route")))
        client.spec.routes.push_back(route.toStdString());
    for (const QString &label : line.values(QStringLiteral("label"))) {
        const qsizetype equals = label.indexOf(QLatin1Char('='));
        if (equals <= 0)
            return Unexpected(std::string("--label must be KEY=VALUE"));
        client.labels[label.left(equals).toStdString()] = label.mid(equals + 1).toStdString();
    }
    KeySpec key;
    key.id = "k1";
    key.created = formatInstant(std::chrono::system_clock::now());
    if (line.isSet(QStringLiteral("expires"))) {
        key.expires = expiryFrom(line.value(QStringLiteral("expires")));
        if (key.expires.empty())
            return Unexpected(
                std::string("--expires must be a duration such as 90d or a time to come"));
    }
    client.spec.keys.push_back(std::move(key));
    return client;
}

/// What stands against adding the client; empty where nothing does.
std::string conflict(const Draft &draft, const ClientResource &client, const std::string &file)
{
    if (const ClientResource *other = findClient(draft, client.name))
        return "there is a client " + inQuotes(client.name) + " already, in " + other->file;
    if (QFile::exists(QString::fromStdString(file)))
        return file + " is there already";
    std::vector<std::string_view> routes;
    for (const auto &route : draft.routes)
        routes.push_back(route.name);
    for (const std::string &route : client.spec.routes) {
        if (std::ranges::find(routes, route) == routes.end())
            return "there is no route " + inQuotes(route) + didYouMean(route, routes);
    }
    return {};
}

int addClient(const CommandLine &line)
{
    auto client = requestedClient(line);
    if (!client)
        return line.refuse(client.error());
    const Directories directories = line.directories();
    if (!QDir().mkpath(QString::fromStdString(directories.config)))
        return fail(ExitCannotRun, "the directory " + directories.config + " cannot be made");
    const Draft draft = loadDraft(directories.config);
    warnOfErrors(draft);
    const std::string file = directories.config + "/client-" + client->name + ".yaml";
    if (const std::string problem = conflict(draft, *client, file); !problem.empty())
        return fail(ExitNo, problem);

    const auto hashKey = loadOrCreateHashKey(directories.data);
    if (!hashKey)
        return fail(ExitCannotRun, hashKey.error().message());
    const auto key = virtualkey::generate();
    if (!key)
        return fail(ExitCannotRun, key.error().message());
    client->spec.keys.front().hash = keyHashToText(KeyHasher(*hashKey).hash(*key));
    const auto document = encodeClient(client->name, client->labels, client->spec);
    if (const auto written = writeConfigFile(file, toYaml(document)); !written)
        return fail(ExitCannotRun, written.error().message());
    std::cerr << "Client " << client->name << " is in " << file
              << ". Its virtual key is printed this once; the gateway keeps only a hash of it.\n";
    std::cout << *key << '\n';
    return ExitDone;
}

std::string stateOf(const KeySpec &key)
{
    if (key.revoked)
        return "revoked";
    const auto expires = parseInstant(key.expires);
    return expires && *expires <= std::chrono::system_clock::now() ? "expired" : "active";
}

QJsonArray toJson(const std::vector<std::string> &texts)
{
    QJsonArray array;
    for (const std::string &text : texts)
        array.append(QString::fromStdString(text));
    return array;
}

QJsonObject toJson(const ClientResource &client)
{
    const auto textOrNull = [](const std::string &text) {
        return text.empty() ? QJsonValue() : QJsonValue(QString::fromStdString(text));
    };
    QJsonArray keys;
    for (const KeySpec &key : client.spec.keys)
        keys.append(QJsonObject{{QStringLiteral("id"), QString::fromStdString(key.id)},
                                {QStringLiteral("created"), textOrNull(key.created)},
                                {QStringLiteral("expires"), textOrNull(key.expires)},
                                {QStringLiteral("state"), QString::fromStdString(stateOf(key))}});
    QJsonObject labels;
    for (const auto &[label, text] : client.labels)
        labels.insert(QString::fromStdString(label), QString::fromStdString(text));
    return {{QStringLiteral("name"), QString::fromStdString(client.name)},
            {QStringLiteral("labels"), labels},
            {QStringLiteral("routes"), toJson(client.spec.routes)},
            {QStringLiteral("models"), toJson(client.spec.models)},
            {QStringLiteral("tier"), QString::fromStdString(client.spec.tier)},
            {QStringLiteral("keys"), keys},
            {QStringLiteral("file"), QString::fromStdString(client.file)}};
}

int listClients(const CommandLine &line)
{
    const Draft draft = loadDraft(line.directories().config);
    warnOfErrors(draft);
    if (line.isSet(QStringLiteral("json"))) {
        QJsonArray clients;
        for (const ClientResource &client : draft.clients)
            clients.append(toJson(client));
        std::cout << QJsonDocument(clients).toJson(QJsonDocument::Compact).constData() << '\n';
        return ExitDone;
    }
    for (const ClientResource &client : draft.clients) {
        if (client.spec.keys.empty())
            std::cout << client.name << "\tno keys\n";
        for (const KeySpec &key : client.spec.keys)
            std::cout << client.name << '\t' << key.id << '\t' << stateOf(key) << '\t'
                      << (key.expires.empty() ? "never expires" : "expires " + key.expires) << '\n';
    }
    return ExitDone;
}

/// Revokes the client's keys, or takes it out of its file.
int changeClient(const CommandLine &line, bool isRemoval)
{
    const std::string name = line.words().at(1).toStdString();
    const Draft draft = loadDraft(line.directories().config);
    const ClientResource *client = findClient(draft, name);
    if (client == nullptr) {
        warnOfErrors(draft);
        return fail(ExitNo, "there is no client " + inQuotes(name));
    }
    const bool isBroken = std::ranges::any_of(draft.diagnostics, [&](const Diagnostic &diagnostic) {
        return diagnostic.file == client->file;
    });
    if (isBroken)
        return fail(ExitCannotRun,
                    client->file + " has errors; mend them first, or edit it yourself");

    std::string replacement;
    if (!isRemoval) {
        ClientSpec spec = client->spec;
        for (KeySpec &key : spec.keys)
            key.revoked = true;
        replacement = toYaml(encodeClient(name, client->labels, spec));
    }
    const auto text = readFile(client->file, YamlLimits{}.bytes);
    if (!text)
        return fail(ExitCannotRun, text.error().message());
    const std::string changed = replaceDocument(*text, client->document->place.line, replacement);
    Diagnostics diagnostics;
    const bool isEmpty = parseYaml(changed, client->file, diagnostics).empty();
    if (isEmpty) {
        if (!QFile::remove(QString::fromStdString(client->file)))
            return fail(ExitCannotRun, client->file + " cannot be removed");
    } else if (const auto written = writeConfigFile(client->file, changed); !written) {
        return fail(ExitCannotRun, written.error().message());
    }
    std::cerr << "Client " << name << (isRemoval ? " is removed.\n" : ": all keys are revoked.\n");
    return ExitDone;
}

} // namespace

int runClient(const QStringList &args)
{
    CommandLine line(help);
    line.addOption(QStringLiteral("route"), QStringLiteral("ROUTE"));
    line.addOption(QStringLiteral("expires"), QStringLiteral("WHEN"));
    line.addOption(QStringLiteral("label"), QStringLiteral("KEY=VALUE"));
    line.addOption(QStringLiteral("json"));
    if (const auto code = line.parse(args))
        return *code;
    const QStringList words = line.words();
    const QString command = words.value(0);
    if (command == QLatin1String("list") && words.size() == 1)
        return listClients(line);
    if (words.size() == 2 && command == QLatin1String("add"))
        return addClient(line);
    if (words.size() == 2 && command == QLatin1String("revoke"))
        return changeClient(line, false);
    if (words.size() == 2 && command == QLatin1String("remove"))
        return changeClient(line, true);
    return line.refuse("say one of: add NAME, list, revoke NAME, remove NAME");
}

} // namespace gatehouse
