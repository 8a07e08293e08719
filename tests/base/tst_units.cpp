// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/units.h"

#include <QTest>

using namespace gatehouse;
using std::chrono::milliseconds;

class TestUnits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void duration_wellFormed_isRead_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<qint64>("expected");
        QTest::newRow("milliseconds") << QByteArray("250ms") << qint64(250);
        QTest::newRow("seconds") << QByteArray("30s") << qint64(30'000);
        QTest::newRow("minutes") << QByteArray("5m") << qint64(300'000);
        QTest::newRow("hours") << QByteArray("12h") << qint64(43'200'000);
        QTest::newRow("days") << QByteArray("90d") << qint64(7'776'000'000);
        QTest::newRow("zero with a unit") << QByteArray("0s") << qint64(0);
        QTest::newRow("the longest") << QByteArray("36525d") << qint64(36525LL * 86'400'000);
    }
    void duration_wellFormed_isRead()
    {
        QFETCH(QByteArray, text);
        QFETCH(qint64, expected);
        const auto duration = parseDuration(text.toStdString());
        QVERIFY(duration);
        QCOMPARE(duration->count(), expected);
        QCOMPARE(parseDuration(formatDuration(*duration)), duration);
    }

    void duration_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("no unit") << QByteArray("30");
        QTest::newRow("no number") << QByteArray("s");
        QTest::newRow("negative") << QByteArray("-1s");
        QTest::newRow("plus sign") << QByteArray("+1s");
        QTest::newRow("fraction") << QByteArray("1.5h");
        QTest::newRow("space between") << QByteArray("30 s");
        QTest::newRow("space after") << QByteArray("30s ");
        QTest::newRow("two units") << QByteArray("1h30m");
        QTest::newRow("upper case") << QByteArray("30S");
        QTest::newRow("one day too long") << QByteArray("36526d");
        QTest::newRow("beyond 64 bits") << QByteArray("99999999999999999999s");
        QTest::newRow("beyond 64 bits once multiplied") << QByteArray("213503982335d");
        QTest::newRow("NUL within") << QByteArray("30\0s", 4);
    }
    void duration_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!parseDuration(text.toStdString()));
    }

    void duration_formatted_isInTheLargestExactUnit()
    {
        QCOMPARE(formatDuration(milliseconds(0)), std::string("0s"));
        QCOMPARE(formatDuration(milliseconds(1)), std::string("1ms"));
        QCOMPARE(formatDuration(milliseconds(90'000)), std::string("90s"));
        QCOMPARE(formatDuration(milliseconds(3'600'000)), std::string("1h"));
        QCOMPARE(formatDuration(milliseconds(86'400'001)), std::string("86400001ms"));
    }

    void size_wellFormed_isRead_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<quint64>("expected");
        QTest::newRow("plain bytes") << QByteArray("17") << quint64(17);
        QTest::newRow("zero") << QByteArray("0") << quint64(0);
        QTest::newRow("kibibytes") << QByteArray("64KiB") << quint64(65536);
        QTest::newRow("mebibytes") << QByteArray("10MiB") << quint64(10'485'760);
        QTest::newRow("gibibytes") << QByteArray("2GiB") << quint64(2'147'483'648);
        QTest::newRow("the largest") << QByteArray("4611686018427387904") << (quint64(1) << 62);
    }
    void size_wellFormed_isRead()
    {
        QFETCH(QByteArray, text);
        QFETCH(quint64, expected);
        const auto size = parseSize(text.toStdString());
        QVERIFY(size);
        QCOMPARE(size->bytes, expected);
        QVERIFY(parseSize(formatSize(*size)) == size);
    }

    void size_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("unit alone") << QByteArray("MiB");
        QTest::newRow("decimal unit") << QByteArray("10MB");
        QTest::newRow("lower case") << QByteArray("10mib");
        QTest::newRow("negative") << QByteArray("-1");
        QTest::newRow("one too large") << QByteArray("4611686018427387905");
        QTest::newRow("too large once multiplied") << QByteArray("17179869185GiB");
    }
    void size_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!parseSize(text.toStdString()));
    }

    void instant_wellFormed_isRead_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("expected");
        QTest::newRow("UTC") << QByteArray("2026-11-23T09:00:00Z")
                             << QByteArray("2026-11-23T09:00:00Z");
        QTest::newRow("a date") << QByteArray("2026-11-23") << QByteArray("2026-11-23T00:00:00Z");
        QTest::newRow("east") << QByteArray("2026-11-23T00:30:00+01:00")
                              << QByteArray("2026-11-22T23:30:00Z");
        QTest::newRow("west") << QByteArray("2026-12-31T23:30:00-01:00")
                              << QByteArray("2027-01-01T00:30:00Z");
        QTest::newRow("fraction") << QByteArray("2026-11-23T09:00:00.123456Z")
                                  << QByteArray("2026-11-23T09:00:00Z");
        QTest::newRow("leap day") << QByteArray("2028-02-29") << QByteArray("2028-02-29T00:00:00Z");
    }
    void instant_wellFormed_isRead()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, expected);
        const auto instant = parseInstant(text.toStdString());
        QVERIFY(instant);
        QCOMPARE(formatInstant(*instant), expected.toStdString());
    }

    void instant_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("no offset") << QByteArray("2026-11-23T09:00:00");
        QTest::newRow("no such day") << QByteArray("2026-02-29");
        QTest::newRow("no such month") << QByteArray("2026-13-01");
        QTest::newRow("hour 24") << QByteArray("2026-11-23T24:00:00Z");
        QTest::newRow("second 60") << QByteArray("2026-11-23T09:00:60Z");
        QTest::newRow("one digit") << QByteArray("2026-1-23");
        QTest::newRow("space for T") << QByteArray("2026-11-23 09:00:00Z");
        QTest::newRow("empty fraction") << QByteArray("2026-11-23T09:00:00.Z");
        QTest::newRow("something after") << QByteArray("2026-11-23T09:00:00Zx");
        QTest::newRow("beyond the clock") << QByteArray("9999-01-01");
    }
    void instant_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!parseInstant(text.toStdString()));
    }
};

QTEST_APPLESS_MAIN(TestUnits)
#include "tst_units.moc"
