// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/dialects/modelrows.h"

using namespace gatehouse;
using namespace gatehouse::test;

/// What requests in OpenAI's format name. The rows are from the references and SDKs of OpenAI, OpenRouter,
/// Azure and Mistral, and from what a client could do to use a model unseen.
class TestOpenAiModels : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void request_anywhere_isSeen_data();
    void request_anywhere_isSeen() { check("openai"); }
    void upgradeOrPath_anyForm_isSeen_data();
    void upgradeOrPath_anyForm_isSeen() { check("openai"); }
    void request_withoutModel_isNeedless_data();
    void request_withoutModel_isNeedless() { check("openai"); }
};

void TestOpenAiModels::request_anywhere_isSeen_data()
{
    addColumns();
    row("POST /chat/completions",
        R"({"model":"m","messages":[{"role":"user","content":"model"}]})",
        "m");
    row("POST /chat/completions",
        R"({"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":)"
        R"({"properties":{"model":{"type":"string"}},"examples":[{"model":"x"}]}}}],"tool_choice":)"
        R"({"type":"function","function":{"name":"f"}},"metadata":{"model":"x"},"response_format":)"
        R"({"json_schema":{"schema":{"default":{"model":"x"}}}}})",
        "m");
    row("POST /chat/completions",
        R"({"model":"m","messages":[{"tool_calls":[{"function":{"arguments":{"model":"x"}}}]}]})",
        "m");
    row("POST /chat/completions", R"({"model":"m","moderation":{"model":"n"}})", "m n");
    // OpenRouter
    row("POST /chat/completions",
        R"({"model":"m","models":["n","o"],"route":"fallback"})",
        "m n o");
    row("POST /chat/completions", R"({"models":"n"})", "n");
    row("POST /chat/completions", R"({"model":"m","preset":"p"})", "m hidden");
    row("POST /chat/completions",
        R"({"model":"m","plugins":[{"id":"fusion","model":"n","analysis_models":["o"]}]})",
        "m n o");
    row("POST /chat/completions", R"({"model":"m","plugins":[{"id":"fusion"}]})", "m hidden");
    row("POST /chat/completions",
        R"({"model":"m","tools":[{"type":"openrouter:advisor","parameters":{"model":"n"}}]})",
        "m n");
    row("POST /chat/completions",
        R"({"model":"m","tools":[{"type":"openrouter:advisor"}]})",
        "m hidden");
    row("POST /messages",
        R"({"model":"m","messages":[{"content":[{"type":"tool_use","input":{"model":"x"}}]}]})",
        "m");
    // what SDKs and proxies merge
    row("POST /chat/completions", R"({"model":"m","extra_body":{"model":"n"}})", "m n");
    row("POST /chat/completions", R"({"model":"m","fallbacks":["n",{"model":"o"}]})", "m n o");
    // LiteLLM
    for (const char *place : {"fallbacks",
                              "context_window_fallbacks",
                              "content_policy_fallbacks",
                              R"(router_settings_override":{"x":1,"fallbacks)",
                              R"(router_settings_override":{"context_window_fallbacks)",
                              R"(router_settings_override":{"content_policy_fallbacks)"}) {
        const std::string body = std::string(R"({"model":"m",")") + place + "\":";
        const std::string end = body.find(":{") == std::string::npos ? "}" : "}}";
        const auto fallbacks = [&](const char *list, const char *found) {
            row("POST /chat/completions", (body + list + end).c_str(), found);
        };
        fallbacks(R"([{"m":["n","o"]}])", "m n o");
        fallbacks(R"([{"m":["n"],"name":"m"},{"m":["o"],"id":"m"}])", "m n o");
        fallbacks(R"([{"m":[{"model":"n"}]},"o"])", "m n o");
        fallbacks(R"([{"m":"n"}])", "request:json");
        fallbacks("[]", "m");
    }
    for (const char *dictionary : {R"({"m":"n"})", R"({"m":"n","id":"m"})", "{}", R"("n")"})
        row("POST /chat/completions",
            (std::string(R"({"model":"m","context_window_fallback_dict":)") + dictionary + '}')
                .c_str(),
            "m hidden");
    row("POST /chat/completions", R"({"model":"m","context_window_fallback_dict":null})", "m");
    // Responses
    row("POST /responses", R"({"model":"m","input":"hi"})", "m");
    row("POST /responses", R"({"prompt":{"id":"p"}})", "none");
    row("POST /responses", R"({"model":"m","prompt":{"id":"p","variables":{"model":"x"}}})", "m");
    row("POST /responses", R"({"model":"m","tools":[{"type":"image_generation"}]})", "m hidden");
    row("POST /responses",
        R"({"model":"m","tools":[{"type":"image_generation","model":"n"}]})",
        "m n");
    row("POST /responses",
        R"({"model":"m","input":[{"type":"additional_tools","tools":[{"type":"image_generation",)"
        R"("model":"n"}]}]})",
        "m n");
    row("POST /responses",
        R"({"model":"m","input":[{"type":"tool_search_call","arguments":{"model":"x"}}]})",
        "m");
    row("POST /responses",
        R"({"model":"m","tool_choice":{"type":"allowed_tools","tools":[{"type":"image_generation"}]}})",
        "m");
    // others
    row("POST /embeddings", R"({"model":"m","input":[1,2,3]})", "m");
    row("POST /moderations", R"({"input":"x"})", "none");
    row("POST /fine_tuning/jobs", R"({"model":"m","training_file":"f"})", "m");
    row("POST /fine_tuning/alpha/graders/run",
        R"({"grader":{"graders":{"g":{"type":"score_model","model":"m"}}},"model_sample":"x"})",
        "m");
    row("POST /evals", R"({"testing_criteria":[{"type":"label_model","model":"m"}]})", "m");
    row("POST /threads/t/runs", R"({"assistant_id":"a"})", "none");
    row("POST /threads/t/runs", R"({"assistant_id":"a","model":"m"})", "m");
    for (const char *path : {"runs", "Runs", "runs;x", "runs%20", "thread_"})
        row(std::string("POST /v1/threads/") + path, R"({"assistant_id":"a"})", "none");
    row("POST /threads/runs", R"({"assistant_id":"a","model":"m"})", "m");
    row("POST /threads/thread_t", R"({"metadata":{"model":"x"}})", "needless");
    // Llama Stack
    row("POST /vector_stores", R"({"name":"x","embedding_model":"m"})", "m needless");
    row("POST /vector_stores/v/search",
        R"({"query":"x","litellm_embedding_model":"m","filters":{"model":"x"}})",
        "m needless");
    row("POST /conversations", R"({"agent_id":"a","inputs":"x"})", "hidden needless");
    row("POST /conversations", R"({"model":"m","inputs":"x"})", "m needless");
    row("POST /conversations/c", R"({"inputs":"x"})", "none");
    row("POST /batches", R"({"input_file_id":"f","endpoint":"/v1/responses"})", "hidden");
    row("POST /Batches", R"({"input_file_id":"f"})", "hidden");
    row("POST /videos/v/remix", R"({"prompt":"x"})", "none");
    row("POST /realtime/client_secrets",
        R"({"session":{"model":"m","audio":{"input":{"transcription":{"model":"n"}}}}})",
        "m n");
    row("POST /realtime/transcription_sessions",
        R"({"input_audio_transcription":{"model":"m"}})",
        "m");
    row("POST /realtime/calls\nContent-Type: multipart/form-data; boundary=B",
        "--B\r\nContent-Disposition: form-data; name=sdp\r\n\r\nv=0\r\n--B\r\nContent-Disposition: "
        "form-data; name=session\r\n\r\n{\"model\":\"m\"}\r\n--B--\r\n",
        "m");
    row("POST /realtime/calls?model=m\nContent-Type: application/sdp", "v=0", "m");
    row("POST /realtime/calls\nContent-Type: application/sdp", "v=0", "hidden");
    row("POST /audio/transcriptions?model=m\nContent-Type: application/sdp", "v=0", "m hidden");
    row("POST /audio/transcriptions\nContent-Type: multipart/form-data; boundary=B",
        "--B\r\nContent-Disposition: form-data; name=file; filename=a.wav\r\nContent-Type: "
        "application/octet-stream\r\n\r\n{RIFF\r\n--B\r\nContent-Disposition: form-data; "
        "name=model\r\n\r\nm\r\n--B--\r\n",
        "m");
    // Azure
    row("POST /openai/deployments/d/chat/completions?api-version=1",
        R"({"model":"m","data_sources":[{"type":"azure_search","parameters":{"embedding_dependency":)"
        R"({"type":"deployment_name","deployment_name":"e"}}}]})",
        "d m e");
    row("POST /score\nazureml-model-deployment: d", R"({"model":"m"})", "d m");
}

void TestOpenAiModels::upgradeOrPath_anyForm_isSeen_data()
{
    addColumns();
    row(upgrade("/realtime?model=m"), "", "m");
    row(upgrade("/v1/realtime?model=m"), "", "m");
    row(upgrade("/openai/realtime?api-version=1&deployment=m"), "", "m");
    row(upgrade("/realtime/translations?model=m"), "", "m");
    row(upgrade("/realtime?intent=transcription"), "", "hidden");
    row(upgrade("/realtime?call_id=c"), "", "hidden");
    row(upgrade("/responses"), "", "hidden");
    row(upgrade("/responses?model=m"), "", "m hidden");
    row(upgrade("/responses/realtime?model=m"), "", "m hidden");
    row(upgrade("/realtime/?model=m"), "", "m hidden");
    row(upgrade("/Realtime?model=m"), "", "m hidden");
    row("POST /openai/deployments/d/embeddings", R"({"input":"x"})", "d");
    row("POST /openai/Deployments/d/embeddings", R"({"input":"x"})", "d");
    row("POST /openai//deployments//d//embeddings", R"({"input":"x"})", "d");
    row("POST /openai/deployments/d/deployments/e/x", "{}", "d e");
    row("POST /openai/deployments%2Fd%2Fx", "{}", "d");
    row("POST /openai/deployments/d%2Fe/x", "{}", "d d/e");
    row("POST /openai/deployments/d;x/chat", "{}", "d;x d");
    row("POST /openai/deployments/d%20/chat", "{}", "hidden");
    row("POST /openai/deployments", "{}", "none");
    row("POST /openai/deployments/", "{}", "none");
    row("POST /engines/m/completions", R"({"prompt":"x"})", "m");
    row("POST /hf-inference/models/org/m", R"({"inputs":"x"})", "org/m");
    row("GET /models/m", "", "needless");
    row("HEAD /models/m", "", "needless");
    row("GET /models/org%2F%C3%BCber%20model%3A1", "", "needless");
    row("DELETE /models/ft:m", "", "ft:m needless");
    row("GET /models/m\nX-HTTP-Method-Override: DELETE", "", "m");
}

void TestOpenAiModels::request_withoutModel_isNeedless_data()
{
    addColumns();
    for (const char *request : {"GET /models",
                                "GET /v1/models",
                                "GET /files",
                                "GET /files/f/content",
                                "DELETE /files/f",
                                "GET /batches/b",
                                "GET /responses/r",
                                "DELETE /responses/r",
                                "GET /unknown/endpoint?x=1",
                                "POST /files",
                                "POST /v1/files",
                                "POST /openai/files?api-version=1",
                                "POST /openai/v1/files",
                                "POST /uploads",
                                "POST /uploads/u/parts",
                                "POST /uploads/u/complete",
                                "POST /batches/b/cancel",
                                "POST /responses/r/cancel",
                                "POST /fine_tuning/jobs/j/cancel",
                                "POST /vector_stores",
                                "POST /vector_stores/v/files",
                                "POST /vector_stores/v",
                                "POST /vector_stores/v/search",
                                "POST /containers",
                                "POST /conversations",
                                "POST /conversations/c/items",
                                "POST /threads",
                                "POST /threads/thread_t",
                                "POST /threads/t/messages",
                                "POST /threads/t/runs/r/cancel",
                                "POST /threads/t/runs/r/submit_tool_outputs",
                                "POST /responses/input_tokens"})
        row(request, "", "needless");
    for (const char *request : {"POST /",
                                "POST /files/",
                                "POST //files",
                                "POST /Files",
                                "POST /files;x",
                                "POST /x/files",
                                "POST /chat/completions/files",
                                "POST /files/x",
                                "POST /files/f/content",
                                "POST /v1%2Ffiles",
                                "POST /v/files",
                                "POST /v1",
                                "POST /uploads/u/v/parts",
                                "POST /batches/b/c/cancel",
                                "POST /responses//cancel",
                                "POST /conversations/c",
                                "POST /messages",
                                "POST /chat/completions"})
        row(request, "", QByteArray(request).contains("/batches/") ? "hidden" : "none");
}

QTEST_APPLESS_MAIN(TestOpenAiModels)
#include "tst_openaimodels.moc"
