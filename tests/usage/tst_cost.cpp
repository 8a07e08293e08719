// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/usage/cost.h"

#include <QTest>

using namespace gatehouse;

class TestCost : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void microUsd_numbers_areRoundedUp_data();
    void microUsd_numbers_areRoundedUp();
};

void TestCost::microUsd_numbers_areRoundedUp_data()
{
    QTest::addColumn<QByteArray>("usd");
    QTest::addColumn<qlonglong>("expected"); // -1: none
    const auto row = [](const QByteArray &usd, qlonglong expected) {
        QTest::newRow(usd.left(30).constData()) << usd << expected;
    };
    row("0", 0);
    row("0.0", 0);
    row("0e99", 0);
    row("1", 1'000'000);
    row("12.345678", 12'345'678);
    row("0.00014", 140); // as a double times 10^6 it is above 140
    row("0.000001", 1);
    row("0.0000010", 1);
    row("0.0000010000000000000000000000001", 2);
    row("0.0000001", 1);
    row("1e-300", 1);
    row("1e-999", 1);
    row("0.29", 290'000);
    row("0.57", 570'000);
    row("1.4e-4", 140);
    row("1.4E-4", 140);
    row("14e-5", 140);
    row("0.000014e+1", 140);
    row("2.5e3", 2'500'000'000);
    row("999999999999", 999'999'999'999'000'000);
    row("1000000000000", -1);
    row("1e12", -1);
    row("1e999", -1);
    row("123456789012345678901234567890", -1);
    row("1e9999", -1);
    row("-1", -1);
    row("-0.1", -1);
    row("", -1);
    row("x", -1);
    row("1x", -1);
    row("1e", -1);
    row("1e+", -1);
    row("1e+-1", -1);
    row("1.2.3", -1);
    row("null", -1);
    row("1" + QByteArray(400, '0'), -1);
    row("0." + QByteArray(300, '0') + "1", 1);
}

void TestCost::microUsd_numbers_areRoundedUp()
{
    QFETCH(QByteArray, usd);
    QFETCH(qlonglong, expected);
    const auto cost = microUsd(usd.toStdString());
    QCOMPARE(qlonglong(cost.value_or(-1)), expected);
}

QTEST_GUILESS_MAIN(TestCost)
#include "tst_cost.moc"
