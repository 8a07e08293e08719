// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/dialects/modelrows.h"

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

/// True where one of the model's names in a request of this dialect matches.
bool matches(const char *dialect, const char *model, const char *glob)
{
    const ModelFinder finder(findDialect(dialect)->modelPlaces());
    ModelRequest request("POST /x", std::string(R"({"model":")") + model + "\"}");
    const auto found = finder.find(request.exchange());
    const auto compiled = Glob::parse(glob, Glob::Kind::Name);
    if (!found || !compiled || found->models.size() != 1)
        qFatal("one model and one glob were expected");
    return found->models.front().isAmong({&*compiled, 1});
}

} // namespace

/// What requests of the other vendors name; OpenAI's are in tst_openaimodels.cpp. The rows are from the
/// vendors' references and SDKs, and from what a client could do to use a model unseen.
class TestModelPlaces : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anthropic_request_isSeen_data();
    void anthropic_request_isSeen() { check("anthropic"); }
    void gemini_request_isSeen_data();
    void gemini_request_isSeen() { check("gemini"); }
    void ollama_request_isSeen_data();
    void ollama_request_isSeen() { check("ollama"); }
    void spelling_ofTheSameModel_matches_data();
    void spelling_ofTheSameModel_matches();
};

void TestModelPlaces::anthropic_request_isSeen_data()
{
    addColumns();
    row("POST /v1/messages?beta=true",
        R"({"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","input":)"
        R"({"model":"opus"}}]}],"tools":[{"name":"Task","input_schema":{"properties":{"model":{"enum":)"
        R"(["opus"]}}},"input_examples":[{"model":"opus"}]}],"metadata":{"user_id":"u"}})",
        "m");
    row("POST /v1/messages/count_tokens", R"({"model":"m","messages":[]})", "m");
    row("POST /v1/messages",
        R"({"model":"m","tools":[{"type":"advisor_20260301","model":"n"}]})",
        "m n");
    row("POST /v1/messages",
        R"({"model":"m","messages":[{"role":"system","content":[{"type":"tool_addition","tool":)"
        R"({"type":"advisor_20260301","model":"n"}}]}]})",
        "m n");
    row("POST /v1/messages", R"({"model":"m","fallbacks":[{"model":"n"},{"model":"o"}]})", "m n o");
    row("POST /v1/messages", R"({"model":"m","fallbacks":"default"})", "m hidden");
    row("POST /v1/messages", R"({"model":"m","fallbacks":[]})", "m");
    row("POST /v1/messages/batches",
        R"({"requests":[{"custom_id":"a","params":{"model":"m","messages":[{"content":[{"input":)"
        R"({"model":"x"}}]}]}},{"custom_id":"b","params":{"model":"n","tools":[{"model":"o"}]}}]})",
        "m n o");
    row("POST /v1/messages/batches",
        R"({"requests":[{"params":{"fallbacks":"default"}}]})",
        "hidden");
    row("POST /v1/agents", R"({"name":"a","model":{"id":"m","speed":"fast"}})", "m");
    row("POST /v1/sessions", R"({"agent":"a"})", "hidden");
    row("POST /v1/sessions", R"({"agent":{"type":"agent","id":"a","model":"m"}})", "m hidden");
    row("POST /v1/chat/completions",
        R"({"model":"m","tools":[{"function":{"parameters":{"default":{"model":"x"}}}}]})",
        "m");
    row("GET /v1/models", "", "needless");
    row("GET /v1/models/m", "", "needless");
    row("HEAD /api/hello", "", "needless");
    row("GET /v1/messages/batches/b/results", "", "needless");
    row("POST /v1/messages/batches/b/cancel", "", "needless");
    row("DELETE /v1/messages/batches/b", "", "needless");
    row("POST /v1/files", "", "needless");
    row("POST /v1/skills/s/versions", "", "needless");
    row("POST /v1/messages/files", "", "none");
    row("POST /v1/messages/cancel", "", "none");
    row("POST /v1/messages", "{}", "none");
    row(upgrade("/v1/messages?model=m"), "", "m hidden");
}

void TestModelPlaces::gemini_request_isSeen_data()
{
    addColumns();
    row("POST /v1beta/models/m:generateContent",
        R"({"contents":[{"parts":[{"functionCall":{"args":{"model":"x"}}},{"function_response":)"
        R"({"response":{"model":"x"}}}]}],"tools":[{"functionDeclarations":[{"parameters":{}}]}]})",
        "m");
    row("POST /v1beta/models/m:streamGenerateContent?alt=sse", "{}", "m");
    row("POST /v1/models/m%2Dx:generateContent", "{}", "m-x");
    row("POST /v1/models/m%3AgenerateContent", "{}", "m");
    row("POST /v1/models%2Fm:generateContent", "{}", "m");
    row("POST /v1/models/m%2Fn:generateContent", "{}", "m m/n");
    row("POST /v1//models//m:generateContent", "{}", "m");
    row("POST /v1/Models/m:generateContent", "{}", "m");
    row("POST /v1/models/m/models/n:generateContent", "{}", "m n");
    row("POST /v1/models/m:generateContent/models/n:countTokens", "{}", "m n");
    row("POST /v1/models/m:x:generateContent", "{}", "m:x");
    row("POST /v1/models/m%20:generateContent", "{}", "hidden");
    row("POST /v1/models/m%2500:generateContent", "{}", "hidden");
    row("POST /v1beta/tunedModels/t:generateContent", "{}", "tunedModels/t");
    row("POST /v1beta//TunedModels//t:generateContent", "{}", "TunedModels//t");
    row("POST /v1beta/tunedModels%2Ft:generateContent", "{}", "tunedModels/t");
    row("POST /v1beta/tunedModels/t/models/m:generateContent", "{}", "m tunedModels/t");
    row("POST /v1beta/dynamic/d:generateContent", "{}", "dynamic/d");
    row("POST /v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict",
        R"({"anthropic_version":"v","tools":[{"type":"advisor_20260301","model":"n"}]})",
        "c n");
    row("POST /v1/projects/p/locations/l/endpoints/123:generateContent", "{}", "endpoints/123");
    row("POST /v1/projects/p/locations/l/endpoints/openapi/chat/completions",
        R"({"model":"google/m"})",
        "endpoints/openapi google/m");
    row("POST /v1beta/models/m:countTokens",
        R"({"generateContentRequest":{"model":"models/m","contents":[]}})",
        "m models/m");
    row("POST /v1beta/models/m:countTokens",
        R"({"generate_content_request":{"model":"models/n"}})",
        "m models/n");
    row("POST /v1beta/models/m:batchEmbedContents",
        R"({"requests":[{"model":"models/m"},{"model":"models/n"}]})",
        "m models/m models/n");
    row("POST /v1beta/models/m:batchGenerateContent",
        R"({"batch":{"input_config":{"requests":{"requests":[{"request":{"model":"n"}}]}}}})",
        "m n");
    row("POST /v1beta/models/m:batchGenerateContent",
        R"({"batch":{"inputConfig":{"fileName":"files/f"}}})",
        "m hidden");
    row("POST /v1beta/models/m:batchGenerateContent",
        R"({"batch":{"input_config":{"file_name":"files/f"}}})",
        "m hidden");
    row("POST /v1/x/models/m:generateContent",
        R"({"generationConfig":{"routingConfig":{"manualMode":{"modelName":"n"}}}})",
        "m n");
    row("POST /v1/x/models/m:generateContent",
        R"({"generation_config":{"routing_config":{"auto_mode":{"model_routing_preference":"X"}}}})",
        "m hidden");
    row("POST /v1beta/interactions", R"({"model":"m","input":"x"})", "m");
    row("POST /v1beta/interactions", R"({"agent":"deep-research","input":"x"})", "deep-research");
    row("POST /v1beta/cachedContents", R"({"model":"models/m"})", "models/m");
    row("POST /v1beta/tunedModels", R"({"baseModel":"models/m"})", "models/m");
    row("POST /v1beta/auth_tokens",
        R"({"bidiGenerateContentSetup":{"model":"models/m"}})",
        "models/m");
    row("POST /v1beta/auth_tokens", "{}", "none");
    row("POST /v1beta/openai/chat/completions", R"({"model":"m"})", "m");
    row("POST /v1beta/models/m:generateContent?$ct=application/x-protobuf", "{}", "m hidden");
    row("POST /v1beta/models/m:generateContent\nContent-Type: application/x-protobuf",
        "x",
        "m hidden");
    row("POST /v1beta/batches", "{}", "hidden");
    row("GET /v1beta/models", "", "needless");
    row("GET /v1beta/models/m", "", "needless");
    row("GET /v1beta/models/m:generateContent", "", "m needless");
    row("GET /v1beta/models/m:generateContent?$httpMethod=POST", "{}", "m");
    row("DELETE /v1beta/tunedModels/t", "", "tunedModels/t needless");
    row("POST /upload/v1beta/files", "", "needless");
    row("POST /v1beta/files", "", "needless");
    row("PATCH /v1beta/cachedContents/c", R"({"ttl":"1s"})", "needless");
    row("POST /v1beta/fileSearchStores/s:importFile", "{}", "needless");
    row("POST /v1beta/fileSearchStores", R"({"displayName":"x"})", "needless");
    row("POST /v1beta/fileSearchStores", R"({"embeddingModel":"models/m"})", "models/m needless");
    row("POST /v1beta/batches/b:cancel", "", "needless");
    row("POST /v1beta/x:cancel", "", "none");
    row("POST /v1beta/files/x", "{}", "none");
    row(upgrade("/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"),
        "",
        "hidden");
    row(upgrade("/ws/x.BidiGenerateContent?model=m"), "", "m hidden");
}

void TestModelPlaces::ollama_request_isSeen_data()
{
    addColumns();
    row("POST /api/chat",
        R"({"model":"m","messages":[{"tool_calls":[{"function":{"name":"f","arguments":{"model":"x"}}}]}],)"
        R"("tools":[{"function":{"parameters":{"default":{"model":"x"}}}}],"format":{"model":"x"}})",
        "m");
    row("POST /api/chat", R"({"Model":"m"})", "m");
    row("POST /api/chat", R"({"model":"m","MODEL":"n"})", "m n");
    row("POST /api/generate\nContent-Type: multipart/form-data; boundary=B",
        R"({"model":"m"})",
        "m");
    row("POST /api/pull", R"({"name":"m"})", "m");
    row("POST /api/pull", R"({"name":"m","model":"n"})", "m n");
    row("POST /api/copy", R"({"source":"m","destination":"n"})", "m n");
    row("POST /api/create",
        R"({"model":"m","from":"n","files":{"my-model":"sha256:x"},"adapters":{"a.model":"sha256:x"}})",
        "m n");
    row("POST /api/create", R"({"name":"m","modelfile":"FROM n"})", "m hidden");
    row("POST /api/create", R"({"name":"m","path":"/x"})", "m hidden");
    row("DELETE /api/delete", R"({"model":"m"})", "m");
    row("POST /api/show", R"({"model":"m"})", "m");
    row("POST /v1/messages",
        R"({"model":"m","messages":[{"content":[{"type":"tool_use","input":{"model":"x"}}]}]})",
        "m");
    row("POST /v1/chat/completions", R"({"model":"m"})", "m");
    row("POST /api/generate", "{}", "none");
    row("POST /api/blobs/sha256:x", "binary", "needless");
    row("POST /api/blobs/sha256:x:y", "binary", "hidden");
    row("POST /api/blobs/x", "binary", "hidden");
    row("POST /api/blobs/sha256-x", "binary", "needless");
    row("POST /api/me", "", "needless");
    row("POST /api/experimental/web_search", R"({"query":"x"})", "needless");
    row("GET /api/tags", "", "needless");
    row("GET /api/ps", "", "needless");
    row("HEAD /", "", "needless");
}

void TestModelPlaces::spelling_ofTheSameModel_matches_data()
{
    QTest::addColumn<QByteArray>("dialect");
    QTest::addColumn<QByteArray>("model");
    QTest::addColumn<QByteArray>("glob");
    QTest::addColumn<bool>("isSame");
    const auto row = [](const char *dialect, const char *model, const char *glob, bool isSame) {
        const QByteArray name = QByteArray(model) + " as " + glob;
        QTest::newRow(name.constData())
            << QByteArray(dialect) << QByteArray(model) << QByteArray(glob) << isSame;
    };
    row("openai", "gpt-x", "gpt-x", true);
    row("openai", "GPT-x", "gpt-x", false);
    row("openai", "openai/gpt-x", "gpt-x", false);
    row("gemini", "models/g", "g", true);
    row("gemini", "g", "models/g", true);
    row("gemini", "publishers/google/models/g", "g", true);
    row("gemini", "projects/p/locations/l/publishers/google/models/g", "g", true);
    row("gemini", "google/g", "g", true);
    row("gemini", "google/g", "models/g", true);
    row("gemini", "tunedModels/g", "g", false);
    row("gemini", "tunedModels/g", "models/g", false);
    row("gemini", "tunedModels/g", "tunedModels/g", true);
    row("gemini", "TunedModels//g", "tunedModels/g", true);
    row("gemini", "projects/p/locations/l/endpoints/g", "g", false);
    row("gemini", "projects/p/locations/l/endpoints/g", "endpoints/g", true);
    row("gemini", "projects/p/locations/l/models/g", "g", false);
    row("gemini", "publishers/x/models/g", "g", true);
    row("gemini", "publishers/x/tunedModels/g", "g", false);
    row("gemini", "publishers/x/y/g", "g", false);
    row("gemini", "x/g", "g", true);
    row("gemini", "x/y/g", "g", false);
    row("gemini", "endpoints/g", "g", false);
    row("gemini", "dynamic/g", "g", false);
    row("gemini", "g", "tunedModels/g", false);
    row("gemini", "G", "g", false);
    const char *forms[] = {"llama3",
                           "llama3:latest",
                           "library/llama3",
                           "library/llama3:latest",
                           "registry.ollama.ai/library/llama3",
                           "registry.ollama.ai/library/llama3:latest"};
    for (const char *model : forms) {
        for (const char *glob : forms)
            row("ollama", model, glob, true);
    }
    row("ollama", "LLaMA3:Latest", "llama3", true);
    row("ollama", "https://registry.ollama.ai/library/llama3", "llama3", true);
    row("ollama", "llama3:local", "llama3", true);
    row("ollama", "llama3:8b:local", "llama3:8b", true);
    row("ollama", "llama3:8b", "llama3", false);
    row("ollama", "llama3:8b", "llama3:latest", false);
    row("ollama", "me/llama3", "registry.ollama.ai/me/llama3:latest", true);
    row("ollama", "me/llama3", "llama3", false);
    row("ollama", "hf.co/org/llama3", "llama3", false);
    row("ollama", "hf.co:443/org/Llama3", "hf.co:443/org/llama3:latest", true);
    row("ollama", "gpt-oss:120b:cloud", "gpt-oss:120b-cloud", true);
    row("ollama", "gpt-oss: 120b-cloud", "gpt-oss:120b-cloud", true);
    row("ollama", "gpt-oss:cloud", "gpt-oss", false);
    row("ollama", "gpt-oss:120b-cloud", "gpt-oss:120b", false);
}

void TestModelPlaces::spelling_ofTheSameModel_matches()
{
    QFETCH(QByteArray, dialect);
    QFETCH(QByteArray, model);
    QFETCH(QByteArray, glob);
    QFETCH(bool, isSame);
    QCOMPARE(matches(dialect.constData(), model.constData(), glob.constData()), isSame);
}

QTEST_APPLESS_MAIN(TestModelPlaces)
#include "tst_modelplaces.moc"
