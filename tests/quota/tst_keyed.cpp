// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/keyed.h"
#include "gateway/quota/seats.h"
#include "gateway/quota/windowset.h"

#include <QTest>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace gatehouse::quota;
using namespace std::chrono_literals;

namespace {

const Time start{1000h};

/// The smallest cell: a million of them are made here.
struct Count
{
    std::atomic<int> value = 0;
    bool isHeld = false;

    [[nodiscard]] bool isFree() const { return !isHeld; }
    void reset() { value = 0; }
};

using Counts = Keyed<Count>;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int manyKeys = 100'000; // forty times slower there
#else
constexpr int manyKeys = 1'000'000;
#endif

template<typename Counts>
int countOn(Counts &counts, std::string_view key, Time now)
{
    return counts.use(key, now, [](Count &count) { return ++count.value; });
}

std::function<std::unique_ptr<Count>()> makeCount()
{
    return [] { return std::make_unique<Count>(); };
}

} // namespace

class TestKeyed : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keys_haveTheirOwnCells()
    {
        Counts counts(1min, makeCount());
        QCOMPARE(countOn(counts, "a", start), 1);
        QCOMPARE(countOn(counts, "b", start), 1);
        QCOMPARE(countOn(counts, "a", start + 1min), 2);
        QCOMPARE(countOn(counts, "", start), 1);
        QCOMPARE(counts.size(), std::size_t(3));
    }

    void cell_longUnused_startsAnewUnlessItIsHeld()
    {
        Counts counts(2min, makeCount());
        (void)countOn(counts, "a", start);
        QCOMPARE(countOn(counts, "a", start + 2min), 2);
        QCOMPARE(countOn(counts, "a", start + 4min + 1ns), 1);
        counts.use("a", start + 4min, [](Count &count) { return count.isHeld = true; });
        QCOMPARE(countOn(counts, "a", start + 1h), 2);
        QCOMPARE(counts.size(), std::size_t(1));
    }

    /// A million keys, and when they are idle a million others: cells are used again.
    void memory_ofKeysThatCome_isBounded()
    {
        Keyed<Count, manyKeys / 16> counts(1min, makeCount());
        constexpr int keys = manyKeys;
        for (int i = 0; i < keys; ++i)
            (void)countOn(counts, std::to_string(i), start);
        const std::size_t live = counts.size();
        QVERIFY(live > keys * 0.999);
        // None that counts is forgotten.
        int shared = 0;
        for (int i = 0; i < keys; ++i) {
            const int count = countOn(counts, std::to_string(i), start + 1min);
            QVERIFY(count >= 2);
            shared += count != 2;
        }
        qInfo("%d of %d keys share a cell", shared, keys);
        QVERIFY(shared < keys / 1000);
        for (int i = keys; i < 2 * keys; ++i)
            (void)countOn(counts, std::to_string(i), start + 1h);
        QVERIFY(counts.size() < live * 1.2);
    }

    void keys_beyondTheLast_shareACellAndAreCounted()
    {
        Keyed<Count, 16> counts(1min, makeCount());
        constexpr int keys = 3'000;
        for (int i = 0; i < keys; ++i)
            (void)countOn(counts, std::to_string(i), start);
        QCOMPARE(counts.size(), std::size_t(16 * 32));
        int least = 3;
        for (int i = 0; i < keys; ++i)
            least = std::min(least, countOn(counts, std::to_string(i), start));
        QCOMPARE(least, 2); // never fewer than came
    }

    void cells_ofThreads_loseNothing()
    {
        Counts counts(1min, makeCount());
        const auto run = [&] {
            for (int i = 0; i < 200'000; ++i)
                (void)countOn(counts, std::to_string(i % 1000), start);
        };
        std::thread other(run);
        run();
        other.join();
        for (int i = 0; i < 1000; ++i)
            QCOMPARE(countOn(counts, std::to_string(i), start), 401);
        QCOMPARE(counts.size(), std::size_t(1000));
    }

    void seats_full_queueInOrder()
    {
        Seats seats;
        std::vector<int> order;
        const auto waiter = [&](int name) {
            auto made = std::make_shared<Seats::Waiter>();
            made->seated = [&order, name] { order.push_back(name); };
            return made;
        };
        const auto first = waiter(1);
        const auto second = waiter(2);
        const auto third = waiter(3);
        QVERIFY(seats.take(1));
        QVERIFY(!seats.take(1));
        QCOMPARE(seats.takeOrWait(1, 3, first), Seats::Place::Queue);
        QCOMPARE(seats.takeOrWait(1, 3, second), Seats::Place::Queue);
        QCOMPARE(seats.takeOrWait(1, 3, third), Seats::Place::Queue);
        QCOMPARE(seats.takeOrWait(1, 3, waiter(4)), Seats::Place::None);
        QVERIFY(!seats.take(2)); // behind those who wait
        QVERIFY(seats.leave(second));
        QVERIFY(!seats.leave(second));
        seats.giveBack(1);
        QCOMPARE(order, (std::vector<int>{1}));
        QVERIFY(!seats.leave(first));
        seats.giveBack(1);
        QCOMPARE(order, (std::vector<int>{1, 3}));
        QVERIFY(!seats.isFree());
        seats.giveBack(1);
        QVERIFY(seats.isFree());
        QCOMPARE(seats.takeOrWait(1, 1, waiter(5)), Seats::Place::Seat);
    }

    /// Each takes a seat, or waits for it, and gives it back, over and over: never more than there are at
    /// once, and nobody is left waiting.
    void seats_ofThreads_areNeverTooManyAndNobodyIsForgotten()
    {
        Seats seats;
        std::atomic<int> taken = 0;
        std::atomic<int> most = 0;
        std::atomic<int> served = 0;
        constexpr int max = 2;
        constexpr int rounds = 5'000;
        const auto use = [&] {
            const int now = ++taken;
            int seen = most;
            while (seen < now && !most.compare_exchange_weak(seen, now)) {
            }
            ++served;
            --taken;
        };
        const auto run = [&] {
            for (int i = 0; i < rounds; ++i) {
                const auto waiter = std::make_shared<Seats::Waiter>();
                std::atomic<bool> isSeated = false;
                waiter->seated = [&isSeated] {
                    isSeated = true;
                    isSeated.notify_one();
                };
                if (seats.takeOrWait(max, 10, waiter) == Seats::Place::Queue)
                    isSeated.wait(false);
                use();
                seats.giveBack(max);
            }
        };
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back(run);
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(served.load(), 4 * rounds);
        QVERIFY(most.load() <= max);
        QVERIFY(seats.isFree());
    }
};

QTEST_APPLESS_MAIN(TestKeyed)
#include "tst_keyed.moc"
