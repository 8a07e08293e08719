// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/text.h"
#include "tests/http/messages.h"

#include <QTest>

using namespace gatehouse::http;

class TestHttpText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isTokenChar_everyByte_isTcharOfTheRfc();
    void isToken_texts_areTokensOrNot();
    void trimmed_blanksAtBothEnds_areTakenOff_data();
    void trimmed_blanksAtBothEnds_areTakenOff();
    void parseDecimal_texts_areNumbersOrNot_data();
    void parseDecimal_texts_areNumbersOrNot();
    void looksLikeJson_anyLenientReader_counts();
    void isUtf8Charset_namesInUse_areKnown();
    void forEachListElement_anyList_givesEachElement_data();
    void forEachListElement_anyList_givesEachElement();
    void forEachListElement_falseReturned_stopsThere();
};

void TestHttpText::isTokenChar_everyByte_isTcharOfTheRfc()
{
    const QByteArray tchars("!#$%&'*+-.^_`|~0123456789"
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        QVERIFY2(isTokenChar(c) == tchars.contains(c), qPrintable(QString::number(byte)));
    }
}

void TestHttpText::isToken_texts_areTokensOrNot()
{
    QVERIFY(isToken("a"));
    QVERIFY(isToken("keep-alive"));
    QVERIFY(!isToken(""));
    QVERIFY(!isToken("a b"));
    QVERIFY(!isToken("a,"));
    QVERIFY(!isToken(std::string_view("a\0", 2)));
    QVERIFY(!isToken("\xe9"));
}

void TestHttpText::trimmed_blanksAtBothEnds_areTakenOff_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const char *text, const char *expected) {
        QTest::newRow(name) << QByteArray(text) << QByteArray(expected);
    };
    row("empty", "", "");
    row("blanks only", " \t ", "");
    row("both ends", "\t a \t", "a");
    row("inside", "a \tb", "a \tb");
    row("other white space stays", "\va\f", "\va\f");
    row("line ends stay", "\ra\n", "\ra\n");
}

void TestHttpText::trimmed_blanksAtBothEnds_areTakenOff()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    QCOMPARE(bytes(trimmed(view(text))), expected);
}

void TestHttpText::parseDecimal_texts_areNumbersOrNot_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("isNumber");
    QTest::addColumn<quint64>("expected");
    const auto number = [](const char *text, quint64 expected) {
        QTest::newRow(text) << QByteArray(text) << true << expected;
    };
    number("0", 0);
    number("42", 42);
    number("007", 7);
    number("999999999999999999", 999'999'999'999'999'999U);
    number("000000000000000001", 1);
    const auto refused = [](const char *name, const QByteArray &text) {
        QTest::newRow(name) << text << false << quint64(0);
    };
    refused("empty", "");
    refused("19 digits", "1000000000000000000");
    refused("19 digits, small", "0000000000000000001");
    refused("20 digits beyond 64 bits", "18446744073709551616");
    refused("plus", "+1");
    refused("minus", "-1");
    refused("hexadecimal", "0x10");
    refused("a letter behind", "1a");
    refused("blank before", " 1");
    refused("blank behind", "1 ");
    refused("point", "1.0");
    refused("list", "1,1");
    refused("NUL behind", QByteArray("1\0", 2));
    refused("digit of another script", "\xd9\xa1");
    refused("byte before 0", "1/");
    refused("byte after 9", "1:");
}

void TestHttpText::parseDecimal_texts_areNumbersOrNot()
{
    QFETCH(QByteArray, text);
    QFETCH(bool, isNumber);
    QFETCH(quint64, expected);
    const auto parsed = parseDecimal(view(text));
    QCOMPARE(parsed.has_value(), isNumber);
    QCOMPARE(parsed.value_or(0), expected);
}

void TestHttpText::looksLikeJson_anyLenientReader_counts()
{
    using namespace std::string_view_literals;
    for (const std::string_view text : {"{"sv,
                                        "[1]"sv,
                                        " \t\r\n\f\v{"sv,
                                        "\xef\xbb\xbf{"sv,
                                        "\0{"sv,
                                        "\xff\xfe{\0"sv,
                                        "\xfe\xff\0["sv})
        QVERIFY2(looksLikeJson(text), bytes(text).toHex().constData());
    for (const std::string_view text : {""sv, " "sv, "\0"sv, "a{"sv, "\"{\""sv, "1"sv, "\xc3{"sv})
        QVERIFY2(!looksLikeJson(text), bytes(text).toHex().constData());
}

void TestHttpText::isUtf8Charset_namesInUse_areKnown()
{
    for (const char *name : {"utf-8", "UTF-8", "utf8", "Utf8", "us-ascii"})
        QVERIFY2(isUtf8Charset(name), name);
    for (const char *name : {"", "utf", "utf-7", "utf-16", "utf-8 ", "\"utf-8\"", "iso-8859-1"})
        QVERIFY2(!isUtf8Charset(name), name);
}

void TestHttpText::forEachListElement_anyList_givesEachElement_data()
{
    QTest::addColumn<QByteArray>("list");
    QTest::addColumn<QByteArrayList>("expected");
    QTest::newRow("empty") << QByteArray() << QByteArrayList{""};
    QTest::newRow("one") << QByteArray("a") << QByteArrayList{"a"};
    QTest::newRow("two") << QByteArray("a,b") << QByteArrayList{"a", "b"};
    QTest::newRow("blanks") << QByteArray(" a \t, b ") << QByteArrayList{"a", "b"};
    QTest::newRow("empty ones") << QByteArray(",a, ,") << QByteArrayList{"", "a", "", ""};
}

void TestHttpText::forEachListElement_anyList_givesEachElement()
{
    QFETCH(QByteArray, list);
    QFETCH(QByteArrayList, expected);
    QByteArrayList elements;
    QVERIFY(forEachListElement(view(list), [&](std::string_view element) {
        elements += bytes(element);
        return true;
    }));
    QCOMPARE(elements, expected);
}

void TestHttpText::forEachListElement_falseReturned_stopsThere()
{
    QByteArrayList elements;
    QVERIFY(!forEachListElement("a,b,c", [&](std::string_view element) {
        elements += bytes(element);
        return element != "b";
    }));
    QCOMPARE(elements, (QByteArrayList{"a", "b"}));
}

QTEST_APPLESS_MAIN(TestHttpText)
#include "tst_httptext.moc"
