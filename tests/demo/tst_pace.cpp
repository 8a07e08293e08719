// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/pace.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::demo;
using namespace std::chrono_literals;

namespace {

http::Head headWith(std::string_view name, std::string_view value)
{
    http::Head head;
    head.fields.push_back({.id = http::FieldId::Other, .name = name, .value = value});
    return head;
}

} // namespace

class TestPace : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tokens_areDueAtTheRate()
    {
        const SimulatedSettings settings{.firstToken = 100ms, .tokensPerSecond = 50};
        QCOMPARE(dueAfter(settings, 0), 100ms);
        QCOMPARE(dueAfter(settings, 1), 120ms);
        QCOMPARE(dueAfter(settings, 500), 10'100ms);
    }

    void rateZero_makesAllDueWithTheFirst()
    {
        const SimulatedSettings settings{.firstToken = 100ms, .tokensPerSecond = 0};
        QCOMPARE(dueAfter(settings, 1'000'000), 100ms);
    }

    void headers_overrideTheSettings()
    {
        const auto latency = overridden({}, headWith("X-Demo-Latency", "250ms"));
        QVERIFY(latency.has_value());
        QCOMPARE(latency->firstToken, 250ms);
        QCOMPARE(latency->tokensPerSecond, SimulatedSettings().tokensPerSecond);
        const auto rate = overridden({}, headWith("x-demo-tokens-per-second", "200"));
        QVERIFY(rate.has_value());
        QCOMPARE(rate->tokensPerSecond, 200U);
        QCOMPARE(rate->firstToken, SimulatedSettings().firstToken);
    }

    void otherHeaders_overrideNothing()
    {
        const auto same = overridden({}, headWith("x-demo", "fast"));
        QVERIFY(same.has_value());
        QCOMPARE(same->firstToken, SimulatedSettings().firstToken);
    }

    void badOverrides_areRefused_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("value");
        for (const char *value : {"", "250", "-1s", "2h", "soon"})
            QTest::addRow("latency %s", value) << QByteArray("x-demo-latency") << QByteArray(value);
        for (const char *value : {"", "-1", "1.5", "1000001", "many"})
            QTest::addRow("rate %s", value)
                << QByteArray("x-demo-tokens-per-second") << QByteArray(value);
    }
    void badOverrides_areRefused()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, value);
        const auto result = overridden({}, headWith(name.constData(), value.constData()));
        QVERIFY(!result.has_value());
        QVERIFY(result.error().find(name.toStdString()) != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestPace)
#include "tst_pace.moc"
