// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/secrets/keychain.h"
#include "gateway/secrets/secretarena.h"
#include "gateway/secrets/secretsource.h"

#include <QObject>
#include <QTimer>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace gatehouse {

/// The one place that secrets are read into. It answers from the environment, from files, and from
/// what the keychain has said so far. Of the host's thread; what it hands out may go to any.
///
/// A secret that was read from the keychain stays, whatever happens to the keychain, until its entry
/// is removed or changed, or the configuration names it no more.
class Vault final : public QObject, public SecretSource
{
    Q_OBJECT

public:
    /// Without a \a keychain, references to one are refused. \a arena: for what is read here.
    explicit Vault(std::unique_ptr<Keychain> keychain,
                   std::shared_ptr<SecretArena> arena = SecretArena::make(),
                   QObject *parent = nullptr);
    ~Vault() override;

    [[nodiscard]] Result<ResolvedSecret> read(const SecretReference &reference,
                                              const std::filesystem::path &directory) override;
    /// What read() would find, with its text; a null text where it is readable.
    [[nodiscard]] SecretProblem look(const SecretReference &reference,
                                     const std::filesystem::path &directory);

    /// True while something that was asked for has never been answered.
    [[nodiscard]] bool isWaiting() const;
    /// Runs an event loop until nothing is waited for, at most for \a limit.
    void wait(std::chrono::milliseconds limit);

    /// From here on it is noted what is asked for.
    void beginRound();
    /// Forgets, and so wipes, what was not asked for since.
    void endRound();

    /// Once, where the system refused to lock the secrets' memory; else empty.
    [[nodiscard]] std::string takeWarning();

Q_SIGNALS:
    /// read() has another answer for something that was asked for. Bursts are one signal.
    void changed();

private:
    /// An entry of the keychain that was asked for.
    struct Entry
    {
        std::shared_ptr<const LockedSecret> value;
        std::optional<SecretProblem> problem; ///< of the last answer, if there is no value
        bool isBeingRead = false;
        bool mustReadAgain = false; ///< something changed since the question under way was asked
        bool isNamed = true;        ///< asked for in this round
    };

    [[nodiscard]] Result<ResolvedSecret, SecretProblem>
    find(const SecretReference &reference, const std::filesystem::path &directory);
    [[nodiscard]] Result<ResolvedSecret, SecretProblem> findInKeychain(const std::string &name);
    void ask(const std::string &name, Keychain::Start start);
    void takeAnswer(const std::string &name,
                    Result<std::shared_ptr<const LockedSecret>, SecretProblem> answer);
    void announce();
    void askAgain();
    void poll();

    const std::shared_ptr<SecretArena> m_arena;
    const std::unique_ptr<Keychain> m_keychain;
    std::map<std::string, Entry, std::less<>> m_entries;
    QTimer m_change; ///< gathers a burst of answers
    QTimer m_poll;   ///< for what the keychain does not tell
    bool m_hasWarned = false;
};

} // namespace gatehouse
