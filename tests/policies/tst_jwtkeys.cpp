// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/jwtissuer.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

class TestJwtKeys : public QObject
{
    Q_OBJECT

    JwtIssuer m_jwt;

    PolicyTest &policy() { return *m_jwt.policy; }

private Q_SLOTS:
    void init()
    {
        m_jwt.reset();
        m_jwt.make(jwksConfig);
    }

    void firstFetch_fails_isUndecided()
    {
        const auto request = policy().start(bearer(m_jwt.good()));
        policy().services.fail();
        QCOMPARE(request->result(), QByteArray("503 jwt:unavailable"));
        QVERIFY(request->reply.retryable);
        // Others are told so without a question, for a moment.
        const auto second = policy().start(bearer(m_jwt.good()));
        policy().services.run();
        QCOMPARE(second->result(), QByteArray("503 jwt:unavailable"));
        QCOMPARE(policy().services.fetchCount, 1);
        policy().services.advance(5s);
        m_jwt.fetchKeys();
    }

    void onError_allow_passesWhileTheIssuerIsDownAndNoForgery()
    {
        m_jwt.make(jwksConfig, false, true);
        const auto request = policy().start(bearer(m_jwt.good()));
        policy().services.fail();
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray()); // the token goes no further all the same
        QCOMPARE(policy().outcomeOf({}), QByteArray("401 jwt:missing"));
        policy().services.advance(5s);
        m_jwt.fetchKeys();
        policy().services.advance(5s);
        const auto forged = policy().start(
            bearer(SigningKey::ec("P-256").token("ES256", R"("kid":"ec")", claims())));
        policy().services.answer(200, m_jwt.jwks());
        QCOMPARE(forged->result(), QByteArray("401 jwt:signature"));
        policy().services.advance(5s);
        const auto again = policy().start(
            bearer(SigningKey::ec("P-256").token("ES256", R"("kid":"ec")", claims())));
        policy().services.fail();
        QCOMPARE(again->result(), QByteArray("401 jwt:signature"));
    }

    void rotation_newKey_isFetchedOnceForAll()
    {
        m_jwt.fetchKeys();
        policy().services.advance(6s);
        std::vector<std::unique_ptr<TestRequest>> requests;
        for (int i = 0; i < 20; ++i)
            requests.push_back(policy().start(bearer(m_jwt.rotated())));
        QCOMPARE(policy().services.fetchCount, 2);
        // Those with the old key do not wait.
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
        policy().services.answer(200, m_jwt.rotatedJwks());
        for (const auto &request : requests)
            QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(policy().services.fetchCount, 2);
    }

    void rotation_aMomentAfterAFetch_failsNoRequest()
    {
        m_jwt.fetchKeys();
        policy().services.advance(1s);
        const auto request = policy().start(bearer(m_jwt.rotated()));
        policy().services.run();
        QCOMPARE(request->result(), QByteArray("paused"));
        policy().services.advance(4s);
        QCOMPARE(policy().services.fetchCount, 2);
        policy().services.answer(200, m_jwt.rotatedJwks());
        QCOMPARE(request->result(), QByteArray("pass"));
    }

    void rotation_whileAFetchIsUnderWay_failsNoRequest()
    {
        const auto early = policy().start(bearer(m_jwt.good()));
        policy().services.advance(1s);
        const auto late
            = policy().start(bearer(m_jwt.rotated())); // signed after the issuer answered
        policy().services.answer(200, m_jwt.jwks());
        QCOMPARE(early->result(), QByteArray("pass"));
        QCOMPARE(late->result(), QByteArray("paused"));
        policy().services.advance(4s);
        policy().services.answer(200, m_jwt.rotatedJwks());
        QCOMPARE(late->result(), QByteArray("pass"));
    }

    void rotation_sameKidOtherKey_failsNoRequest()
    {
        m_jwt.fetchKeys();
        policy().services.advance(6s);
        const auto request
            = policy().start(bearer(m_jwt.next.token("ES256", R"("kid":"ec")", claims())));
        policy().services.answer(200, R"({"keys":[)" + m_jwt.next.jwk(R"("kid":"ec")") + "]}");
        QCOMPARE(request->result(), QByteArray("pass"));
    }

    void rotation_acrossWorkers_tellsEachInItsOwn()
    {
        FakeServices other;
        other.steady = policy().services.steady;
        other.wall = policy().services.wall;
        const auto here = policy().start(bearer(m_jwt.good()));
        const auto there = policy().start(bearer(m_jwt.good()), &other);
        QCOMPARE(policy().services.fetchCount + other.fetchCount, 1);
        policy().services.answer(200, m_jwt.jwks());
        QCOMPARE(here->result(), QByteArray("pass"));
        QCOMPARE(there->result(), QByteArray("paused"));
        other.run();
        QCOMPARE(there->result(), QByteArray("pass"));
    }

    void expiry_ofTheKeys_isNoticedByNobody()
    {
        m_jwt.fetchKeys();
        policy().services.wall -= 3h; // tokens are good all the while
        for (int minute = 0; minute < 180; ++minute) {
            policy().services.advance(1min);
            QCOMPARE(policy().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
            if (!policy().services.fetches.empty())
                policy().services.answer(200, m_jwt.jwks());
        }
        QCOMPARE(policy().services.fetchCount, 5);
    }

    void issuer_downForLong_oldKeysServeTwiceTheirTime()
    {
        m_jwt.fetchKeys();
        policy().services.wall -= 3h;
        int passed = 0;
        for (int minute = 1; minute <= 130; ++minute) {
            policy().services.advance(1min);
            const auto request = policy().start(bearer(m_jwt.good()));
            policy().services.run();
            if (!policy().services.fetches.empty())
                policy().services.fail();
            passed += request->result() == "pass" ? 1 : 0;
        }
        QCOMPARE(passed, 119);
    }

    void client_thatGoesAway_leavesNothingBehind()
    {
        auto request = policy().start(bearer(m_jwt.good()));
        request.reset();
        policy().services.answer(200, m_jwt.jwks());
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
    }

    void policy_reloadedWhileRequestsWait_keepsTheKeys()
    {
        const auto request = policy().start(bearer(m_jwt.good()));
        m_jwt.make(jwksConfig + "leeway: 10s\n");
        policy().services.answer(200, m_jwt.jwks());
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
        QCOMPARE(policy().services.fetchCount, 1);
        m_jwt.make("jwksUrl: https://other.example/keys\n");
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good())), QByteArray("paused"));
    }

    void severalIssuers_eachVerifiesItsOwn()
    {
        m_jwt.make("jwksUrl: 'https://a.example/keys, https://b.example/keys'\n");
        const auto first = policy().start(bearer(m_jwt.rotated()));
        QCOMPARE(policy().services.fetches.front().request.endpoint->origin.host,
                 std::string("a.example"));
        policy().services.answer(200, m_jwt.jwks());
        QCOMPARE(first->result(), QByteArray("paused"));
        policy().services.answer(200, R"({"keys":[)" + m_jwt.next.jwk(R"("kid":"next")") + "]}");
        QCOMPARE(first->result(), QByteArray("pass"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.rotated())), QByteArray("pass"));
        QCOMPARE(policy().services.fetchCount, 2);
        // One of them is down: unknown keys cannot be decided, known ones can.
        policy().services.advance(10s);
        const auto unknown
            = policy().start(bearer(m_jwt.ec.token("ES256", R"("kid":"x")", claims())));
        policy().services.fail();
        policy().services.answer(200, m_jwt.jwks());
        QCOMPARE(unknown->result(), QByteArray("503 jwt:unavailable"));
        QCOMPARE(policy().outcomeOf(bearer(m_jwt.good())), QByteArray("pass"));
    }
};

QTEST_APPLESS_MAIN(TestJwtKeys)
#include "tst_jwtkeys.moc"
