// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "gateway/http/sse.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace gatehouse;

namespace {

constexpr std::string_view eventStream = "text/event-stream; charset=utf-8";

QByteArray bytes(std::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

} // namespace

class TestStreamError : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void streamErrorEvent_paths_areToldInTheirDialect_data();
    void streamErrorEvent_paths_areToldInTheirDialect();
    void streamErrorEvent_hostileText_isOneWholeEvent();
    void streamErrorEvent_whatIsNoStream_isEmpty();
};

void TestStreamError::streamErrorEvent_paths_areToldInTheirDialect_data()
{
    QTest::addColumn<QByteArray>("dialect");
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const char *path, const char *expected) {
        const QByteArray all(name); // "dialect, more"
        QTest::newRow(name) << all.left(all.indexOf(',')) << bytes(eventStream) << QByteArray(path)
                            << QByteArray(expected);
    };
    constexpr auto chat
        = R"(data: {"error":{"message":"No","type":"rate_limit_error","param":null,"code":"r"}}

)";
    constexpr auto messages = R"(event: error
data: {"type":"error","error":{"type":"rate_limit_error","message":"No"},"request_id":null}

)";
    constexpr auto gemini
        = R"(data: {"error":{"code":429,"message":"No","status":"RESOURCE_EXHAUSTED"}}

)";
    constexpr auto responses
        = R"(event: error
data: {"type":"error","sequence_number":0,"code":"r","message":"No","param":null,)"
          R"("error":{"message":"No","type":"rate_limit_error","param":null,"code":"r"}}

)";
    row("openai, chat", "/chat/completions", chat);
    row("openai, chat with a query",
        "/openai/deployments/d/chat/completions?api-version=/responses",
        chat);
    row("openai, completions", "/completions", chat);
    row("openai, Responses", "/responses", responses);
    row("openai, Responses with a query", "/v1/responses?a=b", responses);
    row("openai, Messages of vLLM", "/v1/messages", messages);
    row("openai, something else", "/threads/t/runs", chat);
    row("anthropic, Messages", "/v1/messages?beta=true", messages);
    row("anthropic, OpenAI's way", "/v1/chat/completions", chat);
    row("anthropic, something else", "/v1/complete", messages);
    row("gemini, content", "/v1beta/models/g:streamGenerateContent?alt=sse", gemini);
    row("gemini, OpenAI's way", "/v1beta/openai/chat/completions", chat);
    row("gemini, Claude at Vertex",
        "/v1/projects/p/publishers/anthropic/models/c:streamRawPredict",
        messages);
    row("gemini, something else", "/v1beta/interactions", gemini);
    row("ollama, OpenAI's way", "/v1/chat/completions", chat);
    row("ollama, Responses", "/v1/responses", responses);
    row("ollama, Messages", "/v1/messages", messages);
    row("ollama, events of something else", "/api/x", chat);
    for (const char *type :
         {"application/x-ndjson", "Application/NDJSON ; a=b", "application/jsonl"})
        QTest::newRow(type) << QByteArray("ollama") << QByteArray(type) << QByteArray("/api/chat")
                            << QByteArray("{\"error\":\"No\"}\n");
}

void TestStreamError::streamErrorEvent_paths_areToldInTheirDialect()
{
    QFETCH(QByteArray, dialect);
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, expected);
    const Dialect *own = findDialect(dialect.toStdString());
    QVERIFY(own);
    const std::string event
        = own->streamErrorEvent(path.toStdString(), type.toStdString(), 429, "r", "No");
    QCOMPARE(bytes(event), expected);
}

void TestStreamError::streamErrorEvent_hostileText_isOneWholeEvent()
{
    constexpr std::string_view hostile = "a\r\n\r\ndata: {}\n\n\"\\\xff\x01\xe2\x80\xa8";
    for (const Dialect *dialect : dialects()) {
        for (const char *path : {"/chat/completions", "/responses", "/v1/messages", "/other"}) {
            const std::string event
                = dialect->streamErrorEvent(path, eventStream, 503, hostile, hostile);
            http::SseReader reader;
            std::string_view rest = event;
            const http::SseReader::Step step = reader.next(rest);
            QCOMPARE(step.kind, http::SseReader::Kind::Event);
            QCOMPARE(step.end, event.size());
            const QJsonObject data = QJsonDocument::fromJson(bytes(step.data)).object();
            QVERIFY(data[u"error"][u"message"].toString().startsWith(u"a\r\n\r\ndata: {}\n\n\"\\"));
        }
        const std::string line
            = dialect->streamErrorEvent("/api/chat", "application/x-ndjson", 503, hostile, hostile);
        QCOMPARE(line.find('\n'), line.size() - 1);
        QVERIFY(QJsonDocument::fromJson(bytes(line)).isObject());
    }
}

void TestStreamError::streamErrorEvent_whatIsNoStream_isEmpty()
{
    for (const Dialect *dialect : dialects()) {
        for (const char *type :
             {"", "application/json", "text/plain", "text/event-streams", "audio/mpeg"})
            QVERIFY(dialect->streamErrorEvent("/chat/completions", type, 429, "r", "No").empty());
    }
}

QTEST_APPLESS_MAIN(TestStreamError)
#include "tst_streamerror.moc"
