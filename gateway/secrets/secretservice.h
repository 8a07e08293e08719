// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/secrets/secretproblem.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCall>
#include <QObject>
#include <QString>
#include <QTimer>
#include <QVariantList>

#include <optional>

namespace gatehouse {

/// The Secret Service (org.freedesktop.secrets) on the session bus: its calls and its signals. QtKeychain
/// cannot tell its states apart, and it would prompt for the password of a locked keychain; nothing
/// here does. https://specifications.freedesktop.org/secret-service/
class SecretService final : public QObject
{
    Q_OBJECT

public:
    explicit SecretService(QObject *parent = nullptr);
    ~SecretService() override;
    Q_DISABLE_COPY_MOVE(SecretService)

    /// Connects to the session bus where it is not connected; may block as long as the bus does. What
    /// is wrong where there is no bus.
    [[nodiscard]] std::optional<SecretProblem> connectToBus();

    /// \a mayStart: the bus starts the service where it does not run.
    [[nodiscard]] QDBusPendingCall call(const QString &path,
                                        const QString &interface,
                                        const QString &method,
                                        const QVariantList &arguments,
                                        bool mayStart);

    /// What an error reply means.
    [[nodiscard]] static SecretProblem problemOf(const QDBusMessage &reply);

Q_SIGNALS:
    /// It, its collections or their entries changed in some way. Bursts are one signal.
    void changed();
    /// It came or went; said at once.
    void ownerChanged();

private Q_SLOTS:
    void onSignal();
    void onOwnerChanged();

private:
    void subscribe();
    void disconnectFromBus();

    std::optional<QDBusConnection> m_bus;
    QTimer m_change;
    int m_connections = 0; ///< made so far; each needs a name of its own
};

} // namespace gatehouse
