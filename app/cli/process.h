// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

#include <memory>

class QSocketNotifier;

namespace gatehouse {

/// Unix signals as Qt signals, in the thread that made it. One at a time.
class SignalWatcher final : public QObject
{
    Q_OBJECT

public:
    explicit SignalWatcher(QObject *parent = nullptr);
    ~SignalWatcher() override;
    Q_DISABLE_COPY_MOVE(SignalWatcher)

Q_SIGNALS:
    void reloadAsked(); ///< SIGHUP
    void stopAsked();   ///< SIGTERM or SIGINT; each one
private:
    void readSignals();

    std::unique_ptr<QSocketNotifier> m_notifier;
};

} // namespace gatehouse
