// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QCommandLineParser>
#include <QJsonValue>
#include <QStringList>

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// What every command returns to the shell.
enum ExitCode : int {
    ExitDone = 0,
    ExitNo = 1, ///< the answer is no: invalid, not there, there already
    ExitWrongUsage = 2,
    ExitCannotRun = 3,
};

/// The directories of --config and --data, or those of the XDG specification.
struct Directories
{
    std::string config;
    std::string data;
};

/// The options of one command: --config, --data and --help beside its own.
class CommandLine
{
public:
    /// \a help is the whole text of --help.
    explicit CommandLine(std::string_view help);

    /// \a valueName is empty for a switch.
    void addOption(const QString &name, const QString &valueName = {});

    /// An exit code where there is nothing more to do: help was asked for and printed, or the usage
    /// is wrong and was said so.
    [[nodiscard]] std::optional<int> parse(const QStringList &args);

    /// Says on std::cerr what is wrong and where help is. Returns ExitWrongUsage.
    [[nodiscard]] int refuse(std::string_view problem) const;

    [[nodiscard]] QStringList words() const { return m_parser.positionalArguments(); }
    [[nodiscard]] bool isSet(const QString &name) const { return m_parser.isSet(name); }
    [[nodiscard]] std::string value(const QString &name) const;
    [[nodiscard]] QStringList values(const QString &name) const { return m_parser.values(name); }
    [[nodiscard]] Directories directories() const;

private:
    std::string_view m_help;
    QCommandLineParser m_parser;
};

/// Says the problem on std::cerr; returns the code.
int fail(ExitCode code, std::string_view problem);

/// For JSON that is printed: null where there is nothing to say.
[[nodiscard]] QJsonValue textOrNull(const std::string &text);

} // namespace gatehouse
