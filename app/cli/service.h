// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/options.h"
#include "gateway/config/build.h"
#include "gateway/config/livefile.h"
#include "gateway/config/sessions.h"
#include "gateway/gateway.h"
#include "gateway/secrets/vault.h"

#include <QObject>
#include <QTimer>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse {

class Demo;

/// One run of the gateway, from its first snapshot to its last exchange. What it has to say goes to
/// std::cerr.
class Service final : public QObject
{
public:
    /// \a keychain may be null, and so may \a demo.
    Service(Directories directories,
            std::optional<unsigned> workers,
            std::unique_ptr<Keychain> keychain,
            std::shared_ptr<SecretArena> arena,
            const Demo *demo);

    /// Reads the configuration and puts it in force; from then on it follows the keychain and the
    /// commands of gatehouse exec. A keychain that is named in it gets a moment to answer.
    [[nodiscard]] ExitCode start();

    /// Reads the configuration again. A keychain that is named anew gets a moment to answer; what was
    /// in force before serves on, and stays where there is a fault, but for the keys of clients.
    void reload();

    /// Lets exchanges in flight finish, then ends the event loop; ends it at once when called again.
    void stop();

    [[nodiscard]] QStringList urls() const { return m_gateway.urls(); }
    /// Null before start().
    [[nodiscard]] const Snapshot *snapshot() const { return m_snapshot.get(); }
    /// True while a reload waits for the keychain.
    [[nodiscard]] bool isReloading() const { return m_candidate.has_value(); }

private:
    [[nodiscard]] std::optional<Draft> readDraft() const;
    [[nodiscard]] BuildOutcome build(Draft draft);
    [[nodiscard]] ExitCode putInForce(Draft &draft, const BuildOutcome &outcome);
    [[nodiscard]] ExitCode apply(const BuildOutcome &outcome);
    [[nodiscard]] Result<void> apply(std::shared_ptr<const Snapshot> snapshot);
    void putKeysInForce();
    void finishReload(const BuildOutcome &outcome);
    void takeSecrets();
    void renew();

    const Directories m_directories;
    const SessionWatcher m_sessions;
    std::optional<LiveFile> m_announcement;
    const std::optional<unsigned> m_workers;
    const Demo *m_demo;
    Vault m_vault;
    StateStore m_states{m_directories.data}; ///< what policies keep beyond a reload
    Gateway m_gateway;
    Draft m_draft;                              ///< in force
    std::shared_ptr<const Snapshot> m_snapshot; ///< what was made of it, with sessions and secrets
    std::vector<std::string> m_warnings;        ///< of it, said already
    std::optional<Draft> m_candidate;           ///< read, and waiting for the keychain
    bool m_mustRenew = false; ///< the vault has news that the candidate would bring into force
    QTimer m_patience;        ///< with the keychain
    bool m_isStopping = false;
};

} // namespace gatehouse
