// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/document.h"
#include "tests/json/reference.h"

#include <QTest>

#include <clocale>
#include <set>

using namespace gatehouse::json;

Q_DECLARE_METATYPE(Problem::Kind)

class TestDocument : public QObject
{
    Q_OBJECT

private:
    using Bad = Problem::Kind;

    static void refused(const char *name, const QByteArray &text, Bad kind, int offset)
    {
        QTest::newRow(name) << text << kind << offset;
    }

private Q_SLOTS:
    void initTestCase() { std::setlocale(LC_NUMERIC, "C"); }

    void parse_legal_isReadAsTheReferenceDoes_data()
    {
        QTest::addColumn<QByteArray>("text");
        const auto legal = [](const char *text) { QTest::newRow(text) << QByteArray(text); };
        for (const char *text : {"{}", "[]", "null", "true", "false", "0", "-0", "\"\"", "\"a\""})
            legal(text);
        for (const char *text : {"1", "-1", "10", "0.0", "0.10", "-0.5", "1e1", "1E1", "1e+1"})
            legal(text);
        for (const char *text :
             {"1e-1", "0e0", "0e+00", "1.5e007", "123456789012345678901234567890"})
            legal(text);
        for (const char *text :
             {"1e400", "-1e400", "1e-400", "1e99999999999999999999", "[1]", "[1,2]"})
            legal(text);
        for (const char *text : {" [ ] ", "\t{\n}\r", " 1 ", "\n\"a\"\n", "[ 1 , 2 ]", "[[],[]]"})
            legal(text);
        for (const char *text :
             {"{\"a\":1}", "{\"a\":{\"a\":{}}}", " { \"a\" : 1 , \"b\" : [ ] } "})
            legal(text);
        for (const char *text :
             {"{\"\":0}", "[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"A\":2}", "[true,null]"})
            legal(text);
        for (const char *text :
             {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", R"("\u0000")", R"("\u00e9\u00E9")"})
            legal(text);
        for (const char *text : {R"("\ud83d\ude00")", R"("\uD834\uDd1e")", R"("\uffff\u2028")"})
            legal(text);
        for (const char *text : {R"("\ud7ff\ue000")", R"("\udbff\udfff")", R"("a\\u0041")"})
            legal(text);
        for (const char *text :
             {"\"\u00e9\u20ac\U0001F600\"", "\"\x7f\"", "\"\u2028\u2029\ufeff\""})
            legal(text);
        for (const char *text : {R"({"\u0061":1,"\u0041":2})", "[\"\\\\\\\"]\", \"[,]{}:\"]"})
            legal(text);
        legal("\"/* no comment */ // neither\"");
    }
    void parse_legal_isReadAsTheReferenceDoes()
    {
        QFETCH(QByteArray, text);
        const auto expected = reference::understand(text.toStdString());
        QVERIFY(expected);
        Document document;
        const auto result = document.parse(text.toStdString());
        QVERIFY2(result, result ? "" : result.error().message().c_str());
        QCOMPARE(reference::describe(document.root()), *expected);
        QVERIFY(document.measures() == reference::measure(document.root()));
        QCOMPARE(document.text(),
                 std::string_view(text.data(), static_cast<std::size_t>(text.size())));
    }

    void parse_illegal_isRefusedWithItsPlace_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<Problem::Kind>("kind");
        QTest::addColumn<int>("offset");
        structureRows();
        scalarRows();
        stringRows();
        utf8Rows();
        nameRows();
    }
    void parse_illegal_isRefusedWithItsPlace()
    {
        QFETCH(QByteArray, text);
        QFETCH(Problem::Kind, kind);
        QFETCH(int, offset);
        QVERIFY(!reference::understand(text.toStdString()));
        Document document;
        const auto result = document.parse(text.toStdString());
        QVERIFY(!result);
        QCOMPARE(result.error().kind, kind);
        QCOMPARE(result.error().offset, static_cast<std::size_t>(offset));
    }

private:
    static void structureRows()
    {
        refused("nothing", "", Bad::Empty, 0);
        refused("white space", " \r\n\t", Bad::Empty, 4);
        refused("two values", "1 2", Bad::TrailingBytes, 2);
        refused("two objects", "{}{}", Bad::TrailingBytes, 2);
        refused("bracket too many", "[1]]", Bad::TrailingBytes, 3);
        refused("comma after the value", "{},", Bad::TrailingBytes, 2);
        refused("NUL after the value", QByteArray("{}\0", 3), Bad::TrailingBytes, 2);
        refused("comment after the value", "{} // x", Bad::TrailingBytes, 3);
        refused("string after a scalar", "1\"a\"", Bad::BadNumber, 0);
        refused("string after a string", "\"a\"\"b\"", Bad::TrailingBytes, 3);
        refused("open array", "[", Bad::Unfinished, 1);
        refused("open array, element", "[1", Bad::Unfinished, 2);
        refused("open array, comma", "[1,", Bad::Unfinished, 3);
        refused("open array, space", "[1 ", Bad::Unfinished, 3);
        refused("open object", "{", Bad::Unfinished, 1);
        refused("open object, name", "{\"a\"", Bad::Unfinished, 4);
        refused("open object, colon", "{\"a\":", Bad::Unfinished, 5);
        refused("open object, value", "{\"a\":1", Bad::Unfinished, 6);
        refused("open object, comma", "{\"a\":1,", Bad::Unfinished, 7);
        refused("comma before the end", "[1,]", Bad::ValueExpected, 3);
        refused("comma alone", "[,]", Bad::ValueExpected, 1);
        refused("two commas", "[1,,2]", Bad::ValueExpected, 3);
        refused("comma first", "[,1]", Bad::ValueExpected, 1);
        refused("no comma", "[1 2]", Bad::CommaExpected, 3);
        refused("colon in an array", "[1:2]", Bad::CommaExpected, 2);
        refused("wrong end of an array", "[1}", Bad::CommaExpected, 2);
        refused("wrong end of an object", "{\"a\":1]", Bad::CommaExpected, 6);
        refused("end alone", "]", Bad::ValueExpected, 0);
        refused("comma before the object's end", "{\"a\":1,}", Bad::NameExpected, 7);
        refused("comma alone in an object", "{,}", Bad::NameExpected, 1);
        refused("two commas in an object", "{\"a\":1,,\"b\":2}", Bad::NameExpected, 7);
        refused("name without quotes", "{x:1}", Bad::NameExpected, 1);
        refused("name in single quotes", "{'a':1}", Bad::NameExpected, 1);
        refused("number for a name", "{1:1}", Bad::NameExpected, 1);
        refused("no colon", "{\"a\" 1}", Bad::ColonExpected, 5);
        refused("comma for a colon", "{\"a\",1}", Bad::ColonExpected, 4);
        refused("two colons", "{\"a\"::1}", Bad::ValueExpected, 5);
        refused("no value", "{\"a\":}", Bad::ValueExpected, 5);
        refused("comment in an object", "{/*x*/}", Bad::NameExpected, 1);
        refused("comment in an array", "[1/*x*/]", Bad::BadNumber, 1);
        refused("vertical tab", "[\v1]", Bad::ValueExpected, 1);
        refused("form feed", "[1\f]", Bad::BadNumber, 1);
        refused("no-break space", "[\u00a0]", Bad::ValueExpected, 1);
        refused("NUL for a value", QByteArray("[\0]", 3), Bad::ValueExpected, 1);
        refused("NUL alone", QByteArray("\0", 1), Bad::ValueExpected, 0);
        refused("NUL between", QByteArray("{\0\"a\":1}", 8), Bad::NameExpected, 1);
        refused("byte order mark", "\xef\xbb\xbf{}", Bad::ByteOrderMark, 0);
        refused("byte order mark alone", "\xef\xbb\xbf", Bad::ByteOrderMark, 0);
        refused("byte order mark inside", "[\xef\xbb\xbf]", Bad::ValueExpected, 1);
    }

    static void scalarRows()
    {
        for (const char *word :
             {"nul", "nulll", "Null", "NULL", "tru", "True", "falsey", "fals", "t"})
            refused(word, word, Bad::ValueExpected, 0);
        for (const char *word : {"NaN", "Infinity", "undefined", "None", "x", "'a'", "`a`", "$"})
            refused(word, word, Bad::ValueExpected, 0);
        for (const char *word : {"+1", ".5", "\\u0031", "#", "@", "(1)", "nan", "inf"})
            refused(word, word, Bad::ValueExpected, 0);
        for (const char *number : {"-", "--1", "-a", "01", "00", "-01", "007", "1.", "1.e1", "-.5"})
            refused(number, number, Bad::BadNumber, 0);
        for (const char *number :
             {"1e", "1e+", "1e-", "1e1.5", "1e1e1", "1.2.3", "1a", "0x10", "1_000"})
            refused(number, number, Bad::BadNumber, 0);
        for (const char *number :
             {"-Infinity", "-NaN", "1f", "1L", "1'000", "1-", "1+1", "0b1", "1E"})
            refused(number, number, Bad::BadNumber, 0);
        refused("NUL in a number", QByteArray("1\0", 2), Bad::BadNumber, 0);
        refused("NUL in a word", QByteArray("true\0", 5), Bad::ValueExpected, 0);
        refused("comma in a number", "1,5", Bad::TrailingBytes, 1);
        refused("full-width digit", "\uff11", Bad::ValueExpected, 0);
        refused("word with a bracket in it", "[tr]ue", Bad::ValueExpected, 1);
    }

    static void stringRows()
    {
        refused("quote alone", "\"", Bad::UnclosedString, 0);
        refused("open string", "\"x", Bad::UnclosedString, 0);
        refused("open string in an array", "[1,\"a]", Bad::UnclosedString, 3);
        refused("closing quote escaped", "\"a\\\"", Bad::UnclosedString, 0);
        refused("backslash at the end", "\"\\", Bad::UnclosedString, 0);
        refused("name not closed", "{\"a", Bad::UnclosedString, 1);
        refused("line feed", "\"a\nb\"", Bad::ControlCharacter, 2);
        refused("carriage return", "\"a\rb\"", Bad::ControlCharacter, 2);
        refused("tab", "[\"\t\"]", Bad::ControlCharacter, 2);
        refused("NUL in a string", QByteArray("\"a\0b\"", 5), Bad::ControlCharacter, 2);
        refused("unit separator", "\"\x1f\"", Bad::ControlCharacter, 1);
        refused("control in a name", "{\"\x01\":1}", Bad::ControlCharacter, 2);
        refused("escaped line feed", "\"a\\\nb\"", Bad::ControlCharacter, 3);
        for (const char *text :
             {R"("\x41")", R"("\a")", "\"\\'\"", R"("\0")", R"("\U0041")", R"("\ ")"})
            refused(text, text, Bad::BadEscape, 1);
        for (const char *text : {R"("\u")", R"("\u1")", R"("\u12")", R"("\u123")", R"("\u123g")"})
            refused(text, text, Bad::BadEscape, 1);
        for (const char *text :
             {R"("\u+123")", R"("\u 123")", R"("\u{41}")", R"("\uFFF/")", R"("\u0x1")"})
            refused(text, text, Bad::BadEscape, 1);
        refused("escape not ASCII", "\"\\\u00e9\"", Bad::BadEscape, 1);
        refused("bad escape far in", R"(["good", "0123456789abcdef\q"])", Bad::BadEscape, 26);
        for (const char *text : {R"("\ud800")", R"("\udbff")", R"("\udc00")", R"("\udfff")"})
            refused(text, text, Bad::LoneSurrogate, 1);
        for (const char *text : {R"("\ud800\n")", R"("\ud800\ud800")", R"("\ud800\u0041")"})
            refused(text, text, Bad::LoneSurrogate, 1);
        for (const char *text : {R"("\ud800\u")", R"("\ud800 \udc00")", R"("\ude00\ud83d")"})
            refused(text, text, Bad::LoneSurrogate, 1);
        refused("half a pair in a name", R"({"\ud83d":1})", Bad::LoneSurrogate, 2);
        refused("pair and a half", R"("\ud83d\ude00\ude00")", Bad::LoneSurrogate, 13);
    }

    static void utf8Rows()
    {
        const auto row = [](const char *name, const char *bytes) {
            refused(name, QByteArray("[\"ab") + bytes + "\"]", Bad::BadUtf8, 4);
        };
        row("continuation alone", "\x80");
        row("two bytes, one there", "\xc3");
        row("three bytes, two there", "\xe2\x82");
        row("four bytes, three there", "\xf0\x9f\x98");
        row("overlong slash, two bytes", "\xc0\xaf");
        row("overlong, three bytes", "\xe0\x9f\xbf");
        row("overlong, four bytes", "\xf0\x8f\xbf\xbf");
        row("surrogate", "\xed\xa0\x80");
        row("pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80");
        row("beyond U+10FFFF", "\xf4\x90\x80\x80");
        row("five bytes", "\xf8\x88\x80\x80\x80");
        row("byte that is none", "\xff");
        row("Latin 1", "\xe9t\xe9");
        refused("name", "{\"\xff\":1}", Bad::BadUtf8, 2);
        refused("outside strings", "[1,\xff]", Bad::BadUtf8, 3);
        refused("behind the value", "{}\x80", Bad::BadUtf8, 2);
        refused("UTF-16", QByteArray("\xff\xfe[\0]\0", 6), Bad::BadUtf8, 0);
        refused("cut at the end", "\"\xe2\x82", Bad::BadUtf8, 1);
        refused("before anything else", "{a\"\x01\xff", Bad::BadUtf8, 4);
    }

    static void nameRows()
    {
        refused("name twice", R"({"a":1,"a":2})", Bad::DuplicateName, 7);
        refused("name twice, equal values", R"({"a":1,"a":1})", Bad::DuplicateName, 7);
        refused("name three times", R"({"a":1,"b":0,"a":2,"a":3})", Bad::DuplicateName, 13);
        refused("two pairs", R"({"a":1,"b":0,"b":2,"a":3})", Bad::DuplicateName, 13);
        refused("escaped the second time", R"({"a":1,"\u0061":2})", Bad::DuplicateName, 7);
        refused("escaped the first time", R"({"\u0061":1,"a":2})", Bad::DuplicateName, 12);
        refused("escaped in two ways", R"({"\/":1,"\u002F":2})", Bad::DuplicateName, 8);
        refused("pair and character",
                "{\"\\ud83d\\ude00\":1,\"\U0001F600\":2}",
                Bad::DuplicateName,
                18);
        refused("empty names", R"({"":1,"":2})", Bad::DuplicateName, 6);
        refused("names with a NUL", R"({"a\u0000b":1,"a\u0000b":2})", Bad::DuplicateName, 14);
        refused("inner object", R"([{"x":{"a":1, "a":2}}])", Bad::DuplicateName, 14);
        refused("around an inner object", R"({"a":{"a":1},"a":2})", Bad::DuplicateName, 13);
        refused("after containers", R"({"a":[{"a":{}}],"b":{},"a":2})", Bad::DuplicateName, 23);
    }

private Q_SLOTS:
    void names_manyInOneObject_areComparedAlike_data()
    {
        QTest::addColumn<int>("count");
        for (const int count : {2, 3, 11, 12, 13, 14, 100, 1000})
            QTest::addRow("%d names", count) << count;
    }
    void names_manyInOneObject_areComparedAlike()
    {
        QFETCH(int, count);
        Document document;
        // The name at `first` comes again as the last one; all have one length.
        for (const int first : {-1, 0, (count - 1) / 2, count - 2}) {
            std::string text = "{";
            std::size_t last = 0;
            for (int i = 0; i < count; ++i) {
                last = text.size() + (i > 0 ? 1 : 0);
                const int number = i == count - 1 && first >= 0 ? first : i;
                text
                    += (i > 0 ? ",\"" : "\"") + std::to_string(10000 + number) + "\":{\"10000\":0}";
            }
            text += '}';
            const auto result = document.parse(text);
            QCOMPARE(result.has_value(), first < 0);
            if (result)
                QCOMPARE(document.measures().entries, static_cast<std::size_t>(count));
            else
                QCOMPARE(result.error(), (Problem{Bad::DuplicateName, last}));
        }
    }

    void message_ofEachKind_saysWhatAndWhere()
    {
        QCOMPARE((Problem{Bad::DuplicateName, 17}.message()),
                 std::string("a name comes twice in one object, at byte 17"));
        std::set<std::string> all;
        for (int kind = 0; kind <= static_cast<int>(Bad::DuplicateName); ++kind) {
            const std::string message = Problem{static_cast<Bad>(kind), 5}.message();
            QVERIFY(message.ends_with(", at byte 5") && !message.starts_with(','));
            QVERIFY(all.insert(message).second);
        }
    }

    void measures_ofADocument_areItsExtremes()
    {
        Document document;
        QVERIFY(document.parse(
            R"({"a":[1,[2,3,4]],"lo\u00e9ng":{"x":"\ud83d\ude00","y":"abc","z":0}})"));
        QCOMPARE(
            document.measures(),
            (Measures{
                .depth = 3, .entries = 3, .elements = 3, .longestName = 6, .longestString = 4}));
        QVERIFY(document.parse("\"only\""));
        QCOMPARE(document.measures(), Measures{.longestString = 4});
        QVERIFY(document.parse("{}"));
        QCOMPARE(document.measures(), Measures{.depth = 1});
        QVERIFY(!document.parse("[1"));
        QCOMPARE(document.measures(), Measures{});
    }

    void limits_atAndBeyond_areKept()
    {
        Document document;
        QVERIFY(document.parse("[[1]]", {.maxDepth = 2}));
        QCOMPARE(document.parse("[[{}]]", {.maxDepth = 2}).error(), (Problem{Bad::TooDeep, 2}));
        QVERIFY(document.parse("1", {.maxDepth = 0}));
        QCOMPARE(document.parse("[]", {.maxDepth = 0}).error(), (Problem{Bad::TooDeep, 0}));
        // The array, 1, the object, its name, its value.
        QVERIFY(document.parse("[1,{\"a\":2}]", {.maxNodes = 5}));
        QCOMPARE(document.parse("[1,{\"a\":2}]", {.maxNodes = 4}).error(),
                 (Problem{Bad::TooManyValues, 8}));
        QCOMPARE(document.parse("[1,{\"a\":2}]", {.maxNodes = 3}).error(),
                 (Problem{Bad::TooManyValues, 4}));
        const std::string deepest = std::string(512, '[') + std::string(512, ']');
        QVERIFY(document.parse(deepest));
        QCOMPARE(document.measures().depth, std::size_t(512));
        QCOMPARE(document.parse('[' + deepest + ']').error(), (Problem{Bad::TooDeep, 512}));
    }

    void length_beyondTheLongest_isRefused()
    {
        Document document;
        const std::string text(Document::longestText + 1, ' ');
        QCOMPARE(document.parse(text).error(), (Problem{Bad::TooLong, Document::longestText}));
        QVERIFY(document.capacity() < 1000);
    }
};

QTEST_APPLESS_MAIN(TestDocument)
#include "tst_document.moc"
