// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/tokencount.h"

#include <QTest>

#include <string>

using namespace gatehouse::demo;

class TestTokenCount : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void text_isCutByTheStatedRule_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArrayList>("tokens");
        QTest::newRow("nothing") << QByteArray() << QByteArrayList{};
        QTest::newRow("one short word") << QByteArray("Hi") << QByteArrayList{"Hi"};
        QTest::newRow("a long word")
            << QByteArray("simulated") << QByteArrayList{"simu", "late", "d"};
        QTest::newRow("words and marks")
            << QByteArray("Hello, world!") << QByteArrayList{"Hell", "o", ", ", "worl", "d", "!"};
        QTest::newRow("each mark") << QByteArray("...") << QByteArrayList{".", ".", "."};
        QTest::newRow("white space around")
            << QByteArray("\n a \t b \n") << QByteArrayList{"\n a \t ", "b \n"};
        QTest::newRow("two bytes a letter") << QByteArray("ééé") << QByteArrayList{"éé", "é"};
        QTest::newRow("three bytes a letter") << QByteArray("日本") << QByteArrayList{"日", "本"};
        QTest::newRow("four bytes") << QByteArray("a😀b") << QByteArrayList{"a", "😀", "b"};
        QTest::newRow("cut in a code point")
            << QByteArray("ab\xe6\x97") << QByteArrayList{"ab\xe6\x97"};
    }
    void text_isCutByTheStatedRule()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArrayList, tokens);
        const std::string_view all(text.constData(), static_cast<std::size_t>(text.size()));
        QByteArrayList found;
        for (std::string_view rest = all; !rest.empty();) {
            const std::string_view token = takeToken(rest);
            found.append({token.data(), static_cast<qsizetype>(token.size())});
        }
        QCOMPARE(found, tokens);
        QCOMPARE(found.join(), text);
        QCOMPARE(countTokens(all), static_cast<std::size_t>(tokens.size()));
    }

    void whiteSpace_isNoToken()
    {
        QCOMPARE(countTokens(" \t\r\n"), 0U);
        QCOMPARE(countTokens("  a"), 1U);
    }

    void firstTokens_givesNoMoreThanThereAre()
    {
        QCOMPARE(firstTokens("one two three", 2), std::string_view("one two "));
        QCOMPARE(firstTokens("one", 0), std::string_view());
        QCOMPARE(firstTokens("one", 9), std::string_view("one"));
    }
};

QTEST_APPLESS_MAIN(TestTokenCount)
#include "tst_tokencount.moc"
