// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/form.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

/// `name=value` in brackets, one after the other; `!` at an error.
std::string shown(std::string_view text)
{
    FormReader reader(text, ErrorCode::BodyEncoding);
    std::string pairs;
    for (;;) {
        const auto pair = reader.next();
        if (!pair)
            return pairs + '!';
        if (!pair->has_value())
            return pairs;
        pairs += '[' + (*pair)->name + '=' + (*pair)->value + ']';
    }
}

} // namespace

class TestForm : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void percentDecoded_texts_areDecodedOnce_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char *name, const QByteArray &text, const QByteArray &expected) {
            QTest::newRow(name) << text << expected;
        };
        row("empty", "", "");
        row("nothing to decode", "/v1/chat?a+b", "/v1/chat?a+b");
        row("digits of both cases", "%2f%2F%aB", "//\xab");
        row("once only", "%2541", "%41");
        row("NUL", "a%00b", QByteArray("a\0b", 3));
        row("largest byte", "%ff", "\xff");
        row("UTF-8", "caf%C3%A9", "caf\xc3\xa9");
        row("at both ends", "%41b%43", "AbC");
        row("other bytes stay", "\xff\r\n", "\xff\r\n");
    }
    void percentDecoded_texts_areDecodedOnce()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, expected);
        const auto decoded = percentDecoded(text.toStdString());
        QVERIFY(decoded.has_value());
        QCOMPARE(*decoded, expected.toStdString());
    }

    void percentDecoded_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text : {"%",
                                 "%4",
                                 "a%",
                                 "%41%",
                                 "%41%4",
                                 "%g1",
                                 "%1g",
                                 "% 1",
                                 "%+1",
                                 "%-1",
                                 "%0x41",
                                 "%%41",
                                 "%u0041",
                                 "%4\xc3"})
            QTest::newRow(text) << QByteArray(text);
        QTest::newRow("NUL") << QByteArray("%4\0", 3);
    }
    void percentDecoded_malformed_isRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!percentDecoded(text.toStdString()));
        // Nor does it become well-formed by what stands behind it.
        const std::string longer = text.toStdString() + "41";
        QVERIFY(!percentDecoded(
            std::string_view(longer).substr(0, static_cast<std::size_t>(text.size()))));
    }

    void percentDecoded_everyEscape_isItsByteOrRefused()
    {
        const QByteArray digits("0123456789abcdefABCDEF");
        for (int high = 0; high < 256; ++high)
            for (int low = 0; low < 256; ++low) {
                const QByteArray pair{QByteArray(1, static_cast<char>(high))
                                      + static_cast<char>(low)};
                const auto decoded = percentDecoded('%' + pair.toStdString());
                const bool isEscape = digits.contains(pair[0]) && digits.contains(pair[1]);
                QCOMPARE(decoded.has_value(), isEscape);
                if (isEscape)
                    QCOMPARE(QByteArray::fromStdString(*decoded), QByteArray::fromHex(pair));
            }
    }

    void next_texts_giveTheirPairs_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char *name, const char *text, const char *expected) {
            QTest::newRow(name) << QByteArray(text) << QByteArray(expected);
        };
        row("empty", "", "");
        row("one", "a=1", "[a=1]");
        row("two", "a=1&b=2", "[a=1][b=2]");
        row("the same name again", "a=1&a=2", "[a=1][a=2]");
        row("no value", "a", "[a=]");
        row("empty value", "a=", "[a=]");
        row("empty name", "=1", "[=1]");
        row("equals sign alone", "=", "[=]");
        row("equals sign in the value", "a=b=c", "[a=b=c]");
        row("empty pairs", "&&a=1&&b=2&&", "[a=1][b=2]");
        row("separators only", "&&&", "");
        row("plus", "a+b=c+d", "[a b=c d]");
        row("encoded plus", "a=%2B", "[a=+]");
        row("encoded separators", "a%3Db=%26%3b", "[a=b=&;]");
        row("encoded name", "%6Dodel=x", "[model=x]");
        row("decoded once", "a=%2526", "[a=%26]");
        row("question mark", "?a=1", "[?a=1]");
        row("malformed name", "a=1&%zz=2&b=3", "[a=1]!");
        row("malformed value", "a=%4", "!");
        row("semicolon", "a=1&b=2;model=x", "[a=1]!");
    }
    void next_texts_giveTheirPairs()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, expected);
        QCOMPARE(shown(text.toStdString()), expected.toStdString());
    }

    void next_pair_knowsWhereItStands()
    {
        const std::string text = "a=1&&%6D=%20x&c";
        FormReader reader(text, ErrorCode::BodyEncoding);
        QCOMPARE((**reader.next()).written, std::string_view("a=1"));
        const auto second = reader.next();
        QCOMPARE((**second).written, std::string_view("%6D=%20x"));
        QCOMPARE((**second).written.data(), text.data() + 5);
        QCOMPARE((**second).value, std::string(" x"));
        QCOMPARE((**reader.next()).written, std::string_view("c"));
        QVERIFY(!reader.next()->has_value());
        QVERIFY(!reader.next()->has_value());
    }

    void next_malformed_staysSoAndNamesNoValue()
    {
        FormReader reader("key=ghk_secret%zz&a=1", ErrorCode::BadRequest);
        for (int i = 0; i < 3; ++i) {
            const auto pair = reader.next();
            QVERIFY(!pair);
            QCOMPARE(pair.error().code, ErrorCode::BadRequest);
            QCOMPARE(pair.error().context,
                     std::string("a % without two hexadecimal digits in a parameter"));
        }
    }

    void next_cutAnywhere_neverGivesMoreThanTheWhole()
    {
        const std::string text = "model=gpt%2D5&stream=tr+ue&%61=%62";
        const std::string whole = shown(text);
        for (std::size_t size = 0; size < text.size(); ++size) {
            std::string cut = shown(std::string_view(text).substr(0, size));
            if (cut.ends_with('!') || cut.ends_with(']'))
                cut.pop_back();
            const std::size_t last = std::min(cut.rfind('['), cut.size());
            QVERIFY(whole.starts_with(cut.substr(0, last)));
        }
    }

    void formDecodedLeniently_anyText_isDecoded()
    {
        QCOMPARE(formDecodedLeniently(""), std::string());
        QCOMPARE(formDecodedLeniently("a+b%20c"), std::string("a b c"));
        QCOMPARE(formDecodedLeniently("%6D%6f%2b+"), std::string("mo+ "));
        QCOMPARE(formDecodedLeniently("%"), std::string("%"));
        QCOMPARE(formDecodedLeniently("100%x%6d%zz%6"), std::string("100%xm%zz%6"));
        QCOMPARE(formDecodedLeniently("%%6d"), std::string("%m"));
    }
};

QTEST_APPLESS_MAIN(TestForm)
#include "tst_form.moc"
