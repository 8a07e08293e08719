// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/keysource.h"
#include "tests/support/fakeservices.h"
#include "tests/support/jose.h"

#include <QTest>

#include <memory>
#include <optional>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::FakeServices;
using test::SigningKey;

namespace {

std::string setOf(std::initializer_list<std::string> jwks)
{
    std::string text;
    for (const std::string &jwk : jwks)
        text += (text.empty() ? "" : ",") + jwk;
    return "{\"keys\":[" + text + "]}";
}

} // namespace

class TestKeySource : public QObject
{
    Q_OBJECT

    const SigningKey m_old = SigningKey::ec("P-256");
    const SigningKey m_new = SigningKey::ec("P-256");
    const std::string m_oldSet = setOf({m_old.jwk(R"("kid":"old")")});
    const std::string m_bothSet = setOf({m_old.jwk(R"("kid":"old")"), m_new.jwk(R"("kid":"new")")});
    const std::string m_newSet = setOf({m_new.jwk(R"("kid":"new")")});
    const KeySource::Settings m_settings{std::make_shared<const Endpoint>(), 1h, 5s};

    static JsonWebToken token(const SigningKey &key, std::string_view header)
    {
        return std::move(*JsonWebToken::parse(key.token("ES256", header, "{}")));
    }
    const JsonWebToken m_oldToken = token(m_old, R"("kid":"old")");
    const JsonWebToken m_newToken = token(m_new, R"("kid":"new")");

    std::shared_ptr<KeySource> m_source;
    std::unique_ptr<FakeServices> m_worker;
    std::vector<KeySource::Answer> m_answers;

    void refresh(FakeServices &worker)
    {
        m_source->refresh(worker,
                          m_settings,
                          worker.now(),
                          [this](const KeySource::Answer &answer) { m_answers.push_back(answer); });
    }
    /// A set that was fetched just now.
    void fill(const std::string &set)
    {
        refresh(*m_worker);
        m_worker->answer(200, set);
        QCOMPARE(m_answers.size(), std::size_t(1));
        QVERIFY(m_answers.front().isFinal);
        m_answers.clear();
    }
    bool verifies(const std::shared_ptr<const KeySet> &keys, const JsonWebToken &token) const
    {
        return keys && keys->verify(token) == KeySet::Outcome::Verified;
    }

private Q_SLOTS:
    void init()
    {
        m_source = std::make_shared<KeySource>();
        m_worker = std::make_unique<FakeServices>();
        m_answers.clear();
    }

    void keys_beforeTheFirstFetch_areNone()
    {
        QVERIFY(!m_source->keys(*m_worker, m_settings));
        QCOMPARE(m_worker->fetchCount, 0);
    }

    void refresh_first_asksOnceForAll()
    {
        for (int i = 0; i < 100; ++i)
            refresh(*m_worker);
        QCOMPARE(m_worker->fetchCount, 1);
        QCOMPARE(m_worker->fetches.front().request.method, std::string("GET"));
        QCOMPARE(m_worker->fetches.front().request.timeout, 5'000ms);
        QVERIFY(m_answers.empty());
        m_worker->answer(200, m_oldSet);
        QCOMPARE(m_answers.size(), std::size_t(100));
        for (const KeySource::Answer &answer : m_answers)
            QVERIFY(answer.isFinal && verifies(answer.keys, m_oldToken) && answer.problem.empty());
        QVERIFY(verifies(m_source->keys(*m_worker, m_settings), m_oldToken));
    }

    void refresh_firstFails_saysWhyAndTriesAgainAfterAPause()
    {
        refresh(*m_worker);
        m_worker->fail();
        QCOMPARE(m_answers.size(), std::size_t(1));
        QVERIFY(!m_answers[0].keys && !m_answers[0].isFinal && !m_answers[0].problem.empty());
        // At once, without a question, as long as the pause lasts.
        m_worker->advance(4'999ms);
        refresh(*m_worker);
        QCOMPARE(m_answers.size(), std::size_t(1)); // never before the call has returned
        m_worker->run();
        QCOMPARE(m_answers.size(), std::size_t(2));
        QVERIFY(!m_answers[1].problem.empty());
        QCOMPARE(m_worker->fetchCount, 1);
        m_worker->advance(1ms);
        refresh(*m_worker);
        QCOMPARE(m_worker->fetchCount, 2);
        m_worker->answer(200, m_oldSet);
        QVERIFY(m_answers[2].isFinal);
    }

    void refresh_badAnswers_areFailures_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::newRow("not found") << 404 << QByteArray();
        QTest::newRow("redirect") << 302 << QByteArray();
        QTest::newRow("no content") << 204 << QByteArray();
        QTest::newRow("status 203") << 203 << QByteArray::fromStdString(m_oldSet);
        QTest::newRow("no JSON") << 200 << QByteArray("<html>");
        QTest::newRow("no keys") << 200 << QByteArray("{\"keys\":[]}");
        QTest::newRow("keys twice") << 200 << QByteArray("{\"keys\":[],\"keys\":[]}");
    }
    void refresh_badAnswers_areFailures()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        refresh(*m_worker);
        m_worker->answer(status, body.toStdString());
        QCOMPARE(m_answers.size(), std::size_t(1));
        QVERIFY(!m_answers[0].keys && !m_answers[0].problem.empty());
    }

    void keys_threeQuartersOver_areFetchedWhileTheOldOnesServe()
    {
        fill(m_oldSet);
        m_worker->advance(45min - 1ms);
        QVERIFY(m_source->keys(*m_worker, m_settings));
        QCOMPARE(m_worker->fetchCount, 1);
        m_worker->advance(1ms);
        for (int i = 0; i < 10; ++i)
            QVERIFY(verifies(m_source->keys(*m_worker, m_settings), m_oldToken));
        QCOMPARE(m_worker->fetchCount, 2);
        m_worker->answer(200, m_bothSet);
        const auto keys = m_source->keys(*m_worker, m_settings);
        QVERIFY(verifies(keys, m_oldToken) && verifies(keys, m_newToken));
        // The new set's time begins with its fetch.
        m_worker->advance(45min - 1ms);
        QVERIFY(m_source->keys(*m_worker, m_settings));
        QCOMPARE(m_worker->fetchCount, 2);
    }

    void keys_expiredWhileNobodyAsked_areNone()
    {
        fill(m_oldSet);
        m_worker->advance(1h);
        QVERIFY(!m_source->keys(*m_worker, m_settings));
    }

    void keys_issuerDown_serveAsLongOnceMoreAndNoLonger()
    {
        fill(m_oldSet);
        m_worker->advance(1h);
        refresh(*m_worker);
        m_worker->fail(ErrorCode::ProviderConnectTimeout);
        QVERIFY(verifies(m_answers[0].keys, m_oldToken));
        QVERIFY(!m_answers[0].isFinal);
        QVERIFY(verifies(m_source->keys(*m_worker, m_settings), m_oldToken));
        m_worker->advance(1h - 1ms);
        QVERIFY(verifies(m_source->keys(*m_worker, m_settings), m_oldToken));
        m_worker->fail();
        m_worker->advance(1ms);
        QVERIFY(!m_source->keys(*m_worker, m_settings));
        refresh(*m_worker);
        m_worker->run();
        QVERIFY(!m_answers[1].keys && !m_answers[1].problem.empty());
    }

    void keys_issuerBackAfterFailure_areTheNewOnes()
    {
        fill(m_oldSet);
        m_worker->advance(50min);
        QVERIFY(m_source->keys(*m_worker, m_settings));
        m_worker->fail();
        // Asked again, but not more often than every pause.
        for (int i = 0; i < 50; ++i) {
            m_worker->advance(100ms);
            QVERIFY(m_source->keys(*m_worker, m_settings));
        }
        QCOMPARE(m_worker->fetchCount, 3);
        m_worker->answer(200, m_newSet);
        QVERIFY(verifies(m_source->keys(*m_worker, m_settings), m_newToken));
        QVERIFY(!verifies(m_source->keys(*m_worker, m_settings), m_oldToken));
    }

    void refresh_afterARotation_isFinalAtOnce()
    {
        fill(m_oldSet);
        m_worker->advance(10s);
        refresh(*m_worker);
        QCOMPARE(m_worker->fetchCount, 2);
        m_worker->answer(200, m_bothSet);
        QVERIFY(m_answers[0].isFinal && verifies(m_answers[0].keys, m_newToken));
    }

    void refresh_withinThePause_waitsForTheNextFetch()
    {
        fill(m_oldSet);
        m_worker->advance(1s);
        refresh(*m_worker);
        m_worker->run();
        QCOMPARE(m_worker->fetchCount, 1);
        QVERIFY(m_answers.empty());
        m_worker->advance(4s - 1ms);
        QCOMPARE(m_worker->fetchCount, 1);
        m_worker->advance(1ms);
        QCOMPARE(m_worker->fetchCount, 2);
        m_worker->answer(200, m_bothSet);
        QCOMPARE(m_answers.size(), std::size_t(1));
        QVERIFY(m_answers[0].isFinal && verifies(m_answers[0].keys, m_newToken));
    }

    void refresh_madeUpTokens_askTheIssuerOnceAPause()
    {
        fill(m_oldSet);
        for (int i = 0; i < 1'000; ++i) {
            m_worker->advance(20ms);
            refresh(*m_worker);
            if (!m_worker->fetches.empty())
                m_worker->answer(200, m_oldSet);
        }
        QVERIFY2(m_worker->fetchCount <= 5, qPrintable(QString::number(m_worker->fetchCount)));
        QVERIFY(m_answers.size() > 500);
    }

    void refresh_duringAFetchThatBeganBefore_isNotFinal()
    {
        refresh(*m_worker); // its answer may have left the issuer before the rotation
        m_worker->advance(1s);
        refresh(*m_worker);
        QCOMPARE(m_worker->fetchCount, 1);
        m_worker->answer(200, m_oldSet);
        QCOMPARE(m_answers.size(), std::size_t(2));
        QVERIFY(m_answers[0].isFinal);
        QVERIFY(!m_answers[1].isFinal && m_answers[1].problem.empty());
    }

    void refresh_whatIsThereAlready_isFinalWithoutAFetch()
    {
        const auto since = m_worker->now();
        fill(m_oldSet);
        m_source->refresh(*m_worker, m_settings, since, [this](const KeySource::Answer &answer) {
            m_answers.push_back(answer);
        });
        QVERIFY(m_answers.empty());
        m_worker->run();
        QVERIFY(m_answers[0].isFinal);
        QCOMPARE(m_worker->fetchCount, 1);
    }

    void refresh_ofTwoWorkers_isOneFetchAndEachIsToldInItsOwn()
    {
        FakeServices other;
        other.steady = m_worker->steady;
        refresh(*m_worker);
        refresh(other);
        QCOMPARE(m_worker->fetchCount + other.fetchCount, 1);
        m_worker->answer(200, m_oldSet);
        QCOMPARE(m_answers.size(), std::size_t(1));
        other.run();
        QCOMPARE(m_answers.size(), std::size_t(2));
    }

    void fetch_ofAWorkerThatEnds_isDoneByAnother()
    {
        auto ending = std::make_unique<FakeServices>();
        ending->steady = m_worker->steady;
        refresh(*ending);
        refresh(*m_worker);
        QCOMPARE(m_worker->fetchCount, 0);
        ending->fetches.clear(); // as a worker's end does
        m_worker->run();
        QCOMPARE(m_answers.size(), std::size_t(1));
        QVERIFY(!m_answers[0].isFinal && m_answers[0].problem.empty()); // so it asks again
        refresh(*m_worker);
        m_worker->advance(KeySource::pause);
        QCOMPARE(m_worker->fetchCount, 1);
        m_worker->answer(200, m_oldSet);
        QVERIFY(m_answers[1].isFinal);
    }

    void wake_ofAWorkerThatEnds_isDoneByAnother()
    {
        fill(m_oldSet);
        m_worker->advance(1s);
        auto ending = std::make_unique<FakeServices>();
        ending->steady = m_worker->steady;
        refresh(*ending);
        refresh(*m_worker);
        QCOMPARE(ending->timers.size(), std::size_t(1));
        QVERIFY(m_worker->timers.empty());
        ending->timers.clear();
        m_worker->run();
        QCOMPARE(m_answers.size(), std::size_t(1));
        refresh(*m_worker);
        m_worker->advance(KeySource::pause);
        m_worker->answer(200, m_bothSet);
        QVERIFY(m_answers[1].isFinal);
    }

    void source_forgottenWhileItFetches_endsQuietly()
    {
        refresh(*m_worker);
        m_source.reset();
        m_worker->answer(200, m_oldSet);
        QCOMPARE(m_answers.size(), std::size_t(1));
    }
};

QTEST_APPLESS_MAIN(TestKeySource)
#include "tst_keysource.moc"
