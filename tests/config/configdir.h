// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/document.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>

#include <string>

namespace gatehouse {

/// A configuration directory of a test and a data directory beside it.
class ConfigDir
{
public:
    ConfigDir() { QDir(m_root.path()).mkdir(QStringLiteral("config")); }

    [[nodiscard]] std::string config() const { return path("config"); }
    [[nodiscard]] std::string data() const { return path("data"); }
    /// Of a file in the configuration directory.
    [[nodiscard]] QString file(const char *name) const
    {
        return QString::fromStdString(config()) + QLatin1Char('/') + QString::fromLatin1(name);
    }

    void write(const char *name, const QByteArray &bytes) const
    {
        QFile target(file(name));
        if (!QDir().mkpath(QFileInfo(target).path()) || !target.open(QIODevice::WriteOnly)
            || target.write(bytes) != bytes.size()
            || !target.setPermissions(QFile::ReadOwner | QFile::WriteOwner))
            qFatal("cannot write a file of the test");
    }

    /// The diagnostics as they are printed, files from the configuration directory on.
    [[nodiscard]] QString printed(const Diagnostics &diagnostics) const
    {
        QStringList lines;
        for (const Diagnostic &diagnostic : diagnostics)
            lines.append(QString::fromStdString(diagnostic.text()));
        return lines.join(QLatin1Char('\n'))
            .replace(QString::fromStdString(config()) + QLatin1Char('/'), QString());
    }

private:
    [[nodiscard]] std::string path(const char *name) const
    {
        return m_root.filePath(QString::fromLatin1(name)).toStdString();
    }

    QTemporaryDir m_root;
};

/// One document in two lines: line 1 up to metadata, line 2 is `spec: …`.
inline QByteArray document(const char *kind, const QByteArray &name, const QByteArray &spec)
{
    return QByteArray("---\n{apiVersion: gatehouse/v1, kind: ") + kind
           + ", metadata: {name: " + name + "},\nspec: " + spec + "}\n";
}

} // namespace gatehouse
