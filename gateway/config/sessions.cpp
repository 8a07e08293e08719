// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/sessions.h"

#include "gateway/base/file.h"
#include "gateway/config/documentfile.h"
#include "gateway/config/problems.h"
#include "gateway/schema/decode.h"
#include "gateway/schema/encode.h"
#include "gateway/schema/yaml.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <utility>

namespace gatehouse {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds pollInterval(250);
constexpr std::string_view ending = ".yaml";
constexpr std::string_view keyPrefix = "exec-";
constexpr std::string_view probeSuffix = "-probe";
/// After this, what is not finished will never be.
constexpr std::chrono::minutes longestMaking(1);

fs::path sessionsDir(const std::string &dataDir)
{
    return fs::path(dataDir) / "sessions";
}

/// Of the files that sessions have made or are making; none where the directory cannot be read.
std::vector<fs::path> filesIn(const fs::path &directory)
{
    std::error_code problem;
    std::vector<fs::path> files;
    fs::directory_iterator iterator(directory, problem);
    for (; !problem && iterator != fs::directory_iterator(); iterator.increment(problem))
        files.push_back(iterator->path());
    std::ranges::sort(files);
    return files;
}

bool isFinished(const fs::path &file)
{
    return file.string().ends_with(ending);
}

std::vector<fs::path> liveFiles(const std::string &dataDir)
{
    std::vector<fs::path> files = filesIn(sessionsDir(dataDir));
    std::erase_if(files,
                  [](const fs::path &file) { return !isFinished(file) || !isLive(file.string()); });
    return files;
}

void removeDeadFiles(const std::string &dataDir)
{
    const auto now = fs::file_time_type::clock::now();
    for (const fs::path &file : filesIn(sessionsDir(dataDir))) {
        std::error_code problem;
        const auto written = fs::last_write_time(file, problem);
        if (isFinished(file) || (!problem && now - written > longestMaking))
            removeIfDead(file.string());
    }
}

std::optional<SessionSpec> readSession(const fs::path &file)
{
    const auto text = readFile(file, YamlLimits{}.bytes);
    if (!text)
        return {};
    Diagnostics diagnostics;
    const std::vector<Node> documents = parseYaml(*text, file.string(), diagnostics);
    if (documents.size() != 1)
        return {};
    Reporter reporter(file.string(), diagnostics);
    auto session = decode<SessionSpec>(documents.front(), reporter);
    if (!diagnostics.empty() || file.stem().string() != session.id)
        return {};
    return session;
}

} // namespace

std::span<const Field> SessionSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&SessionSpec::id>({.key = "id",
                                 .label = "Id",
                                 .help = "Name of the session and of its file",
                                 .required = true,
                                 .problem = nameProblem}),
        field<&SessionSpec::client>({.key = "client",
                                     .label = "Client",
                                     .help = "Client whose scopes, tier and labels apply",
                                     .required = true,
                                     .problem = nameProblem}),
        field<&SessionSpec::hash>({.key = "hash",
                                   .label = "Hash",
                                   .help = "Keyed hash of the session's virtual key",
                                   .required = true,
                                   .problem = keyHashProblem}),
        field<&SessionSpec::probe>({.key = "probe",
                                    .label = "Probe",
                                    .help = "Keyed hash of a key that has expired already",
                                    .required = true,
                                    .problem = keyHashProblem}),
        field<&SessionSpec::created>({.key = "created",
                                      .label = "Created",
                                      .help = "ISO 8601 time",
                                      .required = true,
                                      .problem = instantProblem}),
        field<&SessionSpec::expires>({.key = "expires",
                                      .label = "Expires",
                                      .help = "ISO 8601 time from which the key is refused",
                                      .required = true,
                                      .problem = instantProblem}),
    });
    return table;
}

std::string sessionKeyId(std::string_view sessionId)
{
    return std::string(keyPrefix).append(sessionId);
}

bool isProbeKeyId(std::string_view keyId)
{
    return keyId.starts_with(keyPrefix) && keyId.ends_with(probeSuffix);
}

Result<LiveFile> openSession(const SessionSpec &session, const std::string &dataDir)
{
    return LiveFile::create((sessionsDir(dataDir) / (session.id + std::string(ending))).string(),
                            toYaml(encode(session)));
}

std::vector<SessionSpec> liveSessions(const std::string &dataDir)
{
    std::vector<SessionSpec> sessions;
    for (const fs::path &file : liveFiles(dataDir)) {
        if (auto session = readSession(file))
            sessions.push_back(std::move(*session));
    }
    return sessions;
}

std::size_t endSessions(const std::string &dataDir, std::string_view client, std::string_view keyId)
{
    std::size_t count = 0;
    for (const SessionSpec &session : liveSessions(dataDir)) {
        if (session.client != client || (!keyId.empty() && keyId != sessionKeyId(session.id)))
            continue;
        std::error_code problem;
        if (fs::remove(sessionsDir(dataDir) / (session.id + std::string(ending)), problem))
            ++count;
    }
    return count;
}

void addSessions(Draft &draft, const std::string &dataDir)
{
    ClientSpec unnamed;
    for (const SessionSpec &session : liveSessions(dataDir)) {
        const auto client
            = std::ranges::find(draft.clients, session.client, &Resource<ClientSpec>::name);
        const bool isConfigured = client != draft.clients.end();
        if (!isConfigured && session.client != execClient)
            continue;
        std::vector<KeySpec> &keys = isConfigured ? client->spec.keys : unnamed.keys;
        const std::string id = sessionKeyId(session.id);
        keys.push_back({id, session.hash, session.created, session.expires});
        keys.push_back(
            {id + std::string(probeSuffix), session.probe, session.created, session.created});
    }
    if (unnamed.keys.empty())
        return;
    const std::string name(execClient);
    Node document = encodeClient(name, {}, unnamed);
    draft.clients.push_back({.name = name,
                             .spec = std::move(unnamed),
                             .file = "(gatehouse exec)",
                             .document = std::make_shared<const Node>(std::move(document))});
}

SessionWatcher::SessionWatcher(std::string dataDir, QObject *parent)
    : QObject(parent)
    , m_dataDir(std::move(dataDir))
{
    std::error_code
        problem; // a data directory that cannot be written is reported where it is needed
    const fs::path directory = sessionsDir(m_dataDir);
    for (const fs::path &place : {fs::path(m_dataDir), directory}) {
        if (fs::create_directories(place, problem))
            fs::permissions(place, fs::perms::owner_all, problem);
    }
    m_poll.setInterval(pollInterval);
    connect(&m_poll, &QTimer::timeout, this, &SessionWatcher::look);
    connect(&m_watcher, &QFileSystemWatcher::directoryChanged, this, &SessionWatcher::look);
    m_watcher.addPath(QString::fromStdString(directory.string()));
    look();
}

void SessionWatcher::look()
{
    removeDeadFiles(m_dataDir);
    std::vector<std::string> live;
    for (const fs::path &file : liveFiles(m_dataDir))
        live.push_back(file.filename().string());
    if (live.empty())
        m_poll.stop();
    else if (!m_poll.isActive())
        m_poll.start();
    if (std::exchange(m_known, live) != live)
        Q_EMIT changed();
}

} // namespace gatehouse
