// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/secrets/keychain.h"
#include "gateway/secrets/keychainoperation.h"
#include "gateway/secrets/secretarena.h"
#include "gateway/secrets/secretservice.h"

#include <gio/gio.h>

#include <memory>
#include <string>
#include <vector>

namespace gatehouse {

/// What the session's keychain is asked, with QtKeychain, whose jobs need GLib's event loop: it lives in
/// a thread that has one. Answers are given in that thread.
class KeychainWorker final : public QObject
{
    Q_OBJECT

public:
    explicit KeychainWorker(std::shared_ptr<SecretArena> arena);
    ~KeychainWorker() override;
    Q_DISABLE_COPY_MOVE(KeychainWorker)

    void read(const QString &name,
              Keychain::Start start,
              const Keychain::Answer<std::shared_ptr<const LockedSecret>> &answer);
    void write(const QString &name,
               const std::shared_ptr<const LockedSecret> &secret,
               const Keychain::Answer<void> &answer);
    void remove(const QString &name, const Keychain::Answer<void> &answer);
    void list(const Keychain::Answer<std::vector<std::string>> &answer);

Q_SIGNALS:
    void changed();

private:
    struct Names;

    template<typename T>
    [[nodiscard]] KeychainOperation *begin(Keychain::Start start,
                                           const Keychain::Answer<T> &answer);
    void readEntry(KeychainOperation *operation,
                   const QString &name,
                   const Keychain::Answer<std::shared_ptr<const LockedSecret>> &answer);
    void readNames(KeychainOperation *operation, const std::shared_ptr<Names> &names);
    /// False where \a operation was ended for the lack of one.
    [[nodiscard]] bool prepareGlibBus(KeychainOperation *operation);

    SecretService m_service;
    const std::shared_ptr<SecretArena> m_arena;
    GDBusConnection *m_glibBus = nullptr; ///< the one that libsecret uses
};

} // namespace gatehouse
