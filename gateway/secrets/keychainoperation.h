// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/secrets/secretproblem.h"
#include "gateway/secrets/secretservice.h"

#include <QObject>
#include <QStringList>
#include <QTimer>

#include <functional>
#include <string>

namespace QKeychain {
class Job;
}

namespace gatehouse {

/// One question to the keychain, made of steps that each lead to the next or to the end. It ends with
/// end() or with a problem, once, at the latest after 5 s, and deletes itself. Of the keychain's thread.
class KeychainOperation final : public QObject
{
    Q_OBJECT

public:
    using Fail = std::function<void(const SecretProblem &)>;
    using Next = std::function<void()>;

    /// \a mayStart: the service may be started for it. \a fail is called from the event loop.
    KeychainOperation(SecretService &service, bool mayStart, Fail fail);

    /// Looks for the entry \a name, all of ours with an empty one. \a next gets the D-Bus paths of those
    /// that can be read and of those that are locked.
    void search(const QString &name,
                std::function<void(const QStringList &open, const QStringList &locked)> next);
    /// Goes on where there is a default collection and it is not locked.
    void requireCollection(Next next);
    /// The attribute `user`, our name for it, of an entry.
    void readName(const QString &path, std::function<void(const QString &)> next);
    /// Runs \a job, which is QtKeychain's own to delete: it cannot be stopped. \a next comes only while
    /// this is not over.
    void run(QKeychain::Job *job, std::function<void(const QKeychain::Job &)> next);
    /// A step again after a moment; \a why is the problem where there is no time left for that.
    void retry(SecretProblem why, Next step);

    void end();
    void fail(const SecretProblem &problem);

private:
    void call(const QString &path,
              const QString &interface,
              const QString &method,
              const QVariantList &arguments,
              std::function<void(const QDBusMessage &)> next);

    SecretService &m_service;
    const bool m_mayStart;
    Fail m_fail;
    SecretProblem m_late; ///< what to say where the time is over
    QTimer m_deadline;
    bool m_isOver = false;
};

/// The keychain's name for us: QtKeychain's service, the attribute `server` of our entries.
[[nodiscard]] QString keychainServiceName();

/// What is said of a keychain, or of an entry, that is locked.
[[nodiscard]] SecretProblem lockedProblem();

} // namespace gatehouse
