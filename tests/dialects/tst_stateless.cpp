// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "gateway/json/document.h"

#include <QTest>

#include <string>

using namespace gatehouse;

class TestStateless : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void request_asksForNothingButAnAnswer_data();
    void request_asksForNothingButAnAnswer();
};

void TestStateless::request_asksForNothingButAnAnswer_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<bool>("mayBe"); // by its path
    QTest::addColumn<bool>("isIt");
    const auto row = [](const char *name, const char *path, const char *body, int what) {
        QTest::newRow(name) << QByteArray(path) << QByteArray(body) << (what > 0) << (what > 1);
    };
    const auto all = [&row](std::initializer_list<const char *> paths, int what) {
        for (const char *path : paths)
            row(path, path, "{}", what);
    };
    constexpr int never = 0;
    constexpr int byPath = 1;
    constexpr int yes = 2;
    all({"/chat/completions",
         "/v1/chat/completions",
         "/openai/deployments/d/chat/completions",
         "/v1/completions",
         "/embeddings",
         "/v1/messages",
         "/v1/messages/count_tokens",
         "/v1beta/models/m:generateContent",
         "/v1beta/models/m:streamGenerateContent",
         "/v1/projects/p/locations/l/publishers/google/models/m:generateContent",
         "/api/chat",
         "/api/generate",
         "/api/embed"},
        yes);
    all({"",
         "/",
         "/v1/files",
         "/v1/batches",
         "/v1/messages/batches",
         "/v1/threads/t/runs",
         "/v1/assistants",
         "/v1/conversations",
         "/v1/responses/r",
         "/v1/responses/r/cancel",
         "/v1/audio/speech",
         "/v1/images/generations",
         "/v1/uploads",
         "/v1/fine_tuning/jobs",
         "/v1/chat/completions/c",
         "/v1beta/models/m:batchGenerateContent",
         "/v1beta/cachedContents",
         "/api/pull",
         "/api/delete",
         "/x/chat/completions"},
        never);
    row("stored", "/chat/completions", R"({"store":true})", byPath);
    row("not stored", "/chat/completions", R"({"store":false})", yes);
    row("store: null", "/chat/completions", R"({"store":null})", yes);
    row("with audio", "/chat/completions", R"({"audio":{"voice":"a"}})", byPath);
    row("deferred", "/chat/completions", R"({"deferred":true})", byPath);
    row("a response", "/responses", R"({"input":"a"})", byPath);
    row("one whose store is null", "/responses", R"({"store":null})", byPath);
    row("one that is not stored", "/responses", R"({"store":false})", yes);
    row("one in the background", "/responses", R"({"store":false,"background":true})", byPath);
    row("one of a conversation", "/responses", R"({"store":false,"conversation":"c"})", byPath);
    row("one after another", "/responses", R"({"store":false,"previous_response_id":"r"})", byPath);
    row("with tools of its own",
        "/responses",
        R"({"store":false,"tools":[{"type":"function"}]})",
        yes);
    row("with tools of the provider",
        "/responses",
        R"({"store":false,"tools":[{"type":"function"},{"type":"mcp"}]})",
        byPath);
    row("with code that is run",
        "/v1/messages",
        R"({"tools":[{"type":"code_execution_20260101"}]})",
        byPath);
    row("with servers", "/v1/messages", R"({"mcp_servers":[{}]})", byPath);
    row("with a container", "/v1/messages", R"({"container":"c"})", byPath);
    row("with a prompt kept there",
        "/v1beta/models/m:generateContent",
        R"({"cachedContent":"c"})",
        byPath);
    row("that loads a model", "/api/generate", R"({"keep_alive":"5m"})", byPath);
    row("no object", "/chat/completions", "[]", byPath);
}

void TestStateless::request_asksForNothingButAnAnswer()
{
    QFETCH(const QByteArray, path);
    QFETCH(const QByteArray, body);
    QFETCH(const bool, mayBe);
    QFETCH(const bool, isIt);
    json::Document document;
    QVERIFY(document.parse({body.constData(), static_cast<std::size_t>(body.size())}).has_value());
    const json::Value root = document.root();
    for (const Dialect *dialect : dialects()) { // providers speak more than their own
        QCOMPARE(dialect->isStateless(path.toStdString(), nullptr), mayBe);
        QCOMPARE(dialect->isStateless(path.toStdString(), &root), isIt);
    }
}

QTEST_GUILESS_MAIN(TestStateless)
#include "tst_stateless.moc"
