// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <QObject>
#include <QString>
#include <QStringList>

#include <memory>

namespace gatehouse {

struct Snapshot;

/// The gateway as its hosts see it, the console and the command line alike: give it a snapshot and it
/// serves. Of one thread; listeners, workers and everything behind them run in threads of their own.
class Gateway final : public QObject
{
    Q_OBJECT

public:
    explicit Gateway(QObject *parent = nullptr);
    /// Cuts what is still open; drain() first to be kind.
    ~Gateway() override;
    Q_DISABLE_COPY_MOVE(Gateway)

    /// Puts \a snapshot in force: opens its listeners, then lets new requests see it, then closes
    /// listeners that it does not name any more. Exchanges in flight keep what they began with. On an
    /// error nothing changed. The number of workers is fixed by the first snapshot.
    [[nodiscard]] Result<void> apply(std::shared_ptr<const Snapshot> snapshot);

    /// Where clients reach the listeners, "http://127.0.0.1:4283", in the snapshot's order.
    [[nodiscard]] QStringList urls() const;

    /// Accepts no more; exchanges in flight get the snapshot's drain time, idle connections close.
    void drain();

Q_SIGNALS:
    void applied(const QString &revision);
    /// The last exchange is over, or the time for it.
    void drained();

private:
    class Private;
    std::unique_ptr<Private> m_private;
};

} // namespace gatehouse
