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

/// What a process that holds keys and thousands of sockets asks of the system: no core files, which
/// would hold the keys; as many open files as it may have; no death by SIGPIPE.
void hardenProcess();

} // namespace gatehouse
