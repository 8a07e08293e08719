// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/demo.h"
#include "app/cli/options.h"
#include "app/cli/process.h"
#include "app/cli/service.h"
#include "gateway/base/hardening.h"
#include "gateway/config/watch.h"

#include <QCoreApplication>

#include <iostream>
#include <memory>
#include <optional>

namespace gatehouse {

namespace {

constexpr std::string_view help
    = R"(Usage: gatehouse run [--config DIR] [--data DIR] [--workers N] [--demo]

Serves until SIGTERM or SIGINT, then lets exchanges in flight finish (10 s; a second signal cuts
them). SIGHUP or a changed file reloads: a bad file is reported and changes nothing, but that keys
of clients are still revoked, rotated and removed. When every listener is ready it prints one line:
  gatehouse: ready http://127.0.0.1:4283

  --config DIR  configuration directory (default: $XDG_CONFIG_HOME/gatehouse)
  --data DIR    data directory (default: $XDG_DATA_HOME/gatehouse)
  --workers N   worker threads, 1 to 256, whatever the configuration says
  --demo        adds a simulated provider at /demo (no network) and a client for it
  --help        print this

Exit code: 0 stopped as asked, 1 invalid configuration, 2 wrong usage, 3 cannot run
)";

/// Serves until it is told to stop.
int serve(Service &service, const Directories &directories, const Demo *demo)
{
    const ConfigWatcher watcher(QString::fromStdString(directories.config));
    const SignalWatcher signalWatcher;
    QObject::connect(&watcher, &ConfigWatcher::changed, &service, &Service::reload);
    QObject::connect(&signalWatcher, &SignalWatcher::reloadAsked, &service, &Service::reload);
    QObject::connect(&signalWatcher, &SignalWatcher::stopAsked, &service, &Service::stop);
    const QStringList urls = service.urls();
    std::cout << "gatehouse: ready " << urls.value(0).toStdString() << '\n';
    for (const QString &other : urls.mid(1))
        std::cout << "gatehouse: also at " << other.toStdString() << '\n';
    if (demo != nullptr)
        std::cout << demo->curlLine(urls.value(0).toStdString());
    std::cout.flush();
    return QCoreApplication::exec();
}

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
    const auto arena = SecretArena::make();
    auto keychain = Keychain::ofSession(arena); // before threads start, and the demo starts one
    std::unique_ptr<Demo> demo;
    if (line.isSet(QStringLiteral("demo"))) {
        auto started = Demo::start();
        if (!started) {
            std::cerr << "gatehouse: " << started.error().message() << '\n';
            return ExitCannotRun;
        }
        demo = std::move(started).value();
    }
    const Directories directories = line.directories();
    Service service(directories, workers, std::move(keychain), arena, demo.get());
    if (const ExitCode code = service.start(); code != ExitDone)
        return code;
    return serve(service, directories, demo.get());
}

} // namespace gatehouse
