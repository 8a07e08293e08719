// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/http/messages.h"

#include <QTest>

using namespace gatehouse::http;

namespace {

using Outcome = HeadScanner::Outcome;

/// Outcome and length once \a sizes, growing, of the front of \a text were shown.
std::pair<Outcome, std::size_t> scanInSteps(std::string_view text,
                                            const std::vector<std::size_t> &sizes)
{
    HeadScanner scanner;
    Outcome outcome = Outcome::NeedMore;
    for (const std::size_t size : sizes) {
        const std::vector<char> copy(text.begin(),
                                     text.begin() + static_cast<std::ptrdiff_t>(size));
        outcome = scanner.scan({copy.data(), copy.size()});
        if (outcome != Outcome::NeedMore)
            break;
    }
    return {outcome, outcome == Outcome::Complete ? scanner.length() : 0};
}

} // namespace

class TestHeadScanner : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void scan_atEverySplit_saysTheSame_data();
    void scan_atEverySplit_saysTheSame();
    void scan_malformed_isSaidAsSoonAsItIsSeen();
};

void TestHeadScanner::scan_atEverySplit_saysTheSame_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("outcome");
    QTest::addColumn<int>("behind");
    const auto row = [](const char *name, const QByteArray &text, Outcome outcome, int behind = 0) {
        QTest::newRow(name) << text << static_cast<int>(outcome) << behind;
    };
    row("request", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n", Outcome::Complete);
    row("first line only", "GET / HTTP/1.1\r\n\r\n", Outcome::Complete);
    row("body behind", "POST / HTTP/1.1\r\nA: b\r\n\r\nbody", Outcome::Complete, 4);
    row("blank behind", "GET / HTTP/1.1\r\n\r\n x", Outcome::Complete, 2);
    row("line end behind", "GET / HTTP/1.1\r\n\r\n\n", Outcome::Complete, 1);
    row("pipelined", "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", Outcome::Complete, 18);
    row("CR in a line", "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", Outcome::Complete);
    row("NUL in a line", QByteArray("a\0\r\n\r\n", 6), Outcome::Complete);
    row("nothing", "", Outcome::NeedMore);
    row("half a line", "GET / HT", Outcome::NeedMore);
    row("CR seen", "GET / HTTP/1.1\r", Outcome::NeedMore);
    row("first line seen", "GET / HTTP/1.1\r\n", Outcome::NeedMore);
    row("CR of the empty line seen", "GET / HTTP/1.1\r\nA: b\r\n\r", Outcome::NeedMore);
    row("empty line first", "\r\nGET / HTTP/1.1\r\n\r\n", Outcome::Malformed);
    row("LF first", "\n", Outcome::Malformed);
    row("bare LF in the first line", "GET / HTTP/1.1\nA: b\r\n\r\n", Outcome::Malformed);
    row("bare LF in a field line", "GET / HTTP/1.1\r\nA: b\n\r\n", Outcome::Malformed);
    row("bare LF as the empty line", "GET / HTTP/1.1\r\nA: b\r\n\n", Outcome::Malformed);
    row("LF LF", "GET / HTTP/1.1\n\n", Outcome::Malformed);
    row("fold with a blank", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", Outcome::Malformed);
    row("fold with a tab", "GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", Outcome::Malformed);
    row("blank below the first line", "GET / HTTP/1.1\r\n A: b\r\n\r\n", Outcome::Malformed);
}

void TestHeadScanner::scan_atEverySplit_saysTheSame()
{
    QFETCH(QByteArray, text);
    QFETCH(int, outcome);
    QFETCH(int, behind);
    const auto size = static_cast<std::size_t>(text.size());
    const auto expected = std::pair(static_cast<Outcome>(outcome),
                                    outcome == static_cast<int>(Outcome::Complete)
                                        ? size - static_cast<std::size_t>(behind)
                                        : 0);
    std::vector<std::size_t> byByte;
    for (std::size_t first = 0; first <= size; ++first) {
        byByte.push_back(first);
        QVERIFY(scanInSteps(view(text), {first, size}) == expected);
        for (std::size_t second = first; second <= size; ++second)
            QVERIFY(scanInSteps(view(text), {first, second, size}) == expected);
    }
    QVERIFY(scanInSteps(view(text), byByte) == expected);
}

void TestHeadScanner::scan_malformed_isSaidAsSoonAsItIsSeen()
{
    HeadScanner folded;
    QCOMPARE(folded.scan("GET / HTTP/1.1\r\n"), Outcome::NeedMore);
    QCOMPARE(folded.scan("GET / HTTP/1.1\r\n "), Outcome::Malformed);
    HeadScanner bare;
    QCOMPARE(bare.scan("GET / HTTP/1.1\r\nA"), Outcome::NeedMore);
    QCOMPARE(bare.scan("GET / HTTP/1.1\r\nA\n"), Outcome::Malformed);
}

QTEST_APPLESS_MAIN(TestHeadScanner)
#include "tst_headscanner.moc"
