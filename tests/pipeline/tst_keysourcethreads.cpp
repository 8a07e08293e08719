// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/tokenverifier.h"
#include "tests/support/jose.h"

#include <QTest>

#include <atomic>
#include <barrier>
#include <deque>
#include <mutex>
#include <thread>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::SigningKey;

namespace {

constexpr int rotations = 24;
constexpr int published = 4;                 ///< keys in the set at a time
constexpr std::int64_t rotationTime = 2'000; ///< in milliseconds
constexpr std::int64_t step = 10;            ///< of the clock, in milliseconds

/// An issuer that signs with a new key as soon as it is in the set. Any thread.
class Issuer
{
public:
    Issuer()
    {
        for (int i = 0; i < rotations; ++i) {
            const SigningKey key = SigningKey::ec("P-256");
            const std::string id = "\"kid\":\"" + std::to_string(i) + "\"";
            m_jwks.push_back(key.jwk(id));
            m_tokens.push_back(key.token("ES256", id, "{}"));
        }
    }
    [[nodiscard]] std::string set() const
    {
        const int last = m_current;
        std::string text;
        for (int i = std::max(0, last - published + 1); i <= last; ++i)
            text += (text.empty() ? "" : ",") + m_jwks[static_cast<std::size_t>(i)];
        return "{\"keys\":[" + text + "]}";
    }
    [[nodiscard]] const std::string &token() const
    {
        return m_tokens[static_cast<std::size_t>(m_current.load())];
    }
    void rotate() { ++m_current; }

private:
    std::vector<std::string> m_jwks;
    std::vector<std::string> m_tokens;
    std::atomic<int> m_current{0};
};

/// The clock of all workers, in milliseconds; one of them moves it.
using Clock = std::atomic<std::int64_t>;

/// A worker with a queue that any thread may post to, and answers that are under way for a while.
class Worker final : public Services
{
public:
    Worker(const Issuer &issuer, const Clock &clock)
        : m_issuer(issuer)
        , m_clock(clock)
    {}

    void fetch(FetchRequest, std::function<void(Result<FetchResponse>)> done) override
    {
        ++fetches;
        FetchResponse response;
        response.status = 200;
        response.body = m_issuer.set(); // as it is when the question gets there
        after(300ms, [response, done] { done(response); });
    }
    void after(std::chrono::milliseconds delay, std::function<void()> call) override
    {
        m_timers.push_back({now() + delay, std::move(call)});
    }
    [[nodiscard]] std::function<void(std::function<void()>)> poster() override
    {
        return [this](std::function<void()> call) {
            const std::lock_guard lock(m_mutex);
            m_posted.push_back(std::move(call));
        };
    }
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override
    {
        return std::chrono::steady_clock::time_point(std::chrono::milliseconds(m_clock.load()));
    }
    [[nodiscard]] std::chrono::system_clock::time_point wallNow() const override { return {}; }
    [[nodiscard]] KeyHash hashKey(std::string_view) const override { return {}; }

    void turn()
    {
        std::deque<std::function<void()>> calls;
        {
            const std::lock_guard lock(m_mutex);
            calls.swap(m_posted);
        }
        for (const auto &call : calls)
            call();
        for (std::size_t i = 0; i < m_timers.size();) {
            if (m_timers[i].first > now()) {
                ++i;
                continue;
            }
            const auto call = std::move(m_timers[i].second);
            m_timers.erase(m_timers.begin() + static_cast<std::ptrdiff_t>(i));
            call();
        }
    }

    int fetches = 0;

private:
    const Issuer &m_issuer;
    const Clock &m_clock;
    std::mutex m_mutex;
    std::deque<std::function<void()>> m_posted;
    std::vector<std::pair<std::chrono::steady_clock::time_point, std::function<void()>>> m_timers;
};

struct Counts
{
    std::atomic<int> verified = 0;
    std::atomic<int> refused = 0;
    std::atomic<int> waited = 0;
};

void request(Worker &worker, const TokenVerifier &verifier, const Issuer &issuer, Counts &counts)
{
    const auto count = [&counts](const TokenVerifier::Finding &finding) {
        ++(finding.outcome == KeySet::Outcome::Verified ? counts.verified : counts.refused);
    };
    auto token
        = std::make_shared<const JsonWebToken>(std::move(*JsonWebToken::parse(issuer.token())));
    if (const auto finding = verifier.verifyNow(worker, *token)) {
        count(*finding);
        return;
    }
    ++counts.waited;
    verifier.verifyLater(worker, token, count);
}

} // namespace

class TestKeySourceThreads : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void rotation_underLoadOfFourWorkers_failsNoRequest()
    {
        constexpr int workers = 4;
        constexpr std::int64_t begin = 1'000'000;
        constexpr std::int64_t end = begin + (rotations - 1) * rotationTime;
        constexpr std::int64_t last = end + 20'000; // by then those who wait are told
        Issuer issuer;
        Clock clock{begin};
        Counts counts;
        const TokenVerifier verifier(std::vector<TokenVerifier::Source>{
            {std::make_shared<KeySource>(), {std::make_shared<const Endpoint>(), 1min, 5s}}});
        std::vector<std::unique_ptr<Worker>> all;
        for (int i = 0; i < workers; ++i)
            all.push_back(std::make_unique<Worker>(issuer, clock));
        // Time goes on when all have had their turn, so that none falls behind the issuer.
        std::barrier turns(workers, [&]() noexcept {
            clock += step;
            if (clock < end && (clock - begin) % rotationTime == 0)
                issuer.rotate();
        });
        std::vector<std::thread> threads;
        for (const auto &worker : all) {
            threads.emplace_back([&, raw = worker.get()] {
                while (clock < last) {
                    if (clock < end)
                        request(*raw, verifier, issuer, counts);
                    raw->turn();
                    turns.arrive_and_wait();
                }
            });
        }
        for (std::thread &thread : threads)
            thread.join();
        int fetches = 0;
        for (const auto &worker : all)
            fetches += worker->fetches;
        qInfo("%d verified, %d of them waited, %d refused, %d fetches",
              counts.verified.load(),
              counts.waited.load(),
              counts.refused.load(),
              fetches);
        QCOMPARE(counts.refused.load(), 0);
        QVERIFY(counts.verified > rotations * 100);
        QVERIFY(counts.waited > rotations / 2);
        QVERIFY(fetches <= rotations * 2 / 5 + 3);
    }
};

QTEST_APPLESS_MAIN(TestKeySourceThreads)
#include "tst_keysourcethreads.moc"
