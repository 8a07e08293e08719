// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/multipart.h"
#include "tests/http/forms.h"

#include <QElapsedTimer>
#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

class TestMultipart : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void parse_bodies_haveTheirParts_data();
    void parse_bodies_haveTheirParts();
    void parse_malformedBodies_areRefused_data();
    void parse_malformedBodies_areRefused();
    void parse_limits_holdToTheByte();
    void parse_parts_areViewsOfTheBody();
    void parse_cutOffAnywhere_isRefused();
    void parse_everyByteChanged_isReadInOneWayOrRefused();
    void parse_everyByteInsertedAroundABoundary_isContentOrRefused();
    void parse_hostileBodies_takeLinearTime_data();
    void parse_hostileBodies_takeLinearTime();
};

void TestMultipart::parse_bodies_haveTheirParts_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const std::string &body, const std::string &expected) {
        QTest::newRow(name) << QByteArray::fromStdString(lines(body))
                            << QByteArray::fromStdString(lines(expected));
    };
    row("no part", "--b--|", "");
    row("one part", "--b|" + disposition + "||1|--b--|", "a:1;");
    row("no line end at the end", "--b|" + disposition + "||1|--b--", "a:1;");
    row("empty content", "--b|" + disposition + "|||--b--|", "a:;");
    row("two parts",
        "--b|" + disposition + "||1|--b|Content-Disposition: form-data; name=b||2|--b--|",
        "a:1;b:2;");
    row("the same name twice",
        "--b|" + disposition + "||1|--b|" + disposition + "||2|--b--|",
        "a:1;a:2;");
    row("file",
        "--b|Content-Disposition: form-data; name=\"file\"; filename=\"x; y.wav\"|Content-Type: "
        "audio/wav||RIFF|--b--|",
        "file(x; y.wav)<audio/wav>:RIFF;");
    row("empty filename",
        "--b|Content-Disposition: form-data; name=a; filename=\"\"||1|--b--|",
        "a():1;");
    row("line ends in the content", "--b|" + disposition + "|||x||y|||--b--|", "a:|x||y||;");
    row("bare line ends in the content",
        "--b|" + disposition + "||\nx\ry\n\n|--b--|",
        "a:\nx\ry\n\n;");
    row("dashes in the content",
        "--b|" + disposition + "||--|--a|-- b|-b|b--|--b--|",
        "a:--|--a|-- b|-b|b--;");
    row("bytes in the content",
        "--b|" + disposition + "||" + std::string("\0\xff\x7f", 3) + "|--b--|",
        "a:" + std::string("\0\xff\x7f", 3) + ";");
    row("a head as the content",
        "--b|" + disposition + "||" + disposition + "||1|--b--|",
        "a:" + disposition + "||1;");
}

void TestMultipart::parse_bodies_haveTheirParts()
{
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    QCOMPARE(shown(body.toStdString()), expected.toStdString());
}

void TestMultipart::parse_malformedBodies_areRefused_data()
{
    QTest::addColumn<QByteArray>("body");
    const auto row = [](const char *name, const std::string &body) {
        QTest::newRow(name) << QByteArray::fromStdString(lines(body));
    };
    const std::string part = "--b|" + disposition + "||1|";
    row("nothing", "");
    row("boundary without a line end", "--b");
    row("no last boundary", part);
    row("last boundary without its dashes", part + "--b|");
    row("one dash", part + "--b-|");
    row("three dashes", part + "--b---|");
    row("no boundary", disposition + "||1|");
    row("another boundary", "--c|" + disposition + "||1|--c--|");
    row("text before", "preamble|" + part + "--b--|");
    row("line end before", "|" + part + "--b--|");
    row("blank before", " " + part + "--b--|");
    row("byte order mark before", "\xef\xbb\xbf" + part + "--b--|");
    row("text behind", part + "--b--|epilogue");
    row("two line ends behind", part + "--b--||");
    row("LF behind", part + "--b--\n");
    row("CR behind", part + "--b--\r");
    row("blank behind", part + "--b-- |");
    row("a second form behind", part + "--b--|" + part + "--b--|");
    row("a part behind", part + "--b--|" + part);
    row("blank behind a boundary", "--b |" + disposition + "||1|--b--|");
    row("LF behind a boundary", "--b\n" + disposition + "||1|--b--|");
    row("CR behind a boundary", "--b\r" + disposition + "||1|--b--|");
    row("LF before a boundary", "--b|" + disposition + "||1\n--b|" + disposition + "||2|--b--|");
    row("CR before a boundary", "--b|" + disposition + "||1\r--b|" + disposition + "||2|--b--|");
    row("LF before the last boundary", "--b|" + disposition + "||1\n--b--|");
    row("boundary in a line", "--b|" + disposition + "||1 --b|" + disposition + "||2|--b--|");
    row("boundary behind more dashes", "--b|" + disposition + "||1|---b|--b--|");
    row("longer boundary in the content", "--b|" + disposition + "||1|--bx|2|--b--|");
    row("boundary in a head", "--b|" + disposition + "|X: --b|1||1|--b--|");
    row("boundary in a name", "--b|Content-Disposition: form-data; name=\"--b\"||1|--b--|");
    row("boundary right behind a head", "--b|" + disposition + "||--b--|");
    row("boundary in the place of the empty line", "--b|" + disposition + "|--b--|");
    row("two boundaries", "--b|--b--|");
    row("no empty line", "--b|" + disposition + "|1|--b--|");
    row("no head", "--b||1|--b--|");
    row("no head, an empty line later", "--b||1||2|--b--|");
    row("LF in the head", "--b|" + disposition + "\nX: y||1|--b--|");
    row("LF for the empty line", "--b|" + disposition + "\n\n1|--b--|");
    row("CR in the head", "--b|" + disposition + "\rX: y||1|--b--|");
}

void TestMultipart::parse_malformedBodies_areRefused()
{
    QFETCH(QByteArray, body);
    QCOMPARE(shown(body.toStdString()), std::string("unreadable"));
}

void TestMultipart::parse_limits_holdToTheByte()
{
    const auto headOf = [](std::size_t size) {
        std::string head = disposition + "|X: ";
        head = lines(head);
        head.append(size - head.size() - 4, 'x'); // the empty line counts
        return "--b\r\n" + head + "\r\n\r\n1\r\n--b--";
    };
    constexpr std::size_t longest = 8192;
    QCOMPARE(shown(headOf(longest)), std::string("a:1;"));
    QCOMPARE(shown(headOf(longest + 1)), std::string("too much"));

    std::string parts;
    for (int i = 0; i < 1000; ++i)
        parts += lines("--b|" + disposition + "||1|");
    QCOMPARE(parseMultipart(parts + "--b--", "b")->size(), std::size_t(1000));
    QCOMPARE(shown(parts + lines("--b|" + disposition + "||1|--b--")), std::string("too much"));

    std::string parameters = "Content-Disposition: form-data; name=a";
    for (int i = 0; i < 15; ++i)
        parameters += "; p" + std::to_string(i) + "=1";
    QCOMPARE(shown(withHead(parameters)), std::string("a:x;model:gpt;"));
    QCOMPARE(shown(withHead(parameters + "; q=1")), std::string("too much"));
}

void TestMultipart::parse_parts_areViewsOfTheBody()
{
    const std::string body = withHead(disposition);
    const auto parts = parseMultipart(body, "b");
    QVERIFY(parts.has_value());
    QCOMPARE(parts->size(), std::size_t(2));
    QCOMPARE(static_cast<std::size_t>((*parts)[1].content.data() - body.data()), body.find("gpt"));
    QCOMPARE(static_cast<std::size_t>((*parts)[1].name.data() - body.data()), body.find("model"));
}

void TestMultipart::parse_cutOffAnywhere_isRefused()
{
    const std::string body = withHead(disposition + "|Content-Type: text/plain");
    QCOMPARE(shown(body), std::string("a<text/plain>:x;model:gpt;"));
    for (std::size_t size = 0; size < body.size(); ++size) {
        const bool isWhole = size == body.size() - 2; // but for the last line end
        QCOMPARE(shown(body.substr(0, size)) == "unreadable", !isWhole);
    }
}

void TestMultipart::parse_everyByteChanged_isReadInOneWayOrRefused()
{
    const std::string body = withHead(disposition + "; filename=\"f\"|Content-Type: text/plain");
    const std::size_t mark = body.find("--b", 3);
    for (std::size_t at = 0; at < body.size(); ++at)
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = body;
            changed[at] = static_cast<char>(byte);
            const auto parts = parseMultipart(changed, "b");
            if (!parts)
                continue;
            // Only a boundary that is none any more makes two parts one.
            const bool isOne = at >= mark && at < mark + 3 && changed != body;
            QCOMPARE(parts->size(), std::size_t(isOne ? 1 : 2));
            QVERIFY(isOne || parts->front().content.size() == 1);
            QVERIFY(isOne || parts->back().content.size() == 3);
        }
}

void TestMultipart::parse_everyByteInsertedAroundABoundary_isContentOrRefused()
{
    const std::string body = withHead(disposition);
    const std::size_t mark = body.find("\r\n--b", 5);
    for (const std::size_t at : {mark, mark + 1, mark + 2, mark + 5, mark + 6, mark + 7})
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = body;
            changed.insert(at, 1, static_cast<char>(byte));
            const std::string result = shown(changed);
            const std::string asContent
                = std::string("a:x") + static_cast<char>(byte) + ";model:gpt;";
            QVERIFY2(result == "unreadable" || (at == mark && result == asContent)
                         || (at == mark + 1 && byte == '\r' && result == asContent),
                     (std::to_string(at) + ' ' + std::to_string(byte)).c_str());
        }
}

void TestMultipart::parse_hostileBodies_takeLinearTime_data()
{
    QTest::addColumn<QByteArray>("boundary");
    QTest::addColumn<QByteArray>("filling");
    const auto row = [](const char *name,
                        const QByteArray &boundary,
                        const QByteArray &repeated,
                        qsizetype size) {
        QTest::newRow(name) << boundary << repeated.repeated(size / repeated.size());
    };
    constexpr qsizetype size = 8 << 20;
    const QByteArray dashes(69, '-');
    const QByteArray letters(69, 'a');
    row("dashes", dashes + 'x', "-", size);
    row("nearly boundaries of dashes", dashes + 'x', "--" + dashes + 'y', size);
    row("nearly boundaries", letters + 'x', "\r\n--" + letters + 'y', size);
    row("line ends", "b", "\r\n", size);
    row("long heads", "b", "--b\r\n" + QByteArray(8000, 'x') + "\r\n", size);
}

void TestMultipart::parse_hostileBodies_takeLinearTime()
{
    QFETCH(QByteArray, boundary);
    QFETCH(QByteArray, filling);
    const std::string body
        = lines("--" + boundary.toStdString() + "|" + disposition + "||") + filling.toStdString();
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(shown(body, boundary.toStdString()), std::string("unreadable"));
    QVERIFY(timer.elapsed() < 3'000);
}

QTEST_APPLESS_MAIN(TestMultipart)
#include "tst_multipart.moc"
