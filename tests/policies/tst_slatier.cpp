// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "tests/policies/policytest.h"

#include <QTest>

#include <chrono>
#include <memory>
#include <string>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::PolicyTest;
using test::TestRequest;

namespace {

constexpr std::string_view tiers = R"({tiers: {
  standard: {requests: 2, tokens: 1000, per: 1m, amount: 0.01 USD, amountPer: day},
  gold: {requests: 5},
  free: {}}})";

/// A token of output of the model `m` costs 10 millionths of a dollar, one of input 1.
class SlaTier : public PolicyTest
{
public:
    explicit SlaTier(QByteArrayView config = {tiers.data(), static_cast<qsizetype>(tiers.size())})
        : PolicyTest("sla-tier", config)
    {
        route.modelFinder = std::make_shared<const ModelFinder>(ModelPlaces{});
        route.outputCap = [](std::string_view path, const json::Value &body) {
            return findDialect("openai")->outputCap(path, body);
        };
        route.providerNames = {"acme"};
        std::vector<PriceRow> rows;
        rows.push_back({.model = "m", .prices = {.input = 1'000'000, .output = 10'000'000}});
        context.priceTable = std::make_shared<const PriceTable>("1", std::move(rows));
    }
    void be(const std::string &tier, const std::string &name = "c")
    {
        m_client = {.name = name, .tier = tier};
        knownClient = &m_client;
    }
    /// A chat that may write so much.
    [[nodiscard]] std::unique_ptr<TestRequest> ask(int output, const std::string &model = "m")
    {
        auto request
            = start({},
                    nullptr,
                    "{\"model\":\"" + model + "\",\"max_tokens\":" + std::to_string(output) + "}");
        request->exchange.setProvider("acme");
        return request;
    }

private:
    ClientEntry m_client;
};

Answer answered(std::uint64_t input, std::uint64_t output)
{
    Answer answer{.isSent = true, .status = 200, .isWhole = true, .isUsageFinal = true};
    answer.usage.input = input;
    answer.usage.output = output;
    answer.usage.model = "m";
    return answer;
}

} // namespace

class TestSlaTier : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void requests_areCountedByClient_asItsTierSays()
    {
        SlaTier policy;
        policy.be("standard");
        for (int i = 0; i < 2; ++i) {
            const auto passed = policy.ask(1);
            QCOMPARE(passed->result(), "pass");
            passed->finish(answered(1, 1));
        }
        const auto refused = policy.ask(1);
        QCOMPARE(refused->result(), "429 sla-tier:requests");
        QVERIFY(refused->replyFields().contains("retry-after: 62\n"));
        policy.be("standard", "d");
        QCOMPARE(policy.ask(1)->result(), "pass");
        // Another tier, the same window: what was used is not forgotten.
        policy.be("gold");
        for (int i = 0; i < 3; ++i)
            QCOMPARE(policy.ask(1)->result(), "pass");
        QCOMPARE(policy.ask(1)->result(), "429 sla-tier:requests");
        policy.services.advance(63s);
        QCOMPARE(policy.ask(1)->result(), "pass");
    }

    void tokens_areReserved_andGivenBack()
    {
        SlaTier policy("{tiers: {standard: {tokens: 1000, per: 1m}}}");
        policy.be("standard");
        const auto first = policy.ask(900);
        QCOMPARE(first->result(), "pass");
        const auto second = policy.ask(500);
        QCOMPARE(second->result(), "429 sla-tier:tokens");
        QVERIFY(second->reply.retryable);
        first->finish(answered(10, 90));
        const auto third = policy.ask(500);
        QCOMPARE(third->result(), "pass");
    }

    void amount_isReserved_andGivenBack()
    {
        SlaTier policy("{tiers: {standard: {amount: 0.01 USD, amountPer: day}}}");
        policy.be("standard");
        const auto first = policy.ask(900);
        QCOMPARE(first->result(), "pass");
        const auto second = policy.ask(500);
        QCOMPARE(second->result(), "429 sla-tier:amount");
        QVERIFY(QByteArray::fromStdString(second->reply.message).contains("0.01 USD a day"));
        first->finish(answered(10, 90));
        QCOMPARE(policy.ask(500)->result(), "pass");
        QCOMPARE(policy.ask(1, "unpriced")->result(), "403 sla-tier:amount:unknown-price");
    }

    void refusedByOnePart_takesNothingOfTheOthers()
    {
        SlaTier policy("{tiers: {standard: {tokens: 1000, per: 1m, amount: 0.001 USD}}}");
        policy.be("standard");
        for (int i = 0; i < 3; ++i) {
            const auto refused = policy.ask(900); // 900 tokens are 9,000 millionths
            QCOMPARE(refused->result(), "429 sla-tier:amount");
            refused->finish({});
        }
        QCOMPARE(policy.ask(50)->result(), "pass");
    }

    void stream_isCut_whereNothingIsLeft()
    {
        SlaTier policy("{tiers: {standard: {tokens: 600, per: 1m}}}");
        policy.be("standard");
        const auto stream
            = policy.start({}, nullptr, R"({"model":"m","stream":true,"messages":[]})");
        QCOMPARE(stream->result(), "pass");
        std::optional<Reply> cut;
        for (int i = 0; i < 10'000 && !cut; ++i)
            cut = stream->pass(
                "data: {\"choices\":[{\"delta\":{\"content\":\"word word word word\"}}]}\n\n");
        QVERIFY(cut);
        QCOMPARE(cut->reason, std::string("sla-tier:tokens:cut"));
    }

    void headers_sayWhatIsLeft()
    {
        SlaTier policy;
        policy.be("standard");
        const auto request = policy.ask(1);
        QCOMPARE(request->respond(""),
                 "x-ratelimit-limit: 2\nx-ratelimit-remaining: 1\n"
                 "x-ratelimit-reset: 62\n");
        QVERIFY(policy.make("{tiers: {standard: {requests: 2}}, exposeHeaders: false}"));
        QCOMPARE(policy.ask(1)->respond(""), "");
    }

    void tierWithoutLimits_usesAnything()
    {
        SlaTier policy;
        policy.be("free");
        for (int i = 0; i < 100; ++i)
            QCOMPARE(policy.ask(1'000'000, "unpriced")->result(), "pass");
    }

    void unknownTier_andNoClient_areRefused()
    {
        SlaTier policy;
        policy.be("silver");
        const auto refused = policy.ask(1);
        QCOMPARE(refused->result(), "403 sla-tier:unknown");
        QVERIFY(QByteArray::fromStdString(refused->reply.message).contains("\"silver\""));
        policy.knownClient = nullptr;
        QCOMPARE(policy.ask(1)->result(), "403 sla-tier:client");
    }

    void observing_refusesNothing()
    {
        SlaTier policy;
        QVERIFY(policy.make("{tiers: {standard: {requests: 1}}}", true));
        policy.be("standard");
        for (int i = 0; i < 3; ++i)
            QCOMPARE(policy.ask(1)->result(), "pass");
        const auto last = policy.ask(1);
        QCOMPARE(last->decision(), "would-refuse");
        policy.be("silver");
        const auto unknown = policy.ask(1);
        QCOMPARE(unknown->result(), "pass");
        unknown->finish(answered(1, 1));
    }

    void reload_keepsTheCount()
    {
        SlaTier policy;
        policy.be("standard");
        for (int i = 0; i < 2; ++i)
            QCOMPARE(policy.ask(1)->result(), "pass");
        QVERIFY(policy.make("{tiers: {standard: {requests: 3, per: 1m}}}"));
        QCOMPARE(policy.ask(1)->result(), "pass");
        QCOMPARE(policy.ask(1)->result(), "429 sla-tier:requests");
    }

    void config_wrong_isRefused_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("no tier") << QByteArray("{tiers: {}}")
                                 << QByteArray("tiers must be at least 1 entries long");
        QTest::newRow("a list") << QByteArray("{tiers: [standard]}")
                                << QByteArray("tiers must be a map, not a list");
        QTest::newRow("no map") << QByteArray("{tiers: {standard: 5}}")
                                << QByteArray("must be a map of fields, not a single value");
        QTest::newRow("no number") << QByteArray("{tiers: {standard: {requests: 0}}}")
                                   << QByteArray("requests must be at least 1");
        QTest::newRow("unknown field") << QByteArray("{tiers: {standard: {request: 5}}}")
                                       << QByteArray("unknown field \"request\"");
    }
    void config_wrong_isRefused()
    {
        QFETCH(const QByteArray, config);
        QFETCH(const QByteArray, said);
        SlaTier policy(config);
        QVERIFY(!policy.make());
        QVERIFY2(policy.context.said().contains(said), policy.context.said().constData());
    }
};

QTEST_APPLESS_MAIN(TestSlaTier)
#include "tst_slatier.moc"
