// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/secretservice.h"

#include <QDBusError>
#include <QDBusMetaType>
#include <QFileInfo>
#include <QMap>

#include <array>
#include <chrono>

namespace gatehouse {

namespace {

using namespace std::chrono_literals;

constexpr auto burst = 30ms;
constexpr int callTimeout = 5000; ///< ms

QString serviceName()
{
    return QStringLiteral("org.freedesktop.secrets");
}

/// Empty where there is no session bus. Not "autolaunch:": that would start a bus of our own.
QString busAddress()
{
    const QString address = qEnvironmentVariable("DBUS_SESSION_BUS_ADDRESS");
    if (!address.isEmpty())
        return address.startsWith(QLatin1String("autolaunch:")) ? QString() : address;
    const QString socket = qEnvironmentVariable("XDG_RUNTIME_DIR") + QStringLiteral("/bus");
    return QFileInfo::exists(socket) ? QStringLiteral("unix:path=") + socket : QString();
}

SecretProblem noBus(const std::string &why)
{
    return {SecretState::NoService,
            "there is no keychain, since " + why
                + "; start the gateway within the desktop session, or use env:NAME or file:PATH"};
}

} // namespace

SecretService::SecretService(QObject *parent)
    : QObject(parent)
    , m_change(this)
{
    qDBusRegisterMetaType<QMap<QString, QString>>();
    m_change.setSingleShot(true);
    m_change.setInterval(burst);
    connect(&m_change, &QTimer::timeout, this, &SecretService::changed);
}

SecretService::~SecretService()
{
    disconnectFromBus();
}

void SecretService::disconnectFromBus()
{
    if (!m_bus)
        return;
    const QString name = m_bus->name();
    m_bus.reset();
    QDBusConnection::disconnectFromBus(name);
}

std::optional<SecretProblem> SecretService::connectToBus()
{
    if (m_bus && m_bus->isConnected())
        return {};
    disconnectFromBus();
    const QString address = busAddress();
    if (address.isEmpty())
        return noBus("there is no session bus (DBUS_SESSION_BUS_ADDRESS is not set)");
    const QString name = QStringLiteral("gatehouse-keychain-%1").arg(++m_connections);
    m_bus = QDBusConnection::connectToBus(address, name);
    if (!m_bus->isConnected()) {
        disconnectFromBus();
        return noBus("the session bus cannot be reached (" + address.toStdString() + ')');
    }
    subscribe();
    return {};
}

void SecretService::subscribe()
{
    struct Watched
    {
        const char *service;
        const char *interface;
        const char *signal;
    };
    constexpr const char *secrets = "org.freedesktop.secrets";
    constexpr const char *service = "org.freedesktop.Secret.Service";
    constexpr const char *collection = "org.freedesktop.Secret.Collection";
    constexpr std::array watched{
        Watched{secrets, "org.freedesktop.DBus.Properties", "PropertiesChanged"},
        Watched{secrets, service, "CollectionCreated"},
        Watched{secrets, service, "CollectionDeleted"},
        Watched{secrets, service, "CollectionChanged"},
        Watched{secrets, collection, "ItemCreated"},
        Watched{secrets, collection, "ItemDeleted"},
        Watched{secrets, collection, "ItemChanged"},
        Watched{"", "org.freedesktop.DBus.Local", "Disconnected"}};
    for (const Watched &one : watched)
        m_bus->connect(QLatin1String(one.service),
                       QString(),
                       QLatin1String(one.interface),
                       QLatin1String(one.signal),
                       this,
                       SLOT(onSignal()));
    m_bus->connect(QStringLiteral("org.freedesktop.DBus"),
                   QStringLiteral("/org/freedesktop/DBus"),
                   QStringLiteral("org.freedesktop.DBus"),
                   QStringLiteral("NameOwnerChanged"),
                   {serviceName()},
                   QString(),
                   this,
                   SLOT(onOwnerChanged()));
}

void SecretService::onOwnerChanged()
{
    Q_EMIT ownerChanged();
    onSignal();
}

void SecretService::onSignal()
{
    if (!m_change.isActive())
        m_change.start();
}

QDBusPendingCall SecretService::call(const QString &path,
                                     const QString &interface,
                                     const QString &method,
                                     const QVariantList &arguments,
                                     bool mayStart)
{
    QDBusMessage message = QDBusMessage::createMethodCall(serviceName(), path, interface, method);
    message.setArguments(arguments);
    message.setAutoStartService(mayStart);
    return m_bus->asyncCall(message, callTimeout);
}

SecretProblem SecretService::problemOf(const QDBusMessage &reply)
{
    const QString name = reply.errorName();
    if (name == QLatin1String("org.freedesktop.DBus.Error.ServiceUnknown")
        || name == QLatin1String("org.freedesktop.DBus.Error.NameHasNoOwner")
        || name.startsWith(QLatin1String("org.freedesktop.DBus.Error.Spawn.")))
        return {SecretState::NoService,
                "there is no keychain: nothing on the session bus offers the Secret Service; start "
                "gnome-keyring or KWallet, or use env:NAME or file:PATH"};
    switch (QDBusError(reply).type()) {
    case QDBusError::Disconnected:
        return noBus("the session bus has gone");
    case QDBusError::UnknownObject:
    case QDBusError::UnknownMethod:
    case QDBusError::UnknownInterface:
        // gnome-keyring 42, where its login keyring was made while it ran.
        return {SecretState::NoCollection,
                "the keychain does not know the collection that it names as its default; start it "
                "anew: gnome-keyring-daemon --replace --unlock reads a password"};
    case QDBusError::NoReply:
    case QDBusError::Timeout:
    case QDBusError::TimedOut:
        return {SecretState::NotAnswering,
                "the keychain does not answer; it is asked again until it does"};
    default:
        return {SecretState::NotAnswering,
                "the keychain answered with the error " + name.toStdString()
                    + "; it is asked again until it gives the entry"};
    }
}

} // namespace gatehouse
