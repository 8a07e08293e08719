// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/memberscanner.h"

#include <QElapsedTimer>
#include <QTest>

#include <array>

using namespace gatehouse::json;

namespace {

constexpr auto pointers = std::to_array<std::string_view>(
    {"/usage", "/model", "/response/usage", "/*/usage", "/choices/*/index", "/a/b/c/d", "/x/*/y"});
constexpr std::size_t limit = 40;

const MemberPlaces &places()
{
    static const MemberPlaces all(pointers);
    return all;
}

/// Values as `pointer=value;`, `.` for the end of a text, `!` for what is broken.
class Scan
{
public:
    void take(std::string_view bytes)
    {
        while (!m_isBroken) {
            const MemberScanner::Step step = m_scanner.next(bytes);
            switch (step.kind) {
            case MemberScanner::Kind::NeedMore:
                if (!bytes.empty())
                    m_text += "input was left";
                return;
            case MemberScanner::Kind::Value:
                m_text
                    += std::string(pointers.at(step.place)) + '=' + std::string(step.value) + ';';
                break;
            case MemberScanner::Kind::TextEnd:
                m_text += '.';
                break;
            case MemberScanner::Kind::Broken:
                m_text += '!';
                m_isBroken = true;
                break;
            }
        }
    }
    [[nodiscard]] QByteArray text() const { return QByteArray::fromStdString(m_text); }

private:
    MemberScanner m_scanner{places(), limit};
    std::string m_text;
    bool m_isBroken = false;
};

QByteArray scanned(const std::string &text, std::size_t cut, std::size_t size)
{
    Scan scan;
    scan.take(std::string(text, 0, cut)); // gone when the next piece comes
    scan.take({});
    for (std::size_t at = cut; at < text.size(); at += size)
        scan.take(std::string(text, at, size));
    return scan.text();
}

} // namespace

class TestMemberScanner : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void next_texts_areReadTheSameHoweverTheyAreCut_data();
    void next_texts_areReadTheSameHoweverTheyAreCut();
    void next_depth_holdsToTheLevel();
    void restart_inTheMiddle_beginsAnew();
    void next_wholeValue_isAViewOfTheInput();
    void next_hostileTexts_takeLinearTime_data();
    void next_hostileTexts_takeLinearTime();
};

void TestMemberScanner::next_texts_areReadTheSameHoweverTheyAreCut_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &text, const QByteArray &expected) {
        QTest::newRow(name) << text << expected;
    };
    row("nothing", "", "");
    row("white space", " \r\n\t ", "");
    row("none of them", R"({"a":1,"b":[1,2,{"usage":3}],"c":"x"})", ".");
    row("object", R"({"usage":{"a":[1,{"b":"}"}]}})", R"(/usage={"a":[1,{"b":"}"}]};.)");
    row("array", R"({"usage":[1,2]})", "/usage=[1,2];.");
    row("string", R"({"model":"x\"y\\"})", R"(/model="x\"y\\";.)");
    row("number", R"({"usage":12})", "/usage=12;.");
    row("number with a fraction", R"({"usage":-1.5e+7,"model":1})", "/usage=-1.5e+7;/model=1;.");
    row("literals", R"({"usage":null,"model":true})", "/usage=null;/model=true;.");
    row("white space all around",
        " \n{ \"usage\" \t: {\"a\" : 1 } , \"model\" : 2 \r\n} \n",
        "/usage={\"a\" : 1 };/model=2;.");
    row("the same twice", R"({"usage":1,"usage":2})", "/usage=1;/usage=2;.");
    row("one below", R"({"response":{"id":"x","usage":{}}})", "/response/usage={};.");
    row("elsewhere", R"({"request":{"usage":1},"response":{"a":{"usage":1}}})", ".");
    row("scalar where a container is looked into",
        R"({"response":1,"choices":null,"usage":2})",
        "/usage=2;.");
    row("array where an object is looked into",
        R"({"response":[{"usage":1}],"usage":2})",
        "/usage=2;.");
    row("object where an array is looked into", R"({"x":{"*":{"y":1}},"*":{"usage":1}})", ".");
    row("elements", R"([{"usage":1},{"usage":2},3,[{"usage":4}]])", "/*/usage=1;/*/usage=2;.");
    row("elements below",
        R"({"choices":[{"index":0},{"index":1}]})",
        "/choices/*/index=0;/choices/*/index=1;.");
    row("deepest", R"({"a":{"b":{"c":{"d":{"d":1}},"d":2}}})", R"(/a/b/c/d={"d":1};.)");
    row("empty containers", R"({"choices":[],"a":{},"x":[{}],"usage":1})", "/usage=1;.");
    row("behind big ones", R"({"a":{"b":[[[]],{"c":{}}],"e":"\\\"]}"},"usage":1})", "/usage=1;.");
    row("in a string", R"({"content":"{\"usage\":1}","b":"usage","usage":2})", "/usage=2;.");
    row("string that is a name", R"({"a":"usage","b":{"usage":1}})", ".");
    row("escaped name", R"({"us\u0061ge":1,"\"usage":2,"usage\\":3,"model":4})", "/model=4;.");
    row("name in parts", R"({"usage ":1,"usag":2,"usages":3,"":4})", ".");
    row("long name",
        '{' + QByteArray("\"" + QByteArray(200, 'u') + "\":1,\"usage\":2}"),
        "/usage=2;.");
    row("lines", "{\"usage\":1}\n{\"usage\":2}\r\n\n{}\n", "/usage=1;./usage=2;..");
    row("texts without anything between", R"({"usage":1}{"usage":2}[])", "/usage=1;./usage=2;..");
    row("scalars as texts", "1 \"x\" null {\"usage\":1}", ".../usage=1;.");
    row("at the limit",
        R"({"usage":"12345678901234567890123456789012345678"})",
        R"(/usage="12345678901234567890123456789012345678";.)");
    row("over the limit",
        R"({"usage":"123456789012345678901234567890123456789","model":1})",
        "/model=1;.");
    row("container over the limit",
        R"({"usage":{"a":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7]},"model":1})",
        "/model=1;.");
    row("cut in a value", R"({"model":1,"usage":{"a":1)", "/model=1;");
    row("cut in a number", R"({"usage":12)", "");
    row("cut behind a value", R"({"usage":{})", "/usage={};");
    row("no JSON", "<html>", "!");
    row("byte order mark", "\xef\xbb\xbf{}", "!");
    row("wrong bracket", R"({"usage":{"a":1]})", "!");
    row("wrong bracket far below", R"({"b":[{"a":[1}]],"usage":1})", "!");
    row("wrong bracket on top", R"({"usage":1])", "/usage=1;!");
    row("bracket too many", R"({"usage":1}})", "/usage=1;.!");
    row("no colon", R"({"model" 1,"usage":2})", "!");
    row("no comma", R"({"model":1 "usage":2})", "/model=1;!");
    row("comma at the end", R"({"model":1,})", "/model=1;!");
    row("comma at the end of elements", R"([{"usage":1},])", "/*/usage=1;!");
    row("comma alone", R"({,"usage":1})", "!");
    row("no name", R"({1:2,"usage":1})", "!");
    row("no value", R"({"model":,"usage":1})", "!");
    row("two values", R"({"model":1"usage","usage":1})", "!");
    row("single quotes", R"({'usage':1})", "!");
    row("comment", R"({"usage":/*1*/2})", "!");
}

void TestMemberScanner::next_texts_areReadTheSameHoweverTheyAreCut()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    const std::string bytes = text.toStdString();
    Scan atOnce;
    atOnce.take(bytes);
    QCOMPARE(atOnce.text(), expected);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
        QCOMPARE(scanned(bytes, cut, bytes.size() + 1), expected);
    for (std::size_t size = 1; size <= 3; ++size)
        QCOMPARE(scanned(bytes, 0, size), expected);
}

void TestMemberScanner::next_depth_holdsToTheLevel()
{
    const auto nested = [](qsizetype depth) {
        Scan scan;
        const auto count = static_cast<std::size_t>(depth);
        scan.take("{\"q\":" + std::string(count, '[') + std::string(count, ']') + ",\"usage\":1}");
        return scan.text();
    };
    QCOMPARE(nested(512), QByteArray("/usage=1;."));
    QCOMPARE(nested(513), QByteArray("!"));
    QCOMPARE(nested(100'000), QByteArray("!"));
}

void TestMemberScanner::restart_inTheMiddle_beginsAnew()
{
    for (const std::string_view front :
         {R"({"usage":{"a)", R"({"usage":"\)", R"({"us)", R"([[[)", R"({"model":1)", "!"}) {
        MemberScanner scanner(places(), limit);
        std::string_view input = front;
        while (scanner.next(input).kind == MemberScanner::Kind::Value) {
        }
        scanner.restart();
        input = R"({"usage":{"b":1}})";
        const auto value = scanner.next(input);
        QVERIFY(value.kind == MemberScanner::Kind::Value && value.value == R"({"b":1})");
        QVERIFY(scanner.next(input).kind == MemberScanner::Kind::TextEnd);
    }
}

void TestMemberScanner::next_wholeValue_isAViewOfTheInput()
{
    const std::string text = R"({"usage":{"a":1}})";
    MemberScanner scanner(places(), limit);
    std::string_view input = text;
    const std::string_view value = scanner.next(input).value;
    QVERIFY(value.data() == text.data() + 9 && value.size() == 7);
}

void TestMemberScanner::next_hostileTexts_takeLinearTime_data()
{
    QTest::addColumn<QByteArray>("begin");
    QTest::addColumn<QByteArray>("unit");
    QTest::newRow("quotes") << QByteArray("{\"q\":[") << QByteArray("\"\",");
    QTest::newRow("escapes") << QByteArray("{\"q\":\"") << QByteArray("\\\\");
    QTest::newRow("escapes in a name") << QByteArray("{\"") << QByteArray("\\\\");
    QTest::newRow("members") << QByteArray("{") << QByteArray("\"usage\":1,");
    QTest::newRow("texts") << QByteArray() << QByteArray("{}");
    QTest::newRow("containers") << QByteArray("[") << QByteArray("[],");
    QTest::newRow("one long value") << QByteArray("{\"usage\":\"") << QByteArray("x");
    QTest::newRow("spaces") << QByteArray("{") << QByteArray(" ");
}

void TestMemberScanner::next_hostileTexts_takeLinearTime()
{
    QFETCH(QByteArray, begin);
    QFETCH(QByteArray, unit);
    begin += unit.repeated((8 << 20) / unit.size());
    const std::string text = begin.toStdString();
    QElapsedTimer timer;
    timer.start();
    MemberScanner scanner(places(), limit);
    std::string_view input = text;
    MemberScanner::Step step;
    do {
        step = scanner.next(input);
    } while (step.kind == MemberScanner::Kind::Value || step.kind == MemberScanner::Kind::TextEnd);
    QVERIFY(step.kind == MemberScanner::Kind::NeedMore);
    QVERIFY(timer.elapsed() < 8000);
}

QTEST_GUILESS_MAIN(TestMemberScanner)
#include "tst_memberscanner.moc"
