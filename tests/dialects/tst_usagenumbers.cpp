// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/dialects/usagerun.h"

#include <QTest>

using namespace gatehouse;

class TestUsageNumbers : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tokens_thatNoneCanBe_areNotTold_data();
    void tokens_thatNoneCanBe_areNotTold();
    void tokens_thatContradictEachOther_areCutToTheWhole_data();
    void tokens_thatContradictEachOther_areCutToTheWhole();
    void usage_malformed_isNone_data();
    void usage_malformed_isNone();
    void usage_inAnEvent_isFoundByItsName_data();
    void usage_inAnEvent_isFoundByItsName();
    void model_strange_isNone_data();
    void model_strange_isNone();
};

void TestUsageNumbers::tokens_thatNoneCanBe_areNotTold_data()
{
    QTest::addColumn<QByteArray>("number");
    QTest::addColumn<QByteArray>("expected"); // besides the output
    const auto row = [](const char *number, const char *expected) {
        QTest::newRow(number) << QByteArray(number) << QByteArray(expected);
    };
    row("0", "in 0 ");
    row("9007199254740992", "in 9007199254740992 ");
    row("9007199254740993", "");
    row("18446744073709551615", "");
    row("99999999999999999999999999", "");
    row("1e400", "");
    row("-1", "");
    row("-0", "in 0 ");
    row("1.5", "");
    row("12.0", "in 12 ");
    row("1.2e1", "in 12 ");
    row("null", "");
    row("true", "");
    row("\"12\"", "");
    row("[12]", "");
    row("{}", "");
}

void TestUsageNumbers::tokens_thatNoneCanBe_areNotTold()
{
    QFETCH(QByteArray, number);
    QFETCH(QByteArray, expected);
    const std::string value = number.toStdString();
    const auto requireAs = [&](std::string_view dialect, const std::string &body) {
        QCOMPARE(readUsageOf(dialect, jsonText, body), expected.toStdString() + "out 5 complete");
    };
    requireAs("openai", R"({"usage":{"prompt_tokens":)" + value + R"(,"completion_tokens":5}})");
    requireAs("anthropic",
              R"({"usage":{"cache_read_input_tokens":null,"input_tokens":)" + value
                  + R"(,"output_tokens":5}})");
    requireAs("gemini",
              R"({"usageMetadata":{"promptTokenCount":)" + value
                  + R"(,"candidatesTokenCount":5}})");
    requireAs("ollama", R"({"prompt_eval_count":)" + value + R"(,"eval_count":5})");
}

void TestUsageNumbers::tokens_thatContradictEachOther_areCutToTheWhole_data()
{
    QTest::addColumn<QByteArray>("usage");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const char *usage, const char *expected) {
        QTest::newRow(name) << QByteArray(usage) << QByteArray(expected);
    };
    row("more cached than there is",
        R"({"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":11}})",
        "in 0 read 10 complete");
    row("more written than is left",
        R"({"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":7,"cache_write_tokens":4}})",
        "in 0 read 7 write 3 complete");
    row("cached, and no prompt",
        R"({"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":7}})",
        "read 7 out 1 complete");
    row("more reasoning than output",
        R"({"completion_tokens":3,"completion_tokens_details":{"reasoning_tokens":4}})",
        "out 3 reasoning 3 complete");
    row("reasoning, and no output",
        R"({"prompt_tokens":3,"completion_tokens_details":{"reasoning_tokens":4}})",
        "in 3 reasoning 4 complete");
    row("less in all than the prompt",
        R"({"prompt_tokens":3,"completion_tokens":4,"total_tokens":2})",
        "in 3 out 4 complete");
    row("less in all than both",
        R"({"prompt_tokens":3,"completion_tokens":4,"total_tokens":5})",
        "in 3 out 4 complete");
    row("more in all, at Responses",
        R"({"input_tokens":3,"output_tokens":4,"total_tokens":9})",
        "in 3 out 4 complete");
    row("the largest",
        R"({"prompt_tokens":9007199254740992,"completion_tokens":9007199254740992,)"
        R"("prompt_tokens_details":{"cached_tokens":9007199254740992}})",
        "in 0 read 9007199254740992 out 9007199254740992 complete");
    row("a cost below zero",
        R"({"prompt_tokens":3,"cost":-0.1,"cost_in_usd_ticks":-5})",
        "in 3 complete");
    row("a cost that is none", R"({"prompt_tokens":3,"cost":{"total":1}})", "in 3 complete");
    row("nothing", "{}", "complete");
    row("more thinking than output",
        R"({"input_tokens":1,"cache_read_input_tokens":0,"output_tokens":3,)"
        R"("output_tokens_details":{"thinking_tokens":4}})",
        "in 1 read 0 out 3 reasoning 3 complete");
    row("parts of the writes, and no sum",
        R"({"input_tokens":1,"cache_read_input_tokens":0,"cache_creation":)"
        R"({"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4}})",
        "in 1 read 0 write 3 write1h 4 complete");
    row("more parts of the writes than the sum",
        R"({"input_tokens":1,"cache_creation_input_tokens":5,"cache_creation":)"
        R"({"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4}})",
        "in 1 write 1 write1h 4 complete");
}

void TestUsageNumbers::tokens_thatContradictEachOther_areCutToTheWhole()
{
    QFETCH(QByteArray, usage);
    QFETCH(QByteArray, expected);
    const std::string body = "{\"usage\":" + usage.toStdString() + '}';
    QCOMPARE(readUsageOf("openai", jsonText, body), expected.toStdString());
}

void TestUsageNumbers::usage_malformed_isNone_data()
{
    QTest::addColumn<QByteArray>("body");
    const auto row = [](const char *name, const QByteArray &body) { QTest::newRow(name) << body; };
    row("twice the same", R"({"usage":{"prompt_tokens":1,"prompt_tokens":2}})");
    row("no number", R"({"usage":{"prompt_tokens":01}})");
    row("no JSON", R"({"usage":{"prompt_tokens":1,}})");
    row("not UTF-8", "{\"usage\":{\"prompt_tokens\":1,\"a\":\"\xff\"}}");
    row("cut in the number", R"({"usage":{"prompt_tokens":1)");
    row("cut in the object", R"({"usage":{"prompt_tokens":12)");
    row("behind what is broken", R"({"a":{],"usage":{"prompt_tokens":1}})");
    row("within a string", R"({"a":"{\"usage\":{\"prompt_tokens\":1}}"})");
    row("elsewhere", R"({"a":{"usage":{"prompt_tokens":1}}})");
    row("too long", R"({"usage":{"prompt_tokens":1,"a":")" + QByteArray(17 << 10, 'x') + "\"}}");
    row("nested too deep",
        R"({"a":)" + QByteArray(600, '[') + QByteArray(600, ']')
            + R"(,"usage":{"prompt_tokens":1}})");
    row("a string", R"({"usage":"prompt_tokens"})");
    row("null", R"({"usage":null})");
    row("HTML", "<html>\"usage\":{\"prompt_tokens\":1}</html>");
}

void TestUsageNumbers::usage_malformed_isNone()
{
    QFETCH(QByteArray, body);
    const std::string text = body.toStdString();
    for (const std::size_t size : {std::size_t(1), std::size_t(1000), text.size()}) {
        const std::string got = readInPieces("openai", jsonText, text, 0, size);
        QVERIFY2(got == "open" || got == "complete", got.c_str());
        const std::string streamed
            = readInPieces("openai", eventStream, "data: " + text + "\n\n", 0, size);
        QVERIFY2(streamed == "open" || streamed == "complete", streamed.c_str());
    }
}

void TestUsageNumbers::usage_inAnEvent_isFoundByItsName_data()
{
    QTest::addColumn<QByteArray>("event"); // behind others that name no model
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const char *event, const char *expected) {
        QTest::newRow(name) << QByteArray(event) << QByteArray(expected);
    };
    row("plainly", R"({"usage":{"prompt_tokens":1}})", "in 1 complete");
    row("with white space", "{\"usage\" \t: \t {\"prompt_tokens\":1}}", "in 1 complete");
    row("over lines", "{\"usage\"\ndata: :\ndata:{\"prompt_tokens\":1}}", "in 1 complete");
    row("behind a null", R"({"a":{"usage":null},"usage":{"prompt_tokens":1}})", "in 1 complete");
    row("behind texts that look like it",
        R"({"a":"usage","b":"\"usage\":{}","usages":1,"usage":{"prompt_tokens":1}})",
        "in 1 complete");
    row("null", R"({"usage":null})", "open");
    row("in a string", R"({"a":"\"usage\":{\"prompt_tokens\":1}"})", "open");
    row("as a text", R"({"a":["usage",{"prompt_tokens":1}]})", "open");
    row("Gemini's", R"({"usageMetadata":{"promptTokenCount":1}})", "in 1 open");
    row("at the very end", R"({"a":1,"usage)", "open");
    row("of another type",
        R"({"usage":{"prompt_tokens":1}})"
        "\nevent: response.completed",
        "in 1 complete");
}

void TestUsageNumbers::usage_inAnEvent_isFoundByItsName()
{
    QFETCH(QByteArray, event);
    QFETCH(QByteArray, expected);
    std::string body;
    for (int i = 0; i < 20; ++i)
        body += "data: {\"delta\":\"x\"}\n\n";
    body += "data: " + event.toStdString() + "\n\n";
    QCOMPARE(readUsageOf("openai", eventStream, body), expected.toStdString());
}

void TestUsageNumbers::model_strange_isNone_data()
{
    QTest::addColumn<QByteArray>("model");
    QTest::addColumn<QByteArray>("expected");
    QTest::newRow("text") << QByteArray("\"a\\u0062\"") << QByteArray("model ab complete");
    QTest::newRow("empty") << QByteArray("\"\"") << QByteArray("complete");
    QTest::newRow("null") << QByteArray("null") << QByteArray("complete");
    QTest::newRow("number") << QByteArray("1") << QByteArray("complete");
    QTest::newRow("longest") << '"' + QByteArray(256, 'x') + '"'
                             << "model " + QByteArray(256, 'x') + " complete";
    QTest::newRow("too long") << '"' + QByteArray(257, 'x') + '"' << QByteArray("complete");
}

void TestUsageNumbers::model_strange_isNone()
{
    QFETCH(QByteArray, model);
    QFETCH(QByteArray, expected);
    const std::string body = "{\"model\":" + model.toStdString() + '}';
    QCOMPARE(readUsageOf("openai", jsonText, body), expected.toStdString());
}

QTEST_GUILESS_MAIN(TestUsageNumbers)
#include "tst_usagenumbers.moc"
