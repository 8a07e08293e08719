// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/answercache.h"

#include <QTest>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace gatehouse;
using namespace std::chrono_literals;
using Place = AnswerCache::Found::Place;

namespace {

constexpr std::size_t room = 100'000;
constexpr AnswerCache::TimePoint begin{std::chrono::hours(1)};

std::shared_ptr<const KeptAnswer> answerOf(std::size_t length)
{
    auto answer = std::make_shared<KeptAnswer>();
    answer->at = begin;
    answer->body = std::string(length, 'x');
    return answer;
}

Place look(AnswerCache &cache, const std::string &request)
{
    return cache.find(sha256(request), begin, 1min, nullptr).place;
}

void keep(AnswerCache &cache, const std::string &request, std::size_t length)
{
    cache.keep(sha256(request), answerOf(length), 0, room, true);
}

} // namespace

class TestAnswerCache : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void age_ofExactlyTheTime_isTooOld()
    {
        AnswerCache cache;
        QCOMPARE(look(cache, "a"), Place::Lead);
        keep(cache, "a", 10);
        QCOMPARE(cache.find(sha256("a"), begin + 1min - 1ns, 1min, nullptr).place, Place::Hit);
        QCOMPARE(cache.find(sha256("a"), begin + 1min, 1min, nullptr).place, Place::Lead);
        QCOMPARE(cache.bytes(), std::size_t(0));
    }

    void whatIsGathered_countsAsKept()
    {
        AnswerCache cache;
        keep(cache, "a", 40'000);
        QVERIFY(cache.reserve(room - cache.bytes(), room));
        QCOMPARE(look(cache, "a"), Place::Hit);
        QVERIFY(cache.reserve(1, room)); // makes room
        QCOMPARE(look(cache, "a"), Place::Lead);
        const std::size_t taken = cache.bytes();
        QVERIFY(!cache.reserve(room - taken + 1, room));
        cache.release(taken);
        QCOMPARE(cache.bytes(), std::size_t(0));
    }

    void reserved_givesWayToWhatIsKept()
    {
        AnswerCache cache;
        QVERIFY(cache.reserve(60'000, room));
        const auto answer = answerOf(50'000);
        cache.keep(sha256("a"), answer, 60'000, room, true);
        QCOMPARE(cache.bytes(), answer->size());
        const auto newer = answerOf(20'000);
        cache.keep(sha256("a"), newer, 0, room, false); // in its place
        QCOMPARE(cache.bytes(), newer->size());
    }

    void tooLarge_isToldAndNotKept()
    {
        AnswerCache cache;
        QCOMPARE(look(cache, "a"), Place::Lead);
        bool isTold = false;
        auto waiter = std::make_shared<AnswerCache::Waiter>();
        waiter->told = [&isTold](const auto &answer) { isTold = answer != nullptr; };
        QCOMPARE(cache.find(sha256("a"), begin, 1min, [&] { return waiter; }).place, Place::Wait);
        keep(cache, "a", room);
        QVERIFY(isTold);
        QCOMPARE(cache.bytes(), std::size_t(0));
        QCOMPARE(look(cache, "a"), Place::Lead);
    }

    void waiters_areBounded()
    {
        AnswerCache cache;
        QCOMPARE(look(cache, "a"), Place::Lead);
        int told = 0;
        const auto makeWaiter = [&told] {
            auto waiter = std::make_shared<AnswerCache::Waiter>();
            waiter->told = [&told](const auto &) { ++told; };
            return waiter;
        };
        for (std::size_t i = 0; i < AnswerCache::mostWaiting; ++i)
            QCOMPARE(cache.find(sha256("a"), begin, 1min, makeWaiter).place, Place::Wait);
        QCOMPARE(cache.find(sha256("a"), begin, 1min, makeWaiter).place, Place::Apart);
        cache.endLead(sha256("a"));
        QCOMPARE(told, 1); // one, not all
        QCOMPARE(cache.find(sha256("a"), begin, 1min, makeWaiter).place, Place::Wait);
        keep(cache, "a", 10);
        QCOMPARE(cache.waiting(), std::size_t(0));
        QCOMPARE(static_cast<std::size_t>(told), AnswerCache::mostWaiting + 1);
    }

    void leaving_afterItWasTold_isNone()
    {
        AnswerCache cache;
        QCOMPARE(look(cache, "a"), Place::Lead);
        auto waiter = std::make_shared<AnswerCache::Waiter>();
        waiter->told = [](const auto &) {};
        QCOMPARE(cache.find(sha256("a"), begin, 1min, [&] { return waiter; }).place, Place::Wait);
        QVERIFY(!cache.leave(sha256("b"), waiter));
        QVERIFY(cache.leave(sha256("a"), waiter));
        QVERIFY(!cache.leave(sha256("a"), waiter));
        cache.endLead(sha256("a"));
        QCOMPARE(look(cache, "a"), Place::Lead);
    }

    /// Whoever leads keeps or fails by turns; nobody is forgotten, and never do two lead.
    void manyThreads_oneLeadsAtATime()
    {
        AnswerCache cache;
        std::atomic<int> leading = 0;
        std::atomic<int> atOnce = 0;
        const auto work = [&](int seed) {
            for (int i = 0; i < 3000; ++i) {
                const AnswerCache::Key key = sha256("k" + std::to_string(i % 3));
                std::atomic<int> told = 0; // 1: an answer, 2: the lead
                auto waiter = std::make_shared<AnswerCache::Waiter>();
                waiter->told = [&told](const auto &answer) { told = answer ? 1 : 2; };
                const auto found
                    = cache.find(key, begin + (i % 7) * 1s, 3s, [&] { return waiter; });
                if (found.place == Place::Wait) {
                    while (told == 0)
                        std::this_thread::yield();
                }
                if (found.place != Place::Lead && told != 2)
                    continue;
                if (i % 3 == 0 && ++leading > 1)
                    ++atOnce;
                if (i % 3 == 0)
                    --leading;
                if ((i + seed) % 2 == 0)
                    cache.endLead(key);
                else
                    cache.keep(key, answerOf(10), 0, room, true);
            }
        };
        std::vector<std::thread> threads;
        for (int seed = 0; seed < 4; ++seed)
            threads.emplace_back(work, seed);
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(atOnce.load(), 0);
        QCOMPARE(cache.waiting(), std::size_t(0));
    }
};

QTEST_GUILESS_MAIN(TestAnswerCache)
#include "tst_answercache.moc"
