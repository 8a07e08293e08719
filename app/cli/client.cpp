// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/client.h"

#include "app/cli/commands.h"
#include "gateway/base/text.h"
#include "gateway/config/clientkeys.h"
#include "gateway/config/documentfile.h"
#include "gateway/config/loader.h"
#include "gateway/config/problems.h"
#include "gateway/schema/decode.h"
#include "gateway/schema/encode.h"
#include "gateway/schema/yaml.h"
#include "gateway/secrets/virtualkey.h"

#include <QDir>
#include <QFile>

#include <algorithm>
#include <iostream>

namespace gatehouse {

namespace {

constexpr std::string_view help
    = R"(Usage: gatehouse client add NAME [--route ROUTE]... [--model GLOB]... [--tier TIER]
                            [--label KEY=VALUE]... [--expires WHEN]
       gatehouse client list [--json]
       gatehouse client rotate NAME [--overlap TIME] [--expires WHEN]
       gatehouse client revoke NAME [--key ID]
       gatehouse client remove NAME

add     makes a client with a virtual key and prints the key, this once
list    prints the clients and the state of their keys, those of gatehouse exec too
rotate  makes another key and prints it, this once; the keys before end with the overlap
revoke  makes the keys of a client invalid; the client stays in the configuration
remove  takes the client out of the configuration

  --route ROUTE      a route that the client may use; may be repeated (default: all)
  --model GLOB       models that it may ask for, such as gpt-*; may be repeated (default: all)
  --tier TIER        its service level (default: standard)
  --label KEY=VALUE  a label of the client; may be repeated
  --expires WHEN     of the new key: 90d, or a time such as 2027-01-31T00:00:00Z (default: never)
  --overlap TIME     how long the keys before go on to work, such as 24h (default: 0s, not at all)
  --key ID           this key alone, as list prints it (default: all, and running gatehouse exec)
  --json             print a JSON array instead of lines
  --config DIR       configuration directory (default: $XDG_CONFIG_HOME/gatehouse)
  --data DIR         data directory (default: $XDG_DATA_HOME/gatehouse)
  --help             print this

Exit code: 0 done, 1 the client is there already or is not there, 2 wrong usage, 3 cannot run
)";

/// What the tables of resources.cpp say against the client; empty where nothing is wrong. Its keys
/// are not looked at.
std::string problemOf(const ClientResource &client)
{
    ClientSpec spec = client.spec;
    spec.keys.clear();
    Diagnostics diagnostics;
    Reporter reporter({}, diagnostics);
    [[maybe_unused]] const auto metadata
        = decode<Metadata>(encode(Metadata{client.name, client.labels}), reporter);
    [[maybe_unused]] const auto decoded = decode<ClientSpec>(encode(spec), reporter);
    return diagnostics.empty() ? std::string() : diagnostics.front().message;
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
    for (const QString &model : line.values(QStringLiteral("model"))) {
        if (model.trimmed().isEmpty())
            return Unexpected(std::string("--model must name a model, such as gpt-*"));
        client.spec.models.push_back(model.toStdString());
    }
    if (line.isSet(QStringLiteral("tier")))
        client.spec.tier = line.value(QStringLiteral("tier"));
    for (const QString &label : line.values(QStringLiteral("label"))) {
        const qsizetype equals = label.indexOf(QLatin1Char('='));
        if (equals <= 0)
            return Unexpected(std::string("--label must be KEY=VALUE"));
        client.labels[label.left(equals).toStdString()] = label.mid(equals + 1).toStdString();
    }
    if (const std::string problem = problemOf(client); !problem.empty())
        return Unexpected(problem);
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
    const auto expires = expiryOf(line);
    if (!expires)
        return expires.error();
    const Directories directories = line.directories();
    if (!QDir().mkpath(QString::fromStdString(directories.config)))
        return fail(ExitCannotRun, "the directory " + directories.config + " cannot be made");
    const auto lock = ConfigLock::take(directories.config);
    if (!lock)
        return fail(ExitCannotRun, lock.error().context);
    const Draft draft = loadDraft(directories.config);
    warnOfErrors(draft);
    const std::string file = directories.config + "/client-" + client->name + ".yaml";
    if (const std::string problem = conflict(draft, *client, file); !problem.empty())
        return fail(ExitNo, problem);

    auto key = makeKey(nextKeyId(client->spec), *expires, directories.data);
    if (!key)
        return fail(ExitCannotRun, key.error().message());
    client->spec.keys.push_back(std::move(key->spec));
    const auto document = encodeClient(client->name, client->labels, client->spec);
    if (const auto written = writeConfigFile(file, toYaml(document)); !written)
        return fail(ExitCannotRun, written.error().message());
    std::cerr << "Client " << client->name << " is in " << file
              << ". Its virtual key is printed this once; the gateway keeps only a hash of it.\n";
    std::cout << key->text << '\n';
    return ExitDone;
}

struct Subcommand
{
    std::string_view name;
    bool takesName;
    int (*run)(const CommandLine &line);
    std::vector<std::string_view> options = {};
};

const std::vector<Subcommand> &subcommands()
{
    static const std::vector<Subcommand> table{
        {"add", true, addClient, {"route", "model", "tier", "label", "expires"}},
        {"list", false, listClients, {"json"}},
        {"rotate", true, rotateClient, {"overlap", "expires"}},
        {"revoke", true, revokeClient, {"key"}},
        {"remove", true, removeClient, {}}};
    return table;
}

} // namespace

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

Result<std::optional<Instant>, int> expiryOf(const CommandLine &line)
{
    if (!line.isSet(QStringLiteral("expires")))
        return std::optional<Instant>();
    const std::string when = line.value(QStringLiteral("expires"));
    const Instant now = std::chrono::system_clock::now();
    auto instant = parseInstant(when);
    if (const auto duration = parseDuration(when))
        instant = now + *duration;
    if (instant && *instant > now)
        return instant;
    return Unexpected(line.refuse("--expires must be a duration such as 90d or a time to come"));
}

Result<NewKey>
makeKey(const std::string &id, std::optional<Instant> expires, const std::string &dataDir)
{
    const auto hashKey = loadOrCreateHashKey(dataDir);
    if (!hashKey)
        return Unexpected(hashKey.error());
    auto text = virtualkey::generate();
    if (!text)
        return Unexpected(std::move(text).error());
    KeySpec spec{.id = id,
                 .hash = keyHashToText(KeyHasher(*hashKey).hash(*text)),
                 .created = formatInstant(std::chrono::system_clock::now()),
                 .expires = expires ? formatInstant(*expires) : std::string()};
    return NewKey{std::move(*text), std::move(spec)};
}

int runClient(const QStringList &args)
{
    CommandLine line(help);
    for (const char *const option :
         {"route", "model", "tier", "label", "expires", "overlap", "key"})
        line.addOption(QLatin1String(option), QLatin1String(option).toString().toUpper());
    line.addOption(QStringLiteral("json"));
    if (const auto code = line.parse(args))
        return *code;
    const QStringList words = line.words();
    const std::string name = words.value(0).toStdString();
    const auto command = std::ranges::find(subcommands(), name, &Subcommand::name);
    if (command == subcommands().end() || words.size() != (command->takesName ? 2 : 1))
        return line.refuse("say one of: add NAME, list, rotate NAME, revoke NAME, remove NAME");
    for (const Subcommand &other : subcommands()) {
        for (const std::string_view option : other.options) {
            if (line.isSet(QLatin1String(option.data(), static_cast<qsizetype>(option.size())))
                && std::ranges::find(command->options, option) == command->options.end())
                return line.refuse("client " + name + " has no option --" + std::string(option));
        }
    }
    return command->run(line);
}

} // namespace gatehouse
