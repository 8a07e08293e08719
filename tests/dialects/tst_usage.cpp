// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/dialects/usagerun.h"

#include <QTest>

using namespace gatehouse;

namespace {

std::string named(std::string_view type, std::string_view data)
{
    return "event: " + std::string(type) + "\ndata: {\"type\": \"" + std::string(type) + "\""
           + std::string(data) + "}\n\n";
}

/// Anthropic's, with what is between the usage at the begin and at the end.
std::string message(std::string_view begin, std::string_view end)
{
    return named("message_start",
                 R"(, "message": {"id": "msg_1", "type": "message", "role": "assistant", )"
                 R"("model": "claude-opus-5-5", "content": [], "stop_reason": null, "usage": )"
                     + std::string(begin) + "}")
           + named("content_block_start",
                   R"(, "index": 0, "content_block": {"type": "text", "text": ""})")
           + named("ping", "")
           + named("content_block_delta",
                   R"(, "index": 0, "delta": {"type": "text_delta", "text": "{\"usage\": {}}"})")
           + named("content_block_stop", R"(, "index": 0)") + std::string(end);
}

std::string messageDelta(std::string_view usage, std::string_view reason = "\"end_turn\"")
{
    return named("message_delta",
                 ", \"delta\": {\"stop_reason\": " + std::string(reason)
                     + ", \"stop_sequence\": null}, \"usage\": " + std::string(usage));
}

/// Gemini's, as the vendor indents it.
std::string content(std::string_view usage, std::string_view more = "")
{
    return R"({"candidates": [{"content": {"parts": [{"text": "usageMetadata"}],"role": "model"})"
           + std::string(more) + R"(,"index": 0}],"usageMetadata": )" + std::string(usage)
           + R"(,"modelVersion": "gemini-2.5-flash","responseId": "x"})";
}

constexpr std::string_view stop = R"(,"finishReason": "STOP")";
constexpr std::string_view firstCounts
    = R"({"promptTokenCount": 1100,"cachedContentTokenCount": 1000,"totalTokenCount": 1150,)"
      R"("promptTokensDetails": [{"modality": "TEXT","tokenCount": 1100}],"thoughtsTokenCount": 50})";
constexpr std::string_view lastCounts
    = R"({"promptTokenCount": 1100,"candidatesTokenCount": 20,"totalTokenCount": 1177,)"
      R"("cachedContentTokenCount": 1000,"toolUsePromptTokenCount": 7,"thoughtsTokenCount": 50})";

} // namespace

class TestUsage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anthropic_answers_areReadHoweverTheyAreCut_data();
    void anthropic_answers_areReadHoweverTheyAreCut();
    void gemini_answers_areReadHoweverTheyAreCut_data();
    void gemini_answers_areReadHoweverTheyAreCut();
    void ollama_answers_areReadHoweverTheyAreCut_data();
    void ollama_answers_areReadHoweverTheyAreCut();
    void usageReader_contentTypes_areReadOrNot_data();
    void usageReader_contentTypes_areReadOrNot();
    void usageReader_anyDialect_readsTheOthersToo();
};

void TestUsage::anthropic_answers_areReadHoweverTheyAreCut_data()
{
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const std::string &body, const char *expected) {
        QTest::newRow(name) << QByteArray(body.starts_with('{') ? "application/json"
                                                                : "text/event-stream")
                            << QByteArray::fromStdString(body) << QByteArray(expected);
    };
    const std::string begin
        = R"({"input_tokens": 25, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 4000, )"
          R"("cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}, )"
          R"("output_tokens": 1, "service_tier": "standard"})";
    const std::string last = named("message_stop", "");
    row("stream",
        message(begin, messageDelta(R"({"output_tokens": 15})") + last),
        "in 25 read 4000 write 100 write1h 200 out 15 model claude-opus-5-5 complete");
    row("stream, all restated",
        message(begin,
                messageDelta(R"({"input_tokens": 26, "cache_creation_input_tokens": 300, )"
                             R"("cache_read_input_tokens": 4001, "output_tokens": 15, )"
                             R"("output_tokens_details": {"thinking_tokens": 9}, )"
                             R"("server_tool_use": {"web_search_requests": 1}})")
                    + last),
        "in 26 read 4001 write 100 write1h 200 out 15 reasoning 9 model claude-opus-5-5 complete");
    row("stream, restated as null",
        message(begin,
                messageDelta(R"({"input_tokens": null, "cache_creation_input_tokens": null, )"
                             R"("cache_read_input_tokens": null, "output_tokens": 15})")
                    + last),
        "in 25 read 4000 write 100 write1h 200 out 15 model claude-opus-5-5 complete");
    row("stream, a larger sum restated",
        message(begin,
                messageDelta(R"({"cache_creation_input_tokens": 350, "output_tokens": 15})")
                    + last),
        "in 25 read 4000 write 150 write1h 200 out 15 model claude-opus-5-5 complete");
    row("stream, a smaller sum restated",
        message(begin,
                messageDelta(R"({"cache_creation_input_tokens": 150, "output_tokens": 15})")
                    + last),
        "in 25 read 4000 write 0 write1h 150 out 15 model claude-opus-5-5 complete");
    row("stream with two deltas",
        message(begin,
                messageDelta(R"({"output_tokens": 7})", "null")
                    + messageDelta(R"({"output_tokens": 15})") + last),
        "in 25 read 4000 write 100 write1h 200 out 15 model claude-opus-5-5 complete");
    row("stream, cut before message_stop",
        message(begin, messageDelta(R"({"output_tokens": 15})")),
        "in 25 read 4000 write 100 write1h 200 out 15 model claude-opus-5-5 complete");
    row("stream, cut before the end",
        message(begin, messageDelta(R"({"output_tokens": 7})", "null")),
        "in 25 read 4000 write 100 write1h 200 out 7 model claude-opus-5-5 open");
    row("stream, cut before message_delta",
        message(begin, ""),
        "in 25 read 4000 write 100 write1h 200 model claude-opus-5-5 open");
    row("stream with an error",
        message(begin, named("error", R"(, "error": {"type": "overloaded_error"})")),
        "in 25 read 4000 write 100 write1h 200 model claude-opus-5-5 open");
    row("stream without a cache",
        message(R"({"input_tokens": 25, "output_tokens": 1})",
                messageDelta(R"({"input_tokens": 25, "output_tokens": 15})") + last),
        "in 25 out 15 model claude-opus-5-5 complete");
    row("stream, writes without parts",
        message(R"({"input_tokens": 2, "cache_creation_input_tokens": 9, "output_tokens": 1})",
                messageDelta(R"({"output_tokens": 15})") + last),
        "in 2 write 9 out 15 model claude-opus-5-5 complete");
    row("message",
        R"({"id":"msg_1","type":"message","model":"claude-opus-5-5","content":[{"type":"text","text":)"
        R"("\"usage\""}],"stop_reason":"end_turn","usage":{"input_tokens":12,"cache_creation":{)"
        R"("ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":8},"cache_creation_input_tokens")"
        R"(:8,"cache_read_input_tokens":0,"output_tokens":6,"output_tokens_details":{)"
        R"("thinking_tokens":2},"service_tier":"standard","speed":"standard"}})",
        "in 12 read 0 write 0 write1h 8 out 6 reasoning 2 model claude-opus-5-5 complete");
    row("count of tokens", R"({"input_tokens":2095})", "complete");
    row("error", R"({"type":"error","error":{"type":"api_error","message":"x"}})", "complete");
    row("OpenAI's, by the compatible interface",
        R"({"model":"claude","usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}})",
        "in 9 out 2 model claude complete");
}

void TestUsage::anthropic_answers_areReadHoweverTheyAreCut()
{
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    QCOMPARE(readUsageOf("anthropic", type.toStdString(), body.toStdString()),
             expected.toStdString());
}

void TestUsage::gemini_answers_areReadHoweverTheyAreCut_data()
{
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const std::string &body, const char *expected) {
        QTest::newRow(name) << QByteArray(body.starts_with('{') || body.starts_with('[')
                                              ? "application/json; charset=UTF-8"
                                              : "text/event-stream")
                            << QByteArray::fromStdString(body) << QByteArray(expected);
    };
    const char *const whole
        = "in 107 read 1000 out 70 reasoning 50 model gemini-2.5-flash complete";
    row("stream",
        "data: " + content(firstCounts) + "\r\n\r\ndata: " + content(lastCounts, stop) + "\r\n\r\n",
        whole);
    row("stream without the last blank line",
        "data: " + content(firstCounts) + "\r\n\r\ndata: " + content(lastCounts, stop),
        whole);
    row("stream, cut",
        "data: " + content(firstCounts) + "\r\n\r\n",
        "in 100 read 1000 out 50 reasoning 50 model gemini-2.5-flash open");
    row("stream with an error",
        "data: " + content(firstCounts) + "\r\n\r\ndata: {\"error\": {\"code\": 503}}\r\n\r\n",
        "in 100 read 1000 out 50 reasoning 50 model gemini-2.5-flash open");
    row("array",
        "[" + content(firstCounts) + "\r\n,\r\n" + content(lastCounts, stop) + "\r\n]",
        whole);
    row("array, cut",
        "[" + content(firstCounts) + "\r\n,\r\n" + R"({"candidates": [{"content")",
        "in 100 read 1000 out 50 reasoning 50 model gemini-2.5-flash open");
    row("array, cut in the counts",
        "[" + content(firstCounts) + "\r\n,\r\n" + R"({"usageMetadata": {"promptTokenCount": 1)",
        "in 100 read 1000 out 50 reasoning 50 model gemini-2.5-flash open");
    row("array with an error",
        R"([{"error": {"code": 429,"status": "RESOURCE_EXHAUSTED"}}])",
        "complete");
    row("answer", content(lastCounts, stop), whole);
    row("blocked prompt",
        "data: {\"promptFeedback\": {\"blockReason\": \"SAFETY\"},\"usageMetadata\": "
        "{\"promptTokenCount\": 4,\"totalTokenCount\": 4},\"modelVersion\": \"g\"}\r\n\r\n",
        "in 4 model g complete");
    row("no counts at the end",
        "data: " + content(firstCounts) + "\n\ndata: " + content("{}", stop) + "\n\n",
        "model gemini-2.5-flash complete");
    row("more cached than there is",
        content(R"({"promptTokenCount": 4,"cachedContentTokenCount": 9})"),
        "in 0 read 4 model gemini-2.5-flash complete");
    row("count of tokens", R"({"totalTokens": 31,"cachedContentTokenCount": 3})", "complete");
    row("interaction",
        R"({"id":"v1_x","model":"gemini-3-flash","usage":{"total_input_tokens":7,"total_cached_tokens":2,)"
        R"("total_output_tokens":20,"total_thought_tokens":22,"total_tool_use_tokens":0,"total_tokens":49}})",
        "in 5 read 2 out 42 reasoning 22 model gemini-3-flash complete");
    row("interaction, thoughts within the output",
        R"({"usage":{"total_input_tokens":7,"total_output_tokens":42,"total_thought_tokens":22,)"
        R"("total_tokens":49}})",
        "in 7 out 42 reasoning 22 complete");
    row("interaction, streamed",
        named("interaction.completed",
              R"(, "interaction": {"model": "g", "usage": {"total_input_tokens": 7}})"),
        "in 7 model g complete");
    row("OpenAI's, by the compatible interface",
        R"({"model":"g","usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}})",
        "in 9 out 2 model g complete");
}

void TestUsage::gemini_answers_areReadHoweverTheyAreCut()
{
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    QCOMPARE(readUsageOf("gemini", type.toStdString(), body.toStdString()), expected.toStdString());
}

void TestUsage::ollama_answers_areReadHoweverTheyAreCut_data()
{
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    const auto row =
        [](const char *name, std::string_view type, const std::string &body, const char *expected) {
            QTest::newRow(name) << QByteArray(type.data(), static_cast<qsizetype>(type.size()))
                                << QByteArray::fromStdString(body) << QByteArray(expected);
        };
    const std::string part = R"({"model":"llama3.2","created_at":"2026-08-04T08:52:19Z","message":)"
                             R"({"role":"assistant","content":"\"done\":true"},"done":false})"
                             "\n";
    const std::string last
        = R"({"model":"llama3.2","created_at":"2026-08-04T19:22:45Z","message":{"role":"assistant",)"
          R"("content":""},"done_reason":"stop","done":true,"total_duration":4883583458,)"
          R"("load_duration":1334875,"prompt_eval_count":26,"prompt_eval_duration":342546000,)"
          R"("eval_count":282,"eval_duration":4535599000})"
          "\n";
    row("chat", jsonLines, part + part + last, "in 26 out 282 model llama3.2 complete");
    row("chat, cut", jsonLines, part + part, "model llama3.2 open");
    row("chat, cut behind done",
        jsonLines,
        part + last.substr(0, last.find(R"(,"eval_count")")),
        "in 26 model llama3.2 open");
    row("chat with an error", jsonLines, part + "{\"error\":\"x\"}\n", "model llama3.2 open");
    row("chat at once", jsonText, last, "in 26 out 282 model llama3.2 complete");
    row("prompt in the cache",
        jsonLines,
        part + R"({"model":"llama3.2","done":true,"eval_count":5})" + "\n",
        "out 5 model llama3.2 complete");
    row("embeddings",
        jsonText,
        R"({"model":"all-minilm","embeddings":[[0.01,-0.0017]],"total_duration":14143917,)"
        R"("load_duration":1019500,"prompt_eval_count":8})",
        "in 8 model all-minilm complete");
    row("tags", jsonText, R"({"models":[{"name":"x","model":"x"}]})", "complete");
    row("OpenAI's, by the compatible interface",
        eventStream,
        "data: "
        "{\"model\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}"
        "\n\ndata: [DONE]\n\n",
        "in 9 out 2 model x complete");
    row("Anthropic's, by the compatible interface",
        eventStream,
        message(R"({"input_tokens": 25, "output_tokens": 1})",
                messageDelta(R"({"output_tokens": 15})")),
        "in 25 out 15 model claude-opus-5-5 complete");
}

void TestUsage::ollama_answers_areReadHoweverTheyAreCut()
{
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    QCOMPARE(readUsageOf("ollama", type.toStdString(), body.toStdString()), expected.toStdString());
}

void TestUsage::usageReader_contentTypes_areReadOrNot_data()
{
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<bool>("isRead");
    const auto row
        = [](const char *type, bool isRead) { QTest::newRow(type) << QByteArray(type) << isRead; };
    row("application/json", true);
    row("Application/JSON; charset=utf-8", true);
    row("application/json ;charset=utf-8", true);
    row("application/problem+json", true);
    row("text/event-stream", true);
    row("text/event-stream;charset=UTF-8", true);
    row("application/x-ndjson", true);
    row("application/jsonl", true);
    row("", false);
    row("text/plain", false);
    row("text/html", false);
    row("audio/mpeg", false);
    row("image/png", false);
    row("application/octet-stream", false);
    row("application/vnd.amazon.eventstream", false);
    row("application/jsonx", false);
    row("text/event-streams", false);
}

void TestUsage::usageReader_contentTypes_areReadOrNot()
{
    QFETCH(QByteArray, type);
    QFETCH(bool, isRead);
    for (const Dialect *dialect : dialects())
        QCOMPARE(dialect->usageReader(type.toStdString()) != nullptr, isRead);
}

void TestUsage::usageReader_anyDialect_readsTheOthersToo()
{
    for (const Dialect *dialect : dialects()) {
        const std::string got
            = readInPieces(dialect->name(), jsonText, content(lastCounts, stop), 0, 1);
        QCOMPARE(
            got,
            std::string("in 107 read 1000 out 70 reasoning 50 model gemini-2.5-flash complete"));
    }
}

QTEST_GUILESS_MAIN(TestUsage)
#include "tst_usage.moc"
