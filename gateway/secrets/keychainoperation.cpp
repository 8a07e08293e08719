// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/keychainoperation.h"

#include <QDBusArgument>
#include <QDBusObjectPath>
#include <QDBusPendingCallWatcher>
#include <QDBusVariant>
#include <QMap>
#include <QPointer>
#include <qt6keychain/keychain.h>

#include <chrono>
#include <utility>

namespace gatehouse {

namespace {

using namespace std::chrono_literals;

constexpr auto timeLimit = 5s;
constexpr auto retryDelay = 200ms;

using Attributes = QMap<QString, QString>;

QString servicePath()
{
    return QStringLiteral("/org/freedesktop/secrets");
}

QString serviceInterface()
{
    return QStringLiteral("org.freedesktop.Secret.Service");
}

QString propertiesInterface()
{
    return QStringLiteral("org.freedesktop.DBus.Properties");
}

QStringList pathsIn(const QVariant &argument)
{
    QStringList paths;
    for (const QDBusObjectPath &path : qdbus_cast<QList<QDBusObjectPath>>(argument))
        paths.append(path.path());
    return paths;
}

} // namespace

QString keychainServiceName()
{
    return QStringLiteral("gatehouse");
}

SecretProblem lockedProblem()
{
    return {SecretState::Locked,
            "the keychain is locked; unlock it, and the gateway goes on by itself"};
}

KeychainOperation::KeychainOperation(SecretService &service, bool mayStart, Fail fail)
    : QObject(&service)
    , m_service(service)
    , m_mayStart(mayStart)
    , m_fail(std::move(fail))
    , m_late{SecretState::NotAnswering,
             "the keychain does not answer within 5 s; it is asked again until it does"}
{
    m_deadline.setSingleShot(true);
    connect(&m_deadline, &QTimer::timeout, this, [this] { this->fail(m_late); });
    m_deadline.start(timeLimit);
}

void KeychainOperation::call(const QString &path,
                             const QString &interface,
                             const QString &method,
                             const QVariantList &arguments,
                             std::function<void(const QDBusMessage &)> next)
{
    if (m_isOver)
        return;
    if (const auto problem = m_service.connectToBus()) {
        fail(*problem);
        return;
    }
    const auto pending = m_service.call(path, interface, method, arguments, m_mayStart);
    auto *watcher = new QDBusPendingCallWatcher(pending, this);
    connect(watcher,
            &QDBusPendingCallWatcher::finished,
            this,
            [this, next = std::move(next)](QDBusPendingCallWatcher *finished) {
                finished->deleteLater();
                if (m_isOver)
                    return;
                const QDBusMessage reply = finished->reply();
                if (reply.type() == QDBusMessage::ReplyMessage)
                    next(reply);
                else
                    fail(SecretService::problemOf(reply));
            });
}

void KeychainOperation::search(
    const QString &name,
    std::function<void(const QStringList &open, const QStringList &locked)> next)
{
    Attributes attributes{{QStringLiteral("server"), keychainServiceName()}};
    if (!name.isEmpty())
        attributes.insert(QStringLiteral("user"), name);
    call(servicePath(),
         serviceInterface(),
         QStringLiteral("SearchItems"),
         {QVariant::fromValue(attributes)},
         [next = std::move(next)](const QDBusMessage &reply) {
             next(pathsIn(reply.arguments().value(0)), pathsIn(reply.arguments().value(1)));
         });
}

void KeychainOperation::requireCollection(Next next)
{
    const auto takeLocked = [this, next = std::move(next)](const QDBusMessage &reply) {
        if (qdbus_cast<QDBusVariant>(reply.arguments().value(0)).variant().toBool())
            fail(lockedProblem());
        else
            next();
    };
    call(servicePath(),
         serviceInterface(),
         QStringLiteral("ReadAlias"),
         {QStringLiteral("default")},
         [this, takeLocked](const QDBusMessage &reply) {
             const QString path = qdbus_cast<QDBusObjectPath>(reply.arguments().value(0)).path();
             if (path.size() <= 1) {
                 fail({SecretState::NoCollection,
                       "the keychain has no default collection to keep entries in; log in to the "
                       "desktop once, or make it: gnome-keyring-daemon --replace --unlock reads a "
                       "password"});
                 return;
             }
             call(path,
                  propertiesInterface(),
                  QStringLiteral("Get"),
                  {QStringLiteral("org.freedesktop.Secret.Collection"), QStringLiteral("Locked")},
                  takeLocked);
         });
}

void KeychainOperation::readName(const QString &path, std::function<void(const QString &)> next)
{
    call(path,
         propertiesInterface(),
         QStringLiteral("Get"),
         {QStringLiteral("org.freedesktop.Secret.Item"), QStringLiteral("Attributes")},
         [next = std::move(next)](const QDBusMessage &reply) {
             const auto value = qdbus_cast<QDBusVariant>(reply.arguments().value(0)).variant();
             next(qdbus_cast<Attributes>(value).value(QStringLiteral("user")));
         });
}

void KeychainOperation::run(QKeychain::Job *job, std::function<void(const QKeychain::Job &)> next)
{
    job->setInsecureFallback(false);
    connect(job,
            &QKeychain::Job::finished,
            this,
            [this, next = std::move(next)](const QKeychain::Job *finished) {
                if (!m_isOver)
                    next(*finished);
            });
    job->start();
}

void KeychainOperation::retry(SecretProblem why, Next step)
{
    m_late = std::move(why);
    QTimer::singleShot(retryDelay, this, std::move(step));
}

void KeychainOperation::end()
{
    if (!std::exchange(m_isOver, true))
        deleteLater();
}

void KeychainOperation::fail(const SecretProblem &problem)
{
    if (m_isOver)
        return;
    end();
    m_fail(problem);
}

} // namespace gatehouse
