// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/options.h"

#ifdef __linux__
#include "gateway/net/eventdispatcher.h"
#endif

#include <QCoreApplication>

#include <array>
#include <iostream>
#include <string_view>

namespace {

constexpr std::string_view help = R"(Usage: gatehouse COMMAND [OPTIONS]

  run       serve until SIGTERM or SIGINT; SIGHUP or a changed file reloads
  check     check the configuration; one line for each problem
  client    add, list, rotate, revoke or remove clients and their virtual keys
  exec      run a command with base URLs and a virtual key in its environment
  policies  describe or list the types of policies
  prices    show what models cost, or import prices
  prove     try every policy, and say which ones hold
  secret    set, list or remove the keys of providers in the keychain

gatehouse COMMAND --help tells more. gatehouse --version prints the version.
)";

struct Command
{
    std::string_view name;
    int (*run)(const QStringList &args);
};

constexpr std::array<Command, 7> commands{{{"run", gatehouse::runServe},
                                           {"check", gatehouse::runCheck},
                                           {"client", gatehouse::runClient},
                                           {"policies", gatehouse::runPolicies},
                                           {"prices", gatehouse::runPrices},
                                           {"prove", gatehouse::runProve},
                                           {"secret", gatehouse::runSecret}}};

} // namespace

int main(int argc, char **argv)
{
#ifdef __linux__
    // Before the application would make its own: one loop for all threads, and no GLib.
    QCoreApplication::setEventDispatcher(new gatehouse::net::EventDispatcher);
#endif
    const QCoreApplication application(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("gatehouse"));
    QCoreApplication::setApplicationVersion(QStringLiteral(GATEHOUSE_VERSION));
    QStringList args = QCoreApplication::arguments().mid(1);
    const std::string name = args.isEmpty() ? std::string() : args.takeFirst().toStdString();
    if (name == "exec")
        return gatehouse::runExec(argv + 2);
    for (const Command &command : commands) {
        if (name == command.name)
            return command.run(args);
    }
    if (name == "--version") {
        std::cout << "gatehouse " GATEHOUSE_VERSION "\n";
        return gatehouse::ExitDone;
    }
    if (name == "--help" || name == "-h") {
        std::cout << help;
        return gatehouse::ExitDone;
    }
    if (!name.empty())
        std::cerr << "gatehouse: there is no command " << name << "\n\n";
    std::cerr << help;
    return gatehouse::ExitWrongUsage;
}
