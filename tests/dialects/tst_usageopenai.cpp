// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/dialects/usagerun.h"

#include <QTest>

using namespace gatehouse;

namespace {

/// A chunk of a chat with what else it has behind the choices.
std::string
chunk(std::string_view choices, std::string_view more, std::string_view model = "gpt-5.5")
{
    return R"(data: {"id":"chatcmpl-B9MBs8Cj","object":"chat.completion.chunk","created":1741570283,)"
           "\"model\":\""
           + std::string(model) + "\",\"choices\":[" + std::string(choices) + ']'
           + std::string(more) + "}\n\n";
}

constexpr std::string_view openChoice
    = R"({"index":0,"delta":{"content":"Hi \"usage\":{}"},"logprobs":null,"finish_reason":null})";
constexpr std::string_view lastChoice = R"({"index":0,"delta":{},"finish_reason":"stop"})";
constexpr std::string_view done = "data: [DONE]\n\n";

std::string response(std::string_view type, std::string_view usage)
{
    return "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type)
           + "\",\"sequence_number\":9,\"response\":{\"id\":\"resp_1\",\"status\":\"x\",\"model\":"
             "\"gpt-5.5-2026-04-23\",\"output\":[{\"type\":\"message\"}],\"usage\":"
           + std::string(usage) + "}}\n\n";
}

} // namespace

class TestUsageOpenAi : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void stream_ofEachProvider_isReadHoweverItIsCut_data();
    void stream_ofEachProvider_isReadHoweverItIsCut();
    void json_ofEachEndpoint_isReadHoweverItIsCut_data();
    void json_ofEachEndpoint_isReadHoweverItIsCut();
};

void TestUsageOpenAi::stream_ofEachProvider_isReadHoweverItIsCut_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const std::string &body, const char *expected) {
        QTest::newRow(name) << QByteArray::fromStdString(body) << QByteArray(expected);
    };
    const std::string end(done);
    row("OpenAI chat, usage asked for",
        chunk(openChoice, R"(,"usage":null,"obfuscation":"x9")")
            + chunk(lastChoice, R"(,"usage":null)")
            + chunk("",
                    R"(,"usage":{"prompt_tokens":1117,"completion_tokens":46,"total_tokens":1163,)"
                    R"("prompt_tokens_details":{"cached_tokens":1024,"cache_write_tokens":13,)"
                    R"("audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":30}})")
            + end,
        "in 80 read 1024 write 13 out 46 reasoning 30 model gpt-5.5 complete");
    row("OpenAI chat, not asked for",
        chunk(openChoice, "") + chunk(lastChoice, "") + end,
        "model gpt-5.5 complete");
    row("OpenAI chat, cut before the usage",
        chunk(openChoice, R"(,"usage":null)") + chunk(lastChoice, R"(,"usage":null)"),
        "model gpt-5.5 open");
    row("Azure, whose first chunk has neither model nor choice",
        chunk("", R"(,"prompt_filter_results":[{"prompt_index":0}])", "") + chunk(openChoice, "")
            + chunk("", R"(,"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11})"),
        "in 9 out 2 model gpt-5.5 complete");
    row("Mistral, in the last content chunk",
        chunk(openChoice, "", "mistral-large-latest")
            + chunk(lastChoice,
                    R"(,"usage":{"prompt_audio_seconds":null,"prompt_tokens":18,"total_tokens":30,)"
                    R"("completion_tokens":12,"prompt_tokens_details":{"cached_tokens":0}})",
                    "mistral-large-latest")
            + end,
        "in 18 read 0 out 12 model mistral-large-latest complete");
    row("Groq, in a member of its own",
        chunk(openChoice, R"(,"x_groq":{"id":"req_1"})", "llama-3.3-70b")
            + chunk(lastChoice,
                    R"(,"x_groq":{"id":"req_1","usage":{"queue_time":0.04,"prompt_tokens":43,)"
                    R"("prompt_time":0.002,"completion_tokens":9,"completion_time":0.02,)"
                    R"("total_tokens":52,"total_time":0.03}})",
                    "llama-3.3-70b"),
        "in 43 out 9 model llama-3.3-70b complete");
    row("DeepSeek, with comments and a cache",
        ": keep-alive\n\n: keep-alive\n\n" + chunk(openChoice, "", "deepseek-chat")
            + chunk(lastChoice,
                    R"(,"usage":{"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,)"
                    R"("prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36})",
                    "deepseek-chat")
            + end,
        "in 36 read 64 out 5 model deepseek-chat complete");
    row("xAI, with reasoning beside the completion and a cost",
        chunk(openChoice, "", "grok-4")
            + chunk("",
                    R"(,"usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":132,)"
                    R"("prompt_tokens_details":{"text_tokens":32,"cached_tokens":5},)"
                    R"("completion_tokens_details":{"reasoning_tokens":91},"num_sources_used":2,)"
                    R"("cost_in_usd_ticks":37756001})",
                    "grok-4")
            + end,
        "in 27 read 5 out 100 reasoning 91 cost 3776 model grok-4 complete");
    row("OpenRouter, with comments and a cost",
        ": OPENROUTER PROCESSING\n\n" + chunk(openChoice, "", "openai/gpt-5.5")
            + chunk(
                R"({"index":0,"delta":{"content":""},"finish_reason":null})",
                R"(,"usage":{"prompt_tokens":14,"completion_tokens":4,"total_tokens":18,)"
                R"("cost":0.00014,"is_byok":false,"cost_details":{"upstream_inference_cost":null}})",
                "openai/gpt-5.5")
            + end,
        "in 14 out 4 cost 140 model openai/gpt-5.5 complete");
    row("Gemini at this interface, thoughts in the total only",
        chunk(lastChoice,
              R"(,"usage":{"completion_tokens":102,"prompt_tokens":758,"total_tokens":1725})"),
        "in 758 out 967 model gpt-5.5 complete");
    row("vLLM, cumulative in each chunk, then cut",
        chunk(openChoice, R"(,"usage":{"prompt_tokens":7,"total_tokens":8,"completion_tokens":1})")
            + chunk(openChoice,
                    R"(,"usage":{"prompt_tokens":7,"total_tokens":9,"completion_tokens":2})"),
        "in 7 out 2 model gpt-5.5 open");
    row("vLLM, whole",
        chunk(openChoice, R"(,"usage":{"prompt_tokens":7,"total_tokens":8,"completion_tokens":1})")
            + chunk(lastChoice,
                    R"(,"usage":{"prompt_tokens":7,"total_tokens":9,"completion_tokens":2})"),
        "in 7 out 2 model gpt-5.5 complete");
    row("two choices, one finished",
        chunk(R"({"index":0,"finish_reason":"stop"},{"index":1,"finish_reason":null})",
              R"(,"usage":{"prompt_tokens":7,"completion_tokens":2})"),
        "in 7 out 2 model gpt-5.5 open");
    row("error in the middle",
        chunk(openChoice, R"(,"usage":{"prompt_tokens":7,"completion_tokens":2})")
            + "data: {\"error\":{\"code\":502,\"message\":\"x\"}}\n\n",
        "in 7 out 2 model gpt-5.5 open");
    row("completions",
        R"(data: {"id":"cmpl-1","object":"text_completion","choices":[{"text":"a","index":0,)"
        R"("logprobs":null,"finish_reason":"length"}],"model":"davinci","usage":)"
        R"({"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}})"
        "\n\n"
            + end,
        "in 5 out 7 model davinci complete");
    const std::string usage
        = R"({"input_tokens":81,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":1},)"
          R"("output_tokens":1035,"output_tokens_details":{"reasoning_tokens":832},"total_tokens":1116})";
    const std::string begin
        = response("response.created", "null") + response("response.in_progress", "null")
          + "event: response.output_text.delta\ndata: {\"type\":\"response.output_"
            "text.delta\",\"delta\":\"\\\"usage\\\":{}\"}\n\n";
    const char *const whole
        = "in 40 read 40 write 1 out 1035 reasoning 832 model gpt-5.5-2026-04-23 complete";
    row("Responses, completed", begin + response("response.completed", usage), whole);
    row("Responses, incomplete", begin + response("response.incomplete", usage), whole);
    row("Responses, failed",
        begin + response("response.failed", "null"),
        "model gpt-5.5-2026-04-23 complete");
    row("Responses, cut", begin, "model gpt-5.5-2026-04-23 open");
    row("Responses, error",
        begin + "event: error\ndata: {\"type\":\"error\",\"code\":\"x\"}\n\n",
        "model gpt-5.5-2026-04-23 open");
    row("image",
        "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\","
        "\"b64_json\":\"AAAA\"}\n\nevent: image_generation.completed\ndata: {\"type\":\"image_"
        "generation.completed\",\"b64_json\":\"AAAA\",\"usage\":{\"input_tokens\":50,"
        "\"input_tokens_details\":{\"text_tokens\":10,\"image_tokens\":40},\"output_tokens\":50,"
        "\"total_tokens\":100}}\n\n",
        "in 50 out 50 complete");
    row("Cohere",
        "event: message-start\ndata: "
        "{\"id\":\"2\",\"type\":\"message-start\",\"delta\":{\"message\":"
        "{\"role\":\"assistant\"}}}\n\nevent: content-delta\ndata: {\"type\":\"content-delta\","
        "\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"usage\"}}}}\n\n"
        "event: message-end\ndata: "
        "{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\","
        "\"usage\":{\"billed_units\":{\"input_tokens\":3,\"output_tokens\":9},\"tokens\":"
        "{\"input_tokens\":69,\"output_tokens\":10},\"cached_tokens\":16}}}\n\n",
        "in 3 out 9 complete");
    row("Anthropic's, by a provider of this family",
        "event: message_start\ndata: "
        "{\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":"
        "{\"input_tokens\":12,\"output_tokens\":0}}}\n\nevent: message_delta\ndata: {\"type\":"
        "\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":6}"
        "}\n\n",
        "in 12 out 6 model m complete");
}

void TestUsageOpenAi::stream_ofEachProvider_isReadHoweverItIsCut()
{
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    QCOMPARE(readUsageOf("openai", eventStream, body.toStdString()), expected.toStdString());
    body.replace("\n", "\r\n");
    QCOMPARE(readUsageOf("openai", eventStream, body.toStdString()), expected.toStdString());
}

void TestUsageOpenAi::json_ofEachEndpoint_isReadHoweverItIsCut_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const char *body, const char *expected) {
        QTest::newRow(name) << QByteArray(body) << QByteArray(expected);
    };
    row("chat",
        R"({"id":"chatcmpl-1","object":"chat.completion","model":"gpt-5.5-2026-04-23","choices":[{)"
        R"("index":0,"message":{"role":"assistant","content":"{\"usage\":{\"prompt_tokens\":1}}",)"
        R"("refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens")"
        R"(:10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
        R"("completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default"})",
        "in 19 read 0 out 10 reasoning 0 model gpt-5.5-2026-04-23 complete");
    row("chat behind blank lines", "\n\n\r\n{\"usage\":{\"prompt_tokens\":1}}\n", "in 1 complete");
    row("chat of Mistral, no details",
        R"({"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2}})",
        "in 1 out 2 model m complete");
    row("Responses",
        R"({"id":"resp_1","object":"response","status":"completed","model":"gpt-5.5","output":[{)"
        R"("type":"message","content":[{"type":"output_text","text":"x","usage":{"input_tokens":9}}]}],)"
        R"("usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":6},"output_tokens":87,)"
        R"("output_tokens_details":{"reasoning_tokens":0},"total_tokens":123},"user":null})",
        "in 30 read 6 out 87 reasoning 0 model gpt-5.5 complete");
    row("Responses in the background",
        R"({"object":"response","model":"o","usage":null})",
        "model o complete");
    row("embeddings",
        R"({"object":"list","data":[{"object":"embedding","embedding":[0.0023,-0.009],"index":0}],)"
        R"("model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}})",
        "in 8 model text-embedding-3-small complete");
    row("images",
        R"({"created":1,"data":[{"b64_json":"AAAA"}],"usage":{"total_tokens":100,"input_tokens":50,)"
        R"("output_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40}}})",
        "in 50 out 50 complete");
    row("transcription in tokens",
        R"({"text":"Hi","usage":{"type":"tokens","input_tokens":14,"input_token_details":)"
        R"({"text_tokens":0,"audio_tokens":14},"output_tokens":45,"total_tokens":59}})",
        "in 14 out 45 complete");
    row("transcription in seconds",
        R"({"text":"Hi","usage":{"type":"duration","seconds":9}})",
        "complete");
    row("xAI image, a cost alone",
        R"({"data":[],"usage":{"cost_in_usd_ticks":200000000}})",
        "cost 20000 complete");
    row("count of input tokens",
        R"({"object":"response.input_tokens","input_tokens":11})",
        "complete");
    row("models",
        R"({"object":"list","data":[{"id":"gpt-5.5","usage":{"prompt_tokens":1}}]})",
        "complete");
    row("error", R"({"error":{"message":"x","type":"y","param":null,"code":null}})", "complete");
    row("Cohere chat",
        R"({"id":"1","finish_reason":"COMPLETE","message":{"role":"assistant"},"usage":{"billed_units")"
        R"(:{"input_tokens":5,"output_tokens":418},"tokens":{"input_tokens":71,"output_tokens":418}}})",
        "in 5 out 418 complete");
    row("Cohere chat of vLLM, nothing billed",
        R"({"usage":{"tokens":{"input_tokens":71,"output_tokens":4},"billed_units":null}})",
        "in 71 out 4 complete");
    row("Cohere embeddings",
        R"({"embeddings":{"float":[[0.1]]},"meta":{"api_version":{},"billed_units":{"input_tokens":2}}})",
        "in 2 complete");
    row("Cohere reranking",
        R"({"results":[],"meta":{"billed_units":{"search_units":1}}})",
        "complete");
    row("Anthropic's, by a provider of this family",
        R"({"type":"message","model":"m","usage":{"input_tokens":3,"cache_read_input_tokens":9,)"
        R"("output_tokens":4}})",
        "in 3 read 9 out 4 model m complete");
    row("LiteLLM's, with both",
        R"({"usage":{"prompt_tokens":12,"completion_tokens":4,)"
        R"("cache_read_input_tokens":9,"prompt_tokens_details":{"cached_tokens":9}}})",
        "in 3 read 9 out 4 complete");
}

void TestUsageOpenAi::json_ofEachEndpoint_isReadHoweverItIsCut()
{
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    QCOMPARE(readUsageOf("openai", jsonText, body.toStdString()), expected.toStdString());
}

QTEST_GUILESS_MAIN(TestUsageOpenAi)
#include "tst_usageopenai.moc"
