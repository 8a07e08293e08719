// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/options.h"
#include "gateway/base/hardening.h"
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/secrets/vault.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <chrono>
#include <iostream>

namespace gatehouse {

namespace {

constexpr std::string_view help = R"(Usage: gatehouse check [--config DIR] [--json]

Checks the configuration without starting anything. Each problem is one line:
FILE:LINE:COLUMN: message

  --config DIR  configuration directory (default: $XDG_CONFIG_HOME/gatehouse)
  --data DIR    data directory (default: $XDG_DATA_HOME/gatehouse); not read
  --json        print one JSON object instead of lines
  --help        print this

Exit code: 0 no error, 1 errors, 2 wrong usage, 3 the directory cannot be read
)";

void printJson(std::size_t resources, const Diagnostics &diagnostics)
{
    QJsonArray problems;
    for (const Diagnostic &diagnostic : diagnostics) {
        const bool isError = diagnostic.severity == Diagnostic::Severity::Error;
        problems.append(
            QJsonObject{{QStringLiteral("file"), QString::fromStdString(diagnostic.file)},
                        {QStringLiteral("line"), static_cast<qint64>(diagnostic.place.line)},
                        {QStringLiteral("column"), static_cast<qint64>(diagnostic.place.column)},
                        {QStringLiteral("severity"),
                         isError ? QStringLiteral("error") : QStringLiteral("warning")},
                        {QStringLiteral("message"), QString::fromStdString(diagnostic.message)}});
    }
    const QJsonObject object{{QStringLiteral("resources"), static_cast<qint64>(resources)},
                             {QStringLiteral("problems"), problems}};
    std::cout << QJsonDocument(object).toJson(QJsonDocument::Compact).constData() << '\n';
}

void printLines(std::size_t resources, const Diagnostics &diagnostics)
{
    for (const Diagnostic &diagnostic : diagnostics)
        std::cout << diagnostic.text() << '\n';
    if (hasErrors(diagnostics))
        return;
    std::cout << resources << (resources == 1 ? " resource, " : " resources, ")
              << (diagnostics.empty() ? "no problems\n" : "no errors\n");
}

} // namespace

int runCheck(const QStringList &args)
{
    CommandLine line(help);
    line.addOption(QStringLiteral("json"));
    if (const auto code = line.parse(args))
        return *code;
    if (!line.words().isEmpty())
        return line.refuse("check takes no arguments");
    const std::string directory = line.directories().config;
    if (!QDir(QString::fromStdString(directory)).isReadable()) {
        std::cerr << "gatehouse: the configuration directory " << directory
                  << " is not there or cannot be read; name another with --config\n";
        return ExitCannotRun;
    }
    hardenProcess(); // it reads the providers' keys
    const Draft draft = loadDraft(directory);
    const auto arena = SecretArena::make();
    Vault vault(Keychain::ofSession(arena), arena);
    Diagnostics diagnostics = checkDraft(draft, vault);
    if (vault.isWaiting()) {
        vault.wait(std::chrono::seconds(1));
        diagnostics = checkDraft(draft, vault);
    }
    if (line.isSet(QStringLiteral("json")))
        printJson(draft.resourceCount(), diagnostics);
    else
        printLines(draft.resourceCount(), diagnostics);
    return hasErrors(diagnostics) ? ExitNo : ExitDone;
}

} // namespace gatehouse
