// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "tests/policies/policytest.h"

#include <QTest>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::FakeServices;
using test::PolicyTest;
using test::TestRequest;

namespace {

/// A policy of a route whose requests name their model as OpenAI's do.
class TokenLimit : public PolicyTest
{
public:
    explicit TokenLimit(QByteArrayView config)
        : PolicyTest("token-limit", config)
    {
        route.modelFinder = std::make_shared<const ModelFinder>(ModelPlaces{});
        route.outputCap = [](std::string_view path, const json::Value &body) {
            return findDialect("openai")->outputCap(path, body);
        };
    }

    [[nodiscard]] std::unique_ptr<TestRequest> ask(const std::string &members,
                                                   FakeServices *worker = nullptr)
    {
        return start({}, worker, "{\"model\":\"m\"," + members + "}");
    }
};

Answer answered(std::uint64_t input, std::uint64_t output)
{
    Answer answer{.isSent = true, .status = 200, .isWhole = true, .isUsageFinal = true};
    answer.usage.input = input;
    answer.usage.output = output;
    return answer;
}

} // namespace

class TestTokenLimit : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void mostThatItCanUse_isTakenBefore()
    {
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}], count: output}");
        const auto first = policy.ask("\"max_tokens\":600");
        QCOMPARE(first->result(), "pass");
        const auto second = policy.ask("\"max_tokens\":401");
        QCOMPARE(second->result(), "429 token-limit");
        QVERIFY(second->reply.retryable);
        QVERIFY(QByteArray::fromStdString(second->reply.message).contains("401 tokens"));
        QCOMPARE(policy.ask("\"max_tokens\":400")->result(), "pass");
        QCOMPARE(policy.ask("\"max_tokens\":1")->result(), "429 token-limit");
    }

    void whatWasNotUsed_isGivenBack()
    {
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}], count: output}");
        const auto first = policy.ask("\"max_tokens\":1000");
        first->finish(answered(10, 100));
        QCOMPARE(policy.ask("\"max_tokens\":901")->result(), "429 token-limit");
        QCOMPARE(policy.ask("\"max_tokens\":900")->result(), "pass");
    }

    void usedBeyondTheCap_countsToo()
    {
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}], count: output}");
        const auto first = policy.ask("\"max_tokens\":100");
        first->finish(answered(10, 1500)); // a provider that does not keep to the cap
        const auto second = policy.ask("\"max_tokens\":1");
        QCOMPARE(second->result(), "429 token-limit");
        QVERIFY(!policy.replyFields().contains("retry-after: 0"));
        policy.services.advance(2min);
        QCOMPARE(policy.ask("\"max_tokens\":1000")->result(), "pass");
    }

    void usageThatNeverCame_keepsAll_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<bool>("isSent");
        QTest::addColumn<bool>("isKept");
        QTest::newRow("cut answer") << 200 << true << true;
        QTest::newRow("no answer at all") << 0 << true << true;
        QTest::newRow("an error") << 500 << true << false;
        QTest::newRow("too many requests") << 429 << true << false;
        QTest::newRow("never sent") << 0 << false << false;
    }
    void usageThatNeverCame_keepsAll()
    {
        QFETCH(const int, status);
        QFETCH(const bool, isSent);
        QFETCH(const bool, isKept);
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}], count: output}");
        const auto first = policy.ask("\"max_tokens\":1000");
        first->finish({.isSent = isSent, .status = status});
        QCOMPARE(policy.ask("\"max_tokens\":1")->result(), isKept ? "429 token-limit" : "pass");
    }

    void partOfTheUsage_ofACutAnswer_givesNothingBack()
    {
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}], count: output}");
        const auto first = policy.ask("\"max_tokens\":1000");
        Answer answer = answered(10, 1);
        answer.isWhole = answer.isUsageFinal = false;
        first->finish(answer);
        QCOMPARE(policy.ask("\"max_tokens\":1")->result(), "429 token-limit");
    }

    void endTwice_givesBackOnce()
    {
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}], count: output}");
        const auto held = policy.ask("\"max_tokens\":500");
        const auto first = policy.ask("\"max_tokens\":500");
        first->finish(answered(1, 0));
        first->finish(answered(1, 0));
        QCOMPARE(policy.ask("\"max_tokens\":501")->result(), "429 token-limit");
    }

    void capBeyondTheLimit_withoutStream_isRefusedForGood()
    {
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}], count: output}");
        const auto request = policy.ask("\"max_tokens\":1001");
        QCOMPARE(request->result(), "429 token-limit");
        QVERIFY(!request->reply.retryable);
        QVERIFY(QByteArray::fromStdString(request->reply.message).contains("max_tokens"));
        QCOMPARE(policy.ask("\"max_tokens\":400,\"n\":3")->result(), "429 token-limit");
    }

    void streamWithoutCap_growsAndIsCut()
    {
        TokenLimit policy("{limits: [{tokens: 2000, per: 1m}], count: output}");
        const auto stream = policy.ask("\"stream\":true");
        QCOMPARE(stream->result(), "pass");
        // Two bytes are a token while nothing is known; 512 tokens at a time, 128 ahead.
        const std::string event = "data: {\"choices\":[{\"delta\":{\"content\":\""
                                  + std::string(200, 'x') + "\"}}]}\n\n";
        int passed = 0;
        std::optional<Reply> cut;
        while (!(cut = stream->pass(event)) && passed < 100)
            ++passed;
        QCOMPARE(passed, 18);
        QCOMPARE(cut->reason, std::string("token-limit:cut"));
        stream->finish({.isSent = true, .status = 200}); // what it took stays taken
        QCOMPARE(policy.ask("\"stream\":true")->result(), "429 token-limit");
    }

    void streamsTogether_takeNoMoreThanTheLimit()
    {
        TokenLimit policy("{limits: [{tokens: 5000, per: 1h}], count: output}");
        std::vector<std::unique_ptr<TestRequest>> streams;
        while (true) {
            auto stream = policy.ask("\"stream\":true");
            if (stream->isRefused())
                break;
            streams.push_back(std::move(stream));
        }
        QCOMPARE(streams.size(), std::size_t(9)); // of 512 each
        const std::string event = "{\"text\":\"" + std::string(100, 'x') + "\"}";
        std::uint64_t tokens = 0;
        for (bool goesOn = true; goesOn;) {
            goesOn = false;
            for (auto &stream : streams) {
                if (!stream)
                    continue;
                if (stream->pass(event)) {
                    stream.reset();
                } else {
                    tokens += 50;
                    goesOn = true;
                }
            }
        }
        QVERIFY2(tokens <= 5000, qPrintable(QString::number(tokens)));
        QVERIFY2(tokens > 3000, qPrintable(QString::number(tokens)));
    }

    void streamCapBeyondTheLimit_growsInstead()
    {
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}], count: output}");
        QCOMPARE(policy.ask("\"stream\":true,\"max_tokens\":32000")->result(), "pass");
        TokenLimit whole("{limits: [{tokens: 1000, per: 1m}], count: output, cutStreams: false}");
        QCOMPARE(whole.ask("\"stream\":true,\"max_tokens\":32000")->result(), "429 token-limit");
    }

    void observe_cutsNothing()
    {
        TokenLimit policy("{limits: [{tokens: 600, per: 1m}], count: output}");
        QVERIFY(policy.make("{limits: [{tokens: 600, per: 1m}], count: output}", true));
        const auto stream = policy.ask("\"stream\":true");
        for (int i = 0; i < 50; ++i)
            QVERIFY(!stream->pass("{\"text\":\"" + std::string(200, 'x') + "\"}"));
        QCOMPARE(stream->decision(), "would-refuse");
    }

    void guessBeyondTheLimit_waitsForAllOfIt()
    {
        // 8,000 bytes might be 4,000 tokens, or 500.
        const std::string words = "\"messages\":\"" + std::string(8000, ' ') + "\"";
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}], count: input}");
        const auto alone = policy.ask(words);
        QCOMPARE(alone->result(), "pass");
        QCOMPARE(policy.ask("\"x\":1")->result(), "429 token-limit");
        alone->finish(answered(700, 1));
        QCOMPARE(policy.ask(words)->result(), "429 token-limit"); // 700 are used
        QCOMPARE(policy.ask("\"x\":1")->result(), "pass");
    }

    void estimate_learns()
    {
        const std::string words = "\"messages\":\"" + std::string(2000, ' ') + "\"";
        TokenLimit policy("{limits: [{tokens: 1200, per: 1m}], count: input}");
        for (int i = 0; i < 20; ++i) {
            const auto request = policy.ask(words);
            QCOMPARE(request->result(), "pass");
            request->finish(answered(100, 1));
            policy.services.advance(2min);
        }
        // A thousand tokens before; by now a tenth more than a hundred.
        std::vector<std::unique_ptr<TestRequest>> held;
        for (int i = 0; i < 9; ++i) {
            held.push_back(policy.ask(words));
            QCOMPARE(held.back()->result(), "pass");
        }
    }

    void unseenUse_isRefused()
    {
        TokenLimit policy("{limits: [{tokens: 1000, per: 1m}]}");
        policy.send("GET /p/v1 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n");
        QCOMPARE(policy.result(), "403 token-limit:hidden");
    }

    void keysAndCounts_areApart()
    {
        TokenLimit policy("{limits: [{tokens: 100, per: 1m}], count: output, key: \"header:x-t\"}");
        const std::string body = R"({"model":"m","max_tokens":100})";
        const auto a = policy.start("x-t: a\r\n", nullptr, body);
        const auto b = policy.start("x-t: b\r\n", nullptr, body);
        QCOMPARE(a->result(), "pass");
        QCOMPARE(b->result(), "pass");
        QCOMPARE(policy.start("x-t: a\r\n", nullptr, body)->result(), "429 token-limit");
    }

    void threads_takeExactlyTheLimit()
    {
        TokenLimit policy("{limits: [{tokens: 10000, per: 1h}], count: output}");
        QVERIFY(policy.make());
        std::atomic<int> passed = 0;
        const auto run = [&] {
            FakeServices worker;
            for (int i = 0; i < 400; ++i) {
                const auto request = policy.ask("\"max_tokens\":50", &worker);
                if (!request->isPassed())
                    continue;
                // Every second one is settled at half of it.
                if (i % 2 == 0) {
                    request->finish(answered(1, 25));
                    passed += 25;
                } else {
                    passed += 50;
                }
            }
        };
        std::thread other(run);
        run();
        other.join();
        QVERIFY2(passed <= 10000, qPrintable(QString::number(passed)));
        QVERIFY2(passed > 9950, qPrintable(QString::number(passed)));
    }
};

QTEST_APPLESS_MAIN(TestTokenLimit)
#include "tst_tokenlimit.moc"
