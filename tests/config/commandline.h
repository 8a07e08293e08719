// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/commands.h"
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/secrets/vault.h"
#include "tests/config/configdir.h"

#include <iostream>
#include <sstream>
#include <string>

namespace gatehouse {

/// What a command gave back to the shell.
struct Ran
{
    int code = -1;
    std::string out;
    std::string err;
};

template<typename Command>
Ran captured(const Command &command)
{
    std::ostringstream out;
    std::ostringstream err;
    std::streambuf *const oldOut = std::cout.rdbuf(out.rdbuf());
    std::streambuf *const oldErr = std::cerr.rdbuf(err.rdbuf());
    const int code = command();
    std::cout.rdbuf(oldOut);
    std::cerr.rdbuf(oldErr);
    return {code, out.str(), err.str()};
}

inline Ran run(int (*command)(const QStringList &), const QStringList &args)
{
    return captured([&] { return command(args); });
}

/// Words of a command line, followed by the directories.
inline QStringList words(const ConfigDir &dir, const char *line)
{
    return QString::fromLatin1(line).split(QLatin1Char(' '), Qt::SkipEmptyParts)
           + QStringList{QStringLiteral("--config"),
                         QString::fromStdString(dir.config()),
                         QStringLiteral("--data"),
                         QString::fromStdString(dir.data())};
}

inline Ran client(const ConfigDir &dir, const char *line)
{
    return run(runClient, words(dir, line));
}

/// The virtual key that a command printed.
inline std::string keyOf(const Ran &ran)
{
    return ran.out.substr(0, ran.out.find('\n'));
}

inline std::shared_ptr<const Snapshot> snapshotOf(const ConfigDir &dir)
{
    Vault vault(nullptr);
    StateStore states;
    return buildSnapshot(loadDraft(dir.config()), dir.data(), vault, states).snapshot;
}

/// Null where the snapshot does not know the key.
inline const KeyEntry *findKey(const Snapshot &snapshot, std::string_view key)
{
    return snapshot.clients.findKey(KeyHasher(snapshot.hashKey).hash(key));
}

inline QByteArray read(const QString &name)
{
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace gatehouse
