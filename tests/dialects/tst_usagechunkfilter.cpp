// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"

#include <QTest>

using namespace gatehouse;

namespace {

constexpr std::size_t longestBlock = std::size_t(64) << 10;

std::string inPieces(std::string_view body, std::size_t cut, std::size_t size)
{
    const auto filter = usageChunkFilter();
    std::string out;
    filter->take(std::string(body.substr(0, cut)), out);
    filter->take({}, out);
    for (std::size_t at = cut; at < body.size(); at += size)
        filter->take(std::string(body.substr(at, size)), out);
    filter->end(out);
    return out;
}

/// The same however it is cut, or where it was not.
std::string filtered(std::string_view body)
{
    std::string expected = inPieces(body, 0, body.size() + 1);
    for (std::size_t cut = 1; cut <= body.size(); ++cut) {
        if (inPieces(body, cut, body.size() + 1) != expected)
            return "differs when cut at " + std::to_string(cut);
    }
    for (std::size_t size = 1; size <= 3; ++size) {
        if (inPieces(body, 0, size) != expected)
            return "differs in pieces of " + std::to_string(size);
    }
    return expected;
}

QByteArray withLineEnds(QByteArray text, const char *lineEnd)
{
    return text.replace('\n', lineEnd);
}

QByteArray chunk(const QByteArray &choices, const QByteArray &more)
{
    return "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":"
           + choices + more + "}\n\n";
}

const QByteArray hello
    = "[{\"index\":0,\"delta\":{\"content\":\"\\\"usage\\\":null\"},\"finish_reason\":null}]";
const QByteArray usage = R"(,"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12})";
const QByteArray done = "data: [DONE]\n\n";

} // namespace

class TestUsageChunkFilter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void take_streams_areAsIfNobodyAsked_data();
    void take_streams_areAsIfNobodyAsked();
    void take_commentsAndEvents_passAtOnce();
    void take_longBlocks_passAsTheyAre_data();
    void take_longBlocks_passAsTheyAre();
    void take_streamsNotAsked_passByteForByte_data();
    void take_streamsNotAsked_passByteForByte();
};

void TestUsageChunkFilter::take_streams_areAsIfNobodyAsked_data()
{
    QTest::addColumn<QByteArray>("asked");
    QTest::addColumn<QByteArray>("unasked");
    const auto row = [](const char *name, const QByteArray &asked, const QByteArray &unasked) {
        QTest::newRow(name) << asked << unasked;
    };
    const QByteArray stop = R"([{"index":0,"delta":{},"finish_reason":"stop"}])";
    const QByteArray null = R"(,"usage":null)";
    const QByteArray noise = R"(,"obfuscation":"x")";
    row("OpenAI",
        chunk(hello, null + noise) + chunk(stop, null + noise) + chunk("[]", usage + noise) + done,
        chunk(hello, noise) + chunk(stop, noise) + done);
    row("vLLM, which has no null",
        chunk(hello, "") + chunk("[]", usage) + done,
        chunk(hello, "") + done);
    row("Azure",
        chunk("[]", R"(,"prompt_filter_results":[{"prompt_index":0}])" + null) + chunk(hello, null)
            + chunk("[]", usage) + done,
        chunk("[]", R"(,"prompt_filter_results":[{"prompt_index":0}])") + chunk(hello, "") + done);
    row("null at the end", chunk(hello, null), chunk(hello, ""));
    row("null at the begin",
        "data: {\"usage\":null,\"choices\":[1]}\n\n",
        "data: {\"choices\":[1]}\n\n");
    row("white space",
        "data: { \"a\" : 1 , \"usage\" : null , \"choices\" : [ 1 ] }\n\n",
        "data: { \"a\" : 1 , \"choices\" : [ 1 ] }\n\n");
    row("white space, at the end",
        "data:\t{ \"choices\" : [ 1 ] ,\t\"usage\" : null }\n\n",
        "data:\t{ \"choices\" : [ 1 ] }\n\n");
    row("no blank behind the colon",
        "data:{\"choices\":[1],\"usage\":null}\n\ndata:{\"choices\":[],\"usage\":{}}\n\n",
        "data:{\"choices\":[1]}\n\n");
    row("the usage before the choices",
        "data: {\"usage\":{\"total_tokens\":1},\"choices\":[]}\n\n" + done,
        done);
    row("several lines of data",
        "data: {\"choices\": [1],\ndata:  \"usage\": null,\ndata:  \"id\": 5\ndata: }\n\n",
        "data: {\"choices\": [1],\ndata:  \"id\": 5\ndata: }\n\n");
    row("several lines of data, the last member",
        "id: 7\ndata: {\"choices\": [1],\n: c\ndata:\ndata:\"usage\": null\nevent: e\ndata: }\n\n",
        "id: 7\ndata: {\"choices\": [1]\nevent: e\ndata: }\n\n");
    row("several lines of data, taken out",
        "data: {\"choices\": [],\ndata:  \"usage\": {}}\n\n" + done,
        done);
    row("comments before a chunk that goes",
        ": one\n\n: two\nid: 1\n:three\n" + chunk("[]", usage) + ": four\n\n" + done,
        ": one\n\n: two\n:three\n: four\n\n" + done);
    row("comments before a chunk that is changed",
        ": data: {\"usage\":null}\nretry: 5\n" + chunk(hello, null) + done,
        ": data: {\"usage\":null}\nretry: 5\n" + chunk(hello, "") + done);
    row("a byte order mark", "\xef\xbb\xbf" + chunk("[]", usage) + done, "\xef\xbb\xbf" + done);
    row("no blank line at the end", chunk(hello, null).chopped(1), chunk(hello, "").chopped(1));
    row("no line end at the end", chunk("[]", usage).chopped(2), "");
    row("two of them", chunk("[]", usage) + chunk("[]", usage) + done, done);
    row("blank lines in between", "\n\n" + chunk("[]", usage) + "\n" + done, "\n\n\n" + done);
}

void TestUsageChunkFilter::take_streams_areAsIfNobodyAsked()
{
    QFETCH(QByteArray, asked);
    QFETCH(QByteArray, unasked);
    for (const char *lineEnd : {"\n", "\r\n", "\r"}) {
        const std::string got = filtered(withLineEnds(asked, lineEnd).toStdString());
        QCOMPARE(QByteArray::fromStdString(got), withLineEnds(unasked, lineEnd));
        QCOMPARE(filtered(got), got);
    }
}

void TestUsageChunkFilter::take_commentsAndEvents_passAtOnce()
{
    const auto filter = usageChunkFilter();
    std::string out;
    const auto take = [&filter, &out](const QByteArray &bytes) {
        out.clear();
        filter->take(bytes.toStdString(), out);
        return QByteArray::fromStdString(out);
    };
    QCOMPARE(take(": keep-alive\n\n"), QByteArray(": keep-alive\n\n"));
    QCOMPARE(take("\n"), QByteArray("\n"));
    QCOMPARE(take(chunk(hello, "")), chunk(hello, ""));
    QCOMPARE(take("data: {"), QByteArray());
    QCOMPARE(take("}\n"), QByteArray());
    QCOMPARE(take("\n: x"), QByteArray("data: {}\n\n"));
    QCOMPARE(take("\n\n" + done + "data"), ": x\n\n" + done);
    QCOMPARE(take(": 1\n\n" + chunk("[]", usage)), QByteArray("data: 1\n\n"));
    QCOMPARE(take(withLineEnds(done, "\r\n")), withLineEnds(done, "\r\n"));
    out.clear();
    filter->end(out);
    QVERIFY(out.empty());
}

void TestUsageChunkFilter::take_longBlocks_passAsTheyAre_data()
{
    QTest::addColumn<int>("more");
    QTest::addColumn<bool>("isChanged");
    QTest::newRow("the longest one") << 0 << true;
    QTest::newRow("a byte longer") << 1 << false;
    QTest::newRow("much longer") << 300'000 << false;
}

void TestUsageChunkFilter::take_longBlocks_passAsTheyAre()
{
    QFETCH(int, more);
    QFETCH(bool, isChanged);
    const QByteArray shell = chunk(hello, ",\"usage\":null,\"x\":\"\"");
    const int size = static_cast<int>(longestBlock) - static_cast<int>(shell.size()) + more;
    const QByteArray text(size, 'x');
    const QByteArray asked = chunk(hello, ",\"usage\":null,\"x\":\"" + text + "\"");
    const QByteArray expected
        = (isChanged ? chunk(hello, ",\"x\":\"" + text + "\"") : asked) + done;
    const std::string body = QByteArray(asked + chunk("[]", usage) + done).toStdString();
    const std::size_t end = static_cast<std::size_t>(asked.size());
    for (const std::size_t cut :
         {std::size_t(0), std::size_t(9), end - 2, end - 1, end, end + 1, body.size()}) {
        for (const std::size_t piece : {body.size() + 1, std::size_t(4096), std::size_t(1)})
            QVERIFY(inPieces(body, cut, piece) == expected.toStdString());
    }
    const auto filter = usageChunkFilter();
    std::string out;
    std::size_t taken = 0;
    for (const char c : body) {
        filter->take(std::string_view(&c, 1), out);
        QVERIFY(++taken - out.size()
                <= longestBlock + static_cast<std::size_t>(usage.size()) + 400);
    }
}

void TestUsageChunkFilter::take_streamsNotAsked_passByteForByte_data()
{
    QTest::addColumn<QByteArray>("body");
    const auto row = [](const char *name, const QByteArray &body) { QTest::newRow(name) << body; };
    row("empty", "");
    row("OpenAI, not asked", chunk(hello, "") + done);
    row("xAI and Mistral: usage with the last choice", chunk(hello, usage) + done);
    row("Groq", chunk(hello, R"(,"x_groq":{"usage":{"total_tokens":3}})") + done);
    row("Azure's first chunk", chunk("[]", R"(,"prompt_filter_results":[])") + done);
    row("an error", "data: {\"error\":{\"message\":\"usage\",\"usage\":null}}\n\n");
    row("usage without choices", "data: {\"usage\":{\"total_tokens\":1}}\n\n");
    row("null without choices", "data: {\"usage\":null}\n\n");
    row("choices null", "data: {\"choices\":null,\"usage\":{}}\n\n");
    row("usage of another kind", "data: {\"choices\":[],\"usage\":[]}\n\n");
    row("usage of a choice",
        R"(data: {"choices":[{"usage":null}]})"
        "\n\n");
    row("Responses", "event: response.completed\ndata: {\"response\":{\"usage\":{}}}\n\n");
    row("Messages",
        "event: message_delta\ndata: {\"delta\":{},\"usage\":{\"output_tokens\":1}}\n\n");
    row("a member twice",
        R"(data: {"choices":[],"usage":null,"usage":{}})"
        "\n\n");
    row("cut within", chunk("[]", usage).chopped(5));
    row("no JSON", "data: \"usage\":null\n\ndata: {\"usage\"\n\n");
    row("an empty event", "data\n\ndata:\n\nevent: x\n\n");
    row("no stream at all", "{\"choices\":[],\"usage\":null}");
    row("bytes of no text", QByteArray("data: \xff\"usage\"\0\n\n\x80", 19));
}

void TestUsageChunkFilter::take_streamsNotAsked_passByteForByte()
{
    QFETCH(QByteArray, body);
    for (const char *lineEnd : {"\n", "\r\n", "\r"}) {
        const QByteArray written = withLineEnds(body, lineEnd);
        QCOMPARE(QByteArray::fromStdString(filtered(written.toStdString())), written);
    }
}

QTEST_APPLESS_MAIN(TestUsageChunkFilter)
#include "tst_usagechunkfilter.moc"
