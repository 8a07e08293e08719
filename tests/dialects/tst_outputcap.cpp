// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "gateway/json/document.h"

#include <QTest>

using namespace gatehouse;

namespace {

/// "100 x2 streams", "none".
QByteArray described(const OutputCap &cap)
{
    QByteArray text = cap.tokens ? QByteArray::number(static_cast<qulonglong>(*cap.tokens))
                                 : QByteArray("none");
    if (cap.choices != 1)
        text += " x" + QByteArray::number(static_cast<qulonglong>(cap.choices));
    return cap.streams ? text + " streams" : text;
}

} // namespace

class TestOutputCap : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void outputCap_requests_areReadInEveryDialect_data();
    void outputCap_requests_areReadInEveryDialect();
    void outputCap_noBody_isNone();
    void allTokens_always_isTheProductUpToTheLargest();
};

void TestOutputCap::outputCap_requests_areReadInEveryDialect_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    const auto row
        = [](const char *name, const char *path, const char *body, const char *expected) {
              QTest::newRow(name) << QByteArray(path) << QByteArray(body) << QByteArray(expected);
          };
    constexpr auto chat = "/v1/chat/completions";
    row("nothing said", chat, R"({"messages": []})", "none");
    row("max_tokens", chat, R"({"max_tokens": 100})", "100");
    row("max_completion_tokens", chat, R"({"max_completion_tokens": 1})", "1");
    row("an old and a new one", chat, R"({"max_tokens": 9, "max_completion_tokens": 7})", "9");
    row("the other way round", chat, R"({"max_tokens": 7, "max_completion_tokens": 9})", "9");
    row("null", chat, R"({"max_tokens": null})", "none");
    row("null and a count", chat, R"({"max_tokens": null, "max_completion_tokens": 7})", "7");
    row("zero", chat, R"({"max_tokens": 0})", "none");
    row("-1", chat, R"({"max_tokens": -1})", "none");
    row("-1 and a count", chat, R"({"max_tokens": -1, "max_completion_tokens": 7})", "none");
    row("a fraction", chat, R"({"max_tokens": 1.5})", "none");
    row("an exponent", chat, R"({"max_tokens": 1e3})", "1000");
    row("2^63 - 1", chat, R"({"max_tokens": 9223372036854775807})", "9223372036854775807");
    row("2^63", chat, R"({"max_tokens": 9223372036854775808})", "none");
    row("in quotes", chat, R"({"max_tokens": "100", "n": "3"})", "100 x3");
    row("2^64 in quotes", chat, R"({"max_tokens": "18446744073709551616"})", "none");
    row("words", chat, R"({"max_tokens": "much"})", "none");
    row("an empty text", chat, R"({"max_tokens": ""})", "none");
    row("a list", chat, R"({"max_tokens": [1]})", "none");
    row("of something within", chat, R"({"metadata": {"max_tokens": 5}})", "none");
    row("a body that is a list", chat, R"([{"max_tokens": 5}])", "none");
    row("a body that is a text", chat, R"("max_tokens")", "none");
    row("n", chat, R"({"max_tokens": 100, "n": 4})", "100 x4");
    row("n without a cap", chat, R"({"n": 4})", "none x4");
    row("n of 0", chat, R"({"max_tokens": 100, "n": 0})", "100");
    row("n of -2", chat, R"({"max_tokens": 100, "n": -2})", "100");
    row("n null", chat, R"({"max_tokens": 100, "n": null})", "100");
    row("best_of", "/v1/completions", R"({"max_tokens": 16, "n": 2, "best_of": 5})", "16 x5");
    row("a prompt", "/v1/completions", R"({"max_tokens": 16, "prompt": "a"})", "16");
    row("prompts",
        "/v1/completions",
        R"({"max_tokens": 16, "prompt": ["a", "b", "c"], "n": 2})",
        "16 x6");
    row("a prompt of tokens", "/v1/completions", R"({"max_tokens": 16, "prompt": [1, 2]})", "16");
    row("prompts of tokens", "/v1/completions", R"({"prompt": [[1, 2], [3]]})", "none x2");
    row("no prompts", "/v1/completions", R"({"max_tokens": 16, "prompt": []})", "16");
    row("more choices than can be",
        "/v1/completions",
        R"({"prompt": ["a", "b"], "n": "18446744073709551615"})",
        "none x18446744073709551615");
    row("stream", chat, R"({"max_tokens": 5, "stream": true})", "5 streams");
    row("stream false", chat, R"({"max_tokens": 5, "stream": false})", "5");
    row("stream null", chat, R"({"stream": null})", "none");
    row("stream in quotes", chat, R"({"stream": "true"})", "none");
    row("Responses", "/v1/responses", R"({"max_output_tokens": 50, "stream": true})", "50 streams");
    row("llama.cpp", "/completion", R"({"n_predict": 50, "n_cmpl": 2})", "50 x2");
    row("llama.cpp, infinite", "/completion", R"({"n_predict": -1})", "none");
    row("Hugging Face",
        "/models/m",
        R"({"inputs": "a", "parameters": {"max_new_tokens": 20, "num_return_sequences": 2}})",
        "20 x2");
    row("Messages", "/v1/messages", R"({"max_tokens": 128000, "stream": true})", "128000 streams");
    row("Text Completions", "/v1/complete", R"({"max_tokens_to_sample": 300})", "300");
    constexpr auto content = "/v1beta/models/gemini-x:generateContent";
    row("Gemini",
        content,
        R"({"generationConfig": {"maxOutputTokens": 70, "candidateCount": 3}})",
        "70 x3");
    row("Gemini, as protobuf writes it",
        content,
        R"({"generation_config": {"max_output_tokens": 70, "candidate_count": 3}})",
        "70 x3");
    row("Gemini, mixed", content, R"({"generationConfig": {"max_output_tokens": "70"}})", "70");
    row("Gemini, in two ways",
        content,
        R"({"generationConfig": {"maxOutputTokens": 1}, "generation_config": {"max_output_tokens": 70}})",
        "70");
    row("Gemini's config is none", content, R"({"generationConfig": 5})", "none");
    row("Gemini's stream",
        "/v1/models/g:streamGenerateContent",
        R"({"generationConfig": {"maxOutputTokens": 7}})",
        "7 streams");
    row("Gemini's stream, with a query",
        "/v1/models/g:streamGenerateContent?alt=sse",
        "{}",
        "none streams");
    row("Gemini, OpenAI's way", "/v1beta/openai/chat/completions", R"({"max_tokens": 5})", "5");
    row("Ollama", "/api/chat", R"({"options": {"num_predict": 64}})", "64 streams");
    row("Ollama, no stream",
        "/api/chat",
        R"({"options": {"num_predict": 64}, "stream": false})",
        "64");
    row("Ollama, infinite", "/api/generate", R"({"options": {"num_predict": -1}})", "none streams");
    row("Ollama, to the end of the context",
        "/api/generate",
        R"({"options": {"num_predict": -2}})",
        "none streams");
    row("Ollama, with a cap that it does not read",
        "/api/generate",
        R"({"max_tokens": 1, "options": {"num_predict": -1}})",
        "none streams");
    row("Cohere does not stream untold", "/v2/chat", "{}", "none");
    row("embeddings", "/v1/embeddings", R"({"max_tokens": 100, "n": 3})", "0");
    row("embeddings of Azure", "/openai/deployments/e/embeddings?api-version=1", "{}", "0");
    row("rerank", "/v2/rerank", "{}", "0");
    row("moderations", "/v1/moderations", "{}", "0");
    row("tokens counted, Responses",
        "/v1/responses/input_tokens",
        R"({"max_output_tokens": 5})",
        "0");
    row("tokens counted, Messages",
        "/v1/messages/count_tokens?beta=true",
        R"({"max_tokens": 5})",
        "0");
    row("tokens counted, Gemini", "/v1/models/g:countTokens", "{}", "0");
    row("embeddings, Gemini", "/v1/models/g:batchEmbedContents", "{}", "0");
    row("embeddings, Ollama", "/api/embed", R"({"options": {"num_predict": 5}})", "0");
    row("a name that ends so", "/v1/myembeddings", R"({"max_tokens": 5})", "5");
    row("the name in the query", "/v1/chat/completions?x=/embeddings", R"({"max_tokens": 5})", "5");
    row("the name with a slash behind it", "/v1/embeddings/", R"({"max_tokens": 5})", "5");
}

void TestOutputCap::outputCap_requests_areReadInEveryDialect()
{
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    json::Document document;
    QVERIFY(document.parse(body.toStdString()).has_value());
    for (const Dialect *dialect : dialects())
        QCOMPARE(described(dialect->outputCap(path.toStdString(), document.root())), expected);
}

void TestOutputCap::outputCap_noBody_isNone()
{
    const json::Document document;
    const Dialect &dialect = *findDialect("ollama");
    QCOMPARE(described(dialect.outputCap("", document.root())), QByteArray("none"));
    QCOMPARE(described(dialect.outputCap("/api/chat", document.root())),
             QByteArray("none streams"));
}

void TestOutputCap::allTokens_always_isTheProductUpToTheLargest()
{
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    QVERIFY(!OutputCap{.choices = 3}.allTokens());
    QCOMPARE((OutputCap{.tokens = 0, .choices = most}.allTokens()),
             std::optional<std::uint64_t>(0));
    QCOMPARE((OutputCap{.tokens = 5, .choices = 3}.allTokens()), std::optional<std::uint64_t>(15));
    QCOMPARE((OutputCap{.tokens = most / 3, .choices = 3}.allTokens()), std::optional(most));
    QCOMPARE((OutputCap{.tokens = most / 2, .choices = 3}.allTokens()), std::optional(most));
}

QTEST_APPLESS_MAIN(TestOutputCap)
#include "tst_outputcap.moc"
