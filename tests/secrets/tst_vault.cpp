// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/vault.h"
#include "tests/support/playedkeychain.h"

#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTest>

#include <vector>

using namespace gatehouse;

namespace {

using namespace std::chrono_literals;

} // namespace

class TestVault : public QObject
{
    Q_OBJECT

private:
    std::shared_ptr<SecretArena> m_arena = SecretArena::make();
    PlayedKeychain *m_keychain = nullptr;
    std::unique_ptr<Vault> m_vault;
    std::unique_ptr<QSignalSpy> m_changes;

    Result<ResolvedSecret> read(const std::string &name)
    {
        return m_vault->read({SecretReference::Kind::Keychain, name}, {});
    }
    SecretState stateOf(const std::string &name)
    {
        return m_vault->look({SecretReference::Kind::Keychain, name}, {}).state;
    }
    /// Answers the oldest question.
    void answer(Result<std::shared_ptr<const LockedSecret>, SecretProblem> result)
    {
        const auto question = m_keychain->questions.front();
        m_keychain->questions.erase(m_keychain->questions.begin());
        question.answer(std::move(result));
    }
    void answer(const char *secret) { answer(m_arena->store({secret})); }
    void answer(SecretState state, const char *text = "why")
    {
        answer(Unexpected(SecretProblem{state, text}));
    }
    /// An entry that the vault holds.
    void hold(const std::string &name, const char *secret)
    {
        QVERIFY(!read(name));
        answer(secret);
        QVERIFY(m_changes->wait());
        m_changes->clear();
    }
    /// No more was said, also not after the time that gathers a burst.
    void compareSilent(int changes = 0)
    {
        QTest::qWait(60);
        QCOMPARE(m_changes->count(), changes);
    }

private Q_SLOTS:
    void init()
    {
        auto keychain = std::make_unique<PlayedKeychain>();
        m_keychain = keychain.get();
        m_vault = std::make_unique<Vault>(std::move(keychain), m_arena);
        m_changes = std::make_unique<QSignalSpy>(m_vault.get(), &Vault::changed);
    }

    void keychain_firstRead_isPendingThenThere()
    {
        const auto pending = read("a");
        QVERIFY(!pending);
        QCOMPARE(pending.error().code, ErrorCode::CredentialUnavailable);
        QVERIFY(pending.error().context.starts_with("keychain:a: "));
        QCOMPARE(stateOf("a"), SecretState::Pending);
        QVERIFY(m_vault->isWaiting());
        QCOMPARE(m_keychain->asked, 1);
        QCOMPARE(m_keychain->questions.front().start, Keychain::Start::Allowed);
        answer("sk-1");
        QVERIFY(!m_vault->isWaiting());
        QVERIFY(m_changes->wait());
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-1"));
        QCOMPARE(stateOf("a"), SecretState::Readable);
        QCOMPARE(m_keychain->asked, 1);
    }

    void keychain_burstOfAnswers_isOneChange()
    {
        for (const char *name : {"a", "b", "c"})
            QVERIFY(!read(name));
        answer("sk-1");
        answer("sk-2");
        answer(SecretState::Locked);
        QVERIFY(m_changes->wait());
        compareSilent(1);
    }

    void keychain_problems_haveTheirTextAndState_data()
    {
        QTest::addColumn<SecretState>("state");
        QTest::newRow("no service") << SecretState::NoService;
        QTest::newRow("no collection") << SecretState::NoCollection;
        QTest::newRow("locked") << SecretState::Locked;
        QTest::newRow("missing") << SecretState::Missing;
        QTest::newRow("not answering") << SecretState::NotAnswering;
    }
    void keychain_problems_haveTheirTextAndState()
    {
        QFETCH(SecretState, state);
        QVERIFY(!read("a"));
        answer(state, "what and what to do");
        QVERIFY(m_changes->wait());
        QCOMPARE(stateOf("a"), state);
        QCOMPARE(read("a").error().context, std::string("keychain:a: what and what to do"));
        m_changes->clear();
        Q_EMIT m_keychain->changed();
        QCOMPARE(m_keychain->questions.size(), std::size_t(1));
        QCOMPARE(m_keychain->questions.front().start, Keychain::Start::No);
        answer("sk-1");
        QVERIFY(m_changes->wait());
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-1"));
    }

    void keychain_sameProblemAgain_isNoChange()
    {
        QVERIFY(!read("a"));
        answer(SecretState::Locked);
        QVERIFY(m_changes->wait());
        m_changes->clear();
        Q_EMIT m_keychain->changed();
        answer(SecretState::Locked);
        compareSilent();
    }

    void held_keychainUnusable_servesOn_data()
    {
        QTest::addColumn<SecretState>("state");
        QTest::newRow("no service") << SecretState::NoService;
        QTest::newRow("no collection") << SecretState::NoCollection;
        QTest::newRow("locked") << SecretState::Locked;
        QTest::newRow("not answering") << SecretState::NotAnswering;
    }
    void held_keychainUnusable_servesOn()
    {
        QFETCH(SecretState, state);
        hold("a", "sk-1");
        Q_EMIT m_keychain->changed();
        answer(state);
        compareSilent();
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-1"));
    }

    void held_entryRemoved_isForgotten()
    {
        hold("a", "sk-1");
        const std::weak_ptr<const LockedSecret> held = read("a")->value;
        Q_EMIT m_keychain->changed();
        answer(SecretState::Missing);
        QVERIFY(m_changes->wait());
        QCOMPARE(stateOf("a"), SecretState::Missing);
        QVERIFY(held.expired());
    }

    void held_entryReplaced_isRenewed()
    {
        hold("a", "sk-1");
        const auto before = read("a")->value;
        Q_EMIT m_keychain->changed();
        answer("sk-2");
        QVERIFY(m_changes->wait());
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-2"));
        QCOMPARE(before->reveal(), std::string_view("sk-1"));
    }

    void held_sameAgain_isNoChange()
    {
        hold("a", "sk-1");
        Q_EMIT m_keychain->changed();
        answer("sk-1");
        compareSilent();
    }

    void entry_thatIsNoSecret_isRefusedWithoutItsText()
    {
        hold("a", "sk-1");
        Q_EMIT m_keychain->changed();
        answer("sk-2\r\nX-Evil: 1");
        QVERIFY(m_changes->wait());
        QCOMPARE(stateOf("a"), SecretState::Unusable);
        const std::string text = read("a").error().context;
        QVERIFY(text.find("gatehouse secret set a") != std::string::npos);
        QVERIFY(text.find("sk-2") == std::string::npos);
    }

    void change_duringARead_isAskedAfterIt()
    {
        QVERIFY(!read("a"));
        Q_EMIT m_keychain->changed();
        Q_EMIT m_keychain->changed();
        QCOMPARE(m_keychain->asked, 1);
        answer(SecretState::Locked);
        QCOMPARE(m_keychain->asked, 2);
        answer("sk-1");
        QCOMPARE(m_keychain->asked, 2);
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-1"));
    }

    void missing_withoutAnySignal_isAskedForAgain()
    {
        hold("held", "sk-1");
        QVERIFY(!read("a"));
        answer(SecretState::Locked);
        QTRY_COMPARE(m_keychain->questions.size(), std::size_t(1));
        QCOMPARE(m_keychain->questions.front().name, std::string("a"));
        QCOMPARE(m_keychain->questions.front().start, Keychain::Start::No);
        answer("sk-2");
        const int asked = m_keychain->asked;
        QTest::qWait(800); // two rounds of asking
        QCOMPARE(m_keychain->asked, asked);
    }

    void round_end_forgetsWhatWasNotNamed()
    {
        hold("a", "sk-1");
        hold("b", "sk-2");
        const std::weak_ptr<const LockedSecret> gone = read("b")->value;
        m_vault->beginRound();
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-1"));
        m_vault->endRound();
        QVERIFY(gone.expired());
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-1"));
        QCOMPARE(stateOf("b"), SecretState::Pending);
    }

    void round_withoutItsEnd_forgetsNothing()
    {
        hold("a", "sk-1");
        m_vault->beginRound();
        QVERIFY(!read("b"));
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-1"));
    }

    void round_begun_looksAtWhatIsHeldAgain()
    {
        hold("a", "sk-1");
        m_vault->beginRound();
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-1"));
        QCOMPARE(m_keychain->questions.size(), std::size_t(1));
        answer("sk-2");
        QVERIFY(m_changes->wait());
        QCOMPARE(read("a")->value->reveal(), std::string_view("sk-2"));
    }

    void answer_forWhatWasForgotten_isDropped()
    {
        QVERIFY(!read("a"));
        m_vault->beginRound();
        m_vault->endRound();
        answer("sk-1");
        compareSilent();
    }

    void wait_answered_endsAtOnce()
    {
        QVERIFY(!read("a"));
        QTimer::singleShot(10, this, [this] { answer("sk-1"); });
        QElapsedTimer timer;
        timer.start();
        m_vault->wait(10s);
        QVERIFY(timer.elapsed() < 5000);
        QVERIFY(read("a"));
    }

    void wait_notAnswered_endsAtItsLimit()
    {
        QVERIFY(!read("a"));
        QElapsedTimer timer;
        timer.start();
        m_vault->wait(50ms);
        QVERIFY(timer.elapsed() >= 45);
        QVERIFY(m_vault->isWaiting());
        QCOMPARE(stateOf("a"), SecretState::Pending);
    }

    void wait_nothingAsked_returnsWithoutALoop()
    {
        bool isRun = false;
        QTimer::singleShot(0, this, [&] { isRun = true; });
        m_vault->wait(10s);
        QVERIFY(!isRun);
    }

    void environmentAndFile_problems_haveTheirState()
    {
        qunsetenv("GATEHOUSE_TEST_NONE");
        using Kind = SecretReference::Kind;
        QCOMPARE(m_vault->look({Kind::None, {}}, {}).state, SecretState::Readable);
        QCOMPARE(m_vault->look({Kind::Environment, "GATEHOUSE_TEST_NONE"}, {}).state,
                 SecretState::Missing);
        QCOMPARE(m_vault->look({Kind::File, "/no/such/file"}, {}).state, SecretState::Missing);
        QCOMPARE(m_vault->look({Kind::File, "/"}, {}).state, SecretState::Unusable);
        QCOMPARE(m_keychain->asked, 0);
    }
};

QTEST_GUILESS_MAIN(TestVault)
#include "tst_vault.moc"
