// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"

#include <QTest>

#include <array>

using namespace gatehouse;

class TestText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void lower_beyondAscii_isLeftAlone()
    {
        QCOMPARE(toLowerAscii(std::string_view("AZ[@É")), std::string("az[@É"));
        QVERIFY(equalsIgnoreCase("Host", "hOST"));
        QVERIFY(!equalsIgnoreCase("Host", "Hos"));
        QVERIFY(!equalsIgnoreCase("[", "{"));
    }

    void hexadecimal_digits_areReadAndWritten()
    {
        const std::string_view digits = "0123456789abcdef";
        for (int byte = -128; byte < 128; ++byte) {
            const char c = static_cast<char>(byte);
            const std::size_t value = digits.find(c >= 'A' && c <= 'F' ? char(c - 'A' + 'a') : c);
            QCOMPARE(hexValue(c), value == std::string_view::npos ? -1 : static_cast<int>(value));
        }
        QCOMPARE(toHex({}), std::string());
        const std::array<std::uint8_t, 4> bytes{0x00, 0x0f, 0xa0, 0xff};
        QCOMPARE(toHex(bytes), std::string("000fa0ff"));
    }

    void split_emptyParts_areKept()
    {
        QCOMPARE(split("", '/').size(), std::size_t(1));
        const auto parts = split("a//b/", '/');
        QCOMPARE(parts.size(), std::size_t(4));
        QCOMPARE(parts[1], std::string_view());
        QCOMPARE(parts[2], std::string_view("b"));
    }

    void distance_smallChanges_countOnce_data()
    {
        QTest::addColumn<QByteArray>("a");
        QTest::addColumn<QByteArray>("b");
        QTest::addColumn<int>("expected");
        QTest::newRow("equal") << QByteArray("route") << QByteArray("route") << 0;
        QTest::newRow("both empty") << QByteArray() << QByteArray() << 0;
        QTest::newRow("one empty") << QByteArray() << QByteArray("abc") << 3;
        QTest::newRow("changed") << QByteArray("route") << QByteArray("roule") << 1;
        QTest::newRow("added") << QByteArray("route") << QByteArray("routes") << 1;
        QTest::newRow("removed") << QByteArray("route") << QByteArray("rote") << 1;
        QTest::newRow("neighbours swapped") << QByteArray("route") << QByteArray("ruote") << 1;
    }
    void distance_smallChanges_countOnce()
    {
        QFETCH(QByteArray, a);
        QFETCH(QByteArray, b);
        QFETCH(int, expected);
        QCOMPARE(static_cast<int>(editDistance(a.toStdString(), b.toStdString())), expected);
    }

    void didYouMean_nearWord_isNamed()
    {
        constexpr auto names = std::to_array<std::string_view>({"provider", "route", "basePath"});
        QCOMPARE(didYouMean("basepath", names), std::string("; did you mean \"basePath\"?"));
        QCOMPARE(didYouMean("privider", names), std::string("; did you mean \"provider\"?"));
        QCOMPARE(didYouMean("zebra", names), std::string());
        QCOMPARE(didYouMean(std::string(100'000, 'x'), names), std::string());
    }

    void inQuotes_controlsAndLength_areBounded()
    {
        QCOMPARE(inQuotes("a\nb"), std::string("\"a?b\""));
        const std::string cut = inQuotes(std::string(59, 'x') + "é" + std::string(100, 'y'));
        QCOMPARE(cut, "\"" + std::string(59, 'x') + "…\"");
    }

    void utf8_wellFormed_isAccepted()
    {
        QCOMPARE(findInvalidUtf8("aé€😀\x7f"), std::string_view::npos);
        QCOMPARE(findInvalidUtf8(""), std::string_view::npos);
    }

    void utf8_malformed_isFound_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("continuation alone") << QByteArray("ab\x80");
        QTest::newRow("cut at the end") << QByteArray("ab\xe2\x82");
        QTest::newRow("overlong slash") << QByteArray("ab\xc0\xaf");
        QTest::newRow("overlong in three") << QByteArray("ab\xe0\x80\xaf");
        QTest::newRow("surrogate") << QByteArray("ab\xed\xa0\x80");
        QTest::newRow("beyond Unicode") << QByteArray("ab\xf4\x90\x80\x80");
        QTest::newRow("never used byte") << QByteArray("ab\xff");
    }
    void utf8_malformed_isFound()
    {
        QFETCH(QByteArray, bytes);
        QCOMPARE(findInvalidUtf8(bytes.toStdString()), std::size_t(2));
    }
};

QTEST_APPLESS_MAIN(TestText)
#include "tst_text.moc"
