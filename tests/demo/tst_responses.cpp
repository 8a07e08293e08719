// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/endpoints.h"
#include "gateway/demo/tokencount.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace gatehouse::demo;
using namespace Qt::StringLiterals;

namespace {

QJsonObject parsed(const std::string &json)
{
    return QJsonDocument::fromJson(QByteArray::fromStdString(json)).object();
}

struct Event
{
    QByteArray name;
    QJsonObject data;
};

QList<Event> eventsOf(std::string_view body)
{
    Answer answer = responsesAnswer(body);
    QList<Event> events;
    if (!answer.events)
        return events;
    for (std::string event = answer.events->next(); !event.empty(); event = answer.events->next()) {
        const QList<QByteArray> lines = QByteArray::fromStdString(event).split('\n');
        if (lines.size() != 4 || !lines[0].startsWith("event: ") || !lines[1].startsWith("data: "))
            return {};
        events.append({lines[0].mid(7), QJsonDocument::fromJson(lines[1].mid(6)).object()});
    }
    return events;
}

QString textOf(const QJsonObject &response)
{
    return response["output"_L1][0]["content"_L1][0]["text"_L1].toString();
}

} // namespace

class TestResponses : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void textInput_isAnsweredAndCounted()
    {
        const QJsonObject response = parsed(
            responsesAnswer(R"({"model":"demo-small","input":"Say hi","instructions":"Be kind"})")
                .body);
        QCOMPARE(response["object"_L1].toString(), "response"_L1);
        QCOMPARE(response["status"_L1].toString(), "completed"_L1);
        QCOMPARE(response["system_fingerprint"_L1].toString(), "fp_gatehouse_simulated"_L1);
        QVERIFY(textOf(response).startsWith("[simulated] "_L1));
        QVERIFY(textOf(response).contains("Say hi"_L1));
        const auto output = static_cast<qint64>(countTokens(textOf(response).toStdString()));
        QCOMPARE(response["usage"_L1]["input_tokens"_L1].toInteger(), 4);
        QCOMPARE(response["usage"_L1]["output_tokens"_L1].toInteger(), output);
        QCOMPARE(response["usage"_L1]["total_tokens"_L1].toInteger(), 4 + output);
    }

    void items_areReadWhateverTheirTypes()
    {
        const QJsonObject response = parsed(
            responsesAnswer(
                R"({"model":"m","input":[{"type":"additional_tools"},{"type":"message","role":"user",)"
                R"("content":[{"type":"input_text","text":"Go on"}]},)"
                R"({"type":"function_call_output","call_id":"c","output":"done"}]})")
                .body);
        QVERIFY(textOf(response).contains("Go on"_L1));
        QCOMPARE(response["usage"_L1]["input_tokens"_L1].toInteger(), 2);
    }

    void stream_namesItsEventsInOrder()
    {
        const auto events = eventsOf(R"({"model":"m","input":"Hi","stream":true})");
        QByteArrayList names;
        QString text;
        for (qsizetype i = 0; i < events.size(); ++i) {
            QCOMPARE(events[i].data["sequence_number"_L1].toInteger(), i);
            QCOMPARE(events[i].data["type"_L1].toString().toLatin1(), events[i].name);
            text += events[i].data["delta"_L1].toString();
            if (names.isEmpty() || names.last() != events[i].name)
                names.append(events[i].name);
        }
        const QByteArrayList expected{"response.created",
                                      "response.in_progress",
                                      "response.output_item.added",
                                      "response.content_part.added",
                                      "response.output_text.delta",
                                      "response.output_text.done",
                                      "response.content_part.done",
                                      "response.output_item.done",
                                      "response.completed"};
        QCOMPARE(names, expected);
        const QJsonObject ended = events.last().data["response"_L1].toObject();
        QCOMPARE(textOf(ended), text);
        QCOMPARE(ended["usage"_L1]["output_tokens"_L1].toInteger(), events.size() - 8);
        QVERIFY(events.first().data["response"_L1]["usage"_L1].isNull());
    }

    void tokenLimit_leavesTheResponseIncomplete()
    {
        const auto events
            = eventsOf(R"({"model":"m","input":"Hi","stream":true,"max_output_tokens":3})");
        QCOMPARE(events.last().name, "response.incomplete");
        const QJsonObject ended = events.last().data["response"_L1].toObject();
        QCOMPARE(ended["status"_L1].toString(), "incomplete"_L1);
        QCOMPARE(ended["incomplete_details"_L1]["reason"_L1].toString(), "max_output_tokens"_L1);
        QCOMPARE(ended["usage"_L1]["output_tokens"_L1].toInteger(), 3);
    }

    void missingInput_isRefused()
    {
        for (const char *body : {R"({"model":"m"})", R"({"model":"m","input":[]})", "{", "{}"})
            QCOMPARE(responsesAnswer(body).status, 400);
    }
};

QTEST_APPLESS_MAIN(TestResponses)
#include "tst_responses.moc"
