// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/client.h"
#include "gateway/base/file.h"
#include "gateway/base/text.h"
#include "gateway/config/clientkeys.h"
#include "gateway/config/documentfile.h"
#include "gateway/config/loader.h"
#include "gateway/config/sessions.h"
#include "gateway/schema/yaml.h"

#include <QFile>

#include <algorithm>
#include <iostream>

namespace gatehouse {

namespace {

/// More keys than a Client may have (resources.cpp) would break the configuration.
constexpr std::size_t mostKeys = 1000;

/// The client of the command line, as its file has it: what is read from these bytes is changed in them.
struct Found
{
    std::optional<ConfigLock> lock; ///< from before the reading to the end of the command
    std::string text;
    Draft file;                             ///< text alone
    const ClientResource *client = nullptr; ///< within file
};

int failToFind(const Draft &draft, const std::string &name)
{
    std::vector<std::string_view> names;
    for (const ClientResource &client : draft.clients)
        names.push_back(client.name);
    return fail(ExitNo, "there is no client " + inQuotes(name) + didYouMean(name, names));
}

/// An exit code where the client is not there or its file has errors; that was said.
std::optional<int> find(const CommandLine &line, Found &found)
{
    const std::string name = line.words().at(1).toStdString();
    const std::string directory = line.directories().config;
    auto lock = ConfigLock::take(directory);
    if (!lock)
        return fail(ExitCannotRun, lock.error().context);
    found.lock.emplace(std::move(*lock));
    const Draft draft = loadDraft(directory);
    warnOfErrors(draft);
    const ClientResource *client = findClient(draft, name);
    if (client == nullptr)
        return failToFind(draft, name);
    auto text = readFile(client->file, YamlLimits{}.bytes);
    if (!text)
        return fail(ExitCannotRun, text.error().context);
    found.text = std::move(*text);
    addDocuments(found.file, found.text, client->file);
    found.client = findClient(found.file, name);
    const auto isError = [&](const Diagnostic &diagnostic) {
        return diagnostic.file == client->file
               && diagnostic.severity == Diagnostic::Severity::Error;
    };
    if (std::ranges::any_of(draft.diagnostics, isError) || hasErrors(found.file.diagnostics)
        || found.client == nullptr)
        return fail(ExitCannotRun,
                    client->file + " has errors; mend them first, or edit it yourself");
    return {};
}

/// Replaces the client's document, or takes it out where \a replacement is empty; the file goes with
/// its last document.
Result<void> replaceClient(const Found &found, std::string_view replacement)
{
    const ClientResource &client = *found.client;
    const auto now = readFile(client.file, YamlLimits{}.bytes);
    if (!now)
        return Unexpected(now.error());
    if (*now != found.text)
        return Unexpected(
            Error{ErrorCode::SystemFailure,
                  client.file + " was changed by another program meanwhile; try again"});
    const std::string changed
        = replaceDocument(found.text, client.document->place.line, replacement);
    Diagnostics diagnostics;
    if (!parseYaml(changed, client.file, diagnostics).empty())
        return writeConfigFile(client.file, changed);
    if (!QFile::remove(QString::fromStdString(client.file)))
        return Unexpected(Error{ErrorCode::SystemFailure, client.file + " cannot be removed"});
    return {};
}

Result<void> saveClient(const Found &found, const ClientSpec &spec)
{
    const ClientResource &client = *found.client;
    return replaceClient(found, toYaml(encodeClient(client.name, client.labels, spec)));
}

/// Ends the client's sessions, or the one with that key, and says so. Returns how many.
Result<std::size_t, int>
endAndSay(const CommandLine &line, const std::string &name, const std::string &keyId = {})
{
    const auto count = endSessions(line.directories().data, name, keyId);
    if (!count)
        return Unexpected<int>(
            fail(ExitCannotRun,
                 "running gatehouse exec may have kept their keys: " + count.error().context));
    if (*count == 1)
        std::cerr << "Client " << name << ": a running gatehouse exec lost its key.\n";
    else if (*count > 1)
        std::cerr << "Client " << name << ": " << *count
                  << " running gatehouse exec lost their keys.\n";
    return *count;
}

int revokeKey(const Found &found, const std::string &id)
{
    ClientSpec spec = found.client->spec;
    const auto key = std::ranges::find(spec.keys, id, &KeySpec::id);
    if (key == spec.keys.end()) {
        std::vector<std::string_view> ids;
        for (const KeySpec &other : spec.keys)
            ids.push_back(other.id);
        return fail(ExitNo,
                    "client " + found.client->name + " has no key " + inQuotes(id)
                        + didYouMean(id, ids));
    }
    key->revoked = true;
    if (const auto saved = saveClient(found, spec); !saved)
        return fail(ExitCannotRun, saved.error().message());
    std::cerr << "Client " << found.client->name << ": key " << id << " is revoked.\n";
    return ExitDone;
}

} // namespace

int rotateClient(const CommandLine &line)
{
    std::chrono::milliseconds overlap(0);
    if (line.isSet(QStringLiteral("overlap"))) {
        const auto duration = parseDuration(line.value(QStringLiteral("overlap")));
        if (!duration)
            return line.refuse("--overlap must be a duration such as 24h");
        overlap = *duration;
    }
    const auto expires = expiryOf(line);
    if (!expires)
        return expires.error();
    Found found;
    if (const auto code = find(line, found))
        return *code;
    ClientSpec spec = found.client->spec;
    if (spec.keys.size() >= mostKeys)
        return fail(ExitNo,
                    "client " + found.client->name + " has " + std::to_string(mostKeys)
                        + " keys, as many as one may have; take old ones out of "
                        + found.client->file);
    auto key = makeKey(nextKeyId(spec), *expires, line.directories().data);
    if (!key)
        return fail(ExitCannotRun, key.error().message());
    retireKeys(spec, std::chrono::system_clock::now(), overlap);
    spec.keys.push_back(key->spec);
    if (const auto saved = saveClient(found, spec); !saved)
        return fail(ExitCannotRun, saved.error().message());
    std::cerr << "Client " << found.client->name << " has the key " << key->spec.id
              << ", printed this once; the keys before "
              << (overlap.count() == 0 ? "are revoked.\n"
                                       : "work for " + formatDuration(overlap) + ".\n");
    std::cout << key->text << '\n';
    return ExitDone;
}

int revokeClient(const CommandLine &line)
{
    const std::string name = line.words().at(1).toStdString();
    const std::string id = line.value(QStringLiteral("key"));
    if (line.isSet(QStringLiteral("key")) && id.empty())
        return line.refuse("--key must be the id of a key, as client list prints it");
    const auto ended = endAndSay(line, name, id);
    // They live without a document of the client too.
    if (ended && *ended != 0
        && (!id.empty() || findClient(loadDraft(line.directories().config), name) == nullptr))
        return ExitDone;
    Found found;
    if (const auto code = find(line, found))
        return *code;
    if (!id.empty()) {
        const int code = revokeKey(found, id);
        return ended ? code : ended.error();
    }
    ClientSpec spec = found.client->spec;
    for (KeySpec &key : spec.keys)
        key.revoked = true;
    if (const auto saved = saveClient(found, spec); !saved)
        return fail(ExitCannotRun, saved.error().message());
    std::cerr << "Client " << name << ": all keys are revoked.\n";
    return ended ? ExitDone : ended.error();
}

int removeClient(const CommandLine &line)
{
    Found found;
    if (const auto code = find(line, found))
        return *code;
    if (const auto removed = replaceClient(found, {}); !removed)
        return fail(ExitCannotRun, removed.error().message());
    std::cerr << "Client " << found.client->name << " is removed.\n";
    const auto ended = endAndSay(line, found.client->name);
    return ended ? ExitDone : ended.error();
}

} // namespace gatehouse
