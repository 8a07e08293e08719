// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/keychain.h"

#include "gateway/base/mailbox.h"
#include "gateway/secrets/keychainworker.h"

#include <QThread>

#include <utility>

namespace gatehouse {

namespace {

constexpr unsigned long longestGoodbye = 500; ///< ms

/// For QtKeychain 0.13, which has no other switches. By the desktop's name it decides where it reads:
/// on Plasma 5 from KWallet's own interface, which prompts, and which none of our questions is put to
/// (KWallet offers the Secret Service, too). And it needs GLib's event loop, which QT_NO_GLIB takes away.
void prepareEnvironment()
{
    qputenv("XDG_CURRENT_DESKTOP", "GNOME");
    qunsetenv("QT_NO_GLIB");
}

/// The keychain's worker in its thread, and the way there and back.
class SessionKeychain final : public Keychain
{
public:
    explicit SessionKeychain(std::shared_ptr<SecretArena> arena)
        : m_arena(std::move(arena))
    {
        prepareEnvironment();
    }

    ~SessionKeychain() override
    {
        if (!m_thread)
            return;
        m_thread->quit();
        if (m_thread->wait(longestGoodbye))
            return;
        // It hangs where the session bus does. Nobody is to wait for that: what it uses stays.
        static_cast<void>(m_thread.release());
        static_cast<void>(m_questions.release());
        static_cast<void>(m_answers.release());
    }
    Q_DISABLE_COPY_MOVE(SessionKeychain)

    void read(const std::string &name,
              Start start,
              Answer<std::shared_ptr<const LockedSecret>> answer) override
    {
        post([name = QString::fromStdString(name), start, answer = brought(std::move(answer))](
                 KeychainWorker &worker) { worker.read(name, start, answer); });
    }
    void write(const std::string &name,
               std::shared_ptr<const LockedSecret> secret,
               Answer<void> answer) override
    {
        post([name = QString::fromStdString(name),
              secret = std::move(secret),
              answer = brought(std::move(answer))](KeychainWorker &worker) {
            worker.write(name, secret, answer);
        });
    }
    void remove(const std::string &name, Answer<void> answer) override
    {
        post([name = QString::fromStdString(name), answer = brought(std::move(answer))](
                 KeychainWorker &worker) { worker.remove(name, answer); });
    }
    void list(Answer<std::vector<std::string>> answer) override
    {
        post(
            [answer = brought(std::move(answer))](KeychainWorker &worker) { worker.list(answer); });
    }

private:
    /// The answer as it is given in the worker's thread: it is brought to ours.
    template<typename T>
    [[nodiscard]] Answer<T> brought(Answer<T> answer)
    {
        return [answers = m_answers.get(),
                life = std::weak_ptr(m_life),
                answer = std::move(answer)](const Result<T, SecretProblem> &result) {
            answers->post([life, answer, result] {
                if (!life.expired())
                    answer(result);
            });
        };
    }

    template<typename Call>
    void post(Call call)
    {
        if (!m_thread)
            start();
        m_questions->post([worker = m_worker, call = std::move(call)] { call(*worker); });
    }

    void start()
    {
        m_thread = std::make_unique<QThread>();
        m_thread->setObjectName(QStringLiteral("keychain"));
        m_questions = std::make_unique<Mailbox>();
        m_questions->moveToThread(m_thread.get());
        m_worker = new KeychainWorker(m_arena);
        m_worker->moveToThread(m_thread.get());
        connect(m_thread.get(), &QThread::finished, m_worker, &QObject::deleteLater);
        // In the worker's thread, which ends before this does or has the mailbox to itself.
        const auto tell = [this, life = std::weak_ptr(m_life)] {
            if (!life.expired())
                Q_EMIT changed();
        };
        connect(m_worker, &KeychainWorker::changed, m_worker, [answers = m_answers.get(), tell] {
            answers->post(tell);
        });
        m_thread->start();
    }

    const std::shared_ptr<SecretArena> m_arena;
    /// Gone with this. Looked at in our thread: what a thread that hung says later is for nobody.
    const std::shared_ptr<const bool> m_life = std::make_shared<const bool>();
    std::unique_ptr<Mailbox> m_answers = std::make_unique<Mailbox>(); ///< of our thread
    std::unique_ptr<Mailbox> m_questions;                             ///< of the worker's thread
    std::unique_ptr<QThread> m_thread;
    KeychainWorker *m_worker = nullptr; ///< deleted by its thread
};

} // namespace

std::unique_ptr<Keychain> Keychain::ofSession(std::shared_ptr<SecretArena> arena)
{
    return std::make_unique<SessionKeychain>(std::move(arena));
}

} // namespace gatehouse
