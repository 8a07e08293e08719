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

bool isFinished(const fs::path &file)
{
    return file.string().ends_with(ending);
}

/// Of the files that sessions have made or are making; none where there is no directory to read.
Result<std::vector<fs::path>> filesIn(const fs::path &directory)
{
    std::error_code problem;
    std::vector<fs::path> files;
    fs::directory_iterator iterator(directory, problem);
    for (; !problem && iterator != fs::directory_iterator(); iterator.increment(problem))
        files.push_back(iterator->path());
    if (isShortage(problem))
        return Unexpected(Error{ErrorCode::SystemFailure,
                                directory.string() + " cannot be read: " + problem.message()});
    std::ranges::sort(files);
    return files;
}

void removeDeadFiles(const std::string &dataDir)
{
    const auto files = filesIn(sessionsDir(dataDir));
    if (!files)
        return;
    const auto now = fs::file_time_type::clock::now();
    for (const fs::path &file : *files) {
        std::error_code problem;
        const auto written = fs::last_write_time(file, problem);
        if (isFinished(file) || (!problem && now - written > longestMaking))
            removeIfDead(file.string());
    }
}

/// Nothing where it is none.
Result<std::optional<SessionSpec>> readSession(const fs::path &file)
{
    const std::optional<SessionSpec> none;
    const auto text = readFile(file, YamlLimits{}.bytes);
    if (!text)
        return Unexpected(text.error());
    Diagnostics diagnostics;
    const std::vector<Node> documents = parseYaml(*text, file.string(), diagnostics);
    if (documents.size() != 1)
        return none;
    Reporter reporter(file.string(), diagnostics);
    auto session = decode<SessionSpec>(documents.front(), reporter);
    if (!diagnostics.empty() || file.stem().string() != session.id)
        return none;
    return std::optional(std::move(session));
}

/// Brings \a known up to date. A file that cannot be looked at stays what it was; the error is of the
/// last such.
Result<void> look(const std::string &dataDir, SessionFiles &known)
{
    const auto files = filesIn(sessionsDir(dataDir));
    if (!files)
        return Unexpected(files.error());
    Result<void> result;
    SessionFiles now;
    for (const fs::path &file : *files) {
        const auto live = isFinished(file) ? isLive(file.string()) : false;
        if (live && !*live)
            continue;
        if (!live)
            result = Unexpected(live.error());
        const std::string name = file.filename().string();
        if (const auto before = known.find(name); before != known.end()) {
            now.insert(*before);
            continue;
        }
        if (!live)
            continue;
        if (auto session = readSession(file))
            now.emplace(name, std::move(*session));
        else if (std::error_code problem; fs::exists(file, problem)) // or it has just ended
            result = Unexpected(session.error());
    }
    known = std::move(now);
    return result;
}

std::vector<SessionSpec> sessionsOf(const SessionFiles &files)
{
    std::vector<SessionSpec> sessions;
    for (const auto &[name, session] : files) {
        if (session)
            sessions.push_back(*session);
    }
    return sessions;
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

Result<std::vector<SessionSpec>> liveSessions(const std::string &dataDir)
{
    SessionFiles files;
    if (const auto looked = look(dataDir, files); !looked)
        return Unexpected(looked.error());
    return sessionsOf(files);
}

Result<std::size_t>
endSessions(const std::string &dataDir, std::string_view client, std::string_view keyId)
{
    const auto sessions = liveSessions(dataDir);
    if (!sessions)
        return Unexpected(sessions.error());
    std::size_t count = 0;
    for (const SessionSpec &session : *sessions) {
        if (session.client != client || (!keyId.empty() && keyId != sessionKeyId(session.id)))
            continue;
        const fs::path file = sessionsDir(dataDir) / (session.id + std::string(ending));
        std::error_code problem;
        if (fs::remove(file, problem))
            ++count;
        else if (problem)
            return Unexpected(Error{ErrorCode::SystemFailure,
                                    file.string() + " cannot be removed: " + problem.message()});
    }
    return count;
}

void addSessions(std::vector<Resource<ClientSpec>> &clients, std::span<const SessionSpec> sessions)
{
    ClientSpec unnamed;
    for (const SessionSpec &session : sessions) {
        const auto client = std::ranges::find(clients, session.client, &Resource<ClientSpec>::name);
        const bool isConfigured = client != clients.end();
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
    clients.push_back({.name = name,
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
    connect(&m_poll, &QTimer::timeout, this, &SessionWatcher::lookAgain);
    connect(&m_watcher, &QFileSystemWatcher::directoryChanged, this, &SessionWatcher::lookAgain);
    m_watcher.addPath(QString::fromStdString(directory.string()));
    lookAgain();
}

std::vector<SessionSpec> SessionWatcher::sessions() const
{
    return sessionsOf(m_known);
}

void SessionWatcher::lookAgain()
{
    removeDeadFiles(m_dataDir);
    const std::vector<SessionSpec> before = sessions();
    const auto looked = look(m_dataDir, m_known);
    if (looked && m_known.empty())
        m_poll.stop();
    else if (!m_poll.isActive())
        m_poll.start();
    if (sessions() != before)
        Q_EMIT changed();
}

} // namespace gatehouse
