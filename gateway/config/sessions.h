// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/config/livefile.h"

#include <QFileSystemWatcher>
#include <QObject>
#include <QTimer>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// A command that `gatehouse exec` runs, as its file in `<data>/sessions` tells the gateway. The file
/// is a LiveFile of that process: the key in it is good as long as both are there.
struct SessionSpec
{
    std::string id;
    std::string client;
    std::string hash;
    std::string probe;
    std::string created;
    std::string expires;

    bool operator==(const SessionSpec &) const = default;
    static std::span<const Field> fields();
};

/// The client whose name sessions have where none was named; it need not be configured.
inline constexpr std::string_view execClient = "exec";

/// The id under which records and lists show a session's key.
[[nodiscard]] std::string sessionKeyId(std::string_view sessionId);
/// True for the id of a key that only asks whether a session is known: it has expired when it is made.
[[nodiscard]] bool isProbeKeyId(std::string_view keyId);

/// Makes the session known to the gateway of that data directory, until the LiveFile goes.
[[nodiscard]] Result<LiveFile> openSession(const SessionSpec &session, const std::string &dataDir);
/// Those whose process lives, by id. A file that is none is left out. SystemFailure where a file could
/// not be looked at: then it is not known who lives.
[[nodiscard]] Result<std::vector<SessionSpec>> liveSessions(const std::string &dataDir);
/// Ends the sessions of a client, or that one whose key has the id. Returns how many, or why it is not
/// certain that all of them are ended.
[[nodiscard]] Result<std::size_t>
endSessions(const std::string &dataDir, std::string_view client, std::string_view keyId = {});

/// Gives the keys of sessions to their clients; a session of a client that is not there any more is
/// left out.
void addSessions(std::vector<Resource<ClientSpec>> &clients, std::span<const SessionSpec> sessions);

/// By file name; nothing where the file is no session.
using SessionFiles = std::map<std::string, std::optional<SessionSpec>>;

/// Notices sessions as they come and go: a new file at once, the death of a process within 250 ms.
/// Clears up what dead ones left. What cannot be looked at stays what it was until it can. Lives in one
/// thread.
class SessionWatcher : public QObject
{
    Q_OBJECT

public:
    /// Makes the sessions' directory where it is not there.
    explicit SessionWatcher(std::string dataDir, QObject *parent = nullptr);

    /// The live sessions as they were last seen, by id.
    [[nodiscard]] std::vector<SessionSpec> sessions() const;

Q_SIGNALS:
    /// The live sessions are others than before.
    void changed();

private:
    void lookAgain();

    std::string m_dataDir;
    SessionFiles m_known; ///< the live ones
    QFileSystemWatcher m_watcher;
    QTimer m_poll; ///< runs while there are sessions, or doubt
};

} // namespace gatehouse
