// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/options.h"

#include <QStandardPaths>

#include <iostream>

namespace gatehouse {

namespace {

std::string directoryOf(const QString &given, QStandardPaths::StandardLocation location)
{
    if (!given.isEmpty())
        return given.toStdString();
    return QStandardPaths::writableLocation(location).toStdString() + "/gatehouse";
}

} // namespace

CommandLine::CommandLine(std::string_view help)
    : m_help(help)
{
    addOption(QStringLiteral("config"), QStringLiteral("DIR"));
    addOption(QStringLiteral("data"), QStringLiteral("DIR"));
    addOption(QStringLiteral("help"));
}

void CommandLine::addOption(const QString &name, const QString &valueName)
{
    m_parser.addOption({name, {}, valueName});
}

std::optional<int> CommandLine::parse(const QStringList &args)
{
    // The parser takes the first word for the program's name.
    const bool isUnderstood = m_parser.parse(QStringList{QStringLiteral("gatehouse")} + args);
    if (isSet(QStringLiteral("help"))) {
        std::cout << m_help;
        return ExitDone;
    }
    if (!isUnderstood)
        return refuse(m_parser.errorText().toStdString());
    return {};
}

int CommandLine::refuse(std::string_view problem) const
{
    std::cerr << "gatehouse: " << problem << '\n' << m_help.substr(0, m_help.find("\n\n")) << '\n';
    return ExitWrongUsage;
}

std::string CommandLine::value(const QString &name) const
{
    return m_parser.value(name).toStdString();
}

Directories CommandLine::directories() const
{
    return {
        directoryOf(m_parser.value(QStringLiteral("config")),
                    QStandardPaths::GenericConfigLocation),
        directoryOf(m_parser.value(QStringLiteral("data")), QStandardPaths::GenericDataLocation)};
}

int fail(ExitCode code, std::string_view problem)
{
    std::cerr << "gatehouse: " << problem << '\n';
    return code;
}

QJsonValue textOrNull(const std::string &text)
{
    return text.empty() ? QJsonValue() : QJsonValue(QString::fromStdString(text));
}

} // namespace gatehouse
