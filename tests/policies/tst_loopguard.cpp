// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "tests/policies/policytest.h"

#include <QTest>

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

const Answer good{.isSent = true, .status = 200, .isWhole = true};

class LoopGuard : public PolicyTest
{
public:
    explicit LoopGuard(QByteArrayView config)
        : PolicyTest("loop-guard", config)
    {
        route.modelFinder = std::make_shared<const ModelFinder>(ModelPlaces{});
        route.lastTurn = [](std::string_view path, const json::Value &body, TurnForm form) {
            return findDialect("openai")->lastTurn(path, body, form);
        };
    }

    /// Result of a request, which got its answer.
    QByteArray ask(const std::string &text,
                   const Answer &answer = good,
                   const std::string &head = "POST /p/v1/chat/completions HTTP/1.1\r\n")
    {
        const std::string body
            = R"({"model":"m","messages":[{"role":"user","content":")" + text + "\"}]}";
        send(head, body);
        const QByteArray first = result();
        if (isPaused())
            services.advance(4s);
        const bool goesOn = isPassed();
        finish(goesOn ? answer : Answer{});
        return first;
    }
};

} // namespace

class TestLoopGuard : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sameTurn_isSlowed_thenRefused()
    {
        LoopGuard guard("{repeats: 4, within: 5m}");
        QCOMPARE(guard.ask("a"), "pass");
        QCOMPARE(guard.ask("a"), "pass");
        QCOMPARE(guard.ask("a"), "paused");
        QCOMPARE(guard.ask("a"), "paused");
        QCOMPARE(guard.ask("a"), "429 loop-guard");
        QVERIFY(!guard.reply.retryable);
        QCOMPARE(
            guard.reply.message,
            std::string("The same last turn was sent 4 times in 5m, so this looks like a loop. "
                        "Stop the agent, or have it do something else; the same may pass again "
                        "in 292 s"));
        QCOMPARE(guard.ask("a"), "429 loop-guard");
        QCOMPARE(guard.ask("b"), "pass");
        guard.services.advance(292s - 1ms);
        QCOMPARE(guard.ask("a"), "429 loop-guard");
        guard.services.advance(1ms);
        QCOMPARE(guard.ask("a"), "pass"); // the first three, before any wait, are too old
    }

    void waits_grow_toTheLongest()
    {
        LoopGuard guard("{repeats: 12, within: 5m}");
        std::vector<std::chrono::milliseconds> waits;
        for (int i = 0; i < 12; ++i) {
            guard.send("POST /p/v1/chat/completions HTTP/1.1\r\n",
                       "{\"messages\":[{\"content\":1}]}");
            std::chrono::milliseconds wait{0};
            if (guard.isPaused()) {
                QCOMPARE(guard.services.timers.size(), std::size_t(1));
                wait = std::chrono::duration_cast<std::chrono::milliseconds>(
                    guard.services.timers.front().due - guard.services.steady);
                guard.services.advance(wait - 1ms);
                QVERIFY(guard.isPaused());
                guard.services.advance(1ms);
            }
            QVERIFY(guard.isPassed());
            waits.push_back(wait);
            guard.finish(good);
        }
        const std::vector<std::chrono::milliseconds> expected{
            0ms, 0ms, 0ms, 0ms, 0ms, 0ms, 500ms, 1s, 2s, 4s, 4s, 4s};
        QVERIFY(waits == expected);
    }

    void one_isRefusedTheSecondTime()
    {
        LoopGuard guard("{repeats: 1}");
        QCOMPARE(guard.ask("a"), "pass");
        QCOMPARE(guard.ask("a"), "429 loop-guard");
        QVERIFY(guard.reply.message.find("once already") != std::string::npos);
    }

    void growingConversation_isNoLoop()
    {
        LoopGuard guard("{repeats: 2}");
        std::string turns = "{\"role\":\"user\",\"content\":\"go\"}";
        for (int i = 0; i < 20; ++i) {
            guard.send("POST /p/v1/chat/completions HTTP/1.1\r\n",
                       "{\"messages\":[" + turns + "]}");
            QCOMPARE(guard.result(), "pass");
            guard.finish(good);
            turns += ",{\"role\":\"assistant\",\"content\":\"step " + std::to_string(i)
                     + "\"},{\"role\":\"user\",\"content\":\"continue\"}";
        }
    }

    void failedAnswers_areNotCounted_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<bool>("isCounted");
        QTest::newRow("no answer") << 0 << false;
        QTest::newRow("overloaded") << 529 << false;
        QTest::newRow("limited") << 429 << false;
        QTest::newRow("cut, but paid for") << 200 << true;
    }
    void failedAnswers_areNotCounted()
    {
        QFETCH(const int, status);
        QFETCH(const bool, isCounted);
        LoopGuard guard("{repeats: 1}");
        const Answer answer{.isSent = true, .status = status};
        QCOMPARE(guard.ask("a", answer), "pass");
        QCOMPARE(guard.ask("a", answer), isCounted ? "429 loop-guard" : "pass");
    }

    void clientGone_whileItWaits_isNotCounted()
    {
        LoopGuard guard("{repeats: 2}");
        QCOMPARE(guard.ask("a"), "pass");
        for (int i = 0; i < 5; ++i) {
            guard.send("POST /p/v1/chat/completions HTTP/1.1\r\n",
                       "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}");
            QCOMPARE(guard.result(), "paused");
            guard.finish({});
            guard.exchange.end();
            guard.services.advance(10s); // its timer finds nobody
        }
    }

    void sentAtOnce_countsOnce()
    {
        LoopGuard guard("{repeats: 2}");
        std::vector<std::unique_ptr<TestRequest>> samples;
        for (int i = 0; i < 20; ++i) {
            samples.push_back(guard.start({}, nullptr, "{\"messages\":[{\"content\":\"a\"}]}"));
            QCOMPARE(samples.back()->result(), "pass");
        }
        for (const auto &sample : samples)
            sample->finish(good);
        QCOMPARE(guard.start({}, nullptr, "{\"messages\":[{\"content\":\"a\"}]}")->result(),
                 "paused");
    }

    void whoIsCountedApart_data()
    {
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<bool>("isApart");
        const QByteArray chat = "POST /p/v1/chat/completions HTTP/1.1\r\n";
        const QByteArray body
            = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}";
        QTest::newRow("the same") << chat << body << false;
        QTest::newRow("with another query")
            << QByteArray("POST /p/v1/chat/completions?x=1 HTTP/1.1\r\n") << body << false;
        QTest::newRow("an escaped path")
            << QByteArray("POST /p/v1/chat/complet%69ons HTTP/1.1\r\n") << body << false;
        QTest::newRow("a field that says it is a retry") << chat + "x-stainless-retry-count: 1\r\n"
                                                         << body << false;
        QTest::newRow("of another type") << chat + "Content-Type: text/plain\r\n" << body << false;
        QTest::newRow("written otherwise")
            << chat
            << QByteArray("{\"messages\" : [{\"content\":\"\\u0061\",\"role\":\"user\"}], "
                          "\"model\":\"m\"}")
            << false;
        QTest::newRow("another model")
            << chat
            << QByteArray("{\"model\":\"n\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}")
            << true;
        QTest::newRow("another endpoint")
            << QByteArray("POST /p/v1/other HTTP/1.1\r\n") << body << true;
    }
    void whoIsCountedApart()
    {
        QFETCH(const QByteArray, head);
        QFETCH(const QByteArray, body);
        QFETCH(const bool, isApart);
        LoopGuard guard("{repeats: 1}");
        QCOMPARE(guard.ask("a"), "pass");
        guard.send(head.toStdString(), body.toStdString());
        QCOMPARE(guard.result(), isApart ? "pass" : "429 loop-guard");
    }

    void clients_areApart()
    {
        LoopGuard guard("{repeats: 1}");
        const ClientEntry one{.name = "one"};
        const ClientEntry two{.name = "two"};
        guard.knownClient = &one;
        QCOMPARE(guard.ask("a"), "pass");
        guard.knownClient = &two;
        QCOMPARE(guard.ask("a"), "pass");
        QCOMPARE(guard.ask("a"), "429 loop-guard");
    }

    void notCompared_data()
    {
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<QByteArray>("body");
        QTest::newRow("embeddings")
            << QByteArray("POST /p/v1/embeddings HTTP/1.1\r\n") << QByteArray("{\"input\":\"a\"}");
        QTest::newRow("a list") << QByteArray("GET /p/v1/models HTTP/1.1\r\n") << QByteArray();
        QTest::newRow("no body") << QByteArray("POST /p/v1/x HTTP/1.1\r\n") << QByteArray();
    }
    void notCompared()
    {
        QFETCH(const QByteArray, head);
        QFETCH(const QByteArray, body);
        LoopGuard guard("{repeats: 1}");
        for (int i = 0; i < 5; ++i) {
            guard.send(head.toStdString(), body.toStdString());
            QCOMPARE(guard.result(), "pass");
            guard.finish(good);
        }
    }

    void whatIsNoJson_isComparedAsItCame()
    {
        LoopGuard guard("{repeats: 1}");
        const std::string head
            = "POST /p/v1/chat/completions HTTP/1.1\r\nContent-Type: application/json\r\n";
        for (const char *body : {"{broken", "{broken too", "\xff"}) {
            guard.send(head, body);
            QCOMPARE(guard.result(), "pass");
            guard.finish(good);
            guard.send(head, body);
            QCOMPARE(guard.result(), "429 loop-guard");
        }
        guard.send(head + "Content-Encoding: gzip\r\n", "no gzip");
        QCOMPARE(guard.result(), "pass"); // others refuse it, the provider too
    }

    void prefix_takesChangingEnds()
    {
        LoopGuard guard("{repeats: 2, similarity: prefix}");
        QCOMPARE(guard.ask("Is the build done by now? 10:01"), "pass");
        QCOMPARE(guard.ask("Is the build done by now? 10:02"), "paused");
        QCOMPARE(guard.ask("Is the build done by now? 10:03"), "429 loop-guard");
        QCOMPARE(guard.ask("Something else altogether, please"), "pass");
    }

    void observe_changesNothing()
    {
        LoopGuard guard("{repeats: 2}");
        QVERIFY(guard.make("{repeats: 2}", true));
        for (int i = 0; i < 5; ++i)
            QCOMPARE(guard.ask("a"), "pass");
        QCOMPARE(guard.decision(), "would-refuse");
        QVERIFY(guard.services.timers.empty());
    }

    void reload_keepsTheCount()
    {
        LoopGuard guard("{repeats: 8}");
        QCOMPARE(guard.ask("a"), "pass");
        QCOMPARE(guard.ask("a"), "pass");
        QVERIFY(guard.make("{repeats: 2}"));
        QCOMPARE(guard.ask("a"), "429 loop-guard");
    }

    void threads_share()
    {
        LoopGuard guard("{repeats: 50}");
        QVERIFY(guard.make());
        const auto run = [&guard] {
            FakeServices worker;
            for (int i = 0; i < 200; ++i) {
                const auto request
                    = guard.start({}, &worker, "{\"messages\":[{\"content\":\"a\"}]}");
                worker.advance(4s);
                request->finish(request->isPassed() ? good : Answer{});
            }
        };
        std::thread other(run);
        run();
        other.join();
        // Each worker's fake clock has gone on by itself, so the window may be passed; never the state.
        FakeServices late;
        late.advance(24h);
        QCOMPARE(guard.start({}, &late, "{\"messages\":[{\"content\":\"a\"}]}")->result(), "pass");
    }
};

QTEST_APPLESS_MAIN(TestLoopGuard)
#include "tst_loopguard.moc"
