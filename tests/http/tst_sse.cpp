// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/sse.h"

#include <QElapsedTimer>
#include <QTest>

#include <algorithm>

using namespace gatehouse::http;

namespace {

/// What a stream was read as, an event as `type:data[begin,end)`; pieces are put together, `~` is before
/// an event over the limit.
class Reading
{
public:
    explicit Reading(std::size_t limit = SseReader::defaultLimit)
        : m_reader(limit)
    {}

    void take(std::string_view bytes)
    {
        for (;;) {
            const SseReader::Step step = m_reader.next(bytes);
            if (step.kind == SseReader::Kind::NeedMore)
                break;
            add(step);
        }
        m_isUsedUp = m_isUsedUp && bytes.empty();
    }
    QByteArray finished()
    {
        add(m_reader.finish());
        return m_isUsedUp ? m_text : QByteArray("input was left");
    }
    [[nodiscard]] QByteArray text() const { return m_text; }

private:
    void add(const SseReader::Step &step)
    {
        if (step.kind == SseReader::Kind::Piece)
            m_pieces.append(step.data.data(), static_cast<qsizetype>(step.data.size()));
        if (step.kind != SseReader::Kind::Event && step.kind != SseReader::Kind::Oversized)
            return;
        m_text += QByteArray(step.type.data(), static_cast<qsizetype>(step.type.size())) + ':';
        m_text += QByteArray(step.data.data(), static_cast<qsizetype>(step.data.size()));
        if (step.kind == SseReader::Kind::Oversized)
            m_text += '~' + m_pieces;
        m_pieces.clear();
        m_text += '[' + QByteArray::number(qulonglong(step.begin)) + ','
                  + QByteArray::number(qulonglong(step.end)) + ')';
    }

    SseReader m_reader;
    QByteArray m_text;
    QByteArray m_pieces;
    bool m_isUsedUp = true;
};

/// In pieces of \a size, each in memory of its own that is gone when the next one comes.
QByteArray readInPieces(const std::string &stream, std::size_t size, std::size_t limit)
{
    Reading reading(limit);
    for (std::size_t at = 0; at < stream.size(); at += size)
        reading.take(std::string(stream, at, size));
    return reading.finished();
}

QByteArray readInTwo(const std::string &stream, std::size_t cut, std::size_t limit)
{
    Reading reading(limit);
    reading.take(std::string(stream, 0, cut));
    reading.take({});
    reading.take(std::string(stream, cut));
    return reading.finished();
}

} // namespace

class TestSse : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void next_streams_areReadTheSameHoweverTheyAreCut_data();
    void next_streams_areReadTheSameHoweverTheyAreCut();
    void next_limit_holdsToTheByteHoweverItIsCut_data();
    void next_limit_holdsToTheByteHoweverItIsCut();
    void next_wholeEvent_isAViewOfTheInput();
    void next_blankLine_givesTheEventAtOnce_data();
    void next_blankLine_givesTheEventAtOnce();
    void next_endlessLine_takesBoundedMemory_data();
    void next_endlessLine_takesBoundedMemory();
    void next_hostileStreams_takeLinearTime_data();
    void next_hostileStreams_takeLinearTime();
};

void TestSse::next_streams_areReadTheSameHoweverTheyAreCut_data()
{
    QTest::addColumn<QByteArray>("stream");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &stream, const QByteArray &expected) {
        QTest::newRow(name) << stream << expected;
    };
    row("nothing", "", "");
    row("LF", "data: a\n\ndata: b\n\n", ":a[0,9):b[9,18)");
    row("CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", ":a[0,11):b[11,22)");
    row("CR", "data: a\r\rdata: b\r\r", ":a[0,9):b[9,18)");
    row("mixed line ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\n\r", ":a[0,10):b[10,20):c[20,30)");
    row("LF, then CR and LF apart", "data: a\n\r\n\ndata: b\n\n", ":a[0,10):b[11,20)");
    row("no blank before the data", "data:a\n\n", ":a[0,8)");
    row("two blanks before the data", "data:  a\n\n", ": a[0,10)");
    row("tab before the data", "data:\ta\n\n", ":\ta[0,9)");
    row("colons in the data", "data: a: b:\n\n", ":a: b:[0,13)");
    row("empty data", "data:\n\n", ":[0,7)");
    row("blank data", "data: \n\n", ":[0,8)");
    row("name alone", "data\n\n", ":[0,6)");
    row("two names alone", "data\ndata\n\n", ":\n[0,11)");
    row("lines of data", "data: a\ndata: b\ndata:\ndata: c\n\n", ":a\nb\n\nc[0,31)");
    row("lines of long data",
        "data: abcdefghij\ndata: klmnopqrst\n\n",
        ":abcdefghij\nklmnopqrst[0,35)");
    row("type", "event: message_start\ndata: a\n\n", "message_start:a[0,30)");
    row("type behind the data", "data: a\nevent: x\n\n", "x:a[0,18)");
    row("type without a blank", "event:x\ndata: a\n\n", "x:a[0,17)");
    row("the last type counts", "event: x\nevent: yy\ndata: a\n\n", "yy:a[0,28)");
    row("the last type is empty", "event: x\nevent\ndata: a\n\n", ":a[0,24)");
    row("type without data", "event: x\n\ndata: a\n\n", ":a[10,19)");
    row("type of the event before", "event: x\ndata: a\n\ndata: b\n\n", "x:a[0,18):b[18,27)");
    row("comments", ": OPENROUTER PROCESSING\n\n: keep-alive\n\ndata: a\n\n", ":a[39,48)");
    row("comment in an event", "data: a\n: comment\ndata: b\n\n", ":a\nb[0,27)");
    row("comment right before", ": comment\ndata: a\n\n", ":a[0,19)");
    row("empty comments", ":\n:\n\ndata: a\n\n", ":a[5,14)");
    row("blank lines", "\n\n\n\ndata: a\n\n\n\n", ":a[4,13)");
    row("other fields", "id: 1\nretry: 10\nfoo\ndata: a\nid\n\n", ":a[0,32)");
    row("names that begin alike",
        "datax: 1\ndat: 2\nDATA: 3\n data: 4\ndata : 5\nevents: 6\neven: 7\ndata: a\n\n",
        ":a[0,69)");
    row("byte order mark",
        "\xef\xbb\xbf"
        "data: a\n\n",
        ":a[3,12)");
    row("two byte order marks",
        "\xef\xbb\xbf\xef\xbb\xbf"
        "data: a\ndata: b\n\n",
        ":b[3,23)");
    row("part of a byte order mark",
        "\xef\xbb"
        "data: a\ndata: b\n\n",
        ":b[0,19)");
    row("byte order mark before a later event",
        "data: a\n\n\xef\xbb\xbf"
        "data: b\n\n",
        ":a[0,9)");
    row("byte order mark alone", "\xef\xbb\xbf", "");
    row("bytes",
        QByteArray("data: \0\xff\xe2\x82\xac\n\n", 13),
        QByteArray(":\0\xff\xe2\x82\xac[0,13)", 12));
    row("no blank line at the end", "data: a\n", ":a[0,8)");
    row("no line end at the end", "data: a\ndata: b", ":a\nb[0,15)");
    row("CR at the end", "data: a\r", ":a[0,8)");
    row("name alone at the end", "data: a\n\ndata", ":a[0,9):[9,13)");
    row("type alone at the end", "event: x", "");
    row("comment at the end", "data: a\n\n: bye", ":a[0,9)");
}

void TestSse::next_streams_areReadTheSameHoweverTheyAreCut()
{
    QFETCH(QByteArray, stream);
    QFETCH(QByteArray, expected);
    const std::string bytes = stream.toStdString();
    Reading atOnce;
    atOnce.take(bytes);
    QCOMPARE(atOnce.finished(), expected);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
        QCOMPARE(readInTwo(bytes, cut, SseReader::defaultLimit), expected);
    for (std::size_t size = 1; size <= 3; ++size)
        QCOMPARE(readInPieces(bytes, size, SseReader::defaultLimit), expected);
}

void TestSse::next_limit_holdsToTheByteHoweverItIsCut_data()
{
    QTest::addColumn<QByteArray>("stream");
    QTest::addColumn<QByteArray>("expected"); // with a limit of 8 bytes
    const auto row = [](const char *name, const QByteArray &stream, const QByteArray &expected) {
        QTest::newRow(name) << stream << expected;
    };
    row("at the limit", "data: 12345678\n\ndata: a\n\n", ":12345678[0,16):a[16,25)");
    row("over it", "data: 123456789\n\ndata: a\n\n", ":~123456789[0,17):a[17,26)");
    row("no blank", "data:12345678\n\ndata:123456789\n\n", ":12345678[0,15):~123456789[15,31)");
    row("lines at it", "data: 123\ndata: 5678\n\n", ":123\n5678[0,22)");
    row("lines over it", "data: 123\ndata: 56789\n\ndata: a\n\n", ":~123\n56789[0,23):a[23,32)");
    row("line end over it", "data: 12345678\ndata\n\n", ":~12345678\n[0,21)");
    row("many lines", "data: 123456789\ndata: 1\ndata\ndata: 2\n\n", ":~123456789\n1\n\n2[0,38)");
    row("type and data at it", "event: 123\ndata: 45678\n\n", "123:45678[0,24)");
    row("type and data over it", "event: 123\ndata: 456789\n\n", ":~456789[0,25)");
    row("type alone over it", "event: 123456789\ndata: 1\n\ndata: a\n\n", ":~1[0,26):a[26,35)");
    row("type behind the data over it",
        "data: 12345\nevent: 6789\ndata: 1\n\n",
        ":~12345\n1[0,33)");
    row("type over it, no data", "event: 123456789\n\ndata: a\n\n", ":a[18,27)");
    row("long comments", ": 12345678901234\ndata: a\n: 12345678901234\n\n", ":a[0,43)");
    row("long other field", "something: 12345678901234\ndata: a\n\n", ":a[0,35)");
    row("CRLF", "data: 123456789\r\ndata: 1\r\n\r\n", ":~123456789\n1[0,28)");
    row("no blank line at the end", "data: 123456789\ndata: 1", ":~123456789\n1[0,23)");
}

void TestSse::next_limit_holdsToTheByteHoweverItIsCut()
{
    QFETCH(QByteArray, stream);
    QFETCH(QByteArray, expected);
    const std::string bytes = stream.toStdString();
    Reading atOnce(8);
    atOnce.take(bytes);
    QCOMPARE(atOnce.finished(), expected);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
        QCOMPARE(readInTwo(bytes, cut, 8), expected);
    for (std::size_t size = 1; size <= 3; ++size)
        QCOMPARE(readInPieces(bytes, size, 8), expected);
}

void TestSse::next_wholeEvent_isAViewOfTheInput()
{
    const std::string stream = "event: x\ndata: {\"a\":1}\n\n: comment\ndata: 2\n\n";
    const auto isWithin = [&stream](std::string_view view) {
        return view.data() >= stream.data()
               && view.data() + view.size() <= stream.data() + stream.size();
    };
    SseReader reader;
    std::string_view input = stream;
    const auto first = reader.next(input);
    QVERIFY(isWithin(first.type) && isWithin(first.data));
    const auto second = reader.next(input);
    QVERIFY(second.data == "2" && isWithin(second.data));
}

void TestSse::next_blankLine_givesTheEventAtOnce_data()
{
    QTest::addColumn<QByteArray>("stream");
    QTest::addColumn<bool>("isGiven");
    QTest::newRow("LF") << QByteArray("data: a\n\n") << true;
    QTest::newRow("CRLF") << QByteArray("data: a\r\n\r\n") << true;
    QTest::newRow("CR and LF") << QByteArray("data: a\r\r\n") << true;
    QTest::newRow("CR, perhaps of a CRLF") << QByteArray("data: a\r\n\r") << false;
    QTest::newRow("no blank line") << QByteArray("data: a\n") << false;
}

void TestSse::next_blankLine_givesTheEventAtOnce()
{
    QFETCH(QByteArray, stream);
    QFETCH(bool, isGiven);
    Reading reading;
    reading.take(stream.toStdString());
    QCOMPARE(!reading.text().isEmpty(), isGiven);
}

void TestSse::next_endlessLine_takesBoundedMemory_data()
{
    QTest::addColumn<QByteArray>("begin");
    QTest::newRow("data") << QByteArray("data: ");
    QTest::newRow("type") << QByteArray("event: ");
    QTest::newRow("comment") << QByteArray(": ");
    QTest::newRow("other field") << QByteArray("id: ");
    QTest::newRow("no field") << QByteArray();
}

void TestSse::next_endlessLine_takesBoundedMemory()
{
    QFETCH(QByteArray, begin);
    SseReader reader(100);
    const std::string front = begin.toStdString();
    std::string_view input = front;
    std::size_t longest = 0;
    for (int i = 0; i < 100'000; ++i) {
        for (;;) {
            const auto step = reader.next(input);
            longest = std::max(longest, step.data.size());
            if (step.kind == SseReader::Kind::NeedMore)
                break;
        }
        input = "xxxxxxx";
    }
    QVERIFY(longest <= 107); // what is given is all that was kept
}

void TestSse::next_hostileStreams_takeLinearTime_data()
{
    QTest::addColumn<QByteArray>("unit");
    QTest::newRow("LF") << QByteArray("\n");
    QTest::newRow("CR") << QByteArray("\r");
    QTest::newRow("short lines that end in CR") << QByteArray("data\r");
    QTest::newRow("comments") << QByteArray(":\n");
    QTest::newRow("names") << QByteArray("data\n");
    QTest::newRow("types") << QByteArray("event: x\n");
    QTest::newRow("one line") << QByteArray("x");
}

void TestSse::next_hostileStreams_takeLinearTime()
{
    QFETCH(QByteArray, unit);
    const std::string stream = unit.repeated((8 << 20) / unit.size()).toStdString();
    QElapsedTimer timer;
    timer.start();
    Reading reading(1 << 16);
    reading.take(stream);
    QVERIFY(timer.elapsed() < 8000);
}

QTEST_GUILESS_MAIN(TestSse)
#include "tst_sse.moc"
