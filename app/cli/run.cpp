// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/demo.h"
#include "app/cli/options.h"
#include "app/cli/process.h"
#include "gateway/base/hardening.h"
#include "gateway/config/announcement.h"
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/config/sessions.h"
#include "gateway/config/watch.h"
#include "gateway/gateway.h"
#include "gateway/secrets/vault.h"

#include <QCoreApplication>
#include <QDir>
#include <QTimer>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <vector>

namespace gatehouse {

namespace {

constexpr std::string_view help
    = R"(Usage: gatehouse run [--config DIR] [--data DIR] [--workers N] [--demo]

Serves until SIGTERM or SIGINT, then lets exchanges in flight finish (10 s; a second signal cuts
them). SIGHUP or a changed file reloads: a bad file is reported and changes nothing. When every
listener is ready it prints one line:  gatehouse: ready http://127.0.0.1:4283

  --config DIR  configuration directory (default: $XDG_CONFIG_HOME/gatehouse)
  --data DIR    data directory (default: $XDG_DATA_HOME/gatehouse)
  --workers N   worker threads, 1 to 256, whatever the configuration says
  --demo        adds a simulated provider at /demo (no network) and a client for it
  --help        print this

Exit code: 0 stopped as asked, 1 invalid configuration, 2 wrong usage, 3 cannot run
)";

constexpr auto keychainPatience = std::chrono::seconds(1);

constexpr std::string_view notReloaded
    = "gatehouse: not reloaded; the configuration before stays in force\n";

/// One run of the gateway, from its first snapshot to its last exchange.
class Service final : public QObject
{
public:
    Service(Directories directories, std::optional<unsigned> workers, const Demo *demo)
        : m_directories(std::move(directories))
        , m_sessions(m_directories.data)
        , m_workers(workers)
        , m_demo(demo)
        , m_arena(SecretArena::make())
        , m_vault(Keychain::ofSession(m_arena), m_arena)
    {
        m_patience.setSingleShot(true);
        m_patience.setInterval(keychainPatience);
    }

    /// Reads the configuration and puts it in force; what is wrong goes to std::cerr. A keychain that
    /// is named in it gets a moment to answer.
    [[nodiscard]] ExitCode start()
    {
        auto draft = readDraft();
        if (!draft)
            return ExitCannotRun;
        BuildOutcome outcome = build(*draft);
        if (m_vault.isWaiting()) {
            m_vault.wait(keychainPatience);
            outcome = build(*draft);
        }
        return putInForce(std::move(*draft), std::move(outcome));
    }

    int serve()
    {
        const ConfigWatcher watcher(QString::fromStdString(m_directories.config));
        const SignalWatcher signalWatcher;
        connect(&watcher, &ConfigWatcher::changed, this, &Service::reload);
        connect(&signalWatcher, &SignalWatcher::reloadAsked, this, &Service::reload);
        connect(&signalWatcher, &SignalWatcher::stopAsked, this, &Service::stop);
        connect(&m_gateway, &Gateway::drained, this, [] { QCoreApplication::quit(); });
        connect(&m_vault, &Vault::changed, this, &Service::takeSecrets);
        connect(&m_sessions, &SessionWatcher::changed, this, &Service::takeSessions);
        connect(&m_patience, &QTimer::timeout, this, [this] { finishReload(build(*m_candidate)); });
        const QStringList urls = m_gateway.urls();
        std::cout << "gatehouse: ready " << urls.value(0).toStdString() << '\n';
        for (const QString &other : urls.mid(1))
            std::cout << "gatehouse: also at " << other.toStdString() << '\n';
        if (m_demo != nullptr)
            std::cout << m_demo->curlLine(urls.value(0).toStdString());
        std::cout.flush();
        return QCoreApplication::exec();
    }

private:
    /// Nothing, and said so, where there is no configuration to serve.
    [[nodiscard]] std::optional<Draft> readDraft() const
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

    [[nodiscard]] BuildOutcome build(Draft draft)
    {
        addSessions(draft.clients, m_sessions.sessions());
        return buildSnapshot(draft, m_directories.data, m_vault, m_states);
    }

    /// Says what is wrong with \a draft, and serves by it where nothing is.
    [[nodiscard]] ExitCode putInForce(Draft draft, BuildOutcome outcome)
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

    [[nodiscard]] ExitCode apply(const BuildOutcome &outcome)
    {
        std::shared_ptr<const Snapshot> snapshot = outcome.snapshot;
        if (!snapshot)
            return ExitNo;
        if (m_workers) {
            auto changed = std::make_shared<Snapshot>(*snapshot);
            changed->workers = *m_workers;
            snapshot = std::move(changed);
        }
        if (const auto result = m_gateway.apply(snapshot); !result) {
            std::cerr << "gatehouse: " << result.error().message() << '\n';
            return result.error().code == ErrorCode::ConfigInvalid ? ExitNo : ExitCannotRun;
        }
        auto file = announce(announcementOf(*snapshot, m_gateway.urls(), m_directories.config),
                             m_directories.data);
        if (file)
            m_announcement = std::move(*file);
        else
            std::cerr << "gatehouse: warning: gatehouse exec cannot find this gateway: "
                      << file.error().context << '\n';
        return ExitDone;
    }

    /// Commands of gatehouse exec came or went. Their keys join the configuration in force: a file
    /// that is broken meanwhile must not keep the key of a dead command alive.
    void takeSessions()
    {
        if (!m_isStopping && apply(build(m_draft)) != ExitDone)
            std::cerr << "gatehouse: the keys of gatehouse exec stay as they were\n";
    }

    /// A keychain that is named anew gets a moment to answer; what was in force before serves on.
    void reload()
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
        BuildOutcome outcome = build(*m_candidate);
        if (m_vault.isWaiting())
            m_patience.start();
        else
            finishReload(std::move(outcome));
    }

    void finishReload(BuildOutcome outcome)
    {
        m_patience.stop();
        Draft draft = std::move(*m_candidate);
        m_candidate.reset();
        if (putInForce(std::move(draft), std::move(outcome)) == ExitDone)
            std::cerr << "gatehouse: reloaded\n";
        else
            std::cerr << notReloaded;
    }

    void takeSecrets()
    {
        if (m_isStopping)
            return;
        if (!m_candidate)
            renew();
        else if (!m_vault.isWaiting())
            finishReload(build(*m_candidate));
    }

    /// The configuration in force once more, with what the vault has now; says what is new about it.
    void renew()
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

    void stop()
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

    Directories m_directories;
    const SessionWatcher m_sessions;
    std::optional<LiveFile> m_announcement;
    std::optional<unsigned> m_workers;
    const Demo *m_demo;
    const std::shared_ptr<SecretArena> m_arena;
    Vault m_vault;
    StateStore m_states; ///< what policies keep beyond a reload
    Gateway m_gateway;
    Draft m_draft;                       ///< in force
    std::vector<std::string> m_warnings; ///< of it, said already
    std::optional<Draft> m_candidate;    ///< read, and waiting for the keychain
    QTimer m_patience;                   ///< with the keychain
    bool m_isStopping = false;
};

} // namespace

int runServe(const QStringList &args)
{
    CommandLine line(help);
    line.addOption(QStringLiteral("workers"), QStringLiteral("N"));
    line.addOption(QStringLiteral("demo"));
    if (const auto code = line.parse(args))
        return *code;
    if (!line.words().isEmpty())
        return line.refuse("run takes no arguments");
    std::optional<unsigned> workers;
    if (line.isSet(QStringLiteral("workers"))) {
        bool isNumber = false;
        workers = QString::fromStdString(line.value(QStringLiteral("workers"))).toUInt(&isNumber);
        if (!isNumber || *workers < 1 || *workers > 256)
            return line.refuse("--workers takes a number from 1 to 256");
    }
    hardenProcess();
    std::unique_ptr<Demo> demo;
    if (line.isSet(QStringLiteral("demo"))) {
        auto started = Demo::start();
        if (!started) {
            std::cerr << "gatehouse: " << started.error().message() << '\n';
            return ExitCannotRun;
        }
        demo = std::move(started).value();
    }
    Service service(line.directories(), workers, demo.get());
    if (const ExitCode code = service.start(); code != ExitDone)
        return code;
    return service.serve();
}

} // namespace gatehouse
