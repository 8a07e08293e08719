// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFileSystemWatcher>
#include <QObject>
#include <QTimer>

namespace gatehouse {

/// Notices changes of a configuration directory: files edited in place, replaced by renaming, added
/// or removed, in its folders too. Lives in one thread.
class ConfigWatcher : public QObject
{
    Q_OBJECT

public:
    explicit ConfigWatcher(QString directory, QObject *parent = nullptr);

Q_SIGNALS:
    /// Something changed, and nothing more for 100 ms.
    void changed();

private:
    void noteChange();
    void watchAll();

    QString m_directory;
    QFileSystemWatcher m_watcher;
    QTimer m_quiet;
};

} // namespace gatehouse
