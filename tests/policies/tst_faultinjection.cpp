// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policyrun.h"

#include <QTest>

#include <atomic>
#include <thread>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

class TestFaultInjection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void share_ofEachHundred_isExact_data()
    {
        QTest::addColumn<int>("percent");
        for (const int percent : {0, 1, 7, 50, 99, 100})
            QTest::addRow("%d", percent) << percent;
    }
    void share_ofEachHundred_isExact()
    {
        QFETCH(int, percent);
        PolicyRun run("fault-injection",
                      "abort: {status: 529, percent: " + std::to_string(percent) + "}\n");
        QCOMPARE(run.problems, QByteArray());
        for (int hundred = 0; hundred < 3; ++hundred) {
            int refused = 0;
            for (int i = 0; i < 100; ++i) {
                run.ask("GET /p/x");
                refused += run.isRefused() ? 1 : 0;
                if (run.isRefused())
                    QCOMPARE(run.reply.status, 529);
            }
            QCOMPARE(refused, percent);
        }
    }

    void share_ofAHalf_hasNoBeat()
    {
        PolicyRun run("fault-injection", "abort: {status: 503, percent: 50}\n");
        QByteArray turns;
        for (int i = 0; i < 100; ++i) {
            run.ask("GET /p/x");
            turns += run.isRefused() ? 'x' : '.';
        }
        QVERIFY2(turns.contains("xx") && turns.contains(".."), turns.constData());
        QVERIFY2(!turns.contains("xxx") && !turns.contains("..."), turns.constData());
    }

    void refusal_looksLikeTheProviders()
    {
        PolicyRun run("fault-injection", "abort: {status: 500, percent: 100}\ncutAfter: 10\n");
        run.ask("GET /p/x");
        QVERIFY(run.isRefused());
        QCOMPARE(run.reply.reason, std::string("fault-injection:abort"));
        QVERIFY(run.reply.retryable && !run.reply.hasOwnBody);
        QVERIFY(!run.exchange.cutAfter());
    }

    void delay_holdsTheRequest()
    {
        PolicyRun run("fault-injection", "delay: 1500ms\n");
        run.ask("GET /p/x");
        QVERIFY(run.isPaused());
        run.services.advance(1499ms);
        QVERIFY(run.isPaused());
        run.services.advance(1ms);
        QVERIFY(run.isPassed());
    }

    void delay_beforeARefusal_holdsItToo()
    {
        PolicyRun run("fault-injection", "delay: 1s\nabort: {status: 503, percent: 100}\n");
        run.ask("GET /p/x");
        QVERIFY(run.isPaused());
        run.services.advance(1s);
        QVERIFY(run.isRefused());
        QCOMPARE(run.reply.status, 503);
    }

    void delay_ofAClientThatIsGone_endsInNothing()
    {
        PolicyRun run("fault-injection", "delay: 1s\n");
        run.ask("GET /p/x");
        run.exchange.end();
        run.services.advance(2s);
        QVERIFY(run.isPaused());
    }

    void cut_isAskedOfTheExchange()
    {
        PolicyRun run("fault-injection", "cutAfter: 1KiB\n");
        run.ask("GET /p/x");
        QVERIFY(run.isPassed());
        QCOMPARE(run.exchange.cutAfter().value(), std::uint64_t(1024));
        PolicyRun whole("fault-injection", "cutAfter: 0\n");
        whole.ask("GET /p/x");
        QVERIFY(!whole.exchange.cutAfter());
    }

    void observing_neitherDelaysNorRefusesNorCuts()
    {
        PolicyRun run("fault-injection",
                      "delay: 1s\nabort: {status: 503, percent: 50}\ncutAfter: 1\n",
                      PolicyRun::Mode::Observe);
        for (int i = 0; i < 100; ++i) {
            run.ask("GET /p/x");
            QVERIFY(run.isPassed());
            QVERIFY(!run.exchange.cutAfter());
        }
        QVERIFY(run.services.timers.empty());
    }

    void share_ofManyWorkers_isCountedTogether()
    {
        PolicyRun run("fault-injection", "abort: {status: 503, percent: 30}\n");
        const auto policy = run.policy();
        std::atomic<int> refused = 0;
        std::vector<std::thread> workers;
        for (int worker = 0; worker < 4; ++worker)
            workers.emplace_back([&policy, &refused] {
                Exchange exchange;
                for (int i = 0; i < 250; ++i) {
                    const Verdict verdict = policy->onRequestBody(exchange);
                    refused += std::holds_alternative<Reply>(verdict) ? 1 : 0;
                }
            });
        for (std::thread &worker : workers)
            worker.join();
        QCOMPARE(refused.load(), 300);
    }

    void config_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("problem");
        const auto row = [](const char *name, const char *config, const char *problem) {
            QTest::newRow(name) << QByteArray(config) << QByteArray(problem);
        };
        row("share beyond", "abort: {status: 503, percent: 101}", "percent must be at most 100");
        row("share below", "abort: {status: 503, percent: -1}", "percent must be at least 0");
        row("no share", "abort: {status: 503}", "percent is missing");
        row("no status", "abort: {percent: 1}", "status is missing");
        row("no refusal", "abort: {status: 200, percent: 1}", "status must be at least 400");
        row("delay beyond", "delay: 11m", "delay must be at most 10m");
        row("size below", "cutAfter: -1", "cutAfter must be a size");
    }
    void config_wrong_isRefused()
    {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, problem);
        const PolicyRun run("fault-injection", config);
        QVERIFY2(run.problems.contains(problem), run.problems.constData());
        QVERIFY(!run.isMade);
    }
};

QTEST_APPLESS_MAIN(TestFaultInjection)
#include "tst_faultinjection.moc"
