// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/introspection.h"

#include <QTest>

#include <thread>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

using Time = IntrospectionCache::Time;
using Answer = IntrospectionCache::Answer;
const Time now{std::chrono::hours(1)};

Sha256 digest(int number)
{
    return sha256(std::to_string(number));
}

Answer answer(bool isActive)
{
    return std::make_shared<const Introspection>(Introspection{.isActive = isActive});
}

Result<FetchResponse> response(int status, std::string body)
{
    FetchResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

/// Settles a question that nobody waits for but the test.
void keep(IntrospectionCache &cache, int token, bool isActive, Time at, std::size_t limit = 3)
{
    (void)cache.join(digest(token),
                     {[](const std::function<void()> &call) { call(); }, [](const Answer &) {}});
    cache.settle(digest(token), answer(isActive), at, {1min, limit});
}

} // namespace

class TestIntrospection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void read_rfc7662Examples_areUnderstood()
    {
        // RFC 7662 §2.2
        const auto claim = ClaimPath::parse("client_id");
        const auto active = readIntrospection(
            response(200,
                     R"({"active": true, "client_id": "l238j323ds-23ij4", "username": "jdoe",)"
                     R"("scope": "read write dolphin", "sub": "Z5O3upPC88QrAjx00dis",)"
                     "\"aud\": \"https://protected.example.net/resource\","
                     "\"iss\": \"https://server.example.com/\", \"exp\": 1419356238, \"iat\": "
                     "1419350238,"
                     R"("extension_field": "twenty-seven"})"),
            *claim);
        QVERIFY(active && (*active)->isActive);
        QCOMPARE((*active)->scopes, (std::vector<std::string>{"read", "write", "dolphin"}));
        QCOMPARE((*active)->client, std::string("l238j323ds-23ij4"));
        QCOMPARE((*active)->expiry, 1419356238.0);
        const auto inactive = readIntrospection(response(200, R"({"active": false})"), {});
        QVERIFY(inactive && !(*inactive)->isActive);
    }

    void read_otherAnswers_areNone_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        const auto row = [](const char *name, int status, const char *body) {
            QTest::newRow(name) << status << QByteArray(body);
        };
        row("unauthorized", 401, R"({"active":true})");
        row("server error", 500, R"({"active":true})");
        row("created", 201, R"({"active":true})");
        row("redirect", 302, "");
        row("nothing", 200, "");
        row("HTML", 200, "<html>");
        row("list", 200, "[true]");
        row("no active", 200, "{}");
        row("active as text", 200, R"({"active":"true"})");
        row("active as number", 200, R"({"active":1})");
        row("active twice", 200, R"({"active":false,"active":true})");
        row("active in another case", 200, R"({"Active":true})");
        row("exp as text", 200, R"({"active":true,"exp":"1900000000"})");
        row("exp negative", 200, R"({"active":true,"exp":-1})");
        row("scope as list", 200, R"({"active":true,"scope":["a"]})");
        row("with a tail", 200, R"({"active":true}{})");
    }
    void read_otherAnswers_areNone()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        const auto read = readIntrospection(response(status, body.toStdString()), {});
        QVERIFY(!read);
        QVERIFY(!read.error().empty());
    }

    void find_activeAnswer_isKeptForItsTime()
    {
        IntrospectionCache cache;
        keep(cache, 1, true, now);
        QVERIFY(cache.find(digest(1), now + 1min - 1ms));
        QVERIFY(!cache.find(digest(1), now + 1min));
        QVERIFY(!cache.find(digest(1), now)); // and is gone then
        QVERIFY(!cache.find(digest(2), now));
    }

    void find_refusal_isKeptForAMoment()
    {
        IntrospectionCache cache;
        keep(cache, 1, false, now);
        QVERIFY(cache.find(digest(1), now + IntrospectionCache::refusalTime - 1ms));
        QVERIFY(!cache.find(digest(1), now + IntrospectionCache::refusalTime));
    }

    void settle_noTime_keepsNothing()
    {
        IntrospectionCache cache;
        (void)cache.join(
            digest(1), {[](const std::function<void()> &call) { call(); }, [](const Answer &) {}});
        cache.settle(digest(1), answer(true), now, {0ms, 3});
        QVERIFY(!cache.find(digest(1), now));
    }

    void put_beyondTheLimit_dropsTheOneNotUsedForLongest()
    {
        IntrospectionCache cache;
        keep(cache, 1, true, now);
        keep(cache, 2, true, now);
        keep(cache, 3, true, now);
        QVERIFY(cache.find(digest(1), now));
        keep(cache, 4, true, now);
        QVERIFY(cache.find(digest(1), now));
        QVERIFY(!cache.find(digest(2), now));
        QVERIFY(cache.find(digest(3), now) && cache.find(digest(4), now));
    }

    void put_madeUpTokens_driveNoRealOneOut()
    {
        IntrospectionCache cache;
        keep(cache, 0, true, now);
        for (int i = 1; i <= 3'000; ++i)
            keep(cache, i, false, now);
        QVERIFY(cache.find(digest(0), now));
        QVERIFY(cache.find(digest(3'000), now));
        QVERIFY(!cache.find(digest(1'000), now));
    }

    void join_sameToken_isOneQuestion()
    {
        IntrospectionCache cache;
        std::vector<bool> told;
        const auto join = [&](int token) {
            return cache.join(
                digest(token),
                {[](const std::function<void()> &call) { call(); },
                 [&told](const Answer &answer) { told.push_back(answer.has_value()); }});
        };
        QVERIFY(join(1));
        QVERIFY(!join(1));
        QVERIFY(join(2));
        cache.settle(digest(1), Unexpected(std::string("no answer")), now, {1min, 3});
        QCOMPARE(told, (std::vector<bool>{false, false}));
        QVERIFY(!cache.find(digest(1), now));
        QVERIFY(join(1)); // a failure is asked again
    }

    void cache_ofManyThreads_answersEachOnce()
    {
        IntrospectionCache cache;
        std::atomic<int> asked = 0;
        std::atomic<int> told = 0;
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < 2'000; ++i) {
                    const Sha256 token = digest(i % 50);
                    if (cache.find(token, now)) {
                        ++told;
                        continue;
                    }
                    if (!cache.join(token,
                                    {[](const std::function<void()> &call) { call(); },
                                     [&told](const Answer &) { ++told; }}))
                        continue;
                    ++asked;
                    cache.settle(token, answer(true), now, {1min, 100});
                }
            });
        }
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(told.load(), 8'000);
        QVERIFY(asked >= 50 && asked <= 200);
    }
};

QTEST_APPLESS_MAIN(TestIntrospection)
#include "tst_introspection.moc"
