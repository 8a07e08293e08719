// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/body.h"
#include "gateway/http/text.h"
#include "tests/http/messages.h"

#include <QTest>

using namespace gatehouse::http;

namespace {

using Event = BodyReader::Event;

/// What a reader made of a text that came in pieces.
struct Reading
{
    QByteArray data = {};
    Event end = Event::NeedMore;
    qsizetype unread = 0; ///< bytes left untouched behind the end
    QByteArray trailers = {};
    bool endsAtClose = false;

    bool operator==(const Reading &) const = default;
};

Head headOf(Framing framing, std::uint64_t length = 0)
{
    Head head;
    head.framing = framing;
    head.contentLength = length;
    return head;
}

/// Reads \a text cut at \a cuts, each piece in memory of its own size, so that AddressSanitizer
/// would see a byte read past it.
Reading readCut(const Head &head, std::string_view text, std::vector<std::size_t> cuts)
{
    Reading reading;
    BodyReader reader(head);
    cuts.push_back(text.size());
    std::size_t at = 0;
    for (const std::size_t cut : cuts) {
        const std::vector<char> piece(text.begin() + static_cast<std::ptrdiff_t>(at),
                                      text.begin() + static_cast<std::ptrdiff_t>(cut));
        std::string_view input(piece.data(), piece.size());
        BodyReader::Step step{Event::Data, {}};
        while (step.event == Event::Data) {
            step = reader.next(input);
            reading.data += bytes(step.data);
        }
        at = cut;
        reading.end = step.event;
        if (step.event == Event::NeedMore && !input.empty())
            qFatal("more is asked for while there is some");
        if (step.event == Event::End) {
            reading.unread = static_cast<qsizetype>(text.size() - cut + input.size());
            reading.trailers = bytes(reader.trailerSection());
        }
        if (step.event == Event::End || step.event == Event::Malformed)
            break;
    }
    reading.endsAtClose = reader.endsAtClose();
    if (reader.isDone() != (reading.end == Event::End))
        qFatal("done is not the end");
    return reading;
}

/// The same for every cut into two and byte by byte, else a Reading that equals none.
Reading readEveryWay(const Head &head, std::string_view text)
{
    const Reading whole = readCut(head, text, {});
    std::vector<std::size_t> byByte;
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
        byByte.push_back(cut);
        if (readCut(head, text, {cut}) != whole || readCut(head, text, {cut, cut}) != whole)
            return {.data = "differs when cut at " + QByteArray::number(qulonglong(cut))};
    }
    return readCut(head, text, byByte) == whole ? whole : Reading{.data = "differs byte by byte"};
}

QByteArray shown(const Reading &reading)
{
    static const char *const ends[] = {"more", "data", "end", "malformed"};
    return reading.data + '|' + ends[static_cast<int>(reading.end)] + '|'
           + QByteArray::number(reading.unread) + '|' + reading.trailers;
}

} // namespace

class TestBody : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void chunked_bodies_areReadAtEverySplit_data();
    void chunked_bodies_areReadAtEverySplit();
    void chunked_malformed_isRefusedAtEverySplit_data();
    void chunked_malformed_isRefusedAtEverySplit();
    void chunked_everyByteOfTheSizeLine_isKnownOrRefused();
    void chunked_everyByteInAQuotedExtension_isKnownOrRefused();
    void chunked_extensions_holdToTheByte();
    void chunked_trailers_holdToTheByte();
    void chunked_largestSize_isCounted();
    void length_bodies_areReadAtEverySplit();
    void untilClose_everything_isData();
    void none_anything_isLeftUntouched();
    void close_anyState_completesOrNot();
    void data_pieces_areViewsIntoTheInput();
    void malformed_reader_staysMalformed();
};

void TestBody::chunked_bodies_areReadAtEverySplit_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &text, const QByteArray &expected) {
        QTest::newRow(name) << text << expected;
    };
    row("empty", "0\r\n\r\n", "|end|0|");
    row("one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello|end|0|");
    row("chunks", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc|end|0|");
    row("digits in any case",
        "a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n",
        "0123456789abcdefghij|end|0|");
    row("two digits",
        "1F\r\n" + QByteArray(31, 'x') + "\r\n0\r\n\r\n",
        QByteArray(31, 'x') + "|end|0|");
    row("leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello|end|0|");
    row("15 digits", "000000000000005\r\nhello\r\n000000000000000\r\n\r\n", "hello|end|0|");
    row("line ends in the data",
        "4\r\n\r\n\r\n\r\n3\r\n0\r\n\r\n0\r\n\r\n",
        "\r\n\r\n0\r\n|end|0|");
    row("pipelined request behind", "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "a|end|16|");
    row("line end behind", "0\r\n\r\n\r\n", "|end|2|");
    row("extension", "1;a\r\nx\r\n0;b\r\n\r\n", "x|end|0|");
    row("extension with a token", "1;a=b;c=1\r\nx\r\n0\r\n\r\n", "x|end|0|");
    row("extension with a text", "1;a=\"b c\t\xe9\"\r\nx\r\n0\r\n\r\n", "x|end|0|");
    row("extension with an empty text", "1;a=\"\";b=\"\"\r\nx\r\n0\r\n\r\n", "x|end|0|");
    row("extension with escapes", "1;a=\"\\\"\\\\\\;\\\t\"\r\nx\r\n0\r\n\r\n", "x|end|0|");
    row("extension that looks like a chunk", "1;a=\";2=1\"\r\nx\r\n0\r\n\r\n", "x|end|0|");
    row("trailers", "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", "x|end|0|A: b\r\nC:\r\n\r\n");
    row("trailers and more behind", "0;e\r\nA: b\r\n\r\nGET", "|end|3|A: b\r\n\r\n");
    row("nothing yet", "", "|more|0|");
    row("half a size", "1", "|more|0|");
    row("half a line end", "1\r", "|more|0|");
    row("half an extension", "1;a=\"b", "|more|0|");
    row("half a chunk", "5\r\nhe", "he|more|0|");
    row("chunk without its line end", "2\r\nhe", "he|more|0|");
    row("before the last chunk", "2\r\nhe\r\n", "he|more|0|");
    row("before the empty line", "0\r\n", "|more|0|");
    row("half the empty line", "0\r\n\r", "|more|0|");
    row("half the trailers", "0\r\nA: b\r\n", "|more|0|");
}

void TestBody::chunked_bodies_areReadAtEverySplit()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    QCOMPARE(shown(readEveryWay(headOf(Framing::Chunked), view(text))), expected);
}

void TestBody::chunked_malformed_isRefusedAtEverySplit_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("data");
    const auto row = [](const char *name, const QByteArray &text, const char *data = "") {
        QTest::newRow(name) << text << QByteArray(data);
    };
    row("16 digits", "0000000000000005\r\nhello\r\n");
    row("16 digits beyond 64 bits", "fffffffffffffffff\r\n");
    row("no digits", "\r\n");
    row("extension without a size", ";a\r\n");
    row("sign", "-1\r\n");
    row("plus", "+1\r\nx\r\n");
    row("prefix", "0x1\r\nx\r\n");
    row("letter behind", "1g\r\nx\r\n");
    row("blank before", " 1\r\nx\r\n");
    row("blank behind", "1 \r\nx\r\n");
    row("tab behind", "1\t\r\nx\r\n");
    row("underscore", "1_0\r\n");
    row("point", "1.0\r\n");
    row("NUL behind", QByteArray("1\0\r\nx\r\n", 7));
    row("bare LF behind the size", "1\nx\r\n");
    row("CR without LF behind the size", "1\rx\r\n");
    row("CR CR LF behind the size", "1\r\r\nx\r\n");
    row("bare LF behind the data", "1\r\nx\n0\r\n\r\n", "x");
    row("CR without LF behind the data", "1\r\nx\r0\r\n\r\n", "x");
    row("no line end behind the data", "1\r\nx0\r\n\r\n", "x");
    row("more data than its size", "1\r\nxy\r\n0\r\n\r\n", "x");
    row("less data than its size", "3\r\nx\r\n0\r\n\r\n", "x\r\n");
    row("blank line before a size", "1\r\nx\r\n\r\n0\r\n\r\n", "x");
    row("bare LF behind the last chunk", "0\n\r\n");
    row("bare LF as the end", "0\r\n\n");
    row("CR without LF as the end", "0\r\n\rx");
    row("blank before the semicolon", "1 ;a\r\nx\r\n");
    row("blank behind the semicolon", "1; a\r\nx\r\n");
    row("blank before the equals sign", "1;a =b\r\nx\r\n");
    row("blank behind the equals sign", "1;a= b\r\nx\r\n");
    row("blank behind an extension", "1;a=b \r\nx\r\n");
    row("extension without a name", "1;\r\nx\r\n");
    row("second extension without a name", "1;a;\r\nx\r\n");
    row("extension without a name between", "1;;a\r\nx\r\n");
    row("value without a name", "1;=a\r\nx\r\n");
    row("value without a name behind a value", "1;a=b;=c\r\nx\r\n");
    row("extension without its value", "1;a=\r\nx\r\n");
    row("two values", "1;a=b=c\r\nx\r\n");
    row("two texts", "1;a=\"b\"\"c\"\r\nx\r\n");
    row("token behind a text", "1;a=\"b\"c\r\nx\r\n");
    row("text behind a token", "1;a=b\"c\"\r\nx\r\n");
    row("open text", "1;a=\"b\r\nx\r\n");
    row("LF in a text", "1;a=\"\n\"\r\nx\r\n");
    row("CR behind an escape", "1;a=\"\\\r\n\"\r\nx\r\n");
    row("LF behind an extension", "1;a\nx\r\n");
    row("LF behind a token", "1;a=b\nx\r\n");
    row("LF behind a text", "1;a=\"b\"\nx\r\n");
    row("CR without LF behind an extension", "1;a\rx\r\n");
    row("bare LF in the trailers", "0\r\nA: b\n\r\n");
    row("bare LF behind the trailers", "0\r\nA: b\r\n\n");
    row("fold in the trailers", "0\r\nA: b\r\n c\r\n\r\n");
}

void TestBody::chunked_malformed_isRefusedAtEverySplit()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, data);
    const Reading reading = readEveryWay(headOf(Framing::Chunked), view(text));
    QCOMPARE(shown(reading), QByteArray(data + "|malformed|0|"));
    QVERIFY(!reading.endsAtClose);
}

void TestBody::chunked_everyByteOfTheSizeLine_isKnownOrRefused()
{
    const QByteArray hex("0123456789abcdefABCDEF");
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const auto isRefused = [&](const std::string &text) {
            return readCut(headOf(Framing::Chunked), text, {}).end == Event::Malformed;
        };
        QCOMPARE(isRefused({c}), !hex.contains(c));
        QCOMPARE(isRefused({'1', c}), !hex.contains(c) && c != ';' && c != '\r');
        QCOMPARE(isRefused({'1', '\r', c}), c != '\n');
        QCOMPARE(isRefused({'1', '\r', '\n', 'x', c}), c != '\r');
        QCOMPARE(isRefused({'1', '\r', '\n', 'x', '\r', c}), c != '\n');
        QCOMPARE(isRefused({'0', '\r', '\n', '\r', c}), c != '\n');
    }
}

void TestBody::chunked_everyByteInAQuotedExtension_isKnownOrRefused()
{
    for (int byte = 0; byte < 256; ++byte) {
        const bool isText = byte == '\t' || (byte >= ' ' && byte != 0x7f);
        const std::string c(1, static_cast<char>(byte));
        // An escape alone takes the quote that follows with it.
        const auto readEnd = [](const std::string &text) {
            return readCut(headOf(Framing::Chunked), text + "\r\n\r\n", {}).end;
        };
        const bool isSyntax = c == "\"" || c == "\\";
        QCOMPARE(readEnd("0;a=\"" + c + "\"") == Event::End, isText && !isSyntax);
        QCOMPARE(readEnd("0;a=\"\\" + c + "\"") == Event::End, isText);
        QCOMPARE(readEnd("0;a" + c + "b") == Event::End, isToken(c) || c == "=" || c == ";");
        QCOMPARE(readEnd("0;a=b" + c) == Event::End, isToken(c));
    }
}

void TestBody::chunked_extensions_holdToTheByte()
{
    // 1024 bytes of all chunks, each extension with its semicolon.
    const auto endOf = [](std::size_t first, std::size_t second) {
        const std::string text = "1;" + std::string(first - 1, 'a') + "\r\nx\r\n0;"
                                 + std::string(second - 1, 'a') + "\r\n\r\n";
        const Reading whole = readCut(headOf(Framing::Chunked), text, {});
        if (readCut(headOf(Framing::Chunked), text, {text.size() / 2}) != whole)
            qFatal("differs when cut");
        return whole.end;
    };
    QCOMPARE(endOf(1022, 2), Event::End);
    QCOMPARE(endOf(512, 512), Event::End);
    QCOMPARE(endOf(1023, 2), Event::Malformed);
    QCOMPARE(endOf(512, 513), Event::Malformed);
    QCOMPARE(endOf(1025, 2), Event::Malformed);
    QCOMPARE(endOf(70'000, 2), Event::Malformed);
    std::string many;
    for (int i = 0; i < 512; ++i)
        many += "1;a\r\nx\r\n";
    QCOMPARE(readCut(headOf(Framing::Chunked), many + "0\r\n\r\n", {}).end, Event::End);
    QCOMPARE(readCut(headOf(Framing::Chunked), many + "0;a\r\n\r\n", {}).end, Event::Malformed);
}

void TestBody::chunked_trailers_holdToTheByte()
{
    for (const std::size_t size : {16'383U, 16'384U, 16'385U, 40'000U}) {
        const std::string section = "A: " + std::string(size - 7, 'b') + "\r\n\r\n";
        QCOMPARE(section.size(), size);
        const std::string text = "0\r\n" + section;
        const Head head = headOf(Framing::Chunked);
        const Event expected = size <= 16'384 ? Event::End : Event::Malformed;
        const Reading whole = readCut(head, text, {});
        QCOMPARE(whole.end, expected);
        QCOMPARE(whole.trailers, expected == Event::End ? bytes(section) : QByteArray());
        QCOMPARE(readCut(head, text + "tail", {}).unread,
                 qsizetype(expected == Event::End ? 4 : 0));
        for (const std::size_t cut : {std::size_t(4), size - 1, size, size + 1, size + 2})
            QVERIFY(readCut(head, text, {cut}) == whole);
    }
}

void TestBody::chunked_largestSize_isCounted()
{
    BodyReader reader(headOf(Framing::Chunked));
    std::string_view input = "fffffffffffffff\r\nabc";
    const BodyReader::Step step = reader.next(input);
    QCOMPARE(step.event, Event::Data);
    QCOMPARE(bytes(step.data), QByteArray("abc"));
    QCOMPARE(reader.next(input).event, Event::NeedMore);
}

void TestBody::length_bodies_areReadAtEverySplit()
{
    const auto read = [](std::uint64_t length, std::string_view text) {
        return shown(readEveryWay(headOf(Framing::Length, length), text));
    };
    QCOMPARE(read(5, "hello"), QByteArray("hello|end|0|"));
    QCOMPARE(read(5, "helloGET"), QByteArray("hello|end|3|"));
    QCOMPARE(read(5, "hell"), QByteArray("hell|more|0|"));
    QCOMPARE(read(0, "GET"), QByteArray("|end|3|"));
    QCOMPARE(read(0, ""), QByteArray("|end|0|"));
    QCOMPARE(read(3, "0\r\n\r\n"), QByteArray("0\r\n|end|2|"));
    QCOMPARE(read(999'999'999'999'999'999U, "a"), QByteArray("a|more|0|"));
}

void TestBody::untilClose_everything_isData()
{
    const Reading reading = readEveryWay(headOf(Framing::UntilClose), "0\r\n\r\nHTTP/1.1 200\r\n");
    QCOMPARE(shown(reading), QByteArray("0\r\n\r\nHTTP/1.1 200\r\n|more|0|"));
    QVERIFY(reading.endsAtClose);
}

void TestBody::none_anything_isLeftUntouched()
{
    QCOMPARE(shown(readEveryWay(headOf(Framing::None), "GET /")), QByteArray("|end|5|"));
    QCOMPARE(shown(readEveryWay(headOf(Framing::None, 7), "")), QByteArray("|end|0|"));
    BodyReader reader;
    std::string_view input = "a";
    QCOMPARE(reader.next(input).event, Event::End);
    QCOMPARE(input.size(), std::size_t(1));
}

void TestBody::close_anyState_completesOrNot()
{
    const auto endsAtClose = [](const Head &head, std::string_view text) {
        return readCut(head, text, {}).endsAtClose;
    };
    QVERIFY(endsAtClose(headOf(Framing::None), ""));
    QVERIFY(endsAtClose(headOf(Framing::UntilClose), ""));
    QVERIFY(endsAtClose(headOf(Framing::Length, 1), "a"));
    QVERIFY(!endsAtClose(headOf(Framing::Length, 2), "a"));
    const std::string_view chunks = "1;a=b\r\nx\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t size = 0; size < chunks.size(); ++size)
        QVERIFY(!endsAtClose(headOf(Framing::Chunked), chunks.substr(0, size)));
    QVERIFY(endsAtClose(headOf(Framing::Chunked), chunks));
}

void TestBody::data_pieces_areViewsIntoTheInput()
{
    const std::string text = "3\r\nabc\r\n";
    std::string_view input = text;
    BodyReader reader(headOf(Framing::Chunked));
    const BodyReader::Step step = reader.next(input);
    QVERIFY(step.data.data() == text.data() + 3);
    QCOMPARE(input.size(), std::size_t(2));
}

void TestBody::malformed_reader_staysMalformed()
{
    BodyReader reader(headOf(Framing::Chunked));
    std::string_view bad = "x";
    QCOMPARE(reader.next(bad).event, Event::Malformed);
    std::string_view good = "0\r\n\r\n";
    QCOMPARE(reader.next(good).event, Event::Malformed);
    QVERIFY(!reader.isDone() && !reader.endsAtClose());
}

QTEST_APPLESS_MAIN(TestBody)
#include "tst_body.moc"
