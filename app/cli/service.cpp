// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/service.h"

#include "app/cli/demo.h"
#include "gateway/config/announcement.h"
#include "gateway/config/clients.h"
#include "gateway/config/loader.h"

#include <QCoreApplication>
#include <QDir>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string_view>
#include <utility>

namespace gatehouse {

namespace {

constexpr auto keychainPatience = std::chrono::seconds(1);

constexpr std::string_view notReloaded
    = "gatehouse: not reloaded; the configuration before stays in force\n";

} // namespace

Service::Service(Directories directories,
                 std::optional<unsigned> workers,
                 std::unique_ptr<Keychain> keychain,
                 std::shared_ptr<SecretArena> arena,
                 const Demo *demo)
    : m_directories(std::move(directories))
    , m_sessions(m_directories.data)
    , m_workers(workers)
    , m_demo(demo)
    , m_vault(std::move(keychain), std::move(arena))
{
    m_patience.setSingleShot(true);
    m_patience.setInterval(keychainPatience);
    connect(&m_patience, &QTimer::timeout, this, [this] { finishReload(build(*m_candidate)); });
}

ExitCode Service::start()
{
    auto draft = readDraft();
    if (!draft)
        return ExitCannotRun;
    BuildOutcome outcome = build(*draft);
    if (m_vault.isWaiting()) {
        m_vault.wait(keychainPatience);
        outcome = build(*draft);
    }
    const ExitCode code = putInForce(*draft, outcome);
    if (code != ExitDone)
        return code;
    connect(&m_vault, &Vault::changed, this, &Service::takeSecrets);
    connect(&m_sessions, &SessionWatcher::changed, this, &Service::putKeysInForce);
    connect(&m_gateway, &Gateway::drained, this, [] { QCoreApplication::quit(); });
    return ExitDone;
}

/// Nothing, and said so, where there is no configuration to serve.
std::optional<Draft> Service::readDraft() const
{
    Draft draft;
    const bool exists = QDir(QString::fromStdString(m_directories.config)).exists();
    if (!exists && m_demo == nullptr) {
        std::cerr << "gatehouse: there is no configuration directory " << m_directories.config
                  << "; make it, name another with --config, or try gatehouse run --demo\n";
        return {};
    }
    if (exists)
        draft = loadDraft(m_directories.config);
    if (m_demo != nullptr)
        m_demo->addTo(draft, m_directories.data);
    return draft;
}

BuildOutcome Service::build(Draft draft)
{
    addSessions(draft.clients, m_sessions.sessions());
    return buildSnapshot(draft, m_directories.data, m_vault, m_states);
}

/// Says what is wrong with \a draft, and serves by it, which takes it, where nothing is.
ExitCode Service::putInForce(Draft &draft, const BuildOutcome &outcome)
{
    for (const Diagnostic &diagnostic : outcome.diagnostics)
        std::cerr << diagnostic.text() << '\n';
    const ExitCode code = apply(outcome);
    if (code != ExitDone)
        return code;
    m_draft = std::move(draft);
    m_warnings = outcome.snapshot->warnings;
    m_vault.endRound();
    if (const std::string warning = m_vault.takeWarning(); !warning.empty())
        std::cerr << "gatehouse: warning: " << warning << '\n';
    return ExitDone;
}

ExitCode Service::apply(const BuildOutcome &outcome)
{
    std::shared_ptr<const Snapshot> snapshot = outcome.snapshot;
    if (!snapshot)
        return ExitNo;
    if (m_workers) {
        auto changed = std::make_shared<Snapshot>(*snapshot);
        changed->workers = *m_workers;
        snapshot = std::move(changed);
    }
    if (const auto result = apply(std::move(snapshot)); !result) {
        std::cerr << "gatehouse: " << result.error().message() << '\n';
        return result.error().code == ErrorCode::ConfigInvalid ? ExitNo : ExitCannotRun;
    }
    auto file = announce(announcementOf(*m_snapshot, m_gateway.urls(), m_directories.config),
                         m_directories.data);
    if (file)
        m_announcement = std::move(*file);
    else
        std::cerr << "gatehouse: warning: gatehouse exec cannot find this gateway: "
                  << file.error().context << '\n';
    return ExitDone;
}

Result<void> Service::apply(std::shared_ptr<const Snapshot> snapshot)
{
    auto result = m_gateway.apply(snapshot);
    if (result)
        m_snapshot = std::move(snapshot);
    return result;
}

/// The configuration in force with the keys that clients and commands of gatehouse exec have now.
void Service::putKeysInForce()
{
    if (m_isStopping)
        return;
    ClientResources clients = m_draft.clients;
    addSessions(clients, m_sessions.sessions());
    if (const auto result = apply(withClients(*m_snapshot, clients)); !result)
        std::cerr << "gatehouse: the keys of clients stay as they were: "
                  << result.error().message() << '\n';
}

void Service::reload()
{
    if (m_isStopping)
        return;
    auto draft = readDraft();
    if (!draft) {
        std::cerr << notReloaded;
        return;
    }
    m_candidate = std::move(*draft);
    m_vault.beginRound();
    const BuildOutcome outcome = build(*m_candidate);
    if (outcome.snapshot && m_vault.isWaiting())
        m_patience.start();
    else
        finishReload(outcome);
}

void Service::finishReload(const BuildOutcome &outcome)
{
    m_patience.stop();
    Draft draft = std::move(*m_candidate);
    m_candidate.reset();
    const bool mustRenew = std::exchange(m_mustRenew, false);
    if (putInForce(draft, outcome) == ExitDone) {
        std::cerr << "gatehouse: reloaded\n";
        return;
    }
    std::cerr << notReloaded;
    if (takeKeys(m_draft.clients, draft)) {
        putKeysInForce();
        std::cerr << "gatehouse: but the keys of clients are now those of their files\n";
    }
    if (mustRenew)
        renew();
}

void Service::takeSecrets()
{
    if (m_isStopping)
        return;
    if (!m_candidate) {
        renew();
        return;
    }
    m_mustRenew = true; // the candidate may yet be refused
    if (!m_vault.isWaiting())
        finishReload(build(*m_candidate));
}

/// The configuration in force once more, with what the vault has now; says what is new about it.
void Service::renew()
{
    const BuildOutcome outcome = build(m_draft);
    if (apply(outcome) != ExitDone) {
        for (const Diagnostic &diagnostic : outcome.diagnostics)
            std::cerr << diagnostic.text() << '\n';
        std::cerr << "gatehouse: the credentials before stay in use\n";
        return;
    }
    for (const std::string &warning : outcome.snapshot->warnings) {
        if (std::ranges::find(m_warnings, warning) == m_warnings.end())
            std::cerr << warning << '\n';
    }
    m_warnings = outcome.snapshot->warnings;
    std::cerr << "gatehouse: the credentials were read again\n";
}

void Service::stop()
{
    if (m_isStopping) {
        QCoreApplication::quit();
        return;
    }
    m_isStopping = true;
    m_announcement.reset();
    m_patience.stop();
    m_gateway.drain();
}

} // namespace gatehouse
