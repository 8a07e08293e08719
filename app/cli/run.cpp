// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/demo.h"
#include "app/cli/options.h"
#include "app/cli/process.h"
#include "gateway/base/hardening.h"
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/config/watch.h"
#include "gateway/gateway.h"

#include <QCoreApplication>
#include <QDir>

#include <iostream>
#include <optional>

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

/// One run of the gateway, from its first snapshot to its last exchange.
class Service final : public QObject
{
public:
    Service(Directories directories, std::optional<unsigned> workers, const Demo *demo)
        : m_directories(std::move(directories))
        , m_workers(workers)
        , m_demo(demo)
    {}

    /// Reads the configuration and puts it in force; what is wrong goes to std::cerr.
    [[nodiscard]] ExitCode load()
    {
        Draft draft;
        const bool exists = QDir(QString::fromStdString(m_directories.config)).exists();
        if (!exists && m_demo == nullptr) {
            std::cerr << "gatehouse: there is no configuration directory " << m_directories.config
                      << "; make it, name another with --config, or try gatehouse run --demo\n";
            return ExitCannotRun;
        }
        if (exists)
            draft = loadDraft(m_directories.config);
        if (m_demo != nullptr)
            m_demo->addTo(draft, m_directories.data);
        BuildOutcome outcome = buildSnapshot(draft, m_directories.data);
        for (const Diagnostic &diagnostic : outcome.diagnostics)
            std::cerr << diagnostic.text() << '\n';
        if (!outcome.snapshot)
            return ExitNo;
        std::shared_ptr<const Snapshot> snapshot = std::move(outcome.snapshot);
        if (m_workers) {
            auto changed = std::make_shared<Snapshot>(*snapshot);
            changed->workers = *m_workers;
            snapshot = std::move(changed);
        }
        if (const auto result = m_gateway.apply(std::move(snapshot)); !result) {
            std::cerr << "gatehouse: " << result.error().message() << '\n';
            return result.error().code == ErrorCode::ConfigInvalid ? ExitNo : ExitCannotRun;
        }
        return ExitDone;
    }

    int serve()
    {
        const ConfigWatcher watcher(QString::fromStdString(m_directories.config));
        const SignalWatcher signalWatcher;
        connect(&watcher, &ConfigWatcher::changed, this, &Service::reload);
        connect(&signalWatcher, &SignalWatcher::reloadAsked, this, &Service::reload);
        connect(&signalWatcher, &SignalWatcher::stopAsked, this, &Service::stop);
        connect(&m_gateway, &Gateway::drained, this, [] { QCoreApplication::quit(); });
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
    void reload()
    {
        if (m_isStopping)
            return;
        if (load() == ExitDone)
            std::cerr << "gatehouse: reloaded\n";
        else
            std::cerr << "gatehouse: not reloaded; the configuration before stays in force\n";
    }

    void stop()
    {
        if (m_isStopping) {
            QCoreApplication::quit();
            return;
        }
        m_isStopping = true;
        m_gateway.drain();
    }

    Directories m_directories;
    std::optional<unsigned> m_workers;
    const Demo *m_demo;
    Gateway m_gateway;
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
    if (const ExitCode code = service.load(); code != ExitDone)
        return code;
    return service.serve();
}

} // namespace gatehouse
