// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/money.h"

#include <QTest>

using namespace gatehouse;

class TestMoney : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void money_amounts_areReadAndWrittenBack_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<qint64>("microUsd");
        QTest::addColumn<QString>("written");
        const auto row = [](const char *text, qint64 microUsd, const char *written = nullptr) {
            QTest::newRow(text) << QString::fromLatin1(text) << microUsd
                                << QString::fromLatin1(written == nullptr ? text : written);
        };
        row("0 USD", 0);
        row("25 USD", 25'000'000);
        row("0.000001 USD", 1);
        row("0.075 USD", 75'000);
        row("1.5 USD", 1'500'000, "1.50 USD");
        row("2.00 USD", 2'000'000, "2 USD");
        row("007.010 USD", 7'010'000, "7.01 USD");
        row("1234567.654321 USD", 1'234'567'654'321);
        row("9000000000000 USD", 9'000'000'000'000'000'000);
        row("8999999999999.999999 USD", 8'999'999'999'999'999'999);
    }
    void money_amounts_areReadAndWrittenBack()
    {
        QFETCH(QString, text);
        QFETCH(qint64, microUsd);
        QFETCH(QString, written);
        const auto money = parseMoney(text.toStdString());
        QVERIFY(money.has_value());
        QCOMPARE(qint64(money->microUsd), microUsd);
        QCOMPARE(QString::fromStdString(formatMoney(*money)), written);
        QVERIFY(parseMoney(formatMoney(*money)) == money);
    }

    void parseMoney_notAnAmount_isNone_data()
    {
        QTest::addColumn<QString>("text");
        for (const char *text : {"",
                                 "USD",
                                 " USD",
                                 "25",
                                 "25USD",
                                 "25  USD",
                                 "25 usd",
                                 "25 EUR",
                                 "$25",
                                 "25 USD ",
                                 " 25 USD",
                                 "-1 USD",
                                 "+1 USD",
                                 "1. USD",
                                 ".5 USD",
                                 ". USD",
                                 "1.2.3 USD",
                                 "1,000 USD",
                                 "1 000 USD",
                                 "1e3 USD",
                                 "0x10 USD",
                                 "0.0000001 USD",
                                 "0.0000000 USD",
                                 "9000000000000.000001 USD",
                                 "9000000000001 USD",
                                 "9223372036854775808 USD",
                                 "99999999999999999999999999 USD"})
            QTest::newRow(text) << QString::fromLatin1(text);
    }
    void parseMoney_notAnAmount_isNone()
    {
        QFETCH(QString, text);
        QVERIFY(!parseMoney(text.toStdString()));
    }
};

QTEST_APPLESS_MAIN(TestMoney)
#include "tst_money.moc"
