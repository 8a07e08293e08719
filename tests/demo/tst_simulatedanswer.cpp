// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/simulatedanswer.h"
#include "gateway/demo/tokencount.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <QtEndian>

#include <cmath>

using namespace gatehouse::demo;
using namespace Qt::StringLiterals;

namespace {

constexpr std::string_view chatPath = "/v1/chat/completions";

QJsonObject parsed(std::string_view json)
{
    return QJsonDocument::fromJson({json.data(), static_cast<qsizetype>(json.size())}).object();
}

QJsonObject post(std::string_view path, std::string_view body)
{
    return parsed(answerTo("POST", path, body).body);
}

std::string allEvents(std::string_view path, std::string_view body)
{
    Answer answer = answerTo("POST", path, body);
    std::string all;
    if (!answer.events)
        return all;
    for (std::string event = answer.events->next(); !event.empty(); event = answer.events->next())
        all += event;
    return all;
}

/// The data of each event, without the [DONE] of a chat.
QList<QJsonObject> eventData(std::string_view path, std::string_view body)
{
    QList<QJsonObject> found;
    const auto lines = QByteArray::fromStdString(allEvents(path, body)).split('\n');
    for (const QByteArray &line : lines) {
        if (line.startsWith("data: {"))
            found.append(QJsonDocument::fromJson(line.mid(6)).object());
    }
    return found;
}

qint64 tokensIn(const QString &text)
{
    return static_cast<qint64>(countTokens(text.toStdString()));
}

QString streamedText(const QList<QJsonObject> &chunks)
{
    QString text;
    for (const QJsonObject &chunk : chunks)
        text += chunk["choices"_L1][0]["delta"_L1]["content"_L1].toString();
    return text;
}

std::string chatRequest(const std::string &more)
{
    return R"({"model":"demo-small","messages":[{"role":"system","content":"Be brief."},)"
           R"({"role":"user","content":"What is a gateway, and why?"}])"
           + more + "}";
}

} // namespace

class TestSimulatedAnswer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void chat_isLabelledCountedAndAboutTheMessage()
    {
        const QJsonObject answer = post(chatPath, chatRequest(""));
        QCOMPARE(answer["object"_L1].toString(), "chat.completion"_L1);
        QCOMPARE(answer["model"_L1].toString(), "demo-small"_L1);
        QCOMPARE(answer["system_fingerprint"_L1].toString(), "fp_gatehouse_simulated"_L1);
        const QJsonObject choice = answer["choices"_L1][0].toObject();
        QCOMPARE(choice["finish_reason"_L1].toString(), "stop"_L1);
        const QString text = choice["message"_L1]["content"_L1].toString();
        QVERIFY(text.startsWith("[simulated] "_L1));
        QVERIFY(text.contains(u"“What is a gateway, and why?”"));
        const qint64 prompt = tokensIn(u"Be brief."_s) + tokensIn(u"What is a gateway, and why?"_s);
        QCOMPARE(answer["usage"_L1]["prompt_tokens"_L1].toInteger(), prompt);
        QCOMPARE(answer["usage"_L1]["completion_tokens"_L1].toInteger(), tokensIn(text));
        QCOMPARE(answer["usage"_L1]["total_tokens"_L1].toInteger(), prompt + tokensIn(text));
    }

    void sameRequest_getsTheSameBytes()
    {
        const std::string request = chatRequest("");
        QCOMPARE(answerTo("POST", chatPath, request).body,
                 answerTo("POST", chatPath, request).body);
        const std::string other = chatRequest(R"(,"seed":1)");
        QVERIFY(post(chatPath, request)["id"_L1] != post(chatPath, other)["id"_L1]);
    }

    void chatStream_saysTheSameAsTheWholeAnswer()
    {
        const QJsonObject whole = post(chatPath, chatRequest(""));
        const std::string request
            = chatRequest(R"(,"stream":true,"stream_options":{"include_usage":true})");
        const std::string wire = allEvents(chatPath, request);
        QVERIFY(wire.ends_with("\n\ndata: [DONE]\n\n"));
        const auto chunks = eventData(chatPath, request);
        QCOMPARE(chunks.first()["choices"_L1][0]["delta"_L1]["role"_L1].toString(), "assistant"_L1);
        QCOMPARE(streamedText(chunks),
                 whole["choices"_L1][0]["message"_L1]["content"_L1].toString());
        for (const QJsonObject &chunk : chunks) {
            QCOMPARE(chunk["object"_L1].toString(), "chat.completion.chunk"_L1);
            QCOMPARE(chunk["system_fingerprint"_L1].toString(), "fp_gatehouse_simulated"_L1);
            QCOMPARE(chunk["id"_L1], chunks.first()["id"_L1]);
            QVERIFY(chunk.contains("usage"_L1));
        }
        const QJsonObject &finish = chunks[chunks.size() - 2];
        QCOMPARE(finish["choices"_L1][0]["finish_reason"_L1].toString(), "stop"_L1);
        QVERIFY(finish["usage"_L1].isNull());
        QVERIFY(chunks.last()["choices"_L1].toArray().isEmpty());
        QCOMPARE(chunks.last()["usage"_L1], whole["usage"_L1]);
        QCOMPARE(chunks.size() - 3, whole["usage"_L1]["completion_tokens"_L1].toInteger());
    }

    void chatStream_withoutIncludeUsage_hasNone()
    {
        const auto chunks = eventData(chatPath, chatRequest(R"(,"stream":true)"));
        QVERIFY(!chunks.isEmpty());
        for (const QJsonObject &chunk : chunks)
            QVERIFY(!chunk.contains("usage"_L1));
    }

    void tokenLimit_cutsTheAnswer_data()
    {
        QTest::addColumn<QByteArray>("limits");
        QTest::newRow("max_tokens") << QByteArray(R"(,"max_tokens":5)");
        QTest::newRow("max_completion_tokens") << QByteArray(R"(,"max_completion_tokens":5)");
        QTest::newRow("both") << QByteArray(R"(,"max_tokens":9,"max_completion_tokens":5)");
    }
    void tokenLimit_cutsTheAnswer()
    {
        QFETCH(QByteArray, limits);
        const QJsonObject answer = post(chatPath, chatRequest(limits.toStdString()));
        QCOMPARE(answer["choices"_L1][0]["finish_reason"_L1].toString(), "length"_L1);
        QCOMPARE(answer["usage"_L1]["completion_tokens"_L1].toInteger(), 5);
        const auto chunks
            = eventData(chatPath, chatRequest(limits.toStdString() + R"(,"stream":true)"));
        QCOMPARE(chunks.size(), 7);
        QCOMPARE(chunks.last()["choices"_L1][0]["finish_reason"_L1].toString(), "length"_L1);
    }

    void contentParts_areReadAsText()
    {
        const QJsonObject answer = post(
            chatPath,
            R"({"model":"any","messages":[{"role":"user","content":[{"type":"text","text":"One"},)"
            R"({"type":"image_url","image_url":{"url":"data:"}},{"type":"text","text":"two"}]}]})");
        QCOMPARE(answer["usage"_L1]["prompt_tokens"_L1].toInteger(), 2);
        QCOMPARE(answer["model"_L1].toString(), "any"_L1);
        QVERIFY(
            answer["choices"_L1][0]["message"_L1]["content"_L1].toString().contains("One two"_L1));
    }

    void longMessage_isQuotedInPartOrRepeatedWhole()
    {
        const QString words = QString(u"word "_s).repeated(100).trimmed();
        const auto textOf = [&](const std::string &model) {
            const QJsonObject answer
                = post(chatPath,
                       R"({"model":")" + model + R"(","messages":[{"role":"user","content":")"
                           + words.toStdString() + R"("}]})");
            return answer["choices"_L1][0]["message"_L1]["content"_L1].toString();
        };
        QVERIFY(!textOf("demo-small").contains(words));
        QVERIFY(textOf("demo-small").endsWith(u"word word …”"));
        QVERIFY(textOf("demo-large").endsWith(words));
    }

    void wrongRequests_areRefusedInOpenAiShape_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QString>("param");
        QTest::newRow("no JSON") << QByteArray(R"({"model":)") << QString();
        QTest::newRow("nothing") << QByteArray() << QString();
        QTest::newRow("bad UTF-8") << QByteArray("{\"model\":\"\xff\"}") << QString();
        QTest::newRow("no object") << QByteArray("[]") << QString();
        QTest::newRow("no model") << QByteArray(R"({"messages":[{}]})") << u"model"_s;
        QTest::newRow("no messages") << QByteArray(R"({"model":"m"})") << u"messages"_s;
        QTest::newRow("empty messages")
            << QByteArray(R"({"model":"m","messages":[]})") << u"messages"_s;
        const auto with
            = [](const char *more) { return QByteArray::fromStdString(chatRequest(more)); };
        QTest::newRow("stream no flag") << with(R"(,"stream":"yes")") << u"stream"_s;
        QTest::newRow("limit 0") << with(R"(,"max_tokens":0)") << u"max_tokens"_s;
        QTest::newRow("limit 1.5") << with(R"(,"max_tokens":1.5)") << u"max_tokens"_s;
        QTest::newRow("limit text") << with(R"(,"max_tokens":"5")") << u"max_tokens"_s;
        QTest::newRow("two choices") << with(R"(,"n":2)") << u"n"_s;
    }
    void wrongRequests_areRefusedInOpenAiShape()
    {
        QFETCH(QByteArray, body);
        QFETCH(QString, param);
        const Answer answer = answerTo("POST", chatPath, body.toStdString());
        QCOMPARE(answer.status, 400);
        const QJsonObject error = parsed(answer.body)["error"_L1].toObject();
        QCOMPARE(error["type"_L1].toString(), "invalid_request_error"_L1);
        QVERIFY(!error["message"_L1].toString().isEmpty());
        QVERIFY(error.contains("code"_L1));
        QVERIFY(error.contains("param"_L1));
        QCOMPARE(error["param"_L1].toString(), param);
        QVERIFY(!answer.tokens);
    }

    void unknownPaths_are404()
    {
        for (const auto &[method, path] :
             {std::pair{"GET", "/"}, {"GET", "/v1/chat/completions"}, {"POST", "/v1/models"}}) {
            const Answer answer = answerTo(method, path, "{}");
            QCOMPARE(answer.status, 404);
            QVERIFY(parsed(answer.body)["error"_L1]["message"_L1].isString());
        }
    }

    void models_areListedAndFoundByName()
    {
        const QJsonObject list = parsed(answerTo("GET", "/v1/models", "").body);
        QCOMPARE(list["object"_L1].toString(), "list"_L1);
        QCOMPARE(list["data"_L1].toArray().size(), 2);
        for (const auto &name : {"demo-small", "demo-large"}) {
            const Answer answer = answerTo("GET", std::string("/v1/models/") + name, "");
            QCOMPARE(answer.status, 200);
            QCOMPARE(parsed(answer.body)["id"_L1].toString(), QLatin1String(name));
            QCOMPARE(parsed(answer.body)["owned_by"_L1].toString(), "gatehouse-simulated"_L1);
        }
        const Answer none = answerTo("GET", "/v1/models/demo-huge", "");
        QCOMPARE(none.status, 404);
        QCOMPARE(parsed(none.body)["error"_L1]["code"_L1].toString(), "model_not_found"_L1);
    }

    void embeddings_areUnitVectorsThatDependOnTheInput()
    {
        const QJsonObject answer
            = post("/v1/embeddings", R"({"model":"m","input":["one","two","one"],"dimensions":8})");
        const QJsonArray data = answer["data"_L1].toArray();
        QCOMPARE(data.size(), 3);
        QCOMPARE(data[0]["embedding"_L1], data[2]["embedding"_L1]);
        QVERIFY(data[0]["embedding"_L1] != data[1]["embedding"_L1]);
        QCOMPARE(data[2]["index"_L1].toInt(), 2);
        const QJsonArray vector = data[0]["embedding"_L1].toArray();
        QCOMPARE(vector.size(), 8);
        double squares = 0;
        for (const QJsonValue &value : vector)
            squares += value.toDouble() * value.toDouble();
        QVERIFY(std::abs(squares - 1) < 1e-6);
        QCOMPARE(answer["usage"_L1]["prompt_tokens"_L1].toInteger(), 3);
        QCOMPARE(answer["usage"_L1]["total_tokens"_L1].toInteger(), 3);
    }

    void embeddings_inBase64_areTheSameNumbers()
    {
        const QJsonArray floats
            = post("/v1/embeddings",
                   R"({"model":"m","input":"text"})")["data"_L1][0]["embedding"_L1]
                  .toArray();
        const QJsonObject packed
            = post("/v1/embeddings", R"({"model":"m","input":"text","encoding_format":"base64"})");
        const QByteArray bytes
            = QByteArray::fromBase64(packed["data"_L1][0]["embedding"_L1].toString().toLatin1());
        QCOMPARE(bytes.size(), floats.size() * 4);
        for (qsizetype i = 0; i < floats.size(); ++i)
            QCOMPARE(qFromLittleEndian<float>(bytes.constData() + i * 4),
                     static_cast<float>(floats[i].toDouble()));
    }

    void embeddings_takeTokenArrays()
    {
        const QJsonObject one = post("/v1/embeddings", R"({"model":"m","input":[1,2,3]})");
        QCOMPARE(one["data"_L1].toArray().size(), 1);
        QCOMPARE(one["usage"_L1]["prompt_tokens"_L1].toInteger(), 3);
        const QJsonObject two = post("/v1/embeddings", R"({"model":"m","input":[[1,2,3],[4]]})");
        QCOMPARE(two["data"_L1].toArray().size(), 2);
        QCOMPARE(two["data"_L1][0]["embedding"_L1], one["data"_L1][0]["embedding"_L1]);
        QCOMPARE(two["usage"_L1]["prompt_tokens"_L1].toInteger(), 4);
    }

    void embeddings_withWrongInput_areRefused()
    {
        for (const char *more : {"",
                                 R"(,"input":"")",
                                 R"(,"input":[])",
                                 R"(,"input":["a",""])",
                                 R"(,"input":5)",
                                 R"(,"input":"a","dimensions":0)",
                                 R"(,"input":"a","encoding_format":"int8")"})
            QCOMPARE(answerTo("POST", "/v1/embeddings", std::string(R"({"model":"m")") + more + "}")
                         .status,
                     400);
    }
};

QTEST_APPLESS_MAIN(TestSimulatedAnswer)
#include "tst_simulatedanswer.moc"
