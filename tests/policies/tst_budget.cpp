// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "tests/policies/policytest.h"

#include <QTemporaryDir>
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

/// A token of output of the model `m` costs 10 millionths of a dollar, one of input 1; of `free` nothing.
class Budget : public PolicyTest
{
public:
    explicit Budget(QByteArrayView config)
        : PolicyTest("budget", config)
    {
        route.modelFinder = std::make_shared<const ModelFinder>(ModelPlaces{});
        route.outputCap = [](std::string_view path, const json::Value &body) {
            return findDialect("openai")->outputCap(path, body);
        };
        route.providerNames = {"acme"};
        std::vector<PriceRow> rows;
        rows.push_back({.model = "m", .prices = {.input = 1'000'000, .output = 10'000'000}});
        rows.push_back({.model = "free"});
        context.priceTable = std::make_shared<const PriceTable>("1", std::move(rows));
    }

    [[nodiscard]] std::unique_ptr<TestRequest>
    ask(const std::string &members, FakeServices *worker = nullptr, const std::string &model = "m")
    {
        auto request = start({}, worker, "{\"model\":\"" + model + "\"," + members + "}");
        request->exchange.setProvider("acme");
        return request;
    }
};

Answer answered(std::uint64_t input, std::uint64_t output, const std::string &model = "m-2026")
{
    Answer answer{.isSent = true, .status = 200, .isWhole = true, .isUsageFinal = true};
    answer.usage.input = input;
    answer.usage.output = output;
    answer.usage.model = model;
    return answer;
}

constexpr std::string_view cent
    = "{limits: [{amount: 0.01 USD, per: day}]}"; // 1,000 tokens of output

} // namespace

class TestBudget : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void mostThatItCanCost_isTaken_andTheRestGivenBack()
    {
        Budget policy(cent);
        const auto first = policy.ask("\"max_tokens\":960");
        QCOMPARE(first->result(), "pass");
        const auto second = policy.ask("\"max_tokens\":100");
        QCOMPARE(second->result(), "429 budget");
        QVERIFY(QByteArray::fromStdString(second->reply.message).contains("0.01 USD a day"));
        first->finish(answered(10, 99)); // 1,000 millionths by the price of the model asked for
        QCOMPARE(policy.ask("\"max_tokens\":880")->result(), "pass");
        QCOMPARE(policy.ask("\"max_tokens\":20")->result(), "429 budget");
    }

    void costOfTheProvider_wins()
    {
        Budget policy(cent);
        const auto first = policy.ask("\"max_tokens\":900");
        Answer answer = answered(100, 90);
        answer.usage.reportedMicroUsd = 9'900;
        first->finish(answer);
        QCOMPARE(policy.ask("\"max_tokens\":10")->result(), "429 budget");
    }

    void day_endsAtMidnightOfTheZone()
    {
        Budget policy(cent);
        policy.context.zone = "Asia/Tokyo";
        // 2027-01-15 08:00 UTC is 17:00 there.
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "pass");
        const auto refused = policy.ask("\"max_tokens\":950");
        QCOMPARE(refused->result(), "429 budget");
        QCOMPARE(refused->replyFields(), "retry-after: 25200\n");
        policy.services.wall += 7h - 1s;
        policy.services.steady += 7h - 1s;
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "429 budget");
        policy.services.wall += 1s;
        policy.services.steady += 1s;
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "pass");
    }

    void clockThatIsSet_opensNoWindow_data()
    {
        QTest::addColumn<qint64>("seconds");
        QTest::newRow("a day ahead") << qint64(86'400);
        QTest::newRow("a day back") << qint64(-86'400);
        QTest::newRow("1970") << qint64(-1'800'000'000);
        QTest::newRow("2038") << qint64(350'000'000);
    }
    void clockThatIsSet_opensNoWindow()
    {
        QFETCH(const qint64, seconds);
        Budget policy(cent);
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "pass");
        policy.services.wall += std::chrono::seconds(seconds);
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "429 budget");
        policy.services.wall -= std::chrono::seconds(seconds);
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "429 budget");
    }

    void clockThatStaysAhead_isBelievedAfterTenMinutes()
    {
        Budget policy(cent);
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "pass");
        policy.services.wall += 48h;
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "429 budget");
        policy.services.wall += 10min;
        policy.services.steady += 10min;
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "pass");
    }

    void total_neverComesBack()
    {
        Budget policy("{limits: [{amount: 0.01 USD, per: total}]}");
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "pass");
        const auto refused = policy.ask("\"max_tokens\":950");
        QCOMPARE(refused->result(), "429 budget");
        QVERIFY(!refused->reply.retryable);
        QCOMPARE(refused->replyFields(), "");
    }

    void allLimits_hold_orNothingIsTaken()
    {
        Budget policy("{limits: [{amount: 0.01 USD, per: day}, {amount: 0.005 USD, per: month}]}");
        QCOMPARE(policy.ask("\"max_tokens\":700")->result(), "429 budget");
        QCOMPARE(policy.ask("\"max_tokens\":450")->result(), "pass");
    }

    void modelWithoutPrice_data()
    {
        QTest::addColumn<QByteArray>("allows");
        QTest::addColumn<QByteArray>("result");
        QTest::newRow("refused") << QByteArray("refuse") << QByteArray("403 budget:unknown-price");
        QTest::newRow("allowed") << QByteArray("allow") << QByteArray("pass");
    }
    void modelWithoutPrice()
    {
        QFETCH(const QByteArray, allows);
        QFETCH(const QByteArray, result);
        const QByteArray config = "{limits: [{amount: 1 USD}], unknownPrice: " + allows + "}";
        Budget policy(config);
        QCOMPARE(policy.ask("\"x\":1", nullptr, "new")->result(), result);
        QCOMPARE(policy.start({}, nullptr, "{}")->result(), result);
        QCOMPARE(policy.ask("\"x\":1", nullptr, "free")->result(), "pass");
    }

    void warning_isSaidOnceMuchIsSpent()
    {
        Budget policy(cent);
        const auto little = policy.ask("\"max_tokens\":500");
        QCOMPARE(little->respond({}), "");
        const auto much = policy.ask("\"max_tokens\":400");
        QVERIFY2(much->respond({}).startsWith("x-gatehouse-budget: 0.009"),
                 much->respond({}).constData());
    }

    void streams_withoutCaps_areCut_andNeverOverspend()
    {
        Budget policy("{limits: [{amount: 1 USD, per: day}]}"); // 100,000 tokens of output
        std::vector<std::unique_ptr<TestRequest>> streams;
        for (int i = 0; i < 200; ++i) {
            auto stream = policy.ask("\"stream\":true");
            if (stream->isPassed())
                streams.push_back(std::move(stream));
        }
        // Each event is 20 tokens, and 80 bytes of text.
        const std::string event = "{\"text\":\"" + std::string(80, 'x') + "\"}";
        std::uint64_t tokens = 0;
        int cut = 0;
        for (bool goesOn = true; goesOn;) {
            goesOn = false;
            for (auto &stream : streams) {
                if (!stream)
                    continue;
                tokens += 20;
                if (stream->pass(event)) {
                    stream.reset();
                    ++cut;
                } else {
                    goesOn = true;
                }
            }
        }
        QVERIFY(cut > 100);
        QVERIFY2(tokens <= 101'000, qPrintable(QString::number(tokens)));
    }

    void restart_keepsWhatWasSpent()
    {
        const QTemporaryDir directory;
        const std::string path = directory.filePath(QStringLiteral("b")).toStdString();
        {
            Budget policy(cent);
            policy.context.counterPath = path;
            QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "pass");
        }
        Budget policy(cent);
        policy.context.counterPath = path;
        QCOMPARE(policy.ask("\"max_tokens\":950")->result(), "429 budget");
    }

    void threads_spendNoMoreThanTheLimit()
    {
        Budget policy("{limits: [{amount: 0.1 USD, per: day}]}");
        QVERIFY(policy.make());
        std::atomic<std::int64_t> spent = 0;
        const auto run = [&] {
            FakeServices worker;
            for (int i = 0; i < 300; ++i) {
                const auto request = policy.ask("\"max_tokens\":100", &worker);
                if (!request->isPassed())
                    continue;
                request->finish(answered(10, 50));
                spent += 510;
            }
        };
        std::thread other(run);
        run();
        other.join();
        QVERIFY2(spent <= 100'000, qPrintable(QString::number(spent)));
        QVERIFY2(spent > 97'000, qPrintable(QString::number(spent)));
    }
};

QTEST_APPLESS_MAIN(TestBudget)
#include "tst_budget.moc"
