// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/secrets/lockedsecret.h"
#include "gateway/secrets/secretproblem.h"

#include <QObject>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse {

class SecretArena;

/// The keychain of the user's session, entries by their name. Nothing here blocks: answers come later,
/// from the event loop of the thread that made it, exactly one to each question and at the latest after
/// 6 s; none comes after its end.
class Keychain : public QObject
{
    Q_OBJECT

public:
    template<typename T>
    using Answer = std::function<void(Result<T, SecretProblem>)>;

    /// Whether the desktop's keychain may be started where it is not running.
    enum class Start : std::uint8_t { Allowed, No };

    /// That of the desktop session: the Secret Service. Make one in a process at most, before threads
    /// start: it changes the environment. Its work is done in a thread of its own, which starts with the
    /// first question; what it reads goes into \a arena.
    [[nodiscard]] static std::unique_ptr<Keychain> ofSession(std::shared_ptr<SecretArena> arena);

    using QObject::QObject;

    virtual void
    read(const std::string &name, Start start, Answer<std::shared_ptr<const LockedSecret>> answer)
        = 0;
    /// Makes the entry or replaces what it holds.
    virtual void
    write(const std::string &name, std::shared_ptr<const LockedSecret> secret, Answer<void> answer)
        = 0;
    virtual void remove(const std::string &name, Answer<void> answer) = 0;
    /// The names of all entries that can be seen, sorted.
    virtual void list(Answer<std::vector<std::string>> answer) = 0;

Q_SIGNALS:
    /// It came, went, was locked or unlocked, or an entry changed: what was asked may have another
    /// answer now.
    void changed();
};

} // namespace gatehouse
