// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/providerchoice.h"

#include <QTest>

#include <array>
#include <set>
#include <thread>

using namespace gatehouse;
using namespace std::chrono_literals;
using Balance = ProviderChoice::Balance;
using Standing = ProviderChoice::Standing;

namespace {

ProviderOption
option(const char *name, std::int64_t weight = 1, std::initializer_list<const char *> globs = {})
{
    ProviderOption made{.name = name, .weight = weight};
    for (const char *glob : globs)
        made.models.push_back(Glob::parse(glob, Glob::Kind::Name).value());
    return made;
}

/// The places as digits; "none" where no option is meant for the models.
std::string order(const ProviderChoice &choice,
                  const std::vector<Standing> &standings,
                  std::initializer_list<const char *> models = {},
                  std::string_view client = {})
{
    std::vector<RequestedModel> asked;
    for (const char *model : models)
        asked.push_back({.name = model});
    std::vector<std::uint8_t> places{9};
    if (!choice.order({.models = asked, .client = client}, standings, places))
        return "none";
    std::string text;
    for (const std::uint8_t place : places)
        text += std::to_string(place);
    return text;
}

/// How many of so many requests begin with each place.
std::array<int, 4>
firsts(const ProviderChoice &choice, const std::vector<Standing> &standings, int requests)
{
    std::array<int, 4> counts{};
    for (int i = 0; i < requests; ++i)
        ++counts.at(static_cast<std::size_t>(order(choice, standings).at(0) - '0'));
    return counts;
}

} // namespace

class TestProviderChoice : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void oneProvider_isIt() { QCOMPARE(order(ProviderChoice(), {{}}), "0"); }

    void fallbacks_comeInTheirOrder()
    {
        const ProviderChoice choice({option("a")}, 2, Balance::Weights);
        for (int i = 0; i < 5; ++i)
            QCOMPARE(order(choice, {{}, {}, {}}), "012");
    }

    void weights_areKept_inAnyRunOfRequests()
    {
        const ProviderChoice choice({option("a", 3), option("b", 1)}, 0, Balance::Weights);
        for (int run = 0; run < 50; ++run) {
            const auto counts = firsts(choice, {{}, {}}, 20);
            QVERIFY2(std::abs(counts[0] - 15) <= 2, qPrintable(QString::number(counts[0])));
        }
        const auto counts = firsts(choice, {{}, {}}, 10'000);
        QVERIFY(std::abs(counts[0] - 7500) <= 5);
        QCOMPARE(counts[0] + counts[1], 10'000);
    }

    void weights_areKept_amongTheRest()
    {
        const ProviderChoice choice(
            {option("a", 2), option("b", 2), option("c", 1)}, 0, Balance::Weights);
        const auto counts = firsts(choice, {{.isWell = false}, {}, {}}, 3000);
        QCOMPARE(counts[0], 0);
        QVERIFY(std::abs(counts[1] - 2000) <= 5);
        // Who comes second has its share, too: a and c alike where b is first.
        std::array<int, 3> seconds{};
        for (int i = 0; i < 9000; ++i) {
            const std::string places = order(choice, {{}, {}, {}});
            if (places[0] == '1')
                ++seconds.at(static_cast<std::size_t>(places[1] - '0'));
        }
        const int all = seconds[0] + seconds[2];
        QVERIFY(all > 3500 && all < 3700);
        QVERIFY(std::abs(seconds[0] - all * 2 / 3) < all / 20);
    }

    void weightOfZero_isLast()
    {
        for (const Balance balance : {Balance::Weights, Balance::Sticky}) {
            const ProviderChoice choice({option("a", 0), option("b", 1)}, 0, balance);
            for (int i = 0; i < 20; ++i)
                QCOMPARE(order(choice, {{}, {}}, {}, std::to_string(i)), "10");
        }
        const ProviderChoice choice({option("a", 0), option("b", 0)}, 0, Balance::Weights);
        QCOMPARE(order(choice, {{}, {}}), "01");
    }

    void weights_areKept_overThreads()
    {
        const ProviderChoice choice({option("a", 3), option("b", 1)}, 0, Balance::Weights);
        std::array<int, 4> one{};
        std::array<int, 4> two{};
        {
            const std::jthread thread([&] { one = firsts(choice, {{}, {}}, 5000); });
            two = firsts(choice, {{}, {}}, 5000);
        }
        QVERIFY(std::abs(one[0] + two[0] - 7500) <= 5);
    }

    void leastLatency_asksTheFastest_andTriesOthers()
    {
        const ProviderChoice choice(
            {option("a"), option("b"), option("c")}, 0, Balance::LeastLatency);
        const auto counts
            = firsts(choice, {{.latency = 900ms}, {.latency = 300ms}, {.latency = 600ms}}, 3200);
        QVERIFY(counts[1] >= 3000);
        QVERIFY(counts[0] > 30 && counts[2] > 30);
    }

    void leastLatency_asksTheUnknownFirst()
    {
        const ProviderChoice choice(
            {option("a"), option("b"), option("c")}, 0, Balance::LeastLatency);
        const auto counts = firsts(choice, {{.latency = 1us}, {}, {}}, 1600);
        QVERIFY(counts[0] < 60);
        QVERIFY(counts[1] > 700 && counts[2] > 700);
    }

    void sticky_keepsAClient_andMovesOnlyWhoMust()
    {
        const ProviderChoice three({option("a"), option("b"), option("c")}, 0, Balance::Sticky);
        const ProviderChoice two({option("a"), option("c")}, 0, Balance::Sticky);
        std::array<int, 3> counts{};
        for (int i = 0; i < 3000; ++i) {
            const std::string client = "client-" + std::to_string(i);
            const std::string places = order(three, {{}, {}, {}}, {}, client);
            QCOMPARE(order(three, {{}, {}, {}}, {}, client), places);
            ++counts.at(static_cast<std::size_t>(places[0] - '0'));
            // Without b its clients go to whom they would ask next, and the others stay.
            const char stays = places[0] == '1' ? places[1] : places[0];
            QCOMPARE(order(two, {{}, {}}, {}, client)[0], stays == '0' ? '0' : '1');
            QCOMPARE(order(three, {{}, {.isWell = false}, {}}, {}, client)[0], stays);
        }
        for (const int count : counts)
            QVERIFY(count > 900 && count < 1100);
    }

    void sticky_goesByWeight()
    {
        const ProviderChoice choice({option("a", 3), option("b", 1)}, 0, Balance::Sticky);
        int first = 0;
        for (int i = 0; i < 4000; ++i)
            first += order(choice, {{}, {}}, {}, std::to_string(i))[0] == '0' ? 1 : 0;
        QVERIFY(first > 2900 && first < 3100);
    }

    void model_data()
    {
        QTest::addColumn<QByteArrayList>("models");
        QTest::addColumn<QByteArray>("places");
        const auto row = [](const char *name, const QByteArrayList &models, const char *places) {
            QTest::newRow(name) << models << QByteArray(places);
        };
        row("named", {"gpt-5"}, "03");
        row("another", {"claude-x"}, "13");
        row("what is left", {"llama"}, "23");
        row("none", {}, "23");
        row("both of one", {"gpt-5", "gpt-image"}, "03");
        row("one of them", {"claude-x", "tool-model"}, "13");
    }
    void model()
    {
        QFETCH(const QByteArrayList, models);
        QFETCH(const QByteArray, places);
        const ProviderChoice choice(
            {option("a", 1, {"gpt-*"}), option("b", 1, {"claude-*", "o?"}), option("c")},
            1,
            Balance::Weights);
        QVERIFY(choice.needsModels());
        std::vector<RequestedModel> asked;
        for (const QByteArray &name : models)
            asked.push_back({.name = name.toStdString()});
        std::vector<std::uint8_t> found;
        QVERIFY(choice.order({.models = asked}, std::vector<Standing>(4), found));
        QByteArray text;
        for (const std::uint8_t place : found)
            text += QByteArray::number(place);
        QCOMPARE(text, places);
    }

    void modelOfNobody_isRefused()
    {
        const ProviderChoice choice(
            {option("a", 1, {"gpt-*"}), option("b", 1, {"claude-*"})}, 1, Balance::Weights);
        const std::vector<Standing> well(3);
        QCOMPARE(order(choice, well, {"llama"}), "none");
        QCOMPARE(order(choice, well, {"GPT-5"}), "none");
        // Lists of models and the like are with all of them.
        const std::string places = order(choice, well);
        QVERIFY(places == "012" || places == "102");
    }

    void unwell_comesBehindTheFallbacks()
    {
        const ProviderChoice choice({option("a"), option("b")}, 1, Balance::Weights);
        QCOMPARE(order(choice, {{.isWell = false}, {}, {}}), "120");
        QCOMPARE(order(choice, {{}, {.isWell = false}, {.isWell = false}}), "012");
        const std::string places
            = order(choice, {{.isWell = false}, {.isWell = false}, {.isWell = false}});
        QVERIFY(places == "012" || places == "102"); // all of them, as if they were well
    }

    void avoided_isNotAsked()
    {
        const ProviderChoice choice({option("a"), option("b", 1, {"x"})}, 1, Balance::Weights);
        QCOMPARE(order(choice, {{.isAvoided = true}, {}, {}}, {"y"}), "2");
        QCOMPARE(order(choice, {{.isAvoided = true}, {}, {.isAvoided = true}}, {"y"}), "");
        QCOMPARE(order(choice, {{.isAvoided = true}, {}, {}}, {"x"}), "12");
    }

    void preferred_isFirst_whereItIsMeant()
    {
        const ProviderChoice choice({option("a"), option("b", 1, {"x"})}, 1, Balance::Weights);
        QCOMPARE(order(choice, {{}, {}, {.isPreferred = true}}, {"y"}), "20");
        QCOMPARE(order(choice, {{}, {.isPreferred = true}, {}}, {"y"}), "02");
        QCOMPARE(order(choice, {{}, {.isPreferred = true, .isWell = false}, {}}, {"x"}), "12");
    }
};

QTEST_APPLESS_MAIN(TestProviderChoice)
#include "tst_providerchoice.moc"
