// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/client.h"
#include "gateway/config/clientkeys.h"
#include "gateway/config/loader.h"
#include "gateway/config/sessions.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <chrono>
#include <iostream>

namespace gatehouse {

namespace {

/// In the largest unit of which there are two, so that the rest does not matter.
std::string roughly(std::chrono::seconds left)
{
    using namespace std::chrono;
    if (left >= days(2))
        return std::to_string(floor<days>(left).count()) + "d";
    if (left >= hours(2))
        return std::to_string(floor<hours>(left).count()) + "h";
    if (left >= minutes(2))
        return std::to_string(floor<minutes>(left).count()) + "m";
    return std::to_string(left.count()) + "s";
}

std::string stateName(KeyState state)
{
    switch (state) {
    case KeyState::Valid:
        return "valid";
    case KeyState::Expired:
        return "expired";
    case KeyState::Revoked:
        return "revoked";
    }
    return {};
}

/// For people: a valid key with an end says when that is.
std::string stateText(const KeySpec &key, Instant now)
{
    const KeyState state = stateOf(key, now);
    const auto expires = parseInstant(key.expires);
    if (state != KeyState::Valid || !expires)
        return stateName(state);
    return "expires in " + roughly(std::chrono::ceil<std::chrono::seconds>(*expires - now));
}

std::string joined(const std::vector<std::string> &texts)
{
    std::string all;
    for (const std::string &text : texts)
        all += (all.empty() ? "" : ",") + text;
    return all.empty() ? "all" : all;
}

void printLines(const ClientResource &client, Instant now)
{
    std::string rest = "\troutes " + joined(client.spec.routes) + "\tmodels "
                       + joined(client.spec.models) + "\ttier " + client.spec.tier;
    for (const auto &[label, text] : client.labels)
        rest.append("\t").append(label).append("=").append(text);
    if (client.spec.keys.empty())
        std::cout << client.name << "\t-\tno keys\t-" << rest << '\n';
    for (const KeySpec &key : client.spec.keys)
        std::cout << client.name << '\t' << key.id << '\t' << stateText(key, now) << "\tcreated "
                  << (key.created.empty() ? "?" : key.created) << rest << '\n';
}

QJsonArray toJson(const std::vector<std::string> &texts)
{
    QJsonArray array;
    for (const std::string &text : texts)
        array.append(QString::fromStdString(text));
    return array;
}

QJsonObject toJson(const ClientResource &client, Instant now)
{
    QJsonArray keys;
    for (const KeySpec &key : client.spec.keys)
        keys.append(QJsonObject{
            {QStringLiteral("id"), QString::fromStdString(key.id)},
            {QStringLiteral("created"), textOrNull(key.created)},
            {QStringLiteral("expires"), textOrNull(key.expires)},
            {QStringLiteral("state"), QString::fromStdString(stateName(stateOf(key, now)))}});
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

} // namespace

int listClients(const CommandLine &line)
{
    const Directories directories = line.directories();
    Draft draft = loadDraft(directories.config);
    warnOfErrors(draft);
    if (const auto sessions = liveSessions(directories.data))
        addSessions(draft.clients, *sessions);
    else
        fail(ExitCannotRun, sessions.error().context + "; running gatehouse exec are not listed");
    for (ClientResource &client : draft.clients)
        std::erase_if(client.spec.keys, [](const KeySpec &key) { return isProbeKeyId(key.id); });
    const Instant now = std::chrono::system_clock::now();
    if (!line.isSet(QStringLiteral("json"))) {
        for (const ClientResource &client : draft.clients)
            printLines(client, now);
        return ExitDone;
    }
    QJsonArray clients;
    for (const ClientResource &client : draft.clients)
        clients.append(toJson(client, now));
    std::cout << QJsonDocument(clients).toJson(QJsonDocument::Compact).constData() << '\n';
    return ExitDone;
}

} // namespace gatehouse
