// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/jwtbench.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

class TestJwtKeys : public QObject
{
    Q_OBJECT

    JwtBench m_jwt;

    AuthBench &bench() { return *m_jwt.bench; }

private Q_SLOTS:
    void init()
    {
        m_jwt.reset();
        m_jwt.make(jwksConfig);
    }

    void firstFetch_fails_isUndecided()
    {
        const auto request = bench().send(bearer(m_jwt.good()));
        bench().services.fail();
        QCOMPARE(request->outcome, QByteArray("503 jwt:unavailable"));
        QVERIFY(request->reply.retryable);
        // Others are told so without a question, for a moment.
        const auto second = bench().send(bearer(m_jwt.good()));
        bench().services.run();
        QCOMPARE(second->outcome, QByteArray("503 jwt:unavailable"));
        QCOMPARE(bench().services.fetchCount, 1);
        bench().services.advance(5s);
        m_jwt.fetchKeys();
    }

    void onError_allow_passesWhileTheIssuerIsDownAndNoForgery()
    {
        m_jwt.make(jwksConfig, false, true);
        const auto request = bench().send(bearer(m_jwt.good()));
        bench().services.fail();
        QCOMPARE(request->outcome, QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray()); // the token goes no further all the same
        QCOMPARE(bench().outcomeOf({}), QByteArray("401 jwt:missing"));
        bench().services.advance(5s);
        m_jwt.fetchKeys();
        bench().services.advance(5s);
        const auto forged = bench().send(
            bearer(SigningKey::ec("P-256").token("ES256", R"("kid":"ec")", claims())));
        bench().services.answer(200, m_jwt.jwks());
        QCOMPARE(forged->outcome, QByteArray("401 jwt:signature"));
        bench().services.advance(5s);
        const auto again = bench().send(
            bearer(SigningKey::ec("P-256").token("ES256", R"("kid":"ec")", claims())));
        bench().services.fail();
        QCOMPARE(again->outcome, QByteArray("401 jwt:signature"));
    }

    void rotation_newKey_isFetchedOnceForAll()
    {
        m_jwt.fetchKeys();
        bench().services.advance(6s);
        std::vector<std::unique_ptr<BenchRequest>> requests;
        for (int i = 0; i < 20; ++i)
            requests.push_back(bench().send(bearer(m_jwt.rotated())));
        QCOMPARE(bench().services.fetchCount, 2);
        // Those with the old key do not wait.
        QCOMPARE(bench().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
        bench().services.answer(200, m_jwt.rotatedJwks());
        for (const auto &request : requests)
            QCOMPARE(request->outcome, QByteArray("pass"));
        QCOMPARE(bench().services.fetchCount, 2);
    }

    void rotation_aMomentAfterAFetch_failsNoRequest()
    {
        m_jwt.fetchKeys();
        bench().services.advance(1s);
        const auto request = bench().send(bearer(m_jwt.rotated()));
        bench().services.run();
        QCOMPARE(request->outcome, QByteArray("paused"));
        bench().services.advance(4s);
        QCOMPARE(bench().services.fetchCount, 2);
        bench().services.answer(200, m_jwt.rotatedJwks());
        QCOMPARE(request->outcome, QByteArray("pass"));
    }

    void rotation_whileAFetchIsUnderWay_failsNoRequest()
    {
        const auto early = bench().send(bearer(m_jwt.good()));
        bench().services.advance(1s);
        const auto late = bench().send(bearer(m_jwt.rotated())); // signed after the issuer answered
        bench().services.answer(200, m_jwt.jwks());
        QCOMPARE(early->outcome, QByteArray("pass"));
        QCOMPARE(late->outcome, QByteArray("paused"));
        bench().services.advance(4s);
        bench().services.answer(200, m_jwt.rotatedJwks());
        QCOMPARE(late->outcome, QByteArray("pass"));
    }

    void rotation_sameKidOtherKey_failsNoRequest()
    {
        m_jwt.fetchKeys();
        bench().services.advance(6s);
        const auto request
            = bench().send(bearer(m_jwt.next.token("ES256", R"("kid":"ec")", claims())));
        bench().services.answer(200, R"({"keys":[)" + m_jwt.next.jwk(R"("kid":"ec")") + "]}");
        QCOMPARE(request->outcome, QByteArray("pass"));
    }

    void rotation_acrossWorkers_tellsEachInItsOwn()
    {
        ScriptedWorker other;
        other.time = bench().services.time;
        other.wallTime = bench().services.wallTime;
        const auto here = bench().send(bearer(m_jwt.good()));
        const auto there = bench().send(bearer(m_jwt.good()), &other);
        QCOMPARE(bench().services.fetchCount + other.fetchCount, 1);
        bench().services.answer(200, m_jwt.jwks());
        QCOMPARE(here->outcome, QByteArray("pass"));
        QCOMPARE(there->outcome, QByteArray("paused"));
        other.run();
        QCOMPARE(there->outcome, QByteArray("pass"));
    }

    void expiry_ofTheKeys_isNoticedByNobody()
    {
        m_jwt.fetchKeys();
        bench().services.wallTime -= 3h; // tokens are good all the while
        for (int minute = 0; minute < 180; ++minute) {
            bench().services.advance(1min);
            QCOMPARE(bench().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
            if (!bench().services.fetches.empty())
                bench().services.answer(200, m_jwt.jwks());
        }
        QCOMPARE(bench().services.fetchCount, 5);
    }

    void issuer_downForLong_oldKeysServeTwiceTheirTime()
    {
        m_jwt.fetchKeys();
        bench().services.wallTime -= 3h;
        int passed = 0;
        for (int minute = 1; minute <= 130; ++minute) {
            bench().services.advance(1min);
            const auto request = bench().send(bearer(m_jwt.good()));
            bench().services.run();
            if (!bench().services.fetches.empty())
                bench().services.fail();
            passed += request->outcome == "pass" ? 1 : 0;
        }
        QCOMPARE(passed, 119);
    }

    void client_thatGoesAway_leavesNothingBehind()
    {
        auto request = bench().send(bearer(m_jwt.good()));
        request.reset();
        bench().services.answer(200, m_jwt.jwks());
        QCOMPARE(bench().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
    }

    void policy_reloadedWhileRequestsWait_keepsTheKeys()
    {
        const auto request = bench().send(bearer(m_jwt.good()));
        m_jwt.make(jwksConfig + "leeway: 10s\n");
        bench().services.answer(200, m_jwt.jwks());
        QCOMPARE(request->outcome, QByteArray("pass"));
        QCOMPARE(bench().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
        QCOMPARE(bench().services.fetchCount, 1);
        m_jwt.make("jwksUrl: https://other.example/keys\n");
        QCOMPARE(bench().outcomeOf(bearer(m_jwt.good())), QByteArray("paused"));
    }

    void severalIssuers_eachVerifiesItsOwn()
    {
        m_jwt.make("jwksUrl: 'https://a.example/keys, https://b.example/keys'\n");
        const auto first = bench().send(bearer(m_jwt.rotated()));
        QCOMPARE(bench().services.fetches.front().request.endpoint->origin.host,
                 std::string("a.example"));
        bench().services.answer(200, m_jwt.jwks());
        QCOMPARE(first->outcome, QByteArray("paused"));
        bench().services.answer(200, R"({"keys":[)" + m_jwt.next.jwk(R"("kid":"next")") + "]}");
        QCOMPARE(first->outcome, QByteArray("pass"));
        QCOMPARE(bench().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
        QCOMPARE(bench().outcomeOf(bearer(m_jwt.rotated())), QByteArray("pass"));
        QCOMPARE(bench().services.fetchCount, 2);
        // One of them is down: unknown keys cannot be decided, known ones can.
        bench().services.advance(10s);
        const auto unknown
            = bench().send(bearer(m_jwt.ec.token("ES256", R"("kid":"x")", claims())));
        bench().services.fail();
        bench().services.answer(200, m_jwt.jwks());
        QCOMPARE(unknown->outcome, QByteArray("503 jwt:unavailable"));
        QCOMPARE(bench().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
    }
};

QTEST_APPLESS_MAIN(TestJwtKeys)
#include "tst_jwtkeys.moc"
