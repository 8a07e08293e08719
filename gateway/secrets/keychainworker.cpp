// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/keychainworker.h"

#include <qt6keychain/keychain.h>

#include <libsecret/secret.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace gatehouse {

namespace {

SecretProblem missing(const QString &name)
{
    return {SecretState::Missing,
            "the keychain has no such entry; run: gatehouse secret set " + name.toStdString()};
}

SecretProblem refused(const QKeychain::Job &job)
{
    return {SecretState::NotAnswering, "the keychain refused: " + job.errorString().toStdString()};
}

/// Wipes the bytes where they are, for everybody who shares them.
void wipe(const QByteArray &shared)
{
    if (!shared.isEmpty())
        OPENSSL_cleanse(const_cast<char *>(shared.constData()),
                        static_cast<std::size_t>(shared.size()));
}

} // namespace

/// What a listing has gathered.
struct KeychainWorker::Names
{
    QStringList paths; ///< still to be asked for their names
    std::vector<std::string> names;
    Keychain::Answer<std::vector<std::string>> answer;
};

KeychainWorker::KeychainWorker(std::shared_ptr<SecretArena> arena)
    : m_service(this) // a child, so that it comes along into the thread
    , m_arena(std::move(arena))
{
    connect(&m_service, &SecretService::changed, this, &KeychainWorker::changed);
    // libsecret 0.20 keeps the session that it had with a service before, and no other one knows it.
    connect(&m_service, &SecretService::ownerChanged, this, [] { secret_service_disconnect(); });
}

KeychainWorker::~KeychainWorker()
{
    g_clear_object(&m_glibBus);
}

/// GLib's default is to end the process with the session bus. After a bus that has gone, it connects
/// anew only when nobody holds the old connection any more; libsecret may, after errors.
bool KeychainWorker::prepareGlibBus(KeychainOperation *operation)
{
    if (m_glibBus != nullptr && g_dbus_connection_is_closed(m_glibBus) == FALSE)
        return true;
    secret_service_disconnect();
    g_clear_object(&m_glibBus);
    m_glibBus = g_bus_get_sync(G_BUS_TYPE_SESSION, nullptr, nullptr);
    if (m_glibBus != nullptr)
        g_dbus_connection_set_exit_on_close(m_glibBus, FALSE);
    if (m_glibBus != nullptr && g_dbus_connection_is_closed(m_glibBus) == FALSE)
        return true;
    operation->fail(
        {SecretState::NotAnswering,
         "the session bus was started anew; start the gateway again to read the keychain "
         "there"});
    return false;
}

template<typename T>
KeychainOperation *KeychainWorker::begin(Keychain::Start start, const Keychain::Answer<T> &answer)
{
    return new KeychainOperation(
        m_service, start == Keychain::Start::Allowed, [answer](const SecretProblem &problem) {
            answer(Unexpected(problem));
        });
}

void KeychainWorker::read(const QString &name,
                          Keychain::Start start,
                          const Keychain::Answer<std::shared_ptr<const LockedSecret>> &answer)
{
    readEntry(begin(start, answer), name, answer);
}

void KeychainWorker::readEntry(KeychainOperation *operation,
                               const QString &name,
                               const Keychain::Answer<std::shared_ptr<const LockedSecret>> &answer)
{
    const auto take = [this, operation, name, answer](const QKeychain::Job &job) {
        if (job.error() == QKeychain::EntryNotFound) {
            operation->fail(missing(name));
        } else if (job.error() != QKeychain::NoError) {
            // Locked, ended or started again since it was found; the next search will say which.
            secret_service_disconnect();
            operation->retry(refused(job), [=, this] { readEntry(operation, name, answer); });
        } else {
            const QByteArray bytes
                = static_cast<const QKeychain::ReadPasswordJob &>(job).binaryData();
            operation->end();
            answer(m_arena->store({{bytes.constData(), static_cast<std::size_t>(bytes.size())}}));
        }
    };
    operation->search(name, [=, this](const QStringList &open, const QStringList &shut) {
        if (open.isEmpty() && !shut.isEmpty()) {
            operation->fail(lockedProblem());
        } else if (open.isEmpty()) {
            operation->requireCollection([=] { operation->fail(missing(name)); });
        } else if (prepareGlibBus(operation)) {
            auto *job = new QKeychain::ReadPasswordJob(keychainServiceName());
            job->setKey(name);
            operation->run(job, take);
            // After the operation's, and also where that is over.
            connect(job, &QKeychain::Job::finished, this, [job] { wipe(job->binaryData()); });
        }
    });
}

void KeychainWorker::write(const QString &name,
                           const std::shared_ptr<const LockedSecret> &secret,
                           const Keychain::Answer<void> &answer)
{
    KeychainOperation *operation = begin(Keychain::Start::Allowed, answer);
    operation->requireCollection([=, this] {
        if (!prepareGlibBus(operation))
            return;
        const std::string_view bytes = secret->reveal();
        // As text: the detour over base64 for binary data would leave a copy at each read that
        // cannot be wiped. Secrets are ASCII.
        QString text = QString::fromLatin1(bytes.data(), static_cast<qsizetype>(bytes.size()));
        auto *job = new QKeychain::WritePasswordJob(keychainServiceName());
        job->setKey(name);
        job->setTextData(text);
        OPENSSL_cleanse(text.data(), static_cast<std::size_t>(text.size()) * sizeof(QChar));
        operation->run(job, [operation, answer](const QKeychain::Job &done) {
            if (done.error() != QKeychain::NoError) {
                operation->fail(refused(done));
                return;
            }
            operation->end();
            answer({});
        });
    });
}

void KeychainWorker::remove(const QString &name, const Keychain::Answer<void> &answer)
{
    KeychainOperation *operation = begin(Keychain::Start::Allowed, answer);
    const auto erase = [=, this] {
        if (!prepareGlibBus(operation))
            return;
        auto *job = new QKeychain::DeletePasswordJob(keychainServiceName());
        job->setKey(name);
        operation->run(job, [operation, answer](const QKeychain::Job &done) {
            if (done.error() != QKeychain::NoError) {
                operation->fail(refused(done));
                return;
            }
            operation->end();
            answer({});
        });
    };
    operation->search(name, [=](const QStringList &open, const QStringList &shut) {
        if (!open.isEmpty())
            erase();
        else if (!shut.isEmpty())
            operation->fail(lockedProblem());
        else
            operation->requireCollection([=] { operation->fail(missing(name)); });
    });
}

void KeychainWorker::list(const Keychain::Answer<std::vector<std::string>> &answer)
{
    KeychainOperation *operation = begin(Keychain::Start::Allowed, answer);
    operation->requireCollection([=, this] {
        operation->search({}, [=, this](const QStringList &open, const QStringList &shut) {
            readNames(operation, std::make_shared<Names>(Names{open + shut, {}, answer}));
        });
    });
}

void KeychainWorker::readNames(KeychainOperation *operation, const std::shared_ptr<Names> &names)
{
    if (names->paths.isEmpty()) {
        std::ranges::sort(names->names);
        names->names.erase(std::unique(names->names.begin(), names->names.end()),
                           names->names.end());
        operation->end();
        names->answer(std::move(names->names));
        return;
    }
    operation->readName(names->paths.takeFirst(), [=, this](const QString &name) {
        names->names.push_back(name.toStdString());
        readNames(operation, names);
    });
}

} // namespace gatehouse
