// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/watch.h"

#include "gateway/config/loader.h"

#include <QDir>

#include <chrono>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::chrono::milliseconds quietTime(100);

} // namespace

ConfigWatcher::ConfigWatcher(QString directory, QObject *parent)
    : QObject(parent)
    , m_directory(std::move(directory))
{
    m_quiet.setSingleShot(true);
    m_quiet.setInterval(quietTime);
    connect(&m_watcher, &QFileSystemWatcher::fileChanged, this, &ConfigWatcher::noteChange);
    connect(&m_watcher, &QFileSystemWatcher::directoryChanged, this, &ConfigWatcher::noteChange);
    connect(&m_quiet, &QTimer::timeout, this, &ConfigWatcher::changed);
    watchAll();
}

void ConfigWatcher::noteChange()
{
    // A file replaced by another of its name has lost its watch, and a new one never had one.
    watchAll();
    m_quiet.start();
}

void ConfigWatcher::watchAll()
{
    const QDir directory(m_directory);
    QStringList paths{m_directory};
    const QStringList folders = directory.entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    for (const QString &folder : folders)
        paths.append(directory.filePath(folder));
    for (const std::string &file : configFiles(m_directory.toStdString()))
        paths.append(directory.filePath(QString::fromStdString(file)));
    const QStringList known = m_watcher.files() + m_watcher.directories();
    for (const QString &path : std::as_const(paths)) {
        if (!known.contains(path))
            m_watcher.addPath(path);
    }
}

} // namespace gatehouse
