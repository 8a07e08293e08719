// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "gateway/json/document.h"

#include <QTest>

#include <optional>
#include <string>

using namespace gatehouse;

namespace {

std::optional<std::string>
turnOf(const QByteArray &path, const QByteArray &body, TurnForm form = TurnForm::Exact)
{
    json::Document document;
    if (!document.parse({body.constData(), static_cast<std::size_t>(body.size())}))
        qFatal("the test's JSON is none: %s", body.constData());
    return findDialect("openai")->lastTurn(path.toStdString(), document.root(), form);
}

} // namespace

class TestLastTurn : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void turn_ofTwoRequests_isTheSame_data();
    void turn_ofTwoRequests_isTheSame();
    void beginning_ofTwoRequests_isTheSame_data();
    void beginning_ofTwoRequests_isTheSame();
    void requestWithoutOutput_isNone_data();
    void requestWithoutOutput_isNone();
};

void TestLastTurn::turn_ofTwoRequests_isTheSame_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("one");
    QTest::addColumn<QByteArray>("other");
    QTest::addColumn<bool>("isSame");
    const auto row
        = [](const char *name, const char *path, const char *one, const char *other, bool isSame) {
              QTest::newRow(name) << QByteArray(path) << QByteArray(one) << QByteArray(other)
                                  << isSame;
          };
    const char *chat = "/chat/completions";
    row("chat: other settings",
        chat,
        R"({"messages":[{"role":"user","content":"a"}],"temperature":1})",
        R"({"temperature":0.5,"messages":[{"content":"a","role":"user"}]})",
        true);
    row("chat: other question",
        chat,
        R"({"messages":[{"role":"user","content":"a"}]})",
        R"({"messages":[{"role":"user","content":"b"}]})",
        false);
    row("chat: the system's date changes",
        chat,
        R"({"messages":[{"role":"system","content":"10:01"},{"role":"user","content":"a"}]})",
        R"({"messages":[{"role":"system","content":"10:02"},{"role":"user","content":"a"}]})",
        true);
    row("chat: the same call and result again, with other ids",
        chat,
        R"({"messages":[{"role":"user","content":"a"},
            {"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"1","content":"ok"}]})",
        R"({"messages":[{"role":"user","content":"a"},
            {"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"1","content":"ok"},
            {"role":"assistant","tool_calls":[{"id":"2","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"2","content":"ok"}]})",
        true);
    row("chat: the same result of another call",
        chat,
        R"({"messages":[
            {"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"1"}}]},
            {"role":"tool","tool_call_id":"1","content":"ok"}]})",
        R"({"messages":[
            {"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"2"}}]},
            {"role":"tool","tool_call_id":"1","content":"ok"}]})",
        false);
    row("chat: `continue` after another answer",
        chat,
        R"({"messages":[{"role":"assistant","content":"1"},{"role":"user","content":"continue"}]})",
        R"({"messages":[{"role":"assistant","content":"2"},{"role":"user","content":"continue"}]})",
        false);
    row("responses: items of one turn",
        "/responses",
        R"({"input":[{"role":"user","content":"a"},{"type":"reasoning","encrypted_content":"x"},
            {"type":"function_call","call_id":"1","name":"f","arguments":"1"},
            {"type":"function_call","call_id":"2","name":"g","arguments":"1"},
            {"type":"function_call_output","call_id":"1","output":"ok"}]})",
        R"({"input":[{"role":"user","content":"b"},{"type":"reasoning","encrypted_content":"y"},
            {"type":"function_call","call_id":"3","name":"f","arguments":"2"},
            {"type":"function_call","call_id":"4","name":"g","arguments":"1"},
            {"type":"function_call_output","call_id":"3","output":"ok"}]})",
        false);
    row("responses: a text",
        "/responses",
        R"({"input":"a","metadata":{"t":"1"}})",
        R"({"input":"a","metadata":{"t":"2"}})",
        true);
    row("responses: the same result behind another stored answer",
        "/responses",
        R"({"previous_response_id":"1","input":[{"type":"function_call_output","output":"ok"}]})",
        R"({"previous_response_id":"2","input":[{"type":"function_call_output","output":"ok"}]})",
        false);
    row("responses: the same result behind a reference to another call",
        "/responses",
        R"({"input":[{"type":"item_reference","id":"1"},
            {"type":"function_call_output","call_id":"1","output":"ok"}]})",
        R"({"input":[{"type":"item_reference","id":"2"},
            {"type":"function_call_output","call_id":"2","output":"ok"}]})",
        false);
    row("messages: ids, cache marks and signatures",
        "/v1/messages",
        R"({"messages":[{"role":"assistant","content":[
            {"type":"thinking","thinking":"x","signature":"s"},
            {"type":"tool_use","id":"1","name":"f","input":{"id":5}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"ok"}]}]})",
        R"({"messages":[{"role":"assistant","content":[
            {"type":"thinking","thinking":"y","signature":"t"},
            {"type":"tool_use","id":"2","name":"f","input":{"id":5}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"2","content":"ok",
            "cache_control":{"type":"ephemeral"}}]}]})",
        true);
    row("messages: an id that the tool is asked for",
        "/v1/messages",
        R"({"messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"id":5}}]},
            {"role":"user","content":"ok"}]})",
        R"({"messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"id":6}}]},
            {"role":"user","content":"ok"}]})",
        false);
    row("messages: the answer is begun alike",
        "/v1/messages",
        R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"{"}]})",
        R"({"messages":[{"role":"user","content":"b"},{"role":"assistant","content":"{"}]})",
        false);
    row("gemini: the same call and result again",
        "/v1beta/models/m:generateContent",
        R"({"contents":[
            {"role":"model","parts":[{"functionCall":{"id":"1","name":"f","args":{"id":1}}}]},
            {"role":"user","parts":[{"functionResponse":{"id":"1","response":{"ok":1}}}]}]})",
        R"({"contents":[{"role":"user","parts":[{"text":"a"}]},
            {"role":"model","parts":[{"functionCall":{"id":"2","name":"f","args":{"id":1}}}]},
            {"role":"user","parts":[{"functionResponse":{"id":"2","response":{"ok":1}}}]}]})",
        true);
    row("gemini: another argument",
        "/v1beta/models/m:generateContent",
        R"({"contents":[{"role":"model","parts":[{"functionCall":{"args":{"id":1}}}]},
            {"role":"user","parts":[{"text":"ok"}]}]})",
        R"({"contents":[{"role":"model","parts":[{"functionCall":{"args":{"id":2}}}]},
            {"role":"user","parts":[{"text":"ok"}]}]})",
        false);
    row("ollama: a prompt",
        "/api/generate",
        R"({"prompt":"a","keep_alive":1})",
        R"({"prompt":"a","keep_alive":2})",
        true);
    row("ollama: a prompt in another context",
        "/api/generate",
        R"({"prompt":"a","context":[1]})",
        R"({"prompt":"a","context":[2]})",
        false);
    row("cohere, first version",
        "/v1/chat",
        R"({"message":"a","chat_history":[{"role":"CHATBOT","message":"x"}]})",
        R"({"message":"a","chat_history":[{"role":"USER","message":"q"},
            {"role":"CHATBOT","message":"x"}]})",
        true);
    row("unknown: all of it", "/unknown", R"({"a":[1,2]})", R"({ "a": [1, 2] })", true);
    row("unknown: another member", "/unknown", R"({"a":1})", R"({"a":1,"id":2})", false);
    row("no object", "/unknown", "[1]", "[2]", false);
    row("turns that are no objects", chat, R"({"messages":["a"]})", R"({"messages":["b"]})", false);
}

void TestLastTurn::turn_ofTwoRequests_isTheSame()
{
    QFETCH(const QByteArray, path);
    QFETCH(const QByteArray, one);
    QFETCH(const QByteArray, other);
    QFETCH(const bool, isSame);
    const auto first = turnOf(path, one);
    const auto second = turnOf(path, other);
    QVERIFY(first && second);
    QCOMPARE(*first == *second, isSame);
}

void TestLastTurn::beginning_ofTwoRequests_isTheSame_data()
{
    QTest::addColumn<QByteArray>("one");
    QTest::addColumn<QByteArray>("other");
    QTest::addColumn<bool>("isSame");
    QTest::newRow("a time at the end") << QByteArray("Is it done? It is 10:01:05")
                                       << QByteArray("Is it done? It is 10:02:11") << true;
    QTest::newRow("a counter that grows") << QByteArray("Look at the build again, try 9")
                                          << QByteArray("Look at the build again, try 10") << true;
    QTest::newRow("another beginning") << QByteArray("Stand up and tell me more")
                                       << QByteArray("Status of the build, please") << false;
    QTest::newRow("very short") << QByteArray("a") << QByteArray("b") << false;
}

void TestLastTurn::beginning_ofTwoRequests_isTheSame()
{
    QFETCH(const QByteArray, one);
    QFETCH(const QByteArray, other);
    QFETCH(const bool, isSame);
    const auto form = [](const QByteArray &text, TurnForm form) {
        return *turnOf("/chat/completions",
                       R"({"messages":[{"role":"user","content":")" + text + "\"}]}",
                       form);
    };
    QCOMPARE(form(one, TurnForm::Beginning) == form(other, TurnForm::Beginning), isSame);
    QVERIFY(form(one, TurnForm::Exact) != form(other, TurnForm::Exact));
}

void TestLastTurn::requestWithoutOutput_isNone_data()
{
    QTest::addColumn<QByteArray>("path");
    for (const char *path : {"/embeddings",
                             "/v1/messages/count_tokens",
                             "/api/embed",
                             "/v1beta/models/m:embedContent"})
        QTest::newRow(path) << QByteArray(path);
}

void TestLastTurn::requestWithoutOutput_isNone()
{
    QFETCH(const QByteArray, path);
    QVERIFY(!turnOf(path, R"({"input":"a"})"));
    QVERIFY(!turnOf(path + "?x=/chat", R"({"input":"a"})"));
}

QTEST_APPLESS_MAIN(TestLastTurn)
#include "tst_lastturn.moc"
