// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/document.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

using namespace gatehouse::json;

namespace {

Document parsed(std::string_view text)
{
    Document document;
    if (!document.parse(text))
        qFatal("a text of the test is refused");
    return document;
}

} // namespace

class TestValue : public QObject
{
    Q_OBJECT

private:
    using Integer = std::optional<std::int64_t>;

private Q_SLOTS:
    void readers_ofOtherKinds_giveNothing()
    {
        const Document document = parsed(R"([null, true, 1, "1", [], {}])");
        const std::vector<Kind> kinds{
            Kind::Null, Kind::Boolean, Kind::Number, Kind::String, Kind::Array, Kind::Object};
        std::size_t at = 0;
        for (const Value value : document.root().elements()) {
            const Kind kind = kinds.at(at++);
            QVERIFY(value.kind() == kind);
            QCOMPARE(value.text().has_value(), kind == Kind::String);
            QCOMPARE(value.boolean().has_value(), kind == Kind::Boolean);
            QCOMPARE(value.number().has_value(), kind == Kind::Number);
            QCOMPARE(value.integer().has_value(), kind == Kind::Number);
            QCOMPARE(value.size(), std::size_t(0));
            QVERIFY(!value.find("") && !value.at(0));
            QVERIFY(value.elements().begin() == value.elements().end());
            QVERIFY(value.members().begin() == value.members().end());
        }
        QCOMPARE(at, kinds.size());
    }

    void containers_offerNothingOfTheOtherKind()
    {
        const Document array = parsed(R"(["a", 1])");
        QVERIFY(array.root().members().begin() == array.root().members().end());
        QVERIFY(!array.root().find("a"));
        const Document object = parsed(R"({"a": 1})");
        QVERIFY(object.root().elements().begin() == object.root().elements().end());
        QVERIFY(!object.root().at(0));
    }

    void text_escaped_isUnescaped()
    {
        const Document document
            = parsed("{\"content\":\"Gr\\u00fc\\u00dfe \\ud83d\\ude00\\n\\\"q\\\" \\/\\\\ "
                     "\\b\\f\\r\\t\\u0000\",\"plain\":\"a/b\"}");
        using namespace std::string_view_literals;
        QCOMPARE(*document.root().find("content")->text(),
                 "Gr\u00fc\u00dfe \U0001F600\n\"q\" /\\ \b\f\r\t\0"sv);
        QCOMPARE(*document.root().find("plain")->text(), "a/b"sv);
    }

    // Escapes are found eight bytes at a time: each place in the eight, each distance to the next.
    void text_escapesAtEveryPlace_isUnescaped()
    {
        Document document;
        for (std::size_t before = 0; before < 20; ++before) {
            for (std::size_t between = 0; between < 20; ++between) {
                const std::string a(before, 'a');
                const std::string b(between, 'b');
                QVERIFY(document.parse("[\"" + a + "\\n" + b + "\\u20ac" + b + "\", \"x\\\\\"]"));
                QCOMPARE(*document.root().at(0)->text(),
                         std::string_view(a + '\n' + b + "\u20ac" + b));
                QCOMPARE(*document.root().at(1)->text(), std::string_view("x\\"));
            }
        }
    }

    void integer_whereExact_isGiven_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<bool>("isExact");
        QTest::addColumn<qint64>("expected");
        const auto row = [](const char *text, Integer expected) {
            QTest::newRow(text) << QByteArray(text) << expected.has_value()
                                << qint64(expected.value_or(0));
        };
        row("0", 0);
        row("-0", 0);
        row("0.000", 0);
        row("0e999999999999999999999", 0);
        row("1700000000", 1700000000);
        row("-42", -42);
        row("1.0", 1);
        row("1e0", 1);
        row("1E+3", 1000);
        row("10e-1", 1);
        row("-1.50e1", -15);
        row("0.5e1", 5);
        row("0.000000000000000000000000000001e30", 1);
        row("100000000000000000000000000000e-29", 1);
        row("9223372036854775807", std::numeric_limits<std::int64_t>::max());
        row("-9223372036854775808", std::numeric_limits<std::int64_t>::min());
        row("9223372036854775807.000", std::numeric_limits<std::int64_t>::max());
        row("9007199254740993", 9007199254740993);
        row("9223372036854775808", {});
        row("-9223372036854775809", {});
        row("18446744073709551615", {});
        row("1e19", {});
        row("1e18", 1000000000000000000);
        row("123456789012345678901234567890", {});
        row("0.5", {});
        row("1.5", {});
        row("15e-1", {});
        row("1e-1", {});
        row("9007199254740992.0000000000001", {});
        row("1e9999999999999999999999", {});
        row("1e-9999999999999999999999", {});
    }
    void integer_whereExact_isGiven()
    {
        QFETCH(QByteArray, text);
        QFETCH(bool, isExact);
        QFETCH(qint64, expected);
        const Document document = parsed(text.toStdString());
        const Integer integer = document.root().integer();
        QCOMPARE(integer.has_value(), isExact);
        QCOMPARE(qint64(integer.value_or(0)), expected);
        QCOMPARE(document.root().sourceText(),
                 std::string_view(text.data(), static_cast<std::size_t>(text.size())));
    }

    void number_withinDouble_isTheNearest()
    {
        const auto number = [](std::string_view text) { return parsed(text).root().number(); };
        QCOMPARE(*number("0.1"), 0.1);
        QCOMPARE(*number("-12.5e-3"), -0.0125);
        QCOMPARE(*number("18446744073709551615"), 18446744073709551615.0);
        QCOMPARE(*number("1.7976931348623157e308"), std::numeric_limits<double>::max());
        QVERIFY(*number("5e-324") == std::numeric_limits<double>::denorm_min());
        QVERIFY(std::signbit(*number("-0")));
        for (const char *tiny :
             {"1e-400", "0.1e-400", "0.0001e-99999999999999999999", "1e-1000000000"})
            QVERIFY2(*number(tiny) == 0.0 && !std::signbit(*number(tiny)), tiny);
        QVERIFY(std::signbit(*number("-1e-400")));
        QVERIFY(*number('0' + ('.' + std::string(500, '0')) + '1') == 0.0);
    }

    void number_beyondDouble_hasItsDigitsOnly()
    {
        const std::string digits = '1' + std::string(400, '0');
        for (const std::string &text : {std::string("1e309"),
                                        std::string("-1e309"),
                                        std::string("1.8e308"),
                                        std::string("0.001e400"),
                                        std::string("1e99999999999999999999"),
                                        digits}) {
            const Document document = parsed(text);
            QVERIFY(document.root().kind() == Kind::Number);
            QVERIFY2(!document.root().number(), text.c_str());
            QVERIFY(!document.root().integer());
            QCOMPARE(document.root().sourceText(), std::string_view(text));
        }
        QCOMPARE(*parsed(digits + "e-400").root().number(), 1.0);
        QCOMPARE(*parsed(digits + "e-400").root().integer(), std::int64_t(1));
    }

    void find_amongMembers_comparesWholeNames()
    {
        const Document document
            = parsed(R"({"mode":0,"models":1,"inner":{"model":9},"mod\u0065l":2,"Model":3,"":4})");
        const Value root = document.root();
        QCOMPARE(*root.find("model")->integer(), std::int64_t(2));
        QCOMPARE(*root.find("")->integer(), std::int64_t(4));
        QVERIFY(!root.find("mod") && !root.find("MODEL") && !root.find(R"(mod\u0065l)"));
        QCOMPARE(root.size(), std::size_t(6));
    }

    void source_ofEachValue_isItsBytes()
    {
        const std::string text = " { \"a\\n\" : [ 1.50 , \"x\\\"y\" , { } ] , \"b\":true}\n";
        const Document document = parsed(text);
        const auto bytes = [&](Range range) { return text.substr(range.offset, range.length); };
        const Value root = document.root();
        QCOMPARE(root.source(), (Range{1, text.size() - 2}));
        const Member first = *root.members().begin();
        QCOMPARE(bytes(first.nameSource), std::string("\"a\\n\""));
        QCOMPARE(first.name, std::string_view("a\n"));
        QCOMPARE(bytes(first.value.source()), std::string("[ 1.50 , \"x\\\"y\" , { } ]"));
        QCOMPARE(bytes(first.value.at(0)->source()), std::string("1.50"));
        QCOMPARE(bytes(first.value.at(1)->source()), std::string("\"x\\\"y\""));
        QCOMPARE(bytes(first.value.at(2)->source()), std::string("{ }"));
        QCOMPARE(bytes(root.find("b")->source()), std::string("true"));
        QVERIFY(!first.value.at(3));
        for (const Value element : first.value.elements())
            QCOMPARE(std::string(element.sourceText()), bytes(element.source()));
    }

    void ranges_workWithAlgorithms()
    {
        const Document document = parsed(R"([[1,[2]],{"a":[3]},4])");
        QCOMPARE(std::ranges::count_if(document.root().elements(), &Value::isArray), 1);
        std::size_t steps = 0;
        for (auto at = document.root().elements().begin(); at != document.root().elements().end();
             at++)
            ++steps;
        QCOMPARE(steps, document.root().size());
        QVERIFY(std::ranges::all_of(document.root().at(1)->members(),
                                    [](const Member &member) { return member.name == "a"; }));
    }

    void moved_document_keepsItsValues()
    {
        Document document = parsed(R"({"a":"\u0062"})");
        const Value root = document.root();
        const Document moved = std::move(document);
        QCOMPARE(*root.find("a")->text(), std::string_view("b"));
        QVERIFY(moved.root().isObject());
    }
};

QTEST_APPLESS_MAIN(TestValue)
#include "tst_value.moc"
